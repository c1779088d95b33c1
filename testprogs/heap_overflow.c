/*
 * A name is copied without room for its zero, counts go into the bytes before their blocks, and a session is written to
 * after it was freed. Each writes to memory that nobody misses at once.
 *
 * RUN: whoholds run --set check=heap %prog
 * KINDS: heap-overflow use-after-free
 * EXPECT: a block of 24 bytes from name_new was overrun: something wrote 1 byte past its end
 * EXPECT: a block of 100 bytes from counts_new was overrun: something wrote 1 byte before its start
 * EXPECT: a block of 64 bytes from session_new was written to after it had been freed in session_close, at byte 8
 * EXPECT: a block of 300 bytes from kept_new was overrun: something wrote 1 byte past its end
 * EXPECT: a block of 48 bytes from totals_new was overrun: something wrote 9 bytes before its start
 * EXPECT: a block of 36 bytes from marks_new was overrun: something wrote 5 bytes before its start
 * EXPECT-JSON: finding("heap-overflow") | has_frame("allocated"; "name_new"; {{line name}}) and has_frame("found"; "main"; {{line grown}})
 * EXPECT-JSON: finding("use-after-free") | has_frame("allocated"; "session_new"; {{line session}}) and has_frame("freed"; "session_close"; {{line close}})
 */
#include <stdlib.h>
#include <string.h>

static char *volatile kept;

__attribute__((noinline)) static char *name_new(size_t size)
{
	return malloc(size); /* line: name */
}

__attribute__((noinline)) static int *counts_new(void)
{
	return calloc(25, sizeof(int));
}

__attribute__((noinline)) static long long *totals_new(void)
{
	return calloc(6, sizeof(long long));
}

__attribute__((noinline)) static int *marks_new(void)
{
	return calloc(9, sizeof(int));
}

__attribute__((noinline)) static char *session_new(void)
{
	return malloc(64); /* line: session */
}

__attribute__((noinline)) static void session_close(char *session)
{
	free(session); /* line: close */
}

__attribute__((noinline)) static char *kept_new(void)
{
	return malloc(300);
}

int main(void)
{
	volatile size_t length = 24;
	char *volatile name = name_new(length);
	for (size_t i = 0; i <= length; i++)
		*(volatile char *)&name[i] = i < length ? 'x' : 0;
	name = realloc(name, 100); /* line: grown */
	free(name);

	volatile int before = -1;
	int *volatile counts = counts_new();
	*(volatile int *)&counts[before] = 7;
	free(counts);

	long long *volatile totals = totals_new();
	*(volatile long long *)&totals[2 * before] = 7;
	totals = realloc(totals, 96);
	free(totals);

	int *volatile marks = marks_new();
	*(volatile int *)&marks[2 * before] = 7;
	free(marks);

	char *volatile session = session_new();
	char *volatile stale = session;
	session_close(session);
	*(volatile char *)&stale[8] = 1;

	/* Never freed: looked at when the process ends. */
	kept = kept_new();
	*(volatile char *)&kept[length + 276] = 1;
	return 0;
}
