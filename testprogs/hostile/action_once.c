/*
 * A lock is held for long while another thread waits for it, and is given back. The command of `action` is for the threshold that
 * tripped, not for the news that it is over.
 *
 * RUN: whoholds run --set tick=10ms --set held=100ms --set 'action=exec:echo acted >>acted' %prog
 * KINDS: long-hold
 * EXPECT: holder
 * EXPECT-STDOUT: acted: 1
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/show.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *waits(void *unused)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

static int times_acted(void)
{
	char line[100];
	int times = 0;
	FILE *acted = fopen("acted", "r");
	while (acted && fgets(line, sizeof line, acted))
		times++;
	if (acted)
		fclose(acted);
	return times;
}

int main(void)
{
	show_thread("holder");
	CHECK_EQUAL(chdir(getenv("TMPDIR")), 0);
	pthread_mutex_lock(&lock);
	pthread_t thread = thread_start(waits, NULL);
	while (!times_acted())
		sleep_ms(10);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	/* That it is over is told meanwhile; where the machine is too slow for it, this says less. */
	sleep_ms(1000);
	printf("acted: %d\n", times_acted());
	return 0;
}
