/*
 * A thread has the mutex of a cache and waits for a lock on its file, which another
 * process has; a second thread wants the cache. Who has the file the kernel knows.
 *
 * RUN: whoholds run --set blocked=1s --set children=no %prog %dir
 * HANGS: yes
 * TIMEOUT: 20
 * TWIN: file_lock_deadlock_clean
 * NEEDS: /usr/bin/flock
 * KINDS: stuck-holder
 * EXPECT: error stuck-holder:
 * EXPECT: cache.lock", held by process
 * EXPECT-JSON: finding("stuck-holder") | subjects == ["saver"]
 * EXPECT-JSON: finding("stuck-holder") | has_frame_of("blocked"; {{tid saver}}; "save"; {{line waits}})
 * EXPECT-JSON: finding("stuck-holder") | any(.stacks[]; .role == "blocked" and .held_by_pid == {{tid other}})
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t cache = PTHREAD_MUTEX_INITIALIZER;
static char name[4096];

static void save(void)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pthread_mutex_lock(&cache);
	flock(fd, LOCK_EX); /* line: waits */
	pthread_mutex_unlock(&cache);
}

static void *saver(void *unused)
{
	show_thread("saver");
	save();
	return unused;
}

static void *reader(void *unused)
{
	sleep_ms(100);
	pthread_mutex_lock(&cache);
	pthread_mutex_unlock(&cache);
	return unused;
}

int main(int argc, char **argv)
{
	snprintf(name, sizeof(name), "%s/cache.lock", argc > 1 ? argv[1] : "/tmp");
	int ready[2];
	char byte;
	if (pipe(ready))
		return 1;
	pid_t other = fork();
	if (other == 0) {
		/* Another program, of which nothing is known. */
		static char *const empty[] = { NULL };
		if (fork())
			_exit(0); /* a child of nobody's: what hangs is the deepest child, for the runner */
		printf("tid other %d\n", getpid());
		fflush(stdout);
		dup2(ready[1], STDOUT_FILENO);
		execle("/usr/bin/flock", "flock", "-F", "-x", name, "/bin/sh", "-c",
		       "echo; exec /bin/sleep 30", NULL, empty);
		return 1;
	}
	waitpid(other, NULL, 0);
	if (read(ready[0], &byte, 1) != 1)
		return 1;
	pthread_t threads[] = { thread_start(saver, NULL), thread_start(reader, NULL) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
