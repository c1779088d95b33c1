#include "reporter/cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pairs.h"
#include "reporter/cli/complain.h"

void config_complain_environment(const char *message)
{
	complain("WHOHOLDS_OPTIONS: %s", message);
}

void config_complain_nothing(const char *message)
{
	(void)message;
}

static char *trim(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	char *end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* Return: whether the line is good. */
static bool take_line(const char *path, unsigned number, char *line, struct options *into)
{
	char message[320];
	struct text error = TEXT_OF(message);
	char *text = trim(line);
	if (!*text || *text == '#')
		return true;
	char *equals = strchr(text, '=');
	if (!equals) {
		complain("%s:%u: key = value is wanted, not '%.60s'", path, number, text);
		return false;
	}
	*equals = '\0';
	if (options_set(into, trim(text), trim(equals + 1), &error) == 0)
		return true;
	complain("%s:%u: %s", path, number, message);
	return false;
}

/* -- sections ---------------------------------------------------------------- */

static void *more_memory(size_t bytes)
{
	return calloc(1, bytes);
}

static void less_memory(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static void complain_pair(uint32_t line, const char *message, void *data)
{
	complain("%s:%u: %s", (const char *)data, line, message);
}

/* The library reads the pairs by itself, wherever the program goes; here it is seen to that it will be able to. */
static bool check_pairs(const char *path, FILE *file, struct options *into)
{
	struct arena arena = { .more = more_memory, .less = less_memory };
	struct pairs pairs = { 0 };
	char *text = NULL, *absolute = realpath(path, NULL), message[320];
	size_t room = 0;
	struct text error = TEXT_OF(message);
	rewind(file);
	ssize_t bytes = getdelim(&text, &room, '\0', file);
	bool good = bytes >= 0 && pairs_parse(&pairs, &arena, text, (size_t)bytes, complain_pair,
					      (void *)(uintptr_t)path) == 0;
	if (good && (!absolute || options_set(into, "pairs", absolute, &error) != 0)) {
		complain("cannot follow the pairs of '%s': %s", path, absolute ? message : strerror(errno));
		good = false;
	}
	arena_release(&arena);
	free(absolute);
	free(text);
	return good;
}

int config_read(const char *path, struct options *into)
{
	FILE *file = fopen(path, "re");
	struct stat stat;
	char *line = NULL;
	size_t room = 0;
	bool good = true, has_sections = false;
	if (!file || fstat(fileno(file), &stat) != 0 || S_ISDIR(stat.st_mode)) {
		complain("cannot read the config file '%s': %s; check --config", path,
			 file ? "it is a directory" : strerror(errno));
		if (file)
			fclose(file);
		return EXIT_USAGE;
	}
	ssize_t length;
	for (unsigned number = 1; (length = getline(&line, &room, file)) > 0; number++) {
		if (memchr(line, '\0', (size_t)length)) {
			complain("%s:%u: not a text file", path, number);
			good = false;
			break;
		}
		has_sections |= pairs_is_section(trim(line));
		if (!has_sections)
			good &= take_line(path, number, line, into);
	}
	if (ferror(file)) {
		complain("cannot read the config file '%s': %s", path, strerror(errno));
		good = false;
	}
	if (has_sections)
		good &= check_pairs(path, file, into);
	free(line);
	fclose(file);
	return good ? 0 : EXIT_USAGE;
}
