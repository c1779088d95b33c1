/*
 * starved_writer, put right: what is needed of the configuration is copied, the lock given back, and only then the
 * client is asked, however long it takes to answer.
 *
 * RUN: whoholds run --set blocked=500ms --set held=500ms %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static int config = 1;
static int answers[2];

static void *client(void *unused)
{
	pthread_rwlock_rdlock(&config_lock);
	int copy = config;
	pthread_rwlock_unlock(&config_lock);
	char answer;
	if (read(answers[0], &answer, 1) == 1 && copy)
		return unused;
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	if (pipe(answers))
		return 1;
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(client, NULL);
	for (int i = 0; i < 10; i++) {
		pthread_rwlock_wrlock(&config_lock);
		config++;
		pthread_rwlock_unlock(&config_lock);
		sleep_ms(120);
	}
	if (write(answers[1], "yes", 3) != 3)
		return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	close(answers[0]);
	close(answers[1]);
	puts("done");
	return 0;
}
