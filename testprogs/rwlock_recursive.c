/*
 * A reader-writer lock that prefers writers. A reader calls a function that takes the lock for reading once more; a writer
 * has come in between. The reader waits behind the writer, and the writer for the reader.
 *
 * Hard because it is right with the default kind of lock, and mostly right with this one.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: thread
 * EXPECT: for each other
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid reader}}) and has_thread({{tid writer}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid reader}}; "list_users"; {{line reads}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid reader}}; "user_name"; {{line reads again}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid writer}}; "add_user"; {{line writes}})
 * EXPECT-JSON: finding("deadlock") | has_object("rwlock"; "{{addr users}}")
 * EXPECT-DUMP: rwlock_recursive.c:{{line writes}}
 * EXPECT-REPORT: rwlock_recursive.c:{{line reads again}}
 */
#include "lib/show.h"

static pthread_rwlock_t users = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void user_name(void)
{
	pthread_rwlock_rdlock(&users); /* line: reads again */
	pthread_rwlock_unlock(&users);
}

static void list_users(void)
{
	pthread_rwlock_rdlock(&users); /* line: reads */
	sleep_ms(300);
	user_name();
	pthread_rwlock_unlock(&users);
}

static void add_user(void)
{
	pthread_rwlock_wrlock(&users); /* line: writes */
	pthread_rwlock_unlock(&users);
}

static void *reader(void *unused)
{
	show_thread("reader");
	list_users();
	return unused;
}

static void *writer(void *unused)
{
	show_thread("writer");
	add_user();
	return unused;
}

int main(void)
{
	show_addr("users", &users);
	pthread_t first = thread_start(reader, NULL);
	/* A reader that has it already, and goes on to take it once more when the writer waits. */
	for (pthread_rwlock_t *lock = &users; pthread_rwlock_trywrlock(lock) == 0;) {
		pthread_rwlock_unlock(lock);
		sleep_ms(1);
	}
	pthread_t second = thread_start(writer, NULL);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	return 0;
}
