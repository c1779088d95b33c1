/*
 * A thread holds a read lock and waits for a semaphore that nobody posts; a
 * writer waits behind it.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * TWIN: stuck_holder_read_clean
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: sem_wait
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["reader"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid reader}}; "read_when_allowed"; {{line waits}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("acquired"; {{tid reader}}; "read_when_allowed"; {{line takes}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid writer}}; "write_it"; {{line writes}})
 * EXPECT-JSON: finding("stuck-holder") | has_object("rwlock"; "{{addr document}}")
 * EXPECT-DUMP: stuck_holder_sem.c:{{line waits}}
 */
#include <semaphore.h>

#include "lib/show.h"

static pthread_rwlock_t document = PTHREAD_RWLOCK_INITIALIZER;
static sem_t permits;

static void read_when_allowed(void)
{
	pthread_rwlock_rdlock(&document); /* line: takes */
	sem_wait(&permits);               /* line: waits */
	pthread_rwlock_unlock(&document);
}

static void write_it(void)
{
	pthread_rwlock_wrlock(&document); /* line: writes */
	pthread_rwlock_unlock(&document);
}

static void *reader(void *unused)
{
	show_thread("reader");
	read_when_allowed();
	return unused;
}

static void *writer(void *unused)
{
	show_thread("writer");
	write_it();
	return unused;
}

int main(void)
{
	show_addr("document", &document);
	sem_init(&permits, 0, 0);

	pthread_t first = thread_start(reader, NULL);
	sleep_ms(100);
	pthread_t second = thread_start(writer, NULL);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	return 0;
}
