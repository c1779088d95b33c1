/*
 * A table lies in memory of its own mapping, with its lock. It is torn down while a thread has the lock: by munmap, by the system call of that number, by mapping
 * something else over it, and by mremap, which leaves the lock at an address where nobody looks for it; and
 * once while a thread waits for it.
 *
 * Hard because: the search at the end must not stop the sleeper. libc would look at its word anew, find no memory there, and abort.
 *
 * RUN: whoholds run %prog
 * KINDS: destroyed-in-use
 * EXPECT: error destroyed-in-use: thread 1 "main" unmapped the memory of mutex
 * EXPECT: mapped something else over mutex
 * EXPECT: moved the memory of rwlock
 * EXPECT: while it held it itself
 * EXPECT: waited for it
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "drop"; {{line unmaps}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "drop_by_number"; {{line by number}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("acquired"; "enter"; {{line enters}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "cover"; {{line covers}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("destroyed"; "move"; {{line moves}})
 * EXPECT-JSON: finding("destroyed-in-use") | has_frame("waits"; "sleeper"; {{line waits}})
 * EXPECT-JSON: [finding("destroyed-in-use")] | length == 5
 */
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define BYTES 65536

struct table {
	char head[5000];
	pthread_mutex_t lock;
	pthread_rwlock_t names;
	sem_t full;
};

static struct table *map(void)
{
	void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static void enter(struct table *table)
{
	pthread_mutex_lock(&table->lock); /* line: enters */
}

static void drop(struct table *table)
{
	munmap(table, BYTES); /* line: unmaps */
}

static void drop_by_number(struct table *table)
{
	CHECK_EQUAL(syscall(SYS_munmap, table, BYTES), 0); /* line: by number */
}

static void cover(struct table *table)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	CHECK(mmap(table, BYTES, PROT_READ, flags, -1, 0) == table); /* line: covers */
}

static void move(struct table *table)
{
	void *away = map();
	CHECK(mremap(table, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away); /* line: moves */
}

static int sleeper_tid;

static void *sleeper(void *data)
{
	struct table *table = data;
	__atomic_store_n(&sleeper_tid, check_tid(), __ATOMIC_RELEASE);
	sem_wait(&table->full); /* line: waits */
	return NULL;
}

int main(void)
{
	struct table *first = map();
	enter(first);
	drop(first);
	struct table *again = map();
	enter(again);
	drop_by_number(again);
	struct table *second = map();
	enter(second);
	cover(second);
	struct table *third = map();
	pthread_rwlock_rdlock(&third->names);
	move(third);
	struct table *fourth = map();
	CHECK(sem_init(&fourth->full, 0, 0) == 0);
	thread_start(sleeper, fourth);
	while (!__atomic_load_n(&sleeper_tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(sleeper_tid);
	munmap(fourth, BYTES);
	_exit(0);
}
