/*
 * The twin: both threads hold a lock in common, which is the tenth or the sixtieth that they hold, and of which
 * some outer ones have been given back again. And what is done the other way round in a once-routine is done before anybody who
 * has called it goes on.
 *
 * KINDS: none
 */
#include "lib/show.h"

#define MANY 60

/* What one thread holds besides, and takes with it held. */
struct party {
	pthread_mutex_t many[MANY];
	pthread_mutex_t *one, *other;
	int count;
};

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t d = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t turn;

static void take(pthread_mutex_t *one, pthread_mutex_t *other)
{
	pthread_mutex_lock(one);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(one);
}

static void with_many(struct party *party)
{
	for (int i = 0; i < party->count; i++)
		pthread_mutex_lock(&party->many[i]);
	pthread_mutex_lock(&gate);
	if (party->count < 20)
		take(party->one, party->other);
	/* Now there is room for these again, where the gate was not. */
	for (int i = 0; i < party->count / 2; i++)
		pthread_mutex_unlock(&party->many[i]);
	take(party->one, party->other);
	pthread_mutex_unlock(&gate);
	for (int i = party->count / 2; i < party->count; i++)
		pthread_mutex_unlock(&party->many[i]);
}

static void c_then_d(void)
{
	take(&c, &d);
}

static void *first(void *party)
{
	with_many(party);
	pthread_once(&once, c_then_d);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	return NULL;
}

static void *second(void *party)
{
	pthread_barrier_wait(&turn);
	with_many(party);
	pthread_once(&once, c_then_d);
	take(&d, &c);
	pthread_barrier_wait(&turn);
	return NULL;
}

static void both(struct party *one, struct party *other, int count)
{
	one->count = other->count = count;
	pthread_t threads[] = { thread_start(first, one), thread_start(second, other) };
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

int main(void)
{
	static struct party one = { .one = &a, .other = &b }, other = { .one = &b, .other = &a };
	for (int i = 0; i < MANY; i++) {
		pthread_mutex_init(&one.many[i], NULL);
		pthread_mutex_init(&other.many[i], NULL);
	}
	pthread_barrier_init(&turn, NULL, 2);
	both(&one, &other, 9);
	both(&one, &other, MANY);
	return 0;
}
