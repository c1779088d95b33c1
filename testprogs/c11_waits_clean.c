/*
 * The twin: the consumer waits with nothing but the queue, and takes the table afterwards.
 *
 * KINDS: none
 */
#include <threads.h>

static mtx_t table, queue;
static cnd_t filled;
static int items;

static int consumer(void *unused)
{
	(void)unused;
	mtx_lock(&queue);
	while (!items)
		cnd_wait(&filled, &queue);
	items--;
	mtx_unlock(&queue);
	mtx_lock(&table);
	mtx_unlock(&table);
	return 0;
}

static int producer(void *unused)
{
	(void)unused;
	mtx_lock(&table);
	mtx_lock(&queue);
	items++;
	cnd_signal(&filled);
	mtx_unlock(&queue);
	mtx_unlock(&table);
	return 0;
}

int main(void)
{
	thrd_t threads[2];
	mtx_init(&table, mtx_plain);
	mtx_init(&queue, mtx_plain);
	cnd_init(&filled);
	thrd_create(&threads[0], consumer, NULL);
	thrd_create(&threads[1], producer, NULL);
	thrd_join(threads[0], NULL);
	thrd_join(threads[1], NULL);
	cnd_destroy(&filled);
	mtx_destroy(&queue);
	mtx_destroy(&table);
	return 0;
}
