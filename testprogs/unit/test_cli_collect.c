/* The findings of a process, from its log and from detectors: one incident stays one, whoever tells of it and how often. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "reporter/cli/collect.h"
#include "reporter/recording/maker.h"

#include "testprogs/unit/suite.h"

static struct maker maker;
static struct arena arena;
static struct collection collection;

static void *pages(size_t bytes)
{
	return calloc(1, bytes);
}

static void pages_free(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

static void set_up(void)
{
	arena = (struct arena){ .more = pages, .less = pages_free };
	collection = (struct collection){ .arena = &arena };
	ck_assert_int_eq(maker_init(&maker, 4), 0);
}

static void tear_down(void)
{
	maker_release(&maker);
	arena_release(&arena);
}

/* A finding for the log, with `items` items. */
static void log_finding(enum finding_kind kind, uint64_t key, uint32_t flags, uint32_t items)
{
	static uint64_t bytes[1024];
	struct finding *finding = (void *)bytes;
	memset(bytes, 0, sizeof bytes);
	*finding = (struct finding){
		.bytes = (uint32_t)(sizeof *finding + items * sizeof finding->items[0]),
		.kind = (uint16_t)kind,
		.severity = SEVERITY_ERROR,
		.flags = flags,
		.key = key,
		.over = flags & FOUND_OVER ? 5 * NSEC_PER_SEC : 0,
		.item_count = items,
	};
	maker_finding(&maker, finding, finding->bytes);
}

