/*
 * A once-routine takes a lock; another thread calls pthread_once with that lock
 * held. Whoever runs the routine holds the once.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: pthread_once
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid loader}}) and has_thread({{tid registrar}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid loader}}; "load_config"; {{line needs registry}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid registrar}}; "add_to_registry"; {{line needs config}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid registrar}}; "add_to_registry"; {{line has registry}})
 * EXPECT-JSON: finding("deadlock") | has_object("mutex"; "{{addr registry}}") and has_object("once"; "{{addr config}}")
 * EXPECT-DUMP: once_deadlock.c:{{line needs config}}
 * EXPECT-REPORT: once_deadlock.c:{{line needs registry}}
 */
#include "lib/show.h"

static pthread_once_t config = PTHREAD_ONCE_INIT;
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_began;

static void load_config(void)
{
	pthread_barrier_wait(&both_began);
	pthread_mutex_lock(&registry); /* line: needs registry */
	pthread_mutex_unlock(&registry);
}

static void add_to_registry(void)
{
	pthread_mutex_lock(&registry); /* line: has registry */
	pthread_barrier_wait(&both_began);
	pthread_once(&config, load_config); /* line: needs config */
	pthread_mutex_unlock(&registry);
}

static void *loader(void *unused)
{
	show_thread("loader");
	pthread_once(&config, load_config);
	return unused;
}

static void *registrar(void *unused)
{
	show_thread("registrar");
	add_to_registry();
	return unused;
}

int main(void)
{
	show_addr("registry", &registry);
	show_addr("config", &config);
	pthread_barrier_init(&both_began, NULL, 2);

	pthread_t threads[] = { thread_start(loader, NULL), thread_start(registrar, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
