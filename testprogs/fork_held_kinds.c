/*
 * A process forks while one of its threads has a lock for reading, and another one a spin lock. In the first child
 * somebody wants to write; in the second one somebody spins.
 *
 * Hard because neither lock says who has it.
 *
 * KINDS: fork-held
 * TIMEOUT: 20
 * EXPECT: warning fork-held: thread 1 "writer" of a forked child waits for rwlock table, which another thread, "reader", held when it forked
 * EXPECT: warning fork-held: thread 1 "spinner" of a forked child waits for spin lock counter, which another thread, "counts", held when it forked
 * EXPECT-JSON: finding("fork-held") | has_frame("waits"; "writes"; {{line writes}}) and has_frame("acquired"; "reader"; {{line reads}})
 * EXPECT-JSON: finding("fork-held") | has_frame("waits"; "spins"; {{line spins}}) and has_frame("acquired"; "counts"; {{line counts}})
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t counter;
static pthread_barrier_t all_have_one, done;

static void writes(void)
{
	show_thread("writer");
	pthread_rwlock_wrlock(&table); /* line: writes */
}

static void spins(void)
{
	show_thread("spinner");
	pthread_spin_lock(&counter); /* line: spins */
}

static void *reader(void *unused)
{
	show_thread("reader");
	pthread_rwlock_rdlock(&table); /* line: reads */
	pthread_barrier_wait(&all_have_one);
	pthread_barrier_wait(&done);
	pthread_rwlock_unlock(&table);
	return unused;
}

static void *counts(void *unused)
{
	show_thread("counts");
	pthread_spin_lock(&counter); /* line: counts */
	pthread_barrier_wait(&all_have_one);
	pthread_barrier_wait(&done);
	pthread_spin_unlock(&counter);
	return unused;
}

static void hangs_in_child(void (*what)(void))
{
	pid_t child = fork();

	if (child == 0) {
		what();
		_exit(0);
	}
	sleep_ms(1500);
	kill(child, SIGKILL); /* it would hang for ever */
	waitpid(child, NULL, 0);
}

int main(void)
{
	pthread_spin_init(&counter, PTHREAD_PROCESS_PRIVATE);
	pthread_barrier_init(&all_have_one, NULL, 3);
	pthread_barrier_init(&done, NULL, 3);
	pthread_t threads[] = { thread_start(reader, NULL), thread_start(counts, NULL) };
	pthread_barrier_wait(&all_have_one);
	hangs_in_child(writes);
	hangs_in_child(spins);
	pthread_barrier_wait(&done);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
