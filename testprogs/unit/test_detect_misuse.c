#include <check.h>

#include "registry/misuse.h"
#include "world.h"

static struct world *world;
static struct rec_misuse misuses[8];
static uint32_t misuse_count;

static void setup(void)
{
	world = world_make();
	misuse_count = 0;
	memset(misuses, 0, sizeof(misuses));
	world->view.tables[REC_MISUSES] = misuses;
	world_thread(world);
	world_thread(world);
}

static void teardown(void)
{
	world_free(world);
}

static struct rec_misuse *note(enum misuse_kind kind, uint64_t handle, uint32_t count)
{
	struct rec_misuse *made = &misuses[misuse_count++];
	*made = (struct rec_misuse){
		.count = count, .kind = (uint8_t)kind, .object_kind = KIND_MUTEX, .handle = handle
	};
	made->parts[0] = (struct rec_misuse_part){ .at = WORLD_NOW - SEC, .stack = 10, .thread = 2 };
	made->parts[1] = (struct rec_misuse_part){ .at = WORLD_NOW - 2 * SEC, .stack = 11, .thread = 1 };
	world->header.tables[REC_MISUSES].used = misuse_count * sizeof(*made);
	world->header.misuse_news = misuse_count;
	return made;
}

START_TEST(each_part_is_told_in_its_role)
{
	note(MISUSE_not_owner_unlock, 0x1000, 3);
	ck_assert_uint_eq(world_look(world), 1);
	const struct finding *finding = world_found(world, FINDING_not_owner_unlock);
	ck_assert_ptr_nonnull(finding);
	ck_assert_uint_eq(finding->count, 3);
	ck_assert_uint_eq(finding->thread, 2);
	ck_assert_uint_eq(finding->item_count, 2);
	ck_assert_uint_eq(finding->items[0].role, ROLE_unlocked);
	ck_assert_uint_eq(finding->items[0].stack, 10);
	ck_assert_uint_eq(finding->items[0].handle, 0x1000);
	ck_assert_uint_eq(finding->items[1].role, ROLE_acquired);
	ck_assert_uint_eq(finding->items[1].thread, 1);
}
END_TEST

START_TEST(a_part_that_is_not_known_is_left_out)
{
	note(MISUSE_not_owner_unlock, 0x1000, 1)->parts[1] = (struct rec_misuse_part){ .at = 0 };
	world_look(world);
	ck_assert_uint_eq(world_found(world, FINDING_not_owner_unlock)->item_count, 1);
}
END_TEST

/* A number astray (another version, a process that died while it wrote) makes no finding and does no harm. */
START_TEST(nonsense_is_left_out)
{
	note(MISUSE_not_owner_unlock, 0x1000, 0);
	note(MISUSE_COUNT, 0x1000, 1);
	struct rec_misuse *odd = note(MISUSE_not_owner_unlock, 0x1000, 1);
	odd->object_kind = 255;
	odd->parts[0].op = UINT16_MAX;
	odd->parts[0].thread = 77;
	ck_assert_uint_eq(world_look(world), 1);
	const struct finding *finding = world_found(world, FINDING_not_owner_unlock);
	ck_assert_uint_eq(finding->items[0].object_kind, KIND_NONE);
	ck_assert_uint_eq(finding->items[0].op, OP_none);
	ck_assert_uint_eq(finding->items[0].flags & ITEM_ENDED, ITEM_ENDED);
}
END_TEST

START_TEST(what_was_judged_is_not_judged_again)
{
	note(MISUSE_not_owner_unlock, 0x1000, 1);
	world_look(world);
	world->limits.misuse_news = world->header.misuse_news;
	ck_assert_uint_eq(world_look(world), 0);
	note(MISUSE_not_owner_unlock, 0x2000, 1)->parts[0].stack = 12;
	ck_assert_uint_eq(world_look(world), 2);
}
END_TEST

/* What a program was refused may have been asked on purpose. */
START_TEST(a_refused_size_is_told_with_a_bad_end)
{
	static const struct {
		int32_t exit_code;
		uint32_t state, made;
		enum misuse_size size;
		unsigned live, end;
	} cases[] = {
		{ 1, REC_EXITED, 10, MISUSE_SIZE, 0, 1 },
		{ -1, REC_RUNNING, 10, MISUSE_PRODUCT, 0, 1 },
		{ -1, REC_ABORTED, 10, MISUSE_ALIGNMENT, 0, 1 },
		{ 0, REC_EXITED, 10, MISUSE_SIZE, 0, 0 },
		{ -1, REC_EXECED, 10, MISUSE_SIZE, 0, 0 },
		{ 1, REC_EXITED, MISUSE_SIZE_BLOCKS + 1, MISUSE_SIZE, 0, 0 },
		{ 0, REC_EXITED, 10, MISUSE_ROUNDED, 1, 1 },
	};
	struct rec_misuse *misuse = note(MISUSE_bad_size, 0, 1);
	misuse->parts[1] = (struct rec_misuse_part){ .serial = 0xfffffff0 };
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		misuse->flags = (uint16_t)cases[i].size;
		world->header.exit_code = cases[i].exit_code;
		world->header.state = cases[i].state;
		world->snapshot.total_blocks = UINT64_C(0x3fffffff0) + cases[i].made;
		ck_assert_uint_eq(world_look(world), cases[i].live);
		world_end(world);
		ck_assert_int_eq(world_found(world, FINDING_bad_size) != NULL, cases[i].end);
	}
}
END_TEST

START_TEST(it_is_never_over)
{
	ck_assert(detect_is_event(FINDING_not_owner_unlock));
	ck_assert(detect_is_event(FINDING_lock_order));
	ck_assert(!detect_is_event(FINDING_deadlock));
	ck_assert(!detect_is_event(FINDING_COUNT));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("misuse");
	TCase *tcase = tcase_create("misuse");
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, each_part_is_told_in_its_role);
	tcase_add_test(tcase, a_part_that_is_not_known_is_left_out);
	tcase_add_test(tcase, nonsense_is_left_out);
	tcase_add_test(tcase, what_was_judged_is_not_judged_again);
	tcase_add_test(tcase, a_refused_size_is_told_with_a_bad_end);
	tcase_add_test(tcase, it_is_never_over);
	return suite_run(suite) != 0;
}
