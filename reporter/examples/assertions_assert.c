/*
 * Plain assert: no test leaves anything behind.
 *
 *     cc -g assertions_assert.c -o tests -pthread && whoholds run ./tests
 *
 * Without whoholds the same program tests what is left: each of these calls answers 0 then.
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "cache.h"
#include "whoholds.h"

static void test_put(void)
{
	struct cache *cache = cache_new();
	for (int i = 0; i < 10; i++)
		cache_put(cache, i % 2 ? "odd" : "even");
	assert(cache_has(cache, "odd"));
	cache_free(cache);
}

static void test_has(void)
{
	static struct cache *cache;
	cache = cache_new();
	cache_put(cache, "known");
	assert(!cache_has(cache, "unknown"));
}

/* In a function of its own, so that nothing of the test is on the stack any more. */
static void run(const char *name, void (*test)(void))
{
	wh_mark mark = wh_now();
	test();
	assert(wh_lost_bytes_since(mark) == 0);
	assert(wh_open_since(mark) == 0);
	printf("%s: ok\n", name);
}

int main(void)
{
	run("put", test_put);
	run("has", test_has);

	/* Memory may be kept on purpose, by who is known; so much of it at the most. */
	wh_mark mark = wh_now();
	for (int i = 0; i < 1000; i++) {
		static struct cache *kept;
		if (!kept)
			kept = cache_new();
		cache_put(kept, "a name");
	}
	assert(wh_live_bytes_since(mark) < 1024);
	puts(wh_active() ? "all ok, and nothing is left" : "all ok");
	return 0;
}
