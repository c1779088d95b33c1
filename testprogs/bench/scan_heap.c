/*
 * A heap of small blocks to be searched: blocks of 16 to 512 bytes, or the most that is given, each of which is pointed to by another one, in an order that
 * has nothing to do with where they lie (a table of buckets, chains behind it), and one in a hundred is lost.
 *
 * Arguments: megabytes, the largest block; then it prints "ready", what it made, and waits for its standard input to end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link {
	struct link *next;
	uint64_t payload[];
};

static struct link **buckets;
static uint64_t bucket_count, state = 88172645463325252u;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

int main(int argc, char **argv)
{
	uint64_t bytes = (argc > 1 ? strtoull(argv[1], NULL, 10) : 256) << 20, made = 0, count = 0, lost = 0;
	uint64_t sizes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 512) - 15;
	bucket_count = bytes / 2048;
	buckets = calloc(bucket_count, sizeof *buckets);
	if (!buckets)
		return 1;
	while (made < bytes) {
		uint64_t size = 16 + random_number() % sizes;
		struct link *link = malloc(size);
		if (!link)
			return 1;
		/* What programs have in their blocks: few pointers, much else. */
		memset(link, (int)(count & 0x3f), size);
		link->next = NULL;
		made += size;
		count++;
		if (count % 100 == 0) {
			lost++;
			continue;
		}
		struct link **bucket = &buckets[random_number() % bucket_count];
		link->next = *bucket;
		*bucket = link;
	}
	printf("ready %llu blocks, %llu bytes, %llu lost\n", (unsigned long long)count,
	       (unsigned long long)made, (unsigned long long)lost);
	fflush(stdout);
	char end;
	while (read(0, &end, 1) > 0)
		;
	return 0;
}
