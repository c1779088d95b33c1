/*
 * What main had on its stack is dead once it has returned: forty blocks.
 * Hard because: the frames of libc and of the loader that run at the end lie where main's was, and have gaps in which its
 * pointers still stand.
 *
 * RUN: whoholds run %prog
 * KINDS: leak
 * BUILD: -O0
 * EXPECT-JSON: finding("leak") | select(.count == 40 and .bytes == 4000) | has_frame("allocated"; "main"; {{line made}})
 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	char *kept[40];
	for (int i = 0; i < 40; i++)
		kept[i] = malloc(100); /* line: made */
	for (int i = 0; i < 40; i++)
		kept[i][0] = (char)i;
	printf("%d\n", kept[39][0]);
	return 0;
}
