/*
 * The same with C11's threads: a consumer waits for a condition that nobody signals, with a second lock held that the
 * producer needs first.
 *
 * HANGS: yes
 * KINDS: deadlock
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "consumer"; {{line waits}})
 * EXPECT-JSON: finding("deadlock") | has_frame("acquired"; "consumer"; {{line takes}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "producer"; {{line needs}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "main"; {{line joins}})
 */
#include <threads.h>

static mtx_t table, queue;
static cnd_t filled;
static int items;

static int consumer(void *unused)
{
	(void)unused;
	mtx_lock(&table); /* line: takes */
	mtx_lock(&queue);
	while (!items)
		cnd_wait(&filled, &queue); /* line: waits */
	items--;
	mtx_unlock(&queue);
	mtx_unlock(&table);
	return 0;
}

static int producer(void *unused)
{
	(void)unused;
	/* The consumer sleeps once it has given the queue up, with the table held. */
	for (;;) {
		mtx_lock(&queue);
		int is_held = mtx_trylock(&table) != thrd_success;
		if (!is_held)
			mtx_unlock(&table);
		mtx_unlock(&queue);
		if (is_held)
			break;
		thrd_yield();
	}
	mtx_lock(&table); /* line: needs */
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
	thrd_join(threads[0], NULL); /* line: joins */
	thrd_join(threads[1], NULL);
	return 0;
}
