/*
 * A program whose segments lie 2 MiB apart, as for huge pages, with holes between them: several objects to the loader. Stacks
 * go through it to the outermost frame all the same.
 *
 * BUILD: -no-pie -Wl,-z,separate-code,-z,max-page-size=0x200000
 * KINDS: leak
 * EXPECT-JSON: .reports[-1].coverage.truncated_stacks == 0
 * EXPECT-JSON: finding("leak") | has_frame("allocated"; "innermost"; {{line lost}}) and has_frame("allocated"; "main"; {{line outermost}})
 */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/lose.h"

static __attribute__((noinline)) int innermost(void)
{
	char *volatile block = malloc(1000); /* line: lost */
	return block ? block[0] & 1 : 2;
}

static int count_holes(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	uint64_t end = 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD) {
			*(int *)data += end && info->dlpi_phdr[i].p_vaddr > end + 0x10000;
			end = info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the program comes first, and is the only one of interest */
}

int main(void)
{
	int holes = 0;
	dl_iterate_phdr(count_holes, &holes);
	CHECK(holes > 0);
	int got = innermost(); /* line: outermost */
	wipe_stack();
	return got > 1;
}
