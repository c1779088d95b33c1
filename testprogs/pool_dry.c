/*
 * A pool of four cursors. A function that takes one returns early where it finds
 * nothing, and does not put it back; when all are gone, two threads wait for one, for ever.
 *
 * Hard because who holds the cursors does so in no call: those threads go on with other things.
 *
 * RUN: whoholds run --set held=1s --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 30
 * KINDS: iterator-open
 * EXPECT: warning iterator-open: 4 resources "cursor" are open, the oldest for
 * EXPECT: ; 2 threads wait for one of them
 * EXPECT: limit 1 s (option held)
 * EXPECT-JSON: finding("iterator-open") | .count == 4 and has_frame("opened"; "cursor_get"; {{line cursor_pool.h acquires}}) and has_frame("opened"; "look_up"; {{line looks up}}) and has_frame("waits"; "cursor_get"; {{line cursor_pool.h waits}})
 * EXPECT-JSON: finding("iterator-open") | has_thread({{tid asks}})
 * EXPECT-DUMP: holds 4 resources "cursor", opened in one place
 */
#include <stdbool.h>
#include <unistd.h>

#include "lib/cursor_pool.h"

static bool look_up(int key)
{
	struct cursor *cursor = cursor_get(); /* line: looks up */

	if (key % 10 == 0)
		return false;
	cursor_put(cursor);
	return true;
}

static void *looks_up(void *unused)
{
	show_thread("looks-up");
	for (int key = 1; key <= 10 * CURSORS; key++)
		look_up(key);
	for (;;)
		sleep(1);
	return unused;
}

static void *asks(void *unused)
{
	show_thread("asks");
	cursor_put(cursor_get());
	return unused;
}

int main(void)
{
	pool_fill();
	thread_start(looks_up, NULL);
	sleep_ms(100);
	thread_start(asks, NULL);
	sleep_ms(50);
	asks(NULL);
	return 0;
}
