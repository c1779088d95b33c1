#include <check.h>

#include "world.h"

#define LOCKS 400u
#define EDGES 100000u
#define ENTRIES 1000u

static struct world *world;
static struct rec_lock locks[LOCKS];
static struct rec_edge *edges;
static struct rec_lineage entries[ENTRIES];
static uint32_t edge_count, entry_count;
static struct rec_stack stacks[64]; /* each with a frame behind it, in the place of the next */

static void setup(void)
{
	world = world_make();
	edges = calloc(EDGES, sizeof(*edges));
	memset(locks, 0, sizeof(locks));
	edge_count = entry_count = 0;
	for (uint32_t i = 0; i < LOCKS; i++)
		locks[i] = (struct rec_lock){ .address = 0x10000 + 64 * i, .kind = KIND_MUTEX };
	world->view.tables[REC_LOCKS] = locks;
	world->view.tables[REC_EDGES] = edges;
	world->view.tables[REC_LINEAGE] = entries;
	world->view.tables[REC_STACKS] = stacks;
	world->header.tables[REC_LOCKS].used = sizeof(locks);
	world->header.tables[REC_STACKS].used = sizeof(stacks);
	for (int i = 0; i < 8; i++)
		world_thread(world);
}

static void teardown(void)
{
	free(edges);
	world_free(world);
}

/* A number that no other thread of a test has: only who is named twice is one. */
static struct rec_edge *edge(uint32_t held, uint32_t acquired, thread_id thread)
{
	struct rec_edge *made = &edges[edge_count++];
	*made = (struct rec_edge){
		.held = held,
		.acquired = acquired,
		.held_mode = MODE_EXCLUSIVE,
		.acquired_mode = MODE_EXCLUSIVE,
		.held_op = OP_pthread_mutex_lock,
		.acquired_op = OP_pthread_mutex_lock,
	};
	made->sights[0].thread = thread;
	made->sights[0].time = entry_count;
	made->sights[0].held_stack = 100 * held + acquired;
	made->sights[0].acquired_stack = 100 * held + acquired + 50;
	world->header.tables[REC_EDGES].used = edge_count * sizeof(*edges);
	world->header.order_news++;
	return made;
}

static void lineage(enum lineage_kind kind, thread_id by, thread_id of)
{
	entries[entry_count++] = (struct rec_lineage){ .kind = kind, .by = by, .of = of };
	world->header.tables[REC_LINEAGE].used = entry_count * sizeof(entries[0]);
}

static uint32_t found(void)
{
	world_look(world);
	ck_assert_uint_eq(world_count(world, FINDING_lock_order), world->found.count);
	return world->found.count;
}

/* -- rings ----------------------------------------------------------------- */

START_TEST(two_orders)
{
	edge(1, 2, 3);
	edge(2, 1, 5);
	ck_assert_uint_eq(found(), 1);
	const struct finding *finding = world_found(world, FINDING_lock_order);
	ck_assert_int_eq(finding->severity, SEVERITY_WARNING);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(finding->item_count, 4);
	static const struct {
		thread_id thread;
		uint32_t lock;
		stack_id stack;
	} wanted[] = { { 3, 1, 102 }, { 3, 2, 152 }, { 5, 2, 201 }, { 5, 1, 251 } };
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		ck_assert_uint_eq(finding->items[i].role, ROLE_acquired);
		ck_assert_uint_eq(finding->items[i].thread, wanted[i].thread);
		ck_assert_uint_eq(finding->items[i].handle, locks[wanted[i].lock - 1].address);
		ck_assert_uint_eq(finding->items[i].stack, wanted[i].stack);
		ck_assert_uint_eq(finding->items[i].object_kind, KIND_MUTEX);
		ck_assert_uint_eq(finding->items[i].op, OP_pthread_mutex_lock);
	}
	uint64_t key = finding->key;
	/* Told of again with the same key, also at the end; and not where nothing is new. */
	ck_assert_uint_eq(found(), 1);
	ck_assert_uint_eq(world_found(world, FINDING_lock_order)->key, key);
	world_end(world);
	ck_assert_uint_eq(world_found(world, FINDING_lock_order)->key, key);
	world->limits.order_news = world->header.order_news;
	ck_assert_uint_eq(found(), 0);
	edge(3, 4, 3);
	ck_assert_uint_eq(found(), 1);
}
END_TEST

START_TEST(one_thread_alone)
{
	edge(1, 2, 3);
	edge(2, 1, 3);
	ck_assert_uint_eq(found(), 0);
	/* Three locks, two threads: one of them would have to be in two places. */
	edge(5, 6, 3);
	edge(6, 7, 3);
	edge(7, 5, 4);
	ck_assert_uint_eq(found(), 0);
	/* Any of those that were seen will do. */
	edges[0].sights[1].thread = 4;
	ck_assert_uint_eq(found(), 1);
}
END_TEST

