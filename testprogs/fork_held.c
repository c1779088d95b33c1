/*
 * A server with threads forks a helper that writes to the log, and does not exec. Just then another thread holds
 * the log's lock: in the child it is locked for ever, and the helper hangs.
 *
 * KINDS: fork-held
 * TIMEOUT: 20
 * EXPECT: warning fork-held: thread 1 "helper" of a forked child waits for mutex log_lock, which another thread, "logger", held when it forked: nobody will ever release it
 * EXPECT-JSON: finding("fork-held") | has_frame("waits"; "log_line"; {{line locks}})
 * EXPECT-JSON: finding("fork-held") | has_frame("acquired"; "logger"; {{line takes}})
 * EXPECT-JSON: finding("fork-held") | has_frame("forked"; "main"; {{line forks}})
 * EXPECT-JSON: finding("fork-held") | has_object("mutex"; "{{addr log_lock}}")
 */
#include <semaphore.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t taken, done;
static int lines;

static void log_line(void)
{
	pthread_mutex_lock(&log_lock); /* line: locks */
	lines++;
	pthread_mutex_unlock(&log_lock);
}

static void *logger(void *unused)
{
	show_thread("logger");
	pthread_mutex_lock(&log_lock); /* line: takes */
	sem_post(&taken);
	sem_wait(&done);
	lines++;
	pthread_mutex_unlock(&log_lock);
	return unused;
}

int main(void)
{
	show_addr("log_lock", &log_lock);
	sem_init(&taken, 0, 0);
	sem_init(&done, 0, 0);
	pthread_t thread = thread_start(logger, NULL);
	sem_wait(&taken);
	pid_t child = fork(); /* line: forks */
	if (child == 0) {
		show_thread("helper");
		log_line();
		_exit(0);
	}
	sleep_ms(1500);
	kill(child, SIGKILL); /* it would hang for ever */
	waitpid(child, NULL, 0);
	sem_post(&done);
	pthread_join(thread, NULL);
	return 0;
}
