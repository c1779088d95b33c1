/*
 * Sessions out of slabs of the program's own, whose memory is malloc's, mapped, and an array; some are forgotten, with what they hold.
 * Hard because: the memory of all slabs is in use, and full of pointers.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT: 3 KiB in 48 blocks lost, from slab_take
 * EXPECT-STDOUT: lost 25344 of 31680
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 48 * 64 and .count == 48 and .indirect_bytes == 48 * (200 + 64 + 200)) | has_frame("allocated"; "slab_take"; {{line lib/slab.h take}}) and has_frame("allocated"; "session_new"; {{line new}})
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/lose.h"
#include "lib/slab.h"

#define EACH 64
#define COUNT 24
#define LOST 16
#define BYTES ((size_t)4096)

struct session {
	char *name; /* malloc's */
	struct session *peer;
};

static char array[BYTES] __attribute__((aligned(16)));
static struct slab slabs[3];
static struct session *known[3][COUNT];

static __attribute__((noinline)) struct session *session_new(struct slab *slab)
{
	struct session *session = slab_take(slab); /* line: new */
	session->name = malloc(200);
	memset(session->name, 'n', 200);
	return session;
}

static __attribute__((noinline)) void fill(void)
{
	slab_fill(&slabs[0], malloc(BYTES), BYTES, EACH);
	slab_fill(&slabs[1], array, BYTES, EACH);
	slab_fill(&slabs[2], mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		  BYTES, EACH);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < COUNT; j++) {
			known[i][j] = session_new(&slabs[i]);
			if (j < LOST)
				known[i][j]->peer = session_new(&slabs[i]);
		}
}

static __attribute__((noinline)) void forget(void)
{
	for (int i = 0; i < 3; i++)
		memset(known[i], 0, LOST * sizeof known[i][0]);
}

int main(void)
{
	wh_mark mark = wh_now();
	fill();
	forget();
	wipe_stack();
	printf("lost %zu of %zu\n", wh_lost_bytes_since(mark), wh_live_bytes_since(mark));
	fflush(stdout);
	wipe_stack();
	return 0;
}
