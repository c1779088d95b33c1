/*
 * A thread reads the configuration, and asks a client something with the lock still held, which the client does not
 * answer. A thread that wants to write the new configuration waits; so do all who come to read it after that,
 * since the lock prefers writers.
 *
 * RUN: whoholds run --set blocked=3s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder: thread 2 "client-7" has been blocked for
 * EXPECT: and holds what 3 threads wait for
 * EXPECT: held for reading only: a writer waits until every reader has released it
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["client-7"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid client-7}}; "ask"; {{line asks}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("acquired"; {{tid client-7}}; "greet"; {{line reads}})
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("waits"; {{tid reload}}; "replace_config"; {{line writes}})
 * EXPECT-REPORT: starved_writer.c:{{line writes}}
 */
#include <unistd.h>

#include "lib/show.h"

static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static int answers[2];

static void ask(void)
{
	char answer;

	if (read(answers[0], &answer, 1) != 1) /* line: asks */
		return;
}

static void greet(int chatty)
{
	pthread_rwlock_rdlock(&config_lock); /* line: reads */
	if (chatty)
		ask();
	pthread_rwlock_unlock(&config_lock);
}

static void replace_config(void)
{
	pthread_rwlock_wrlock(&config_lock); /* line: writes */
	pthread_rwlock_unlock(&config_lock);
}

static void *first_client(void *unused)
{
	show_thread("client-7");
	greet(1);
	return unused;
}

static void *reload(void *unused)
{
	show_thread("reload");
	replace_config();
	return unused;
}

static void *client(void *name)
{
	show_thread(name);
	greet(0);
	return NULL;
}

int main(void)
{
	if (pipe(answers))
		return 1;
	pthread_t threads[4] = { thread_start(first_client, NULL) };
	sleep_ms(200);
	threads[1] = thread_start(reload, NULL);
	sleep_ms(200);
	threads[2] = thread_start(client, "client-8");
	threads[3] = thread_start(client, "client-9");
	/* The signal that ends it is all that main waits for. */
	pause();
	return threads[3] == threads[0];
}
