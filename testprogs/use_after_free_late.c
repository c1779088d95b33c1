/*
 * Sessions are freed and written to much later, when more memory has been freed since than is kept back: of so many, some are
 * found all the same; and so is a plan, of which there is but one. Before that, a buffer too large to be kept poisoned as a whole is written to near its end,
 * and a count is put before a block that is freed by then.
 *
 * RUN: whoholds run --set check=heap --set check_kept=2MiB %prog
 * KINDS: heap-overflow use-after-free
 * EXPECT: a block of 200 bytes from session_new was written to after it had been freed in session_close, at byte 100
 * EXPECT: a block of 72 bytes from plan_new was written to after it had been freed in plan_drop, at byte 70
 * EXPECT: a block of 20,000 bytes from buffer_new was written to after it had been freed in buffer_free, at byte 19,990
 * EXPECT: a block of 1,200 bytes from counts_new was overrun: something wrote 1 byte before its start
 * EXPECT-JSON: finding("use-after-free") | has_frame("freed"; "session_close"; {{line close}})
 * EXPECT-JSON: finding("heap-overflow") | has_frame("freed"; "main"; {{line counts}})
 */
#include <stdlib.h>
#include <string.h>

#define SESSIONS 4000
#define SINCE 20000

static char *volatile sessions[SESSIONS], *volatile between[SESSIONS];

__attribute__((noinline)) static char *session_new(void)
{
	return malloc(200);
}

__attribute__((noinline)) static void session_close(char *session)
{
	free(session); /* line: close */
}

__attribute__((noinline)) static char *plan_new(void)
{
	return malloc(72);
}

__attribute__((noinline)) static void plan_drop(char *plan)
{
	free(plan);
}

__attribute__((noinline)) static char *buffer_new(void)
{
	return malloc(20000);
}

__attribute__((noinline)) static void buffer_free(char *buffer)
{
	free(buffer);
}

__attribute__((noinline)) static int *counts_new(void)
{
	return calloc(300, sizeof(int));
}

__attribute__((noinline)) static void work(int times)
{
	for (int i = 0; i < times; i++) {
		char *volatile piece = malloc(1000);
		memset(piece, i, 1000);
		free(piece);
	}
}

int main(void)
{
	/* With something in between that stays, so that nothing larger comes to their places. */
	for (int i = 0; i < SESSIONS; i++) {
		sessions[i] = session_new();
		between[i] = calloc(1, 200);
	}
	work(SINCE);
	for (int i = 0; i < SESSIONS; i++)
		session_close(sessions[i]);
	char *volatile plan = plan_new();
	char *volatile dropped = plan;
	plan_drop(plan);
	work(SINCE);
	*(volatile char *)&dropped[70] = 1;

	char *volatile buffer = buffer_new();
	char *volatile stale = buffer;
	buffer_free(buffer);
	*(volatile char *)&stale[19990] = 1;
	volatile int before = -1;
	int *volatile counts = counts_new();
	int *volatile freed = counts;
	free(counts); /* line: counts */
	*(volatile int *)&freed[before] = 7;

	for (int i = 0; i < SESSIONS; i++)
		*(volatile char *)&sessions[i][100] = 1;
	return 0;
}
