/*
 * An early return forgets to close a directory and a file, three times over.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: iterator-leak
 * EXPECT: error iterator-leak:
 * EXPECT: unclosed.c:{{line opens directory}}
 * EXPECT: unclosed.c:{{line opens file}}
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 3) | has_frame("opened"; "has_entry"; {{line opens directory}})
 * EXPECT-JSON: finding("iterator-leak") | select(.count == 3) | has_frame("opened"; "has_entry"; {{line opens file}})
 * EXPECT-JSON: [finding("iterator-leak")] | length == 2
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has_entry(const char *path, const char *name)
{
	DIR *directory = opendir(path);      /* line: opens directory */
	FILE *log = fopen("/dev/null", "w"); /* line: opens file */
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		fprintf(log, "%s\n", entry->d_name);
		if (strcmp(entry->d_name, name) == 0)
			return true;
	}
	fclose(log);
	closedir(directory);
	return false;
}

int main(void)
{
	int found = 0;

	for (int i = 0; i < 3; i++)
		found += has_entry("/proc/self", "status");
	for (int i = 0; i < 50; i++)
		found += has_entry("/proc/self", "no such entry");
	printf("found %d times\n", found);
	return 0;
}
