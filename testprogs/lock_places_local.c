/*
 * Two threads wait for each other's locks, which lie in the thread-local storage of libraries: of one that is there from the start, and of one
 * that dlopen has brought when the threads ran already.
 * Hard because no symbol's address is theirs: where the storage lies each thread has in a list of the loader's.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * TWIN: lock_places_clean
 * KINDS: deadlock
 * BUILD: -llocals -ldl
 * EXPECT: for mutex session.lock of thread 2 "first", held by thread
 * EXPECT: for mutex late_session.lock of thread 3 "second", held by thread
 * EXPECT-DUMP: holds mutex session.lock of thread 2
 * EXPECT-REPORT: for mutex late_session.lock of thread 3
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr early}}" and .name == "session.lock of thread 2 \"first\" (thread-local, liblocals.so)"
 * EXPECT-JSON: finding("deadlock") | ._report.objects[] | .address == "{{addr late}}" and .name == "late_session.lock of thread 3 \"second\" (thread-local, liblocals_late.so)"
 */
#include <dlfcn.h>

#include "lib/check.h"
#include "lib/show.h"
#include "shared/locals.h"

static pthread_barrier_t runs, loaded, each_holds_one;
static pthread_mutex_t *early, *late;
static pthread_mutex_t *(*late_lock)(void);

static void *first(void *unused)
{
	show_thread("first");
	pthread_barrier_wait(&runs);
	pthread_barrier_wait(&loaded);
	early = locals_lock();
	show_addr("early", early);
	pthread_barrier_wait(&each_holds_one);
	pthread_mutex_lock(late);
	return unused;
}

static void *second(void *unused)
{
	show_thread("second");
	pthread_barrier_wait(&loaded);
	late = late_lock();
	show_addr("late", late);
	pthread_barrier_wait(&each_holds_one);
	pthread_mutex_lock(early);
	return unused;
}

int main(void)
{
	pthread_barrier_init(&runs, NULL, 2);
	pthread_barrier_init(&loaded, NULL, 3);
	pthread_barrier_init(&each_holds_one, NULL, 2);
	pthread_t one = thread_start(first, NULL);
	pthread_barrier_wait(&runs);
	pthread_t two = thread_start(second, NULL);
	void *module = dlopen("liblocals_late.so", RTLD_NOW);
	CHECK(module);
	late_lock = (pthread_mutex_t * (*)(void)) dlsym(module, "locals_late_lock");
	CHECK(late_lock);
	pthread_barrier_wait(&loaded);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	return 0;
}
