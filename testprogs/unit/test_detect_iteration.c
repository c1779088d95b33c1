#include <check.h>

#include "world.h"

#define SITES 3

static struct world *world;
static struct rec_iteration iterations[SITES];

static void setup(void)
{
	world = world_make();
	memset(iterations, 0, sizeof(iterations));
	for (unsigned i = 0; i < SITES; i++) {
		iterations[i].stack = 7 + i;
		iterations[i].kind = KIND_ITERATOR;
		iterations[i].count = 100;
	}
	world->view.tables[REC_ITERATIONS] = iterations;
	world->header.tables[REC_ITERATIONS].used = sizeof(iterations);
	world->header.iteration_part = 7;
	world->limits.iteration_slow = 2 * SEC;
}

static void teardown(void)
{
	world_free(world);
}

/* In the complete part that is `back` before the current one, 7. */
static void part(unsigned site, unsigned back, uint32_t count, uint32_t slow)
{
	iterations[site].parts[(7 - back) % REC_ITERATION_PARTS].count = count;
	iterations[site].parts[(7 - back) % REC_ITERATION_PARTS].slow = slow;
}

START_TEST(slow_all_through)
{
	for (unsigned back = 1; back <= 3; back++) {
		part(0, back, 100, 1); /* exactly one in a hundred: P99 is not above */
		part(1, back, 100, 2);
		part(2, back, 2, back > 1); /* not in the newest */
	}
	iterations[1].durations[rec_duration_bucket(100 * MS)] = 60;
	iterations[1].durations[rec_duration_bucket(3 * SEC)] = 40;
	iterations[1].longest = 3 * SEC;
	ck_assert_uint_eq(world_look(world), 1);
	const struct finding *finding = world_found(world, FINDING_iteration_slow);
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->items[0].stack, 8);
	ck_assert_uint_eq(finding->count, 100);
	ck_assert_uint_eq(finding->limit, 2 * SEC);
	ck_assert_uint_ge(finding->p50, 100 * MS);
	ck_assert_uint_le(finding->p50, 113 * MS);
	ck_assert_uint_eq(finding->p99, 3 * SEC);
	ck_assert_uint_eq(finding->longest, 3 * SEC);
}
END_TEST

START_TEST(not_slow)
{
	/* Too few to say what one in a hundred is. */
	for (unsigned back = 1; back <= 3; back++)
		part(0, back, 1, 1);
	ck_assert_uint_eq(world_look(world), 0);
	/* A time without any, and the current part, which is not over. */
	part(1, 1, 50, 50);
	part(1, 2, 50, 50);
	part(1, 4, 50, 50);
	ck_assert_uint_eq(world_look(world), 0);
	/* The ring has not been filled once. */
	for (unsigned back = 1; back <= 3; back++)
		part(2, back, 50, 50);
	ck_assert_uint_eq(world_look(world), 1);
	world->header.iteration_part = 2;
	ck_assert_uint_eq(world_look(world), 0);
	world->header.iteration_part = 7;
	world->limits.iteration_slow = 0;
	ck_assert_uint_eq(world_look(world), 0);
}
END_TEST

START_TEST(buckets)
{
	for (unsigned i = 0; i < REC_DURATIONS; i++)
		ck_assert_uint_eq(rec_duration_bucket(rec_duration_from(i)), i);
	for (nsec_t ms = 1; ms < 3000000; ms += 1 + ms / 50) {
		unsigned bucket = rec_duration_bucket(ms * MS);
		ck_assert_uint_le(rec_duration_from(bucket), ms * MS);
		if (bucket + 1 < REC_DURATIONS) {
			ck_assert_uint_gt(rec_duration_from(bucket + 1), ms * MS);
			ck_assert_uint_le(rec_duration_from(bucket + 1) - rec_duration_from(bucket),
					  MAX_OF(ms / 8, 1) * MS);
		}
	}
	ck_assert_uint_eq(rec_duration_bucket(0), 0);
	ck_assert_uint_eq(rec_duration_bucket(MS - 1), 0);
	ck_assert_uint_eq(rec_duration_bucket(UINT64_MAX), REC_DURATIONS - 1);
}
END_TEST

START_TEST(percentiles)
{
	struct rec_iteration *iteration = &iterations[0];
	ck_assert_uint_eq(view_iteration_percentile(iteration, 50), 0);
	/* One, in the last bucket, which has no upper end. */
	iteration->durations[REC_DURATIONS - 1] = 1;
	iteration->longest = 100000 * SEC;
	ck_assert_uint_eq(view_iteration_percentile(iteration, 50), 100000 * SEC);
	ck_assert_uint_eq(view_iteration_percentile(iteration, 99), 100000 * SEC);
	iteration->durations[3] = 99;
	ck_assert_uint_eq(view_iteration_percentile(iteration, 99), 4 * MS);
	ck_assert_uint_eq(view_iteration_percentile(iteration, 100), 100000 * SEC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("iteration-slow");
	TCase *tcase = tcase_create("iterations");
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, slow_all_through);
	tcase_add_test(tcase, not_slow);
	tcase_add_test(tcase, buckets);
	tcase_add_test(tcase, percentiles);
	return suite_run(suite) != 0;
}
