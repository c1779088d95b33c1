#include <check.h>

#include "reporter/detect/survivors.h"
#include "world.h"

#define KB UINT64_C(1000)

static struct world *world;
static struct rec_growth entries[4];

static void setup(void)
{
	world = world_make();
	world->limits.growth = 300 * SEC;
	memset(entries, 0, sizeof entries);
	world->view.tables[REC_GROWTH] = entries;
	world->header.tables[REC_GROWTH].used = sizeof entries;
	world->sites[3] = (struct rec_site){ .stack = 77, .live_bytes = 900 * KB };
	world->header.tables[REC_SITES].used = 8 * sizeof(struct rec_site);
}

static void teardown(void)
{
	world_free(world);
}

/* A site whose lowest went so, and of whose windows so much is left. */
static struct rec_growth *site_with(const uint64_t *least, const uint64_t *kept)
{
	struct rec_growth *growth = &entries[1];
	growth->site = 3;
	growth->count = REC_GROWTH_BANDS;
	growth->until = 80 * SEC;
	growth->older_bytes = 10 * KB;
	growth->older_blocks = 1;
	for (unsigned i = 0; i < REC_GROWTH_BANDS; i++)
		growth->bands[i] = (struct rec_band){
			.from = i * 10 * SEC,
			.least_bytes = least[i] * KB,
			.kept_bytes = kept[i] * KB,
			.kept_blocks = kept[i],
		};
	return growth;
}

static const uint64_t steady[] = { 100, 200, 300, 400, 500, 600, 700, 800 };
static const uint64_t kept[] = { 100, 100, 90, 100, 100, 100, 100, 150 };

static uint32_t look(void)
{
	world_look(world);
	ck_assert_uint_eq(world->found.count, world_count(world, FINDING_growth));
	return world->found.count;
}

START_TEST(grows)
{
	site_with(steady, kept);
	ck_assert_uint_eq(look(), 1);
	const struct finding *finding = world->found.found[0];
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	/* The youngest window's 150 are not in it, what is older than all of them is. */
	ck_assert_uint_eq(finding->amount, 700 * KB);
	ck_assert_uint_eq(finding->count, 691);
	ck_assert_uint_eq(finding->rate, 10 * KB);
	ck_assert_uint_eq(finding->limit, 300 * SEC);
	ck_assert_uint_eq(finding->item_count, 1 + REC_GROWTH_BANDS);
	ck_assert_uint_eq(finding->items[0].stack, 77);
	ck_assert_uint_eq(finding->items[1].role, ROLE_kept);
	ck_assert_uint_eq(finding->items[8].least, 800 * KB);
	uint64_t key = finding->key;
	ck_assert_uint_eq(look(), 1);
	ck_assert_uint_eq(world->found.found[0]->key, key);
}
END_TEST

START_TEST(off)
{
	site_with(steady, kept);
	world->limits.growth = 0;
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(breathes)
{
	static const uint64_t least[] = { 100, 200, 300, 250, 500, 600, 700, 800 };
	site_with(least, kept);
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(fills_up)
{
	/* As a cache does: less and less. */
	static const uint64_t least[] = { 100, 500, 700, 800, 850, 875, 887, 893 };
	site_with(least, kept);
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(filled_once)
{
	static const uint64_t least[] = { 100, 800, 801, 802, 803, 804, 805, 806 };
	site_with(least, kept);
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(all_young)
{
	static const uint64_t young[] = { 0, 0, 0, 0, 0, 0, 100, 800 };
	site_with(steady, young);
	ck_assert_uint_eq(look(), 0);
	/* Enough of them, but of two windows alone. */
	static const uint64_t late[] = { 0, 0, 0, 0, 0, 300, 400, 800 };
	site_with(steady, late);
	ck_assert_uint_eq(look(), 0);
	/* Of all windows, and too few. */
	static const uint64_t few[] = { 10, 10, 10, 10, 10, 10, 10, 800 };
	site_with(steady, few);
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(too_little)
{
	static const uint64_t least[] = { 1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070 };
	static const uint64_t some[] = { 10, 10, 10, 10, 10, 10, 10, 10 };
	struct rec_growth *growth = site_with(least, some);
	growth->older_bytes = 1000 * KB;
	ck_assert_uint_eq(look(), 0); /* 7 % more */
	growth->site = 0;
	ck_assert_uint_eq(look(), 0);
}
END_TEST

START_TEST(nonsense)
{
	struct rec_growth *growth = site_with(steady, kept);
	growth->count = REC_GROWTH_BANDS + 1;
	ck_assert_uint_eq(look(), 0);
	growth->count = REC_GROWTH_BANDS - 1;
	ck_assert_uint_eq(look(), 0);
	growth->count = REC_GROWTH_BANDS;
	growth->site = 999;
	ck_assert_uint_eq(look(), 0);
	growth->site = 4; /* of no stack */
	ck_assert_uint_eq(look(), 0);
	world->view.tables[REC_GROWTH] = NULL;
	ck_assert_uint_eq(look(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detect/survivors");
	TCase *tests = tcase_create("all");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, grows);
	tcase_add_test(tests, off);
	tcase_add_test(tests, breathes);
	tcase_add_test(tests, fills_up);
	tcase_add_test(tests, filled_once);
	tcase_add_test(tests, all_young);
	tcase_add_test(tests, too_little);
	tcase_add_test(tests, nonsense);
	suite_add_tcase(suite, tests);
	return suite_run(suite) != 0;
}
