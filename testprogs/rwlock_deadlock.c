/*
 * One thread reads a table and then wants the journal; the other has the journal
 * and wants to write the table: a cycle through a reader and a writer of one
 * reader-writer lock.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: pthread_rwlock_wrlock
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid table-reader}}) and has_thread({{tid journal-writer}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid table-reader}}; "read_table"; {{line reads}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid table-reader}}; "read_table"; {{line wants journal}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid journal-writer}}; "replay_journal"; {{line has journal}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid journal-writer}}; "replay_journal"; {{line writes}})
 * EXPECT-JSON: finding("deadlock") | has_object("rwlock"; "{{addr table}}") and has_object("mutex"; "{{addr journal}}")
 * EXPECT-DUMP: rwlock_deadlock.c:{{line writes}}
 * EXPECT-REPORT: rwlock_deadlock.c:{{line wants journal}}
 */
#include "lib/show.h"

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold_one;

static void read_table(void)
{
	pthread_rwlock_rdlock(&table); /* line: reads */
	pthread_barrier_wait(&both_hold_one);
	pthread_mutex_lock(&journal); /* line: wants journal */
	pthread_mutex_unlock(&journal);
	pthread_rwlock_unlock(&table);
}

static void replay_journal(void)
{
	pthread_mutex_lock(&journal); /* line: has journal */
	pthread_barrier_wait(&both_hold_one);
	pthread_rwlock_wrlock(&table); /* line: writes */
	pthread_rwlock_unlock(&table);
	pthread_mutex_unlock(&journal);
}

static void *table_reader(void *unused)
{
	show_thread("table-reader");
	read_table();
	return unused;
}

static void *journal_writer(void *unused)
{
	show_thread("journal-writer");
	replay_journal();
	return unused;
}

int main(void)
{
	show_addr("table", &table);
	show_addr("journal", &journal);
	pthread_barrier_init(&both_hold_one, NULL, 2);

	pthread_t threads[] = { thread_start(table_reader, NULL), thread_start(journal_writer, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