START_TEST(long_rings)
{
	uint32_t length = (uint32_t)_i;
	for (uint32_t i = 0; i < length; i++)
		edge(1 + i, 1 + (i + 1) % length, 10 + i);
	ck_assert_uint_eq(found(), 1);
	const struct finding *finding = world_found(world, FINDING_lock_order);
	ck_assert_uint_eq(finding->count, length);
	ck_assert_uint_eq(finding->item_count, 2 * length);
}
END_TEST

START_TEST(the_shortest_of_many)
{
	/* 1 > 2 > 3 > 1, and 2 > 1: two rings; and a way round that has a lock twice is none. */
	edge(1, 2, 10);
	edge(2, 3, 11);
	edge(3, 1, 12);
	edge(2, 1, 13);
	edge(3, 4, 14);
	edge(4, 5, 15);
	ck_assert_uint_eq(found(), 2);
}
END_TEST

START_TEST(every_pair_of_many)
{
	/* More rings than anybody could count: it ends, and what it tells is some of them. */
	for (uint32_t i = 1; i <= 200; i++)
		for (uint32_t j = 1; j <= 200; j++)
			if (i != j)
				edge(i, j, 2 + (i * 31 + j) % 500);
	uint32_t count = found();
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_le(count, 64);
}
END_TEST

/* -- what keeps threads apart ----------------------------------------------- */

