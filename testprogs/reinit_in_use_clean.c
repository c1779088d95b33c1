/*
 * The twin: the module is set up again when nobody is in it; and a child that was forked puts in
 * order what it got from its parent, locked by the very thread that forked.
 *
 * KINDS: none
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t module_lock;

static void module_init(void)
{
	pthread_mutex_init(&module_lock, NULL);
}

static void *user(void *unused)
{
	pthread_mutex_lock(&module_lock);
	pthread_mutex_unlock(&module_lock);
	return unused;
}

int main(void)
{
	module_init();
	pthread_join(thread_start(user, NULL), NULL);
	module_init();
	pthread_join(thread_start(user, NULL), NULL);

	pthread_mutex_lock(&module_lock);
	pid_t child = fork();
	if (child == 0)
		module_init();
	else
		pthread_mutex_unlock(&module_lock);
	pthread_join(thread_start(user, NULL), NULL);
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	return 0;
}
