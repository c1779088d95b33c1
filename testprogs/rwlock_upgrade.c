/*
 * Two readers of one lock both want to become its writer: each waits for the
 * other's read lock, and for its own.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * TWIN: rwlock_deadlock_clean
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "upgrade"; {{line writes}})
 * EXPECT-JSON: finding("deadlock") | has_frame("acquired"; "upgrade"; {{line reads}})
 * EXPECT-JSON: finding("deadlock") | has_object("rwlock"; "{{addr table}}")
 * EXPECT-DUMP: rwlock_upgrade.c:{{line writes}}
 */
#include "lib/show.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t both_read;

static void upgrade(void)
{
	pthread_rwlock_rdlock(&table); /* line: reads */
	pthread_barrier_wait(&both_read);
	pthread_rwlock_wrlock(&table); /* line: writes */
	pthread_rwlock_unlock(&table);
}

static void *member(void *name)
{
	show_thread(name);
	upgrade();
	return NULL;
}

int main(void)
{
	show_addr("table", &table);
	pthread_barrier_init(&both_read, NULL, 2);

	pthread_t threads[] = { thread_start(member, "reader-1"), thread_start(member, "reader-2") };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
