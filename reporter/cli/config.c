#include "reporter/cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	if (*text == '[') {
		complain(
		    "%s:%u: sections such as '%.40s' are not read in this version; lines of key = value are",
		    path, number, text);
		return false;
	}
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

int config_read(const char *path, struct options *into)
{
	FILE *file = fopen(path, "re");
	struct stat stat;
	char *line = NULL;
	size_t room = 0;
	bool good = true;
	if (!file || fstat(fileno(file), &stat) != 0 || S_ISDIR(stat.st_mode)) {
		complain("cannot read the config file '%s': %s", path,
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
		good &= take_line(path, number, line, into);
	}
	if (ferror(file)) {
		complain("cannot read the config file '%s': %s", path, strerror(errno));
		good = false;
	}
	free(line);
	fclose(file);
	return good ? 0 : EXIT_USAGE;
}
