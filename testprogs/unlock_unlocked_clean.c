/*
 * The twin: locks released in every way that is right, however odd: readers in any order, recursions, conditions that
 * time out and are cancelled, a robust mutex of a dead owner, what a fork handler took before the fork and gives back in
 * the child, a lock between processes that the other one holds, and a semaphore that others post.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;

/* -- order ------------------------------------------------------------------- */

static void *reads(void *unused)
{
	pthread_rwlock_rdlock(&table);
	sleep_ms(20);
	CHECK_EQUAL(pthread_rwlock_unlock(&table), 0);
	return unused;
}

static void in_any_order(void)
{
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&second);
	CHECK_EQUAL(pthread_mutex_unlock(&first), 0);
	CHECK_EQUAL(pthread_mutex_unlock(&second), 0);

	pthread_t readers[3];
	for (int i = 0; i < 3; i++)
		readers[i] = thread_start(reads, NULL);
	pthread_rwlock_rdlock(&table);
	pthread_rwlock_rdlock(&table);
	CHECK_EQUAL(pthread_rwlock_unlock(&table), 0);
	CHECK_EQUAL(pthread_rwlock_unlock(&table), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
}

/* More than the library has room for in a thread's own page. */
static void many_at_once(void)
{
	enum { MANY = 120 };
	static pthread_mutex_t locks[MANY];
	static pthread_rwlock_t tables[MANY];
	for (int i = 0; i < MANY; i++) {
		pthread_mutex_lock(&locks[i]);
		pthread_rwlock_rdlock(&tables[i]);
	}
	for (int i = 0; i < MANY; i++) {
		CHECK_EQUAL(pthread_mutex_unlock(&locks[i]), 0);
		CHECK_EQUAL(pthread_rwlock_unlock(&tables[i]), 0);
	}
}

/* -- conditions -------------------------------------------------------------- */

static void unlock(void *mutex)
{
	CHECK_EQUAL(pthread_mutex_unlock(mutex), 0);
}

static void *waits_for_ever(void *unused)
{
	pthread_mutex_lock(&first);
	pthread_cleanup_push(unlock, &first);
	for (;;)
		pthread_cond_wait(&filled, &first);
	pthread_cleanup_pop(1);
	return unused;
}

static void conditions(void)
{
	pthread_t thread = thread_start(waits_for_ever, NULL);
	sleep_ms(20);
	pthread_cancel(thread);
	pthread_join(thread, NULL);

	struct timespec until = check_in_ms(CLOCK_REALTIME, 10);
	pthread_mutex_lock(&first);
	CHECK_EQUAL(pthread_cond_timedwait(&filled, &first, &until), ETIMEDOUT);
	CHECK_EQUAL(pthread_mutex_unlock(&first), 0);

	/* The same condition with another mutex, once nobody waits with the first. */
	until = check_in_ms(CLOCK_REALTIME, 10);
	pthread_mutex_lock(&second);
	CHECK_EQUAL(pthread_cond_timedwait(&filled, &second, &until), ETIMEDOUT);
	CHECK_EQUAL(pthread_mutex_unlock(&second), 0);

	pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	until = check_in_ms(CLOCK_REALTIME, 10);
	pthread_mutex_lock(&recursive);
	CHECK_EQUAL(pthread_cond_timedwait(&filled, &recursive, &until), ETIMEDOUT);
	CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
}

/* -- answers that were asked for ---------------------------------------------- */

static void *dies(void *robust)
{
	pthread_mutex_lock(robust);
	return NULL;
}

static void checked(void)
{
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), EPERM);
	pthread_mutex_lock(&mutex);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);

	pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	CHECK_EQUAL(pthread_mutex_unlock(&recursive), EPERM);

	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attributes);
	pthread_join(thread_start(dies, &mutex), NULL);
	CHECK_EQUAL(pthread_mutex_lock(&mutex), EOWNERDEAD);
	pthread_mutex_consistent(&mutex);
	CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
}

/* -- forks --------------------------------------------------------------------- */

static void prepare(void)
{
	pthread_mutex_lock(&first);
	pthread_rwlock_wrlock(&table);
}

static void release(void)
{
	CHECK_EQUAL(pthread_rwlock_unlock(&table), 0);
	CHECK_EQUAL(pthread_mutex_unlock(&first), 0);
}

static void begin_anew(void)
{
	pthread_rwlock_init(&table, NULL);
	pthread_mutex_unlock(&first);
}

static void *busy(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&second);
		pthread_mutex_unlock(&second);
	}
	return NULL;
}

