/*
 * The twin: who did not get the mutex does not release it.
 *
 * KINDS: none
 */
#include "lib/show.h"

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
static int balance = 100;

static int transfer(int amount)
{
	if (pthread_mutex_trylock(&accounts) != 0)
		return -1;
	balance += amount;
	pthread_mutex_unlock(&accounts);
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
	pthread_mutex_lock(&accounts);
	pthread_join(thread_start(hasty, NULL), NULL);
	balance -= 10;
	pthread_mutex_unlock(&accounts);
	return balance != 90;
}
