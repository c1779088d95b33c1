/*
 * Locks that are members of blocks of the heap, of which there are many: which one it is, and where such a block is made, is told of
 * the order in which they are taken and of what is done to them wrongly, also where the blocks are gone by then.
 *
 * KINDS: lock-order not-owner-unlock
 * TWIN: lock_order_instances_clean
 * EXPECT: takes mutex {{addr first}} (+8 in a 56-byte block from new_account order_places.c:{{line made}})
 * EXPECT: unlocks mutex {{addr first}} (+8 in a 56-byte block from new_account order_places.c:{{line made}})
 */
#include <pthread.h>
#include <stdlib.h>

#include "lib/show.h"

struct account {
	long id;
	pthread_mutex_t lock;
	long balance;
};

static struct account *accounts[2];

static struct account *new_account(long id)
{
	struct account *account = malloc(sizeof *account); /* line: made */
	account->id = id;
	account->balance = 0;
	pthread_mutex_init(&account->lock, NULL);
	return account;
}

static void transfer(struct account *from, struct account *to)
{
	pthread_mutex_lock(&from->lock);
	pthread_mutex_lock(&to->lock);
	from->balance--;
	to->balance++;
	pthread_mutex_unlock(&to->lock);
	pthread_mutex_unlock(&from->lock);
}

static void *there(void *done)
{
	transfer(accounts[0], accounts[1]);
	__atomic_store_n((int *)done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *back(void *done)
{
	while (!__atomic_load_n((int *)done, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	transfer(accounts[1], accounts[0]);
	return NULL;
}

int main(void)
{
	int done = 0;
	for (int i = 0; i < 2; i++)
		accounts[i] = new_account(i);
	show_addr("first", &accounts[0]->lock);
	pthread_t one = thread_start(there, &done), other = thread_start(back, &done);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
	pthread_mutex_unlock(&accounts[0]->lock);
	for (int i = 0; i < 2; i++) {
		pthread_mutex_destroy(&accounts[i]->lock);
		free(accounts[i]);
	}
	return 0;
}
