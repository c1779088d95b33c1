/*
 * The twin: forks while another thread holds a lock, as every program with threads does now and then. One child execs at
 * once; one has the lock put in order by a handler of pthread_atfork; one waits for a lock between processes, which the
 * parent's thread does release; one only tries.
 *
 * KINDS: none
 */
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER, guarded = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t *between;
static sem_t taken, done;

static void prepare(void)
{
	pthread_mutex_lock(&guarded);
}

static void release(void)
{
	pthread_mutex_unlock(&guarded);
}

static void *logger(void *unused)
{
	pthread_mutex_lock(&log_lock);
	pthread_mutex_lock(between);
	sem_post(&taken);
	sleep_ms(200);
	pthread_mutex_unlock(between);
	sem_wait(&done);
	pthread_mutex_unlock(&log_lock);
	return unused;
}

static int ends_well(pid_t child)
{
	int status = -1;
	waitpid(child, &status, 0);
	return status == 0;
}

int main(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	between = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutex_init(between, &attributes);
	sem_init(&taken, 0, 0);
	sem_init(&done, 0, 0);
	pthread_atfork(prepare, release, release);
	pthread_t thread = thread_start(logger, NULL);
	sem_wait(&taken);
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	int good = ends_well(child);
	child = fork();
	if (child == 0) {
		pthread_mutex_lock(&guarded);
		pthread_mutex_unlock(&guarded);
		pthread_mutex_lock(between);
		pthread_mutex_unlock(between);
		_exit(pthread_mutex_trylock(&log_lock) == 0);
	}
	good &= ends_well(child);
	sem_post(&done);
	pthread_join(thread, NULL);
	return !good;
}
