/*
 * Mappings are lost: of memory and of a file by early returns, one that mremap has moved, a segment of shared memory, half of one in
 * which a hole was made; one that holds the only pointer to a block, and to another mapping, which is lost with it.
 * Hard because: nobody but the kernel keeps an account of them, and the addresses of those that were unmapped come again.
 *
 * RUN: whoholds run --set mappings=on %prog
 * KINDS: leak
 * EXPECT: 192 KiB in 3 mappings lost, from early
 * EXPECT-JSON: finding("leak") | .count == 3 and .bytes == 3 * 65536 and has_frame("allocated"; "early"; {{line early}})
 * EXPECT-JSON: finding("leak") | .count == 1 and .bytes == 8192 and has_frame("allocated"; "of_file"; {{line file}})
 * EXPECT-JSON: finding("leak") | .count == 1 and .bytes == 16 * 65536 and has_frame("allocated"; "longer"; {{line longer}})
 * EXPECT-JSON: finding("leak") | .count == 2 and .bytes == 2 * 16384 and has_frame("allocated"; "segment"; {{line segment}})
 * EXPECT-JSON: finding("leak") | .count == 2 and .bytes == 2 * 65536 and has_frame("allocated"; "holed"; {{line holed}})
 * EXPECT-JSON: finding("leak") | .count == 1 and .indirect_bytes == 1000 and has_frame("allocated"; "chain"; {{line chain}})
 * EXPECT-JSON: finding("leak") | .count == 1 and .bytes == 12288 and has_frame("allocated"; "chain"; {{line link}})
 * EXPECT-JSON: [.findings[] | select(.kind == "leak")] | length == 7
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "lib/lose.h"

#define PIECE 65536
#define MAP(bytes) mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

static char *volatile seen;
static void **volatile words;

static char *fresh(char *at)
{
	if (at == MAP_FAILED)
		exit(1);
	return at;
}

static __attribute__((noinline)) int early(int wanted)
{
	char *page = fresh(MAP(PIECE)); /* line: early */
	memset(page, wanted, PIECE);
	if (wanted % 2)
		return -1;
	return munmap(page, PIECE);
}

static __attribute__((noinline)) void of_file(const char *name)
{
	int fd = open(name, O_RDONLY);
	seen = fresh(mmap(NULL, 5000, PROT_READ, MAP_PRIVATE, fd, 0)); /* line: file */
	close(fd);
	seen = NULL;
}

static __attribute__((noinline)) void longer(void)
{
	seen = fresh(MAP(PIECE));
	seen = fresh(mremap(seen, PIECE, 16 * PIECE, MREMAP_MAYMOVE)); /* line: longer */
	seen = NULL;
}

/* Three times, of which one is given back. */
static __attribute__((noinline)) void segment(void)
{
	int id = shmget(IPC_PRIVATE, 16000, IPC_CREAT | 0600);
	for (int i = 0; i < 3; i++) {
		seen = shmat(id, NULL, 0); /* line: segment */
		if (i == 1)
			shmdt(seen);
	}
	shmctl(id, IPC_RMID, NULL);
	seen = NULL;
}

static __attribute__((noinline)) void holed(void)
{
	seen = fresh(MAP(3 * PIECE)); /* line: holed */
	munmap(seen + PIECE, PIECE);
	seen = NULL;
}

static __attribute__((noinline)) void chain(void)
{
	words = (void **)fresh(MAP(4096)); /* line: chain */
	words[7] = malloc(1000);
	words[9] = fresh(MAP(12288)); /* line: link */
	words = NULL;
}

int main(int argc, char **argv)
{
	(void)argc;
	for (int i = 0; i < 6; i++)
		early(i);
	of_file(argv[0]);
	longer();
	segment();
	holed();
	chain();
	wipe_stack();
	return 0;
}
