/*
 * The same server, which closes what its clients hang up on, and its log; the clients that are being served are
 * known to the kernel alone, as texts, or as shorts.
 *
 * RUN: whoholds run --set descriptors=on --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static void hangs_up(void)
{
	close(eventfd(0, EFD_CLOEXEC));
}

static void log_once(void)
{
	FILE *log = fopen("/dev/null", "w");
	if (log)
		fclose(log);
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
