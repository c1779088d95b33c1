/*
 * A server that runs on loses the connection of each client that hangs up at once, and now and then the stream of a log: nothing has their
 * numbers, and nothing points to the streams. It is told while it runs; it never comes to its end.
 * Hard because: the clients that are being served are known to the kernel alone, as texts, or as shorts.
 *
 * RUN: whoholds run --set descriptors=on --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: iterator-leak
 * EXPECT: 20 descriptors "eventfd" are lost, opened in hangs_up: nothing has their numbers any more
 * EXPECT: 20 streams "/dev/null" are lost, opened in log_once: nothing points to them any more
 * EXPECT-JSON: finding("iterator-leak") | .count == 20 and has_frame("opened"; "hangs_up"; {{line lost}})
 * EXPECT-JSON: finding("iterator-leak") | .count == 20 and has_frame("opened"; "log_once"; {{line log}})
 * EXPECT: 2 findings were reported above
 */
#include "lib/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static __attribute__((noinline)) void hangs_up(void)
{
	int event = eventfd(0, EFD_CLOEXEC); /* line: lost */
	if (event < CLIENTS_FROM)
		exit(1);
#ifdef CLEAN
	close(event);
#endif
}

static __attribute__((noinline)) void log_once(void)
{
	FILE *volatile log = fopen("/dev/null", "w"); /* line: log */
	if (!log)
		exit(1);
#ifdef CLEAN
	fclose(log);
#endif
}

int main(void)
{
	clients_begin();
	for (int i = 0; i < 20; i++)
		hangs_up();
	for (int i = 0; i < 20; i++)
		log_once();
	clients_serve();
	wipe_stack();
	sleep_ms(6000);
	_exit(0);
}
