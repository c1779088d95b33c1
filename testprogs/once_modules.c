/*
 * Two modules initialise themselves at their first use, each with pthread_once, and each uses the other to do so.
 * Two threads come to one of them each, at the same time.
 *
 * Hard because there is no lock at all: who runs a once-routine holds the once.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock: thread
 * EXPECT: have waited for each other
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid logs}}) and has_thread({{tid reads}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid logs}}; "log_init"; {{line log needs config}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid reads}}; "config_init"; {{line config needs log}})
 * EXPECT-JSON: finding("deadlock") | has_object("once"; "{{addr log}}") and has_object("once"; "{{addr config}}")
 * EXPECT-DUMP: once_modules.c:{{line config needs log}}
 * EXPECT-REPORT: once_modules.c:{{line log needs config}}
 */
#include "lib/show.h"

static pthread_once_t log_once = PTHREAD_ONCE_INIT, config_once = PTHREAD_ONCE_INIT;
static pthread_barrier_t both_begun;

static void config_init(void);

static void log_init(void)
{
	pthread_barrier_wait(&both_begun);
	pthread_once(&config_once, config_init); /* line: log needs config */
}

static void config_init(void)
{
	pthread_barrier_wait(&both_begun);
	pthread_once(&log_once, log_init); /* line: config needs log */
}

static void *logs(void *unused)
{
	show_thread("logs");
	pthread_once(&log_once, log_init);
	return unused;
}

static void *reads(void *unused)
{
	show_thread("reads");
	pthread_once(&config_once, config_init);
	return unused;
}

int main(void)
{
	show_addr("log", &log_once);
	show_addr("config", &config_once);
	pthread_barrier_init(&both_begun, NULL, 2);
	pthread_t threads[] = { thread_start(logs, NULL), thread_start(reads, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
