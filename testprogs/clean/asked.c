/*
 * A program asks for a report by itself, twice: once while a directory is open in it, and once when it is not.
 *
 * RUN: whoholds run %prog
 * RUN: LD_PRELOAD=%lib %prog
 * TIMEOUT: 30
 * KINDS: none
 * EXPECT: asked for (half of it is done), nothing found
 * EXPECT: asked for (nothing is open), nothing found
 * EXPECT: holds directory "/proc/self"
 * EXPECT: asked.c:{{line opens}}
 */
#include <dirent.h>
#include <stdio.h>

#include "whoholds.h"

int main(void)
{
	DIR *directory = opendir("/proc/self"); /* line: opens */

	wh_report("half of it is done");
	closedir(directory);
	wh_report("nothing is open");
	printf("done\n");
	return 0;
}
