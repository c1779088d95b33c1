/*
 * The twin: what is unmapped has no lock in it that anybody has, or it goes on to be in another place; and what the
 * kernel refuses has not happened. Locks that come to lie where others lay are others, in whichever order they are taken.
 *
 * KINDS: none
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

#define BYTES 65536

struct table {
	char head[5000];
	pthread_mutex_t lock, names;
};

static struct table *map(void *where, int flags, int fd)
{
	void *at = mmap(where, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK(at != MAP_FAILED);
	return at;
}

static struct table *map_own(void)
{
	return map(NULL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* Held in one place, and given back in the other. */
static void in_two_places(int pshared)
{
	pthread_mutexattr_t attributes;
	int fd = memfd_create("table", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, BYTES) == 0);
	struct table *one = map(NULL, MAP_SHARED, fd), *two = map(NULL, MAP_SHARED, fd);
	CHECK(pthread_mutexattr_init(&attributes) == 0);
	CHECK(pthread_mutexattr_setpshared(&attributes, pshared) == 0);
	CHECK(pthread_mutex_init(&one->lock, &attributes) == 0);
	CHECK(pthread_mutex_lock(&one->lock) == 0);
	CHECK(munmap(one, BYTES) == 0);
	CHECK(pthread_mutex_unlock(&two->lock) == 0);
	CHECK(pthread_mutex_trylock(&two->lock) == 0);
	CHECK(pthread_mutex_unlock(&two->lock) == 0);
	CHECK(munmap(two, BYTES) == 0);
	close(fd);
}

static void refused(struct table *table)
{
	CHECK(pthread_mutex_lock(&table->lock) == 0);
	CHECK(munmap((char *)table + 1, BYTES) == -1 && errno == EINVAL);
	CHECK(munmap(table, 0) == -1 && errno == EINVAL);
	CHECK(syscall(SYS_munmap, table, 0) == -1 && errno == EINVAL);
	CHECK(mmap(table, BYTES, PROT_READ, MAP_PRIVATE | MAP_FIXED, 4711, 0) == MAP_FAILED &&
	      errno == EBADF);
	CHECK(mmap(table, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
	CHECK(errno == EINVAL);
	CHECK(mmap(table, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	      MAP_FAILED);
	CHECK(errno == EEXIST);
	CHECK(mremap((char *)table + 1, BYTES, 2 * BYTES, 0) == MAP_FAILED && errno == EINVAL);
	/* Stays where it is: only its end goes. */
	CHECK(mremap(table, BYTES, BYTES / 2, 0) == table);
	CHECK(munmap((char *)table + BYTES / 2, BYTES / 2) == 0);
	CHECK(pthread_mutex_unlock(&table->lock) == 0);
}

/* The guard page in front can't be read, and goes with the rest. */
static void guarded(void)
{
	struct table *table = map_own();
	CHECK(pthread_mutex_lock(&table->lock) == 0);
	CHECK(pthread_mutex_unlock(&table->lock) == 0);
	CHECK(mprotect(table, BYTES, PROT_NONE) == 0);
	CHECK(munmap(table, BYTES) == 0);
}

static void *one_way(void *data)
{
	struct table *table = data;
	pthread_mutex_lock(&table->lock);
	pthread_mutex_lock(&table->names);
	pthread_mutex_unlock(&table->names);
	pthread_mutex_unlock(&table->lock);
	return NULL;
}

static void *other_way(void *data)
{
	struct table *table = data;
	pthread_mutex_lock(&table->names);
	pthread_mutex_lock(&table->lock);
	pthread_mutex_unlock(&table->lock);
	pthread_mutex_unlock(&table->names);
	return NULL;
}

/* Both threads live all the time, so that nothing but the mappings keeps the two orders apart. */
static struct table *table_now;
static pthread_barrier_t turn;

static void *first_way(void *unused)
{
	one_way(table_now);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	return unused;
}

static void *second_way(void *unused)
{
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	other_way(table_now);
	pthread_barrier_wait(&turn);
	return unused;
}

static void reused(void)
{
	CHECK(pthread_barrier_init(&turn, NULL, 3) == 0);
	struct table *table = table_now = map_own();
	pthread_t first = thread_start(first_way, NULL), second = thread_start(second_way, NULL);
	pthread_barrier_wait(&turn);
	CHECK(munmap(table, BYTES) == 0);
	CHECK(map(table, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1) == table);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	CHECK(munmap(table, BYTES) == 0);
	CHECK(pthread_barrier_destroy(&turn) == 0);
}

int main(void)
{
	in_two_places(PTHREAD_PROCESS_PRIVATE);
	in_two_places(PTHREAD_PROCESS_SHARED);
	struct table *table = map_own();
	refused(table);
	CHECK(munmap(table, BYTES) == 0);
	guarded();
	reused();
	return 0;
}