static void forks(void)
{
	int stop = 0, status = -1;
	pthread_t thread = thread_start(busy, &stop);
	pthread_atfork(prepare, release, begin_anew);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();
		if (child == 0) {
			pthread_mutex_lock(&first);
			pthread_mutex_unlock(&first);
			pthread_rwlock_rdlock(&table);
			pthread_rwlock_unlock(&table);
			_exit(0);
		}
		CHECK_EQUAL(waitpid(child, &status, 0), child);
		CHECK_EQUAL(status, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/* The child takes it, the parent waits for it: each gives back its own. */
static void between_processes(void)
{
	struct {
		pthread_mutex_t lock;
		sem_t taken;
	} *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->lock, &attributes);
	sem_init(&shared->taken, 1, 0);
	pid_t child = fork();
	if (child == 0) {
		pthread_mutex_lock(&shared->lock);
		sem_post(&shared->taken);
		sleep_ms(30);
		pthread_mutex_unlock(&shared->lock);
		_exit(0);
	}
	sem_wait(&shared->taken);
	pthread_mutex_lock(&shared->lock);
	CHECK_EQUAL(pthread_mutex_unlock(&shared->lock), 0);
	waitpid(child, NULL, 0);
	CHECK_EQUAL(pthread_mutex_destroy(&shared->lock), 0);
	sem_destroy(&shared->taken);
	munmap(shared, 4096);
}

/* -- memory that is used again --------------------------------------------------- */

static void used_again(void)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_t *lock = malloc(sizeof *lock + (size_t)(i % 7));
		pthread_mutex_init(lock, NULL);
		pthread_mutex_lock(lock);
		CHECK_EQUAL(pthread_mutex_unlock(lock), 0);
		if (i % 2)
			pthread_mutex_destroy(lock);
		free(lock);
	}
	pthread_mutex_t local;
	for (int i = 0; i < 3; i++) {
		memset(&local, 0, sizeof local);
		pthread_mutex_lock(&local);
		pthread_mutex_unlock(&local);
	}
	CHECK_EQUAL(pthread_mutex_init(&local, NULL), 0);
	CHECK_EQUAL(pthread_mutex_destroy(&local), 0);
	CHECK_EQUAL(pthread_mutex_init(&local, NULL), 0);
}

/* -- a barrier and a semaphore that go as soon as they may -------------------------- */

struct meeting {
	pthread_barrier_t barrier;
	sem_t done;
};

static void *meets(void *data)
{
	struct meeting *meeting = data;
	/* NOLINTNEXTLINE(bugprone-posix-return): that is -1, and no error. */
	if (pthread_barrier_wait(&meeting->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		CHECK_EQUAL(pthread_barrier_destroy(&meeting->barrier), 0);
	sem_post(&meeting->done);
	return NULL;
}

static void meetings(void)
{
	for (int i = 0; i < 20; i++) {
		struct meeting meeting;
		pthread_t threads[3];
		pthread_barrier_init(&meeting.barrier, NULL, 3);
		sem_init(&meeting.done, 0, 0);
		for (int t = 0; t < 3; t++)
			threads[t] = thread_start(meets, &meeting);
		for (int t = 0; t < 3; t++)
			sem_wait(&meeting.done);
		CHECK_EQUAL(sem_destroy(&meeting.done), 0);
		for (int t = 0; t < 3; t++)
			pthread_join(threads[t], NULL);
	}
}

struct box {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	int waiting, go;
};

static void *opens(void *data)
{
	struct box *box = data;
	pthread_mutex_lock(&box->lock);
	box->waiting++;
	while (!box->go)
		pthread_cond_wait(&box->ready, &box->lock);
	pthread_mutex_unlock(&box->lock);
	return NULL;
}

/* The condition goes as soon as all are woken: libc waits for those that have not left it yet. */
static void conditions_go(void)
{
	for (int i = 0; i < 20; i++) {
		struct box box = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };
		pthread_t threads[3];
		for (int t = 0; t < 3; t++)
			threads[t] = thread_start(opens, &box);
		for (int waiting = 0; waiting < 3;) {
			pthread_mutex_lock(&box.lock);
			waiting = box.waiting;
			pthread_mutex_unlock(&box.lock);
		}
		pthread_mutex_lock(&box.lock);
		box.go = 1;
		pthread_cond_broadcast(&box.ready);
		CHECK_EQUAL(pthread_cond_destroy(&box.ready), 0);
		pthread_mutex_unlock(&box.lock);
		for (int t = 0; t < 3; t++)
			pthread_join(threads[t], NULL);
		CHECK_EQUAL(pthread_mutex_destroy(&box.lock), 0);
	}
}

int main(void)
{
	in_any_order();
	many_at_once();
	conditions();
	checked();
	used_again();
	meetings();
	conditions_go();
	between_processes();
	forks();
	return 0;
}
