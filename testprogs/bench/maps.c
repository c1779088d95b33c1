/*
 * One map, the same readers, writers and iterating thread, and five ways to let them get along:
 *
 *   held      a reader-writer lock, held for reading over the whole iteration
 *   keys      the keys are copied under the lock, and looked up one by one afterwards
 *   snapshot  an immutable table that writers copy, change and swap; who reads it keeps that version alive
 *   shards    sixteen tables with a lock each, held over the iteration of one of them
 *   reset     an iterator out of a pool that gives the lock up before each pause and takes it again where it was
 *
 * usage: maps WAY SECONDS [PAUSE_MS]
 *
 * The iterating thread sends what it meets to somebody slow: it pauses for a millisecond at every 1,000 entries,
 * and once, in its second iteration, for PAUSE_MS (default 0). Prints what came of it. scripts/bench-maps runs it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "lib/show.h"
#include "whoholds.h"

#define ENTRIES 20000u
#define SHARDS 16u
#define READERS 2
#define WRITERS 2
#define THREADS (READERS + WRITERS + 1)
#define PAUSE_AT 1000u

struct pair {
	unsigned key, value;
};

/* In the order of keys; who changes a value holds the lock, or has a table of his own. */
struct table {
	struct table *next; /* snapshot: retired */
	unsigned count;
	struct pair pairs[];
};

struct shard {
	pthread_rwlock_t lock;
	struct table *table;
};

static struct shard shards[SHARDS]; /* all but `shards` use the first alone */
static unsigned shard_count = 1;

static pthread_mutex_t writers_lock = PTHREAD_MUTEX_INITIALIZER; /* snapshot: one of them at a time */
static _Atomic(struct table *) current;
static struct table *retired;
static _Atomic(struct table *) in_use[THREADS]; /* by each thread */

static atomic_bool stop;
static unsigned long reads[THREADS], writes[THREADS], iterations;
static double longest_write_ns[THREADS];
static unsigned pause_ms;
static unsigned long checksum;

static struct table *table_make(unsigned count)
{
	struct table *table = malloc(sizeof *table + count * sizeof table->pairs[0]);

	table->next = NULL;
	table->count = count;
	return table;
}

static struct pair *table_find(struct table *table, unsigned key)
{
	unsigned low = 0, high = table->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (table->pairs[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->count && table->pairs[low].key == key ? &table->pairs[low] : NULL;
}

static struct shard *shard_of(unsigned key)
{
	return &shards[key % shard_count];
}

static void pause_at(unsigned entry)
{
	if (entry % PAUSE_AT == 0)
		sleep_ms(1);
	if (pause_ms && iterations == 1 && entry == ENTRIES / 2)
		sleep_ms(pause_ms);
}

static bool pauses_at(unsigned entry)
{
	return entry % PAUSE_AT == 0 || entry == ENTRIES / 2;
}

static unsigned random_key(unsigned *state)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % ENTRIES;
}

/* -- under locks --------------------------------------------------------------- */

static unsigned locked_get(unsigned thread, unsigned key)
{
	struct shard *shard = shard_of(key);

	(void)thread;
	pthread_rwlock_rdlock(&shard->lock);
	unsigned value = table_find(shard->table, key)->value;
	pthread_rwlock_unlock(&shard->lock);
	return value;
}

static void locked_put(unsigned key, unsigned value)
{
	struct shard *shard = shard_of(key);

	pthread_rwlock_wrlock(&shard->lock);
	table_find(shard->table, key)->value = value;
	pthread_rwlock_unlock(&shard->lock);
}

static void held_iterate(void)
{
	unsigned entry = 0;

	for (unsigned i = 0; i < shard_count; i++) {
		struct shard *shard = &shards[i];
		pthread_rwlock_rdlock(&shard->lock);
		wh_iter_open(shard, &entry, "map");
		for (unsigned at = 0; at < shard->table->count; at++) {
			checksum += shard->table->pairs[at].value;
			pause_at(++entry);
		}
		wh_iter_close(&entry);
		pthread_rwlock_unlock(&shard->lock);
	}
}

static void keys_iterate(void)
{
	unsigned *keys = malloc(ENTRIES * sizeof *keys);

	pthread_rwlock_rdlock(&shards->lock);
	unsigned count = shards->table->count;
	for (unsigned at = 0; at < count; at++)
		keys[at] = shards->table->pairs[at].key;
	pthread_rwlock_unlock(&shards->lock);
	for (unsigned at = 0; at < count; at++) {
		checksum += locked_get(THREADS - 1, keys[at]);
		pause_at(at + 1);
	}
	free(keys);
}

/* -- iterators out of a pool ---------------------------------------------------- */

struct iterator {
	struct iterator *next; /* in the pool */
	unsigned at;           /* entries are never taken out, so a place stays what it was */
};

static struct iterator *pool;

static struct iterator *iterator_begin(void)
{
	struct iterator *iterator = pool;

