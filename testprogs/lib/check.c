#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "whoholds.h"

static wh_mark mark;

static void failed(const char *what, const char *file, int line)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	_exit(1);
}

void check_that(bool holds, const char *what, const char *file, int line)
{
	if (!holds)
		failed(what, file, line);
}

void check_equal(long is, long wanted, const char *what, const char *file, int line)
{
	char text[300];

	if (is == wanted)
		return;
	snprintf(text, sizeof text, "%s is %ld (%s), not %ld (%s)", what, is, strerror((int)is), wanted,
		 strerror((int)wanted));
	failed(text, file, line);
}

void check_mark(void)
{
	mark = wh_now();
}

void check_held(int wanted, const char *file, int line)
{
	int open = wh_open_since(mark);
	char text[80];

	if (!wh_active() || open == wanted)
		return;
	snprintf(text, sizeof text, "%d held (known: %d)", wanted, open);
	failed(text, file, line);
}

struct timespec check_in_ms(int clock, long ms)
{
	struct timespec at;

	clock_gettime(clock, &at);
	at.tv_nsec += ms % 1000 * 1000000;
	at.tv_sec += ms / 1000 + at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

int check_tid(void)
{
	return (int)syscall(SYS_gettid);
}

void check_blocked(int tid)
{
	char path[64], state = 'R';

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	for (int tries = 0; state != 'S' && tries < 2000; tries++) {
		FILE *stat = fopen(path, "r");
		if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = 'R';
		if (stat)
			fclose(stat);
		usleep(1000);
	}
	CHECK(state == 'S');
}
