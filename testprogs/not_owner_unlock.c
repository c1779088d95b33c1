/*
 * A thread releases a mutex that another one holds: it takes the way out of an error, and
 * unlocks there what it never got. libc lets it; from then on two threads are
 * in the section at once.
 *
 * KINDS: not-owner-unlock
 * EXPECT: error not-owner-unlock: thread 2 "hasty" unlocked mutex accounts, which thread 1 "patient" held
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("unlocked"; "transfer"; {{line unlocks}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_frame("acquired"; "main"; {{line takes}})
 * EXPECT-JSON: finding("not-owner-unlock") | has_object("mutex"; "{{addr accounts}}")
 * EXPECT-JSON: [finding("not-owner-unlock")] | length == 1
 */
#include <stdio.h>

#include "lib/show.h"

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
static int balance = 100;

static int transfer(int amount)
{
	if (pthread_mutex_trylock(&accounts) != 0)
		goto out;
	balance += amount;
out:
	pthread_mutex_unlock(&accounts); /* line: unlocks */
	return balance;
}

static void *hasty(void *unused)
{
	show_thread("hasty");
	transfer(10);
	return unused;
}

int main(void)
{
	show_addr("accounts", &accounts);
	show_thread("patient");
	pthread_mutex_lock(&accounts); /* line: takes */
	pthread_join(thread_start(hasty, NULL), NULL);
	balance -= 10;
	return balance != 90;
}
