/*
 * A module is set up a second time while a thread is in it: its mutex is open from then on, and the thread that
 * comes next believes to be alone.
 *
 * KINDS: reinit-in-use not-owner-unlock?
 * EXPECT: error reinit-in-use: thread 1 "main" initialised mutex module.lock again while thread 2 "user" held it
 * EXPECT: error reinit-in-use: thread 1 "main" initialised semaphore module.work again while thread 3 "worker" waited for it
 * EXPECT-JSON: finding("reinit-in-use") | has_frame("initialised"; "module_init"; {{line again}})
 * EXPECT-JSON: finding("reinit-in-use") | has_frame("acquired"; "user"; {{line takes}})
 * EXPECT-JSON: finding("reinit-in-use") | has_frame("waits"; "worker"; {{line waits}})
 * EXPECT-JSON: [finding("reinit-in-use")] | length == 2
 */
#include <semaphore.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static struct {
	pthread_mutex_t lock;
	sem_t work;
} module;

static int tids[2];

static void module_init(void)
{
	pthread_mutex_init(&module.lock, NULL); /* line: again */
	sem_init(&module.work, 0, 0);
}

static void *user(void *unused)
{
	show_thread("user");
	pthread_mutex_lock(&module.lock); /* line: takes */
	__atomic_store_n(&tids[0], check_tid(), __ATOMIC_RELEASE);
	for (;;)
		pause();
	return unused;
}

static void *worker(void *unused)
{
	show_thread("worker");
	__atomic_store_n(&tids[1], check_tid(), __ATOMIC_RELEASE);
	sem_wait(&module.work); /* line: waits */
	return unused;
}

static void begin(void *(*routine)(void *), const int *tid)
{
	thread_start(routine, NULL);
	while (!__atomic_load_n(tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	check_blocked(*tid);
}

int main(void)
{
	module_init();
	begin(user, &tids[0]);
	begin(worker, &tids[1]);
	module_init();
	pthread_mutex_lock(&module.lock);
	pthread_mutex_unlock(&module.lock);
	_exit(0);
}
