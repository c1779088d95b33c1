/*
 * fork_held_kinds, put right: in the child somebody reads what a thread of the parent was reading as well, gives back
 * what the forking thread had for reading, and only tries the spin lock; threads of the child contend for locks of
 * their own that the parent has used.
 *
 * KINDS: none
 * TIMEOUT: 20
 * EXPECT-STDOUT: 40000 in the child
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

#define ROUNDS 10000

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER, other = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t counter, busy;
static pthread_barrier_t all_have_one, done;
static int count;

static void *has_both(void *unused)
{
	pthread_rwlock_rdlock(&table);
	pthread_spin_lock(&counter);
	pthread_barrier_wait(&all_have_one);
	pthread_barrier_wait(&done);
	pthread_spin_unlock(&counter);
	pthread_rwlock_unlock(&table);
	return unused;
}

static void *counts(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_spin_lock(&busy);
		pthread_rwlock_wrlock(&other);
		count++;
		pthread_rwlock_unlock(&other);
		pthread_spin_unlock(&busy);
	}
	return unused;
}

static int run_child(void)
{
	pthread_t threads[4];

	pthread_rwlock_unlock(&other);
	pthread_rwlock_rdlock(&table);
	pthread_rwlock_unlock(&table);
	if (pthread_spin_trylock(&counter) != EBUSY)
		return 1;
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(counts, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("%d in the child\n", count);
	fflush(stdout);
	return 0;
}

int main(void)
{
	pthread_spin_init(&counter, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_init(&busy, PTHREAD_PROCESS_PRIVATE);
	pthread_barrier_init(&all_have_one, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	pthread_t thread = thread_start(has_both, NULL);
	pthread_barrier_wait(&all_have_one);
	pthread_rwlock_rdlock(&other);
	pid_t child = fork();
	if (child == 0)
		_exit(run_child());
	int status;
	waitpid(child, &status, 0);
	pthread_rwlock_unlock(&other);
	pthread_barrier_wait(&done);
	pthread_join(thread, NULL);
	return status;
}
