/*
 * Code made at run time holds the only address of a block: as an operand of an instruction, which stands where it happens to, and in
 * memory that can't be written any more.
 *
 * RUN: whoholds run %prog
 * RUN: whoholds run --set leaks=1s %prog 2500
 * TIMEOUT: 30
 * KINDS: none
 * EXPECT-STDOUT: code: the blocks answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/check.h"
#include "lib/lose.h"
#include "lib/show.h"

#define BLOCKS 8
#define EACH 13 /* odd, so that the addresses stand at every offset */

typedef char *maker(void);

static unsigned char *code;

/* mov $block, %rax; ret */
static __attribute__((noinline)) void emit(unsigned char *at)
{
	char *block = malloc(100);
	memcpy(block, "answer", sizeof "answer");
	memcpy(at, "\x48\xb8", 2);
	memcpy(at + 2, &block, sizeof block);
	at[10] = 0xc3;
}

int main(int argc, char **argv)
{
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(code != MAP_FAILED);
	for (int i = 0; i < BLOCKS; i++)
		emit(code + (size_t)i * EACH);
	CHECK(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
	wipe_stack();
	sleep_ms(argc > 1 ? atoi(argv[1]) : 0);
	for (int i = 0; i < BLOCKS; i++) {
		maker *made;
		void *at = code + (size_t)i * EACH;
		memcpy(&made, &at, sizeof made);
		CHECK(strcmp(made(), "answer") == 0);
	}
	wipe_stack();
	puts("code: the blocks answer");
	return 0;
}
