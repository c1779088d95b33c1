/*
 * The process ends while threads are being made and end all the time. Each has an argument that is on its way to it,
 * and for a moment in nobody's memory but the kernel's and the tracker's.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 1
 * EXPECT-JSON: finding("leak") | select(.bytes == 5000 and .count == 5) | has_frame("allocated"; "lose"; {{line ../lib/lose.c lost}})
 */
#include <stdlib.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static pthread_attr_t detached;

static void *breed(void *argument)
{
	pthread_t next;
	void *volatile own = malloc(100);
	void *for_next = malloc(64);

	while (pthread_create(&next, &detached, breed, for_next) != 0)
		usleep(100);
	free(own);
	free(argument);
	return NULL;
}

int main(void)
{
	pthread_t first;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 8; i++)
		pthread_create(&first, &detached, breed, malloc(64));
	lose();
	wipe_stack();
	sleep_ms(300);
	return 0;
}
