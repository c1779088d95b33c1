/*
 * Leader and followers: whichever worker has the lock waits for the next client, and the others wait for the lock. The process
 * ends while it is so, which is no way out that somebody forgot to unlock on.
 *
 * KINDS: none
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/show.h"

static pthread_mutex_t leads = PTHREAD_MUTEX_INITIALIZER;
static int listening;

static void *work(void *unused)
{
	for (;;) {
		pthread_mutex_lock(&leads);
		int client = accept(listening, NULL, NULL);
		pthread_mutex_unlock(&leads);
		close(client);
	}
	return unused;
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	listening = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listening, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listening, 5) != 0) {
		puts("no socket can be had");
		return 77;
	}
	for (int i = 0; i < 3; i++)
		pthread_detach(thread_start(work, NULL));
	/* Longer than any short section. */
	sleep_ms(500);
	puts("done");
	exit(0);
}
