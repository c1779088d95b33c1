/*
 * Locks that nobody waits for: recursive ones taken again, readers side by side, a try that fails. No table of them is
 * printed, and their acquisitions are counted all the same.
 *
 * RUN: whoholds run -v %prog
 * KINDS: none
 * EXPECT: locks: 4, taken 261 times, none waited for
 * EXPECT-NOT: locks that threads waited for
 * EXPECT-JSON: lock("again") | .acquisitions == 50 and .contended == 0
 * EXPECT-JSON: lock("shared") | .acquisitions == 110 and .contended == 0 and (.stacks | length) == 3
 * EXPECT-JSON: lock("tried") | .acquisitions == 1
 */
#include <pthread.h>

static pthread_mutex_t again = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, tried = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static void *second_reader(void *unused)
{
	for (int i = 0; i < 50; i++) {
		pthread_rwlock_rdlock(&shared);
		pthread_rwlock_unlock(&shared);
	}
	if (pthread_mutex_trylock(&tried) == 0)
		pthread_mutex_unlock(&tried);
	return unused;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&again);
		pthread_mutex_lock(&again);
		pthread_mutex_unlock(&again);
		pthread_mutex_unlock(&again);
	}
	pthread_mutex_lock(&tried);
	for (int i = 0; i < 50; i++) {
		pthread_rwlock_rdlock(&shared);
		if (i == 0) {
			pthread_create(&thread, NULL, second_reader, NULL);
			pthread_join(thread, NULL);
		}
		pthread_rwlock_unlock(&shared);
	}
	pthread_mutex_unlock(&tried);
	for (int i = 0; i < 10; i++) {
		pthread_rwlock_wrlock(&shared);
		pthread_rwlock_unlock(&shared);
	}
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < 100; i++) {
		pthread_spin_lock(&spin);
		pthread_spin_unlock(&spin);
	}
	pthread_spin_destroy(&spin);
	return 0;
}
