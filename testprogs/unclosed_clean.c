/*
 * unclosed, put right. A directory and a file that stay open to the end, but
 * that the program still knows (a log file in a global), were not forgotten.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static FILE *log_file;
static DIR *volatile root; /* else the compiler leaves out what nobody reads */

static bool has_entry(const char *path, const char *name)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	while ((entry = readdir(directory)) && !found) {
		fprintf(log_file, "%s\n", entry->d_name);
		found = strcmp(entry->d_name, name) == 0;
	}
	closedir(directory);
	return found;
}

int main(void)
{
	int found = 0;
	char line[64] = "";

	log_file = fopen("/dev/null", "w");
	root = opendir("/");
	for (int i = 0; i < 50; i++)
		found += has_entry("/proc/self", "status");

	FILE *echo = popen("echo through a pipe", "r");
	if (!echo || !fgets(line, sizeof line, echo))
		return 1;
	pclose(echo);
	rewinddir(root);
	printf("found %d times, %s, %s", found, readdir(root) ? "and again" : "and then no more", line);
	return 0;
}