START_TEST(test_numbers_and_since)
{
	log_finding(FINDING_leak, 1, 0, 1);
	log_finding(FINDING_leak, 2, 0, 1);
	log_finding(FINDING_deadlock, 3, 0, 2);
	collect_log(&collection, maker_view(&maker), 0);
	ck_assert_uint_eq(collection.count, 3);
	ck_assert_uint_eq(collection.newest, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(collection.found[i]->number, i + 1);
	collection = (struct collection){ .arena = &arena };
	collect_log(&collection, maker_view(&maker), 2);
	ck_assert_uint_eq(collection.count, 1);
	ck_assert_int_eq(collection.found[0]->kind, FINDING_deadlock);
	ck_assert_uint_eq(collection.found[0]->number, 3);
	ck_assert_uint_eq(collection.newest, 3);
	collection = (struct collection){ .arena = &arena };
	collect_log(&collection, maker_view(&maker), 99);
	ck_assert_uint_eq(collection.count, 0);
}
END_TEST

START_TEST(test_an_incident_is_one)
{
	log_finding(FINDING_stuck_holder, 7, 0, 2);
	log_finding(FINDING_deadlock, 7, 0, 1);
	log_finding(FINDING_stuck_holder, 7, FOUND_UPDATE, 4);
	/* The end without a story: the fullest account stays, and is over. */
	log_finding(FINDING_stuck_holder, 7, FOUND_OVER, 0);
	collect_log(&collection, maker_view(&maker), 0);
	ck_assert_uint_eq(collection.count, 2);
	ck_assert_uint_eq(collection.found[0]->item_count, 4);
	ck_assert_uint_eq(collection.found[0]->over, 5 * NSEC_PER_SEC);
	ck_assert(collection.found[0]->flags & FOUND_OVER);
	ck_assert_uint_eq(collection.found[0]->number, 4);
	ck_assert_int_eq(collection.found[1]->kind, FINDING_deadlock);
	ck_assert(!(collection.found[1]->flags & FOUND_OVER));
	/* With a story of its own, it replaces the one before. */
	log_finding(FINDING_deadlock, 7, FOUND_OVER, 3);
	collection = (struct collection){ .arena = &arena };
	collect_log(&collection, maker_view(&maker), 0);
	ck_assert_uint_eq(collection.count, 2);
	ck_assert_uint_eq(collection.found[1]->item_count, 3);
}
END_TEST

START_TEST(test_without_key)
{
	/* No incidents, but single events: each counts. */
	log_finding(FINDING_double_free, 0, 0, 1);
	log_finding(FINDING_double_free, 0, 0, 1);
	collect_log(&collection, maker_view(&maker), 0);
	ck_assert_uint_eq(collection.count, 2);
}
END_TEST

START_TEST(test_log_and_detectors_agree)
{
	log_finding(FINDING_deadlock, 5, 0, 1);
	log_finding(FINDING_stuck_holder, 6, FOUND_OVER, 1);
	collect_log(&collection, maker_view(&maker), 0);
	struct finding now = { .bytes = sizeof now, .kind = FINDING_deadlock, .key = 5, .witness = 77 };
	struct finding gone = { .bytes = sizeof gone, .kind = FINDING_stuck_holder, .key = 6, .witness = 78 };
	struct finding other = { .bytes = sizeof other, .kind = FINDING_deadlock, .key = 9 };
	collect_add(&collection, &now);
	collect_add(&collection, &gone);
	collect_add(&collection, &other);
	ck_assert_uint_eq(collection.count, 3);
	/* As it is now, under the number that it was told with. */
	ck_assert_uint_eq(collection.found[0]->witness, 77);
	ck_assert_uint_eq(collection.found[0]->number, 1);
	/* What the target saw the end of is not alive again. */
	ck_assert(collection.found[1]->flags & FOUND_OVER);
	ck_assert_uint_eq(collection.found[2]->number, 0);
}
END_TEST

/* Two threads that wait for one another, at two moments. */
static void make_deadlock(struct maker *into, uint32_t serial)
{
	ck_assert_int_eq(maker_init(into, 2), 0);
	into->header.started_mono = NSEC_PER_SEC;
	for (unsigned i = 0; i < 2; i++) {
		struct rec_thread *slot = maker_thread(into);
		slot->tid = 10 + (int)i;
		slot->wait_depth = 1;
		slot->waits[0] = (struct rec_wait){ .handle = 0x1000 + 64 * (1 - i),
						    .since = 2 * NSEC_PER_SEC,
						    .serial = serial,
						    .op = OP_pthread_mutex_lock,
						    .kind = KIND_MUTEX,
						    .mode = MODE_EXCLUSIVE };
		slot->hold_count = 1;
		slot->holds[0] = (struct rec_hold){ .handle = 0x1000 + 64 * i,
						    .since = NSEC_PER_SEC,
						    .serial = 1,
						    .count = 1,
						    .kind = KIND_MUTEX,
						    .mode = MODE_EXCLUSIVE,
						    .state = HOLD_LIVE };
	}
}

static uint32_t confirmed(uint32_t serial_before, uint32_t serial_after)
{
	struct maker first, second;
	struct snapshot before, after;
	struct finding_list look;
	make_deadlock(&first, serial_before);
	make_deadlock(&second, serial_after);
	snapshot_take(maker_view(&first), 3 * NSEC_PER_SEC, &arena, &before);
	collect_look(&look, &before, &arena);
	ck_assert_uint_eq(look.count, 1);
	snapshot_take(maker_view(&second), 4 * NSEC_PER_SEC, &arena, &after);
	collection = (struct collection){ .arena = &arena };
	collect_live(&collection, &after, &look);
	maker_release(&first);
	maker_release(&second);
	return collection.count;
}

START_TEST(test_two_looks)
{
	ck_assert_uint_eq(confirmed(2, 2), 1);
	/* They moved in between: that was no deadlock, whatever it is now. */
	ck_assert_uint_eq(confirmed(2, 4), 0);
}
END_TEST

START_TEST(test_dead_needs_one_look)
{
	struct maker dead;
	struct snapshot snapshot;
	make_deadlock(&dead, 2);
	snapshot_take(maker_view(&dead), 3 * NSEC_PER_SEC, &arena, &snapshot);
	collect_dead(&collection, &snapshot);
	bool found = false;
	for (uint32_t i = 0; i < collection.count; i++)
		found |= collection.found[i]->kind == FINDING_deadlock;
	ck_assert(found);
	maker_release(&dead);
}
END_TEST

START_TEST(test_many)
{
	/* As many as a log has room for: comparing each with each would take minutes. */
	for (uint64_t number = 0; number < 90000; number++)
		log_finding(FINDING_leak, number % 30000 + 1, 0, 0);
	collect_log(&collection, maker_view(&maker), 0);
	ck_assert_uint_eq(collection.count, 30000);
	ck_assert_uint_eq(collection.newest, 90000);
	ck_assert(!collection.incomplete);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("collect");
	TCase *tests = tcase_create("collect");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_numbers_and_since);
	tcase_add_test(tests, test_an_incident_is_one);
	tcase_add_test(tests, test_without_key);
	tcase_add_test(tests, test_log_and_detectors_agree);
	tcase_add_test(tests, test_two_looks);
	tcase_add_test(tests, test_dead_needs_one_look);
	tcase_add_test(tests, test_many);
	suite_add_tcase(suite, tests);
	return suite_run(suite) != 0;
}