	if (iterator)
		pool = iterator->next;
	else
		iterator = malloc(sizeof *iterator);
	iterator->at = 0;
	pthread_rwlock_rdlock(&shards->lock);
	wh_iter_open(shards, iterator, "map");
	return iterator;
}

static void iterator_release(struct iterator *iterator)
{
	wh_iter_close(iterator);
	pthread_rwlock_unlock(&shards->lock);
}

static void iterator_take_again(struct iterator *iterator)
{
	pthread_rwlock_rdlock(&shards->lock);
	wh_iter_open(shards, iterator, "map");
}

static void reset_iterate(void)
{
	struct iterator *iterator = iterator_begin();

	while (iterator->at < shards->table->count) {
		checksum += shards->table->pairs[iterator->at++].value;
		if (!pauses_at(iterator->at))
			continue;
		iterator_release(iterator);
		pause_at(iterator->at);
		iterator_take_again(iterator);
	}
	iterator_release(iterator);
	iterator->next = pool;
	pool = iterator;
}

/* -- snapshots ------------------------------------------------------------------ */

/* What a thread has said that it uses is not freed; it has to look again, since it may have said so too late. */
static struct table *snapshot_take(unsigned thread)
{
	struct table *table;

	do {
		table = current;
		in_use[thread] = table;
	} while (table != current);
	return table;
}

static void snapshot_release(unsigned thread)
{
	in_use[thread] = NULL;
}

static unsigned snapshot_get(unsigned thread, unsigned key)
{
	unsigned value = table_find(snapshot_take(thread), key)->value;

	snapshot_release(thread);
	return value;
}

static bool is_in_use(const struct table *table)
{
	for (unsigned i = 0; i < THREADS; i++)
		if (in_use[i] == table)
			return true;
	return false;
}

static void snapshot_put(unsigned key, unsigned value)
{
	pthread_mutex_lock(&writers_lock);
	struct table *old = current, *fresh = table_make(old->count);
	memcpy(fresh->pairs, old->pairs, old->count * sizeof old->pairs[0]);
	table_find(fresh, key)->value = value;
	current = fresh;
	old->next = retired;
	retired = old;
	for (struct table **link = &retired; *link;) {
		struct table *table = *link;
		if (is_in_use(table)) {
			link = &table->next;
			continue;
		}
		*link = table->next;
		free(table);
	}
	pthread_mutex_unlock(&writers_lock);
}

static void snapshot_iterate(void)
{
	const struct table *table = snapshot_take(THREADS - 1);

	wh_iter_open(&current, table, "version of the map");
	for (unsigned at = 0; at < table->count; at++) {
		checksum += table->pairs[at].value;
		pause_at(at + 1);
	}
	wh_iter_close(table);
	snapshot_release(THREADS - 1);
}

/* -- threads -------------------------------------------------------------------- */

static const struct way {
	const char *name;
	unsigned (*get)(unsigned thread, unsigned key);
	void (*put)(unsigned key, unsigned value);
	void (*iterate)(void);
} ways[] = {
	{ "held", locked_get, locked_put, held_iterate },
	{ "keys", locked_get, locked_put, keys_iterate },
	{ "snapshot", snapshot_get, snapshot_put, snapshot_iterate },
	{ "shards", locked_get, locked_put, held_iterate },
	{ "reset", locked_get, locked_put, reset_iterate },
};

static const struct way *way;

static void *reader(void *argument)
{
	unsigned thread = (unsigned)(size_t)argument, state = thread + 1;
	unsigned long sum = 0;

	while (!stop) {
		for (int i = 0; i < 200; i++)
			sum += way->get(thread, random_key(&state));
		reads[thread] += 200;
		/* A lock that is never free for readers keeps writers out for ever: that is another story. */
		usleep(200);
	}
	return (void *)sum;
}

static void *writer(void *argument)
{
	unsigned thread = (unsigned)(size_t)argument, state = thread + 1;

	while (!stop) {
		double begin = wall_ns();
		way->put(random_key(&state), state);
		double took = wall_ns() - begin;
		if (took > longest_write_ns[thread])
			longest_write_ns[thread] = took;
		writes[thread]++;
		usleep(200);
	}
	return NULL;
}

static void *iterating(void *unused)
{
	while (!stop) {
		way->iterate();
		iterations++;
	}
	return unused;
}

static void fill(void)
{
	shard_count = strcmp(way->name, "shards") == 0 ? SHARDS : 1;
	for (unsigned i = 0; i < shard_count; i++) {
		struct shard *shard = &shards[i];
		pthread_rwlock_init(&shard->lock, NULL);
		shard->table = table_make(ENTRIES / shard_count);
		for (unsigned at = 0; at < shard->table->count; at++)
			shard->table->pairs[at] = (struct pair){ .key = at * shard_count + i };
	}
	current = shards->table;
}

static void drain(void)
{
	while (pool) {
		struct iterator *next = pool->next;
		free(pool);
		pool = next;
	}
	if (current != shards->table) /* the first version was retired */
		shards->table = current;
	while (retired) {
		struct table *next = retired->next;
		free(retired);
		retired = next;
	}
	for (unsigned i = 0; i < shard_count; i++)
		free(shards[i].table);
}

static double sum_per_second(const unsigned long *counts, double seconds)
{
	unsigned long sum = 0;

	for (unsigned i = 0; i < THREADS; i++)
		sum += counts[i];
	return (double)sum / seconds;
}

/* Of this program; what getrusage says is also of the one that it was forked from. */
static long peak_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	long kib = 0;

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (status)
		fclose(status);
	return kib;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "reader-1", "reader-2", "writer-1", "writer-2", "iterating" };
	pthread_t threads[THREADS];

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (argc > 1 && strcmp(argv[1], ways[i].name) == 0)
			way = &ways[i];
	if (!way) {
		fprintf(stderr, "usage: maps held|keys|snapshot|shards|reset SECONDS [PAUSE_MS]\n");
		return 2;
	}
	pause_ms = (unsigned)number_argument(argc, argv, 3, 0);
	fill();
	double begin = wall_ns();
	for (size_t i = 0; i < THREADS; i++) {
		threads[i] = thread_start(i < READERS       ? reader
					  : i + 1 < THREADS ? writer
							    : iterating,
					  (void *)i);
		pthread_setname_np(threads[i], names[i]);
	}
	sleep((unsigned)number_argument(argc, argv, 2, 1));
	stop = true;
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	double seconds = (wall_ns() - begin) / 1e9, longest = 0;
	for (size_t i = 0; i < THREADS; i++)
		longest = longest_write_ns[i] > longest ? longest_write_ns[i] : longest;
	printf("reads_per_s %.0f\nwrites_per_s %.0f\niterations_per_s %.2f\n", sum_per_second(reads, seconds),
	       sum_per_second(writes, seconds), (double)iterations / seconds);
	printf("longest_write_ms %.2f\npeak_kib %ld\n", longest / 1e6, peak_kib());
	drain();
	return checksum == 1;
}
