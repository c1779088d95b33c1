/*
 * A process whose memory grows though malloc knows nothing of it: twelve mappings of 4 MiB from one place, one that was grown, and a
 * segment of shared memory. Nothing is wrong with them; the dump says where they come from.
 *
 * RUN: whoholds run --set mappings=on --set idle_blocked=100ms %prog
 * KINDS: blocked
 * HANGS: yes
 * TIMEOUT: 20
 * EXPECT-DUMP: memory that the program has mapped itself, 52 MiB in 14 mappings, by the place that did it
 * EXPECT-DUMP: 48 MiB in 12 mappings, the oldest
 * EXPECT-DUMP: mapping_dump.c:{{line cache}}
 * EXPECT-DUMP: 3 MiB in 1 mapping
 * EXPECT-DUMP: mapping_dump.c:{{line grown}}
 * EXPECT-DUMP: 1 MiB in 1 mapping
 * EXPECT-JSON: .reports[].mappings | select(. != null) | .[0].bytes == 48 * 1048576 and .[0].count == 12 and length == 3
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define MAP(bytes) mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)

static void *volatile kept[16];

static __attribute__((noinline)) void fill(void)
{
	for (int i = 0; i < 12; i++)
		kept[i] = MAP(4 * MIB); /* line: cache */
}

static __attribute__((noinline)) void grow(void)
{
	kept[12] = MAP(MIB);
	kept[12] = mremap(kept[12], MIB, 3 * MIB, MREMAP_MAYMOVE); /* line: grown */
}

int main(void)
{
	fill();
	grow();
	int id = shmget(IPC_PRIVATE, MIB, IPC_CREAT | 0600);
	kept[13] = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	/* Nobody ever writes. */
	int ends[2];
	char byte;
	return pipe(ends) == 0 && read(ends[0], &byte, 1) == 1;
}
