/*
 * Descriptors are lost, four by each of the ways in which one is made that no open is: copied, come with a message, of signals, of a
 * range that was not closed as far as it should. The numbers are nowhere in the program any more; they are high ones, since a low one
 * may stand somewhere by chance.
 *
 * RUN: whoholds run --set descriptors=on %prog
 * KINDS: iterator-leak
 * EXPECT: were never closed, opened in copied
 * EXPECT-JSON: [finding("iterator-leak") | select(.count == 4) | .stacks[0].frames[0].function] | sort == ["copied", "message_receive", "ranges", "signals"]
 * EXPECT-JSON: [finding("iterator-leak")] | length == 4
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/messages.h"

#define LOW 300

static void copied(void)
{
	if (fcntl(0, F_DUPFD_CLOEXEC, LOW + 50) < LOW)
		exit(1);
}

static void came(int from)
{
	if (message_receive(from) < 0)
		exit(1);
}

static void signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	if (signalfd(-1, &none, SFD_CLOEXEC) < 0)
		exit(1);
}

static void ranges(void)
{
	int first = eventfd(0, 0), second = eventfd(0, 0);
	close_range((unsigned)first, (unsigned)first, 0);
	(void)second;
}

int main(void)
{
	int ends[2];
	while (dup(0) < LOW)
		;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	for (int i = 0; i < 4; i++) {
		copied();
		message_send(ends[0], 0);
		came(ends[1]);
		signals();
		ranges();
	}
	close(ends[0]);
	close(ends[1]);
	close_range(3, LOW, 0);
	wipe_stack();
	return 0;
}
