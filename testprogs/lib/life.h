/* For programs of which it counts what part of their life something took. */
#ifndef TESTPROGS_LIFE_H
#define TESTPROGS_LIFE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "show.h"

/* Since the process began, by the kernel's account: no less than that. */
static double age_s(void)
{
	char text[1024] = "";
	unsigned long long started = 0;
	struct timespec now;
	FILE *file = fopen("/proc/self/stat", "r");
	CHECK(file && fgets(text, sizeof text, file));
	fclose(file);
	const char *at = text;
	for (const char *next = at; *next; next++)
		if (*next == ')')
			at = next + 2;
	/* The state, of which it begins with field 3; the start is field 22, in ticks since the machine's. */
	for (int field = 3; field < 22; field++)
		while (*at && *at++ != ' ')
			;
	started = strtoull(at, NULL, 10);
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
	       (double)started / (double)sysconf(_SC_CLK_TCK);
}

/* Longer than programs that do one thing and end, and so long that what it took to come here is a small part of it. */
static void live_long(void)
{
	double until = 20 * age_s() + 10.5;
	while (age_s() < until)
		sleep_ms(10);
}

#endif