START_TEST(gates)
{
	struct rec_edge *one = edge(1, 2, 3), *other = edge(2, 1, 4);
	one->guard_count = 1;
	one->guards[0] = 9 << 1;
	ck_assert_uint_eq(found(), 1);
	other->guard_count = 2;
	other->guards[0] = 8 << 1;
	other->guards[1] = 9 << 1;
	ck_assert_uint_eq(found(), 0);
	one->guards[0] |= 1; /* one reads, the other writes */
	ck_assert_uint_eq(found(), 0);
	other->guards[1] |= 1; /* both read */
	ck_assert_uint_eq(found(), 1);
	/* The lock that one has got is the gate of the other. */
	other->guards[0] = 1 << 1;
	ck_assert_uint_eq(found(), 0);
	one->guard_count = other->guard_count = 200;
	ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(gates_that_are_not_known)
{
	struct rec_edge *one = edge(1, 2, 3), *other = edge(2, 1, 4);
	/* Whatever else the one holds, the other holds nothing but what the one is about to take. */
	one->more_guards = 1;
	ck_assert_uint_eq(found(), 1);
	other->guard_count = 1;
	other->guards[0] = 9 << 1;
	ck_assert_uint_eq(found(), 0);
	one->more_guards = 0;
	ck_assert_uint_eq(found(), 1);
	one->more_guards = other->more_guards = 1;
	other->guard_count = 0;
	ck_assert_uint_eq(found(), 0);
	one->more_guards = other->more_guards = 0;
	/* In a longer ring what one holds may be what another, that is not its neighbour, is kept out by. */
	other->acquired = 3;
	edge(3, 1, 5);
	ck_assert_uint_eq(found(), 1);
	one->more_guards = 1;
	ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(readers)
{
	struct rec_edge *one = edge(1, 2, 3), *other = edge(2, 1, 4);
	one->held_mode = other->acquired_mode = MODE_SHARED;
	ck_assert_uint_eq(found(), 0);
	other->acquired_mode = MODE_EXCLUSIVE;
	ck_assert_uint_eq(found(), 1);
	one->held_mode = MODE_EXCLUSIVE;
	one->acquired_mode = other->held_mode = MODE_SHARED;
	ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(made_and_joined)
{
	edge(1, 2, 1);
	lineage(LINEAGE_CREATED, 1, 2);
	edge(2, 1, 2);
	ck_assert_uint_eq(found(), 0);
	/* Not main's any more, and nothing tells the two apart. */
	edges[0].sights[0].thread = 3;
	ck_assert_uint_eq(found(), 1);
	/* It was made by one that was joined by main, before. */
	edge_count = entry_count = 0;
	lineage(LINEAGE_CREATED, 1, 2);
	lineage(LINEAGE_CREATED, 2, 3);
	edge(1, 2, 3);
	lineage(LINEAGE_JOINED, 2, 3);
	lineage(LINEAGE_JOINED, 1, 2);
	lineage(LINEAGE_CREATED, 1, 4);
	edge(2, 1, 4);
	ck_assert_uint_eq(found(), 0);
	/* The same without the second join. */
	entries[3].kind = LINEAGE_NONE;
	ck_assert_uint_eq(found(), 1);
	/* A sight in between is enough. */
	entries[3].kind = LINEAGE_JOINED;
	edges[1].sights[1].thread = 1;
	edges[1].sights[1].time = 2;
	ck_assert_uint_eq(found(), 1);
	edges[1].sights[1].time = 4;
	ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(the_lineage_is_full)
{
	lineage(LINEAGE_CREATED, 1, 2);
	edge(1, 2, 3);
	edge(2, 1, 4);
	ck_assert_uint_eq(found(), 1);
	world->header.tables[REC_LINEAGE].lost = 1;
	ck_assert_uint_eq(found(), 0);
	edges[0].sights[0].time = edges[1].sights[0].time = 0;
	ck_assert_uint_eq(found(), 1);
}
END_TEST

/* -- instances --------------------------------------------------------------- */

static stack_id made_in(unsigned number)
{
	stacks[3 * number + 1].count = 1;
	*(uint64_t *)(void *)&stacks[3 * number + 2] = 0x4000 + number;
	return (stack_id)((3 * number + 1) * sizeof(stacks[0]) / 8);
}

START_TEST(of_one_kind)
{
	for (uint32_t i = 0; i < 8; i++)
		locks[i].made = made_in(i % 2);
	edge(1, 2, 3);
	edge(4, 3, 4);
	ck_assert_uint_eq(found(), 1);
	/* From one object to the next: another relation. */
	edges[1].acquired = 5;
	ck_assert_uint_eq(found(), 0);
	edges[1].acquired = 3;
	/* Each with a gate, of one kind: perhaps that of the object. */
	edges[0].guard_count = edges[1].guard_count = 1;
	edges[0].guards[0] = 5 << 1;
	edges[1].guards[0] = 7 << 1;
	ck_assert_uint_eq(found(), 0);
	edges[1].guards[0] = 8 << 1;
	ck_assert_uint_eq(found(), 1);
	edges[0].guard_count = edges[1].guard_count = 0;
	/* By one thread, and where it is not known where they were made. */
	edges[1].sights[0].thread = 3;
	ck_assert_uint_eq(found(), 0);
	edges[1].sights[0].thread = 4;
	locks[0].made = 0;
	ck_assert_uint_eq(found(), 0);
}
END_TEST

START_TEST(the_same_ring_of_others)
{
	for (uint32_t i = 0; i < 20; i++)
		locks[i].made = made_in(i % 2);
	for (uint32_t i = 1; i < 20; i += 2) {
		edge(i, i + 1, 3);
		edge(i + 1, i, 4);
	}
	world_look(world);
	/* Once as a ring, and once as what goes for all of the kind. */
	ck_assert_uint_le(found(), 2);
}
END_TEST

/* -- damage ------------------------------------------------------------------ */

START_TEST(nonsense)
{
	srand((unsigned)_i);
	for (uint32_t i = 0; i < 300; i++)
		edge(1 + (uint32_t)rand() % 40, 1 + (uint32_t)rand() % 40, (thread_id)(1 + rand() % 20));
	for (uint32_t i = 0; i < 60; i++)
		lineage((enum lineage_kind)(rand() % 4), (thread_id)(rand() % 20), (thread_id)(rand() % 20));
	unsigned char *bytes = (unsigned char *)edges;
	for (uint32_t i = 0; i < 3000; i++)
		bytes[(size_t)rand() % (edge_count * sizeof(*edges))] = (unsigned char)rand();
	bytes = (unsigned char *)entries;
	for (uint32_t i = 0; i < 100; i++)
		bytes[(size_t)rand() % (entry_count * sizeof(entries[0]))] = (unsigned char)rand();
	world_look(world);
	for (uint32_t i = 0; i < world->found.count; i++)
		for (uint32_t j = 0; j < world->found.found[i]->item_count; j++)
			ck_assert_uint_lt(world->found.found[i]->items[j].op, OP_COUNT);
}
END_TEST

static int pages_left;

static void *few_pages(size_t bytes)
{
	return pages_left-- > 0 ? calloc(1, bytes) : NULL;
}

START_TEST(memory_runs_out)
{
	for (uint32_t i = 1; i < 300; i++) {
		edge(i, i + 1, 3);
		edge(i + 1, i, 5);
	}
	bool complete = false;
	for (int pages = 0; pages < 60 && !complete; pages++) {
		struct arena arena = { .more = few_pages, .less = world_pages_free };
		struct finding_list list = { .arena = &arena };
		pages_left = pages;
		detect_live(&world->snapshot, &world->limits, &list);
		complete = !list.incomplete;
		arena_release(&arena);
	}
	ck_assert(complete);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("order");
	TCase *tests = tcase_create("order");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, two_orders);
	tcase_add_test(tests, one_thread_alone);
	tcase_add_loop_test(tests, long_rings, 2, 65);
	tcase_add_test(tests, the_shortest_of_many);
	tcase_add_test(tests, every_pair_of_many);
	tcase_add_test(tests, gates);
	tcase_add_test(tests, gates_that_are_not_known);
	tcase_add_test(tests, readers);
	tcase_add_test(tests, made_and_joined);
	tcase_add_test(tests, the_lineage_is_full);
	tcase_add_test(tests, of_one_kind);
	tcase_add_test(tests, the_same_ring_of_others);
	tcase_add_loop_test(tests, nonsense, 0, 50);
	tcase_add_test(tests, memory_runs_out);
	suite_add_tcase(all, tests);
	return all;
}

WORLD_MAIN(suite)
