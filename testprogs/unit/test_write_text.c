/*
 * The text report: whole reports against testprogs/golden/ (RERECORD=1 writes them
 * anew; look at the difference before you commit it), and what must never happen.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_report.h"
#include "reporter/write/writers.h"

#include "suite.h"

#define ASSERT_GOLDEN(name) \
	do { \
		const char *difference = fake_golden(name, fake_written(write_text)); \
		ck_assert_msg(!difference, "%s", difference); \
	} while (0)

#define LOCK(number) (FAKE_PROGRAM + 0x5000 + (uint64_t)(number)*64)

static stack_id stack_in(const char *function, const char *file, unsigned line)
{
	return fake_stack(fake_function(function, file, line), fake_function("main", "/src/app/main.c", 7),
			  fake_function_in(FAKE_LIBC, "__libc_start_call_main"), UINT64_C(0));
}

START_TEST(test_stuck_holder)
{
	fake_scene_stuck_holder();
	ASSERT_GOLDEN("stuck_holder.txt");
	fake.report.verbosity = 1;
	ASSERT_GOLDEN("stuck_holder_verbose.txt");
	fake.report.verbosity = -1;
	ASSERT_GOLDEN("stuck_holder_quiet.txt");
	fake.report.verbosity = 0;
	fake.report.color = true;
	ASSERT_GOLDEN("stuck_holder_color.txt");
}
END_TEST

START_TEST(test_deadlock)
{
	fake_scene_deadlock();
	ASSERT_GOLDEN("deadlock.txt");
}
END_TEST

START_TEST(test_leaks)
{
	fake_scene_leaks();
	ASSERT_GOLDEN("leaks.txt");
	fake.report.symbolizer = &symbolizer_plain;
	ASSERT_GOLDEN("leaks_without_symbols.txt");
}
END_TEST

/* Three threads in a ring, of mutex, rwlock and join; one behind them. And one that takes its own lock again. */
START_TEST(test_rings)
{
	static const char *const names[] = { "alice", "bob", "carol" };
	struct snap_thread *threads[4];
	fake_clear();
	fake.report.trigger = TRIGGER_THRESHOLD;
	for (unsigned i = 0; i < 3; i++)
		threads[i] = fake_thread(2 + i, names[i]);
	threads[3] = fake_thread(5, "late");
	fake_symbol(LOCK(0), "fork_a (server .bss)");
	stack_id waits = stack_in("eat", "/src/app/philosophers.c", 12);
	stack_id holds = stack_in("eat", "/src/app/philosophers.c", 11);
	fake_wait(threads[0], KIND_MUTEX, LOCK(1), OP_pthread_mutex_lock, waits, 3 * NSEC_PER_SEC);
	fake_wait(threads[1], KIND_RWLOCK, LOCK(2), OP_pthread_rwlock_wrlock, waits, 2 * NSEC_PER_SEC);
	fake_wait(threads[2], KIND_THREAD, 0, OP_pthread_join, waits, 1 * NSEC_PER_SEC)->target = 2;
	fake_wait(threads[3], KIND_MUTEX, LOCK(1), OP_pthread_mutex_lock, waits, NSEC_PER_SEC / 2);
	fake_object(KIND_MUTEX, LOCK(1), NULL, stack_in("fork_new", "/src/app/philosophers.c", 3));
	fake_object(KIND_RWLOCK, LOCK(2), "menu", 0);
	struct finding *ring = fake_finding(FINDING_deadlock, 2, NSEC_PER_SEC);
	for (unsigned i = 0; i < 3; i++) {
		struct finding_item *item = fake_item_wait(ring, ROLE_waits, threads[i]);
		item->flags |= ITEM_SUBJECT;
		item->other = 2 + (i + 1) % 3;
	}
	struct rec_hold *hold = fake_hold(threads[1], KIND_MUTEX, LOCK(1), MODE_EXCLUSIVE,
					  OP_pthread_mutex_lock, holds, 4 * NSEC_PER_SEC);
	fake_item_hold(ring, ROLE_acquired, threads[1], hold);
	hold = fake_hold(threads[2], KIND_RWLOCK, LOCK(2), MODE_SHARED, OP_pthread_rwlock_rdlock, holds,
			 4 * NSEC_PER_SEC);
	fake_item_hold(ring, ROLE_acquired, threads[2], hold);
	fake_item_wait(ring, ROLE_waits, threads[3])->other = 3;

	struct snap_thread *self = fake_thread(6, "again");
	fake_wait(self, KIND_MUTEX, LOCK(0), OP_pthread_mutex_lock, stack_in("inner", "/src/app/again.c", 9),
		  NSEC_PER_SEC);
	hold = fake_hold(self, KIND_MUTEX, LOCK(0), MODE_EXCLUSIVE, OP_pthread_mutex_lock,
			 stack_in("outer", "/src/app/again.c", 5), 2 * NSEC_PER_SEC);
	struct finding *own = fake_finding(FINDING_deadlock, 6, NSEC_PER_SEC);
	struct finding_item *item = fake_item_wait(own, ROLE_waits, self);
	item->flags |= ITEM_SUBJECT;
	item->other = 6;
	fake_item_hold(own, ROLE_acquired, self, hold);
	ASSERT_GOLDEN("rings.txt");
}
END_TEST

/* One of each of the other kinds. */
START_TEST(test_assorted)
{
	fake_clear();
	fake_symbol(LOCK(0), "index_lock (server .data)");
	struct snap_thread *first = fake_thread(1, "server"), *busy = fake_thread(2, "indexer");
	struct snap_thread *gone = fake_thread(3, "worker"), *waiter = fake_thread(4, "query");
	gone->state = THREAD_ENDED;
	struct rec_hold *hold = fake_hold(busy, KIND_MUTEX, LOCK(0), MODE_EXCLUSIVE, OP_pthread_mutex_lock,
					  stack_in("rebuild", "/src/app/index.c", 30), 12 * NSEC_PER_SEC);
	fake_wait(waiter, KIND_MUTEX, LOCK(0), OP_pthread_mutex_lock,
		  stack_in("lookup", "/src/app/index.c", 80), 11 * NSEC_PER_SEC);
	struct finding *finding = fake_finding(FINDING_long_hold, 2, 12 * NSEC_PER_SEC);
	finding->limit = 10 * NSEC_PER_SEC;
	finding->count = 1;
	fake_item_hold(finding, ROLE_acquired, busy, hold)->flags |= ITEM_SUBJECT;
	fake_item_stack(finding, ROLE_now, 2, 0)->source = STACK_UNKNOWN_RUNNING;
	fake_item_wait(finding, ROLE_waits, waiter)->other = 2;

	hold = fake_hold(gone, KIND_MUTEX, LOCK(1), MODE_EXCLUSIVE, OP_pthread_mutex_lock,
			 stack_in("work", "/src/app/worker.c", 14), 5 * NSEC_PER_SEC);
	finding = fake_finding(FINDING_held_at_exit, 3, 5 * NSEC_PER_SEC);
	finding->flags = FOUND_AT_EXIT;
	fake_item_hold(finding, ROLE_acquired, gone, hold)->flags |= ITEM_SUBJECT;
	fake_item_stack(finding, ROLE_created, 3, stack_in("spawn", "/src/app/worker.c", 40));

	stack_id made = stack_in("spawn", "/src/app/worker.c", 41);
	finding = fake_finding(FINDING_thread_leak, 3, 0);
	finding->count = 3;
	for (thread_id id = 10; id < 13; id++) {
		struct finding_item *item = fake_item_stack(finding, ROLE_created, id, made);
		snprintf(item->thread_name, sizeof item->thread_name, "job-%u", id);
	}

	struct rec_hold *directory =
	    fake_resource(1, KIND_DIRECTORY, 0x5555600010, OP_opendir,
			  stack_in("scan_dir", "/src/app/scan.c", 8), 3 * NSEC_PER_SEC);
	finding = fake_finding(FINDING_iterator_leak, 1, 0);
	finding->flags = FOUND_AT_EXIT;
	finding->count = 1;
	fake_item_hold(finding, ROLE_opened, first, directory)->flags |= ITEM_SUBJECT;
	finding = fake_finding(FINDING_iterator_open, 1, 3 * NSEC_PER_SEC);
	finding->count = 12;
	finding->limit = NSEC_PER_SEC / 2;
	struct finding_item *opened = fake_item_hold(finding, ROLE_opened, first, directory);
	opened->flags |= ITEM_SUBJECT;
	opened->count = 12;
	struct finding_item *now =
	    fake_item_stack(finding, ROLE_now, 1, stack_in("crunch", "/src/app/scan.c", 20));
	now->source = STACK_LOOKED_UP;

	finding = fake_finding(FINDING_heap_growth, 0, 3 * NSEC_PER_SEC);
	finding->rate = 60 * 1000 * 1000;
	finding->amount = UINT64_C(190) << 20;
	struct finding_item *site =
	    fake_item_stack(finding, ROLE_site, 0, stack_in("load_index", "/src/app/index.c", 99));
	site->amount = UINT64_C(150) << 20;
	site->count = 2400;

	finding = fake_finding(FINDING_blocked, 4, 40 * NSEC_PER_SEC);
	finding->count = 1;
	fake_item_wait(finding, ROLE_blocked, waiter)->flags |= ITEM_SUBJECT;

	finding = fake_finding(FINDING_double_free, 2, 0);
	fake_item_stack(finding, ROLE_freed_again, 2, stack_in("release", "/src/app/buffer.c", 51));
	fake_item_stack(finding, ROLE_freed, 1, stack_in("release", "/src/app/buffer.c", 50));
	fake_item_stack(finding, ROLE_allocated, 1, 0);

	fake.header->degraded = REC_NO_PTRACE | REC_MEMORY_LIMIT;
	fake.report.suppressed = 3;
	ASSERT_GOLDEN("assorted.txt");
}
END_TEST

/* Locks that lie elsewhere than in a module's data: with a name of their own, or with what is around them. */
START_TEST(test_places)
{
	fake_clear();
	fake.report.all_threads = true;
	struct snap_thread *first = fake_thread(1, "server"), *worker = fake_thread(2, "worker");
	stack_id stack = stack_in("work", "/src/app/work.c", 12);
	stack_id made = stack_in("cache_new", "/src/app/cache.c", 31);
	const struct {
		enum rec_place_sort sort;
		uint64_t offset, bytes;
		stack_id stack;
		thread_id thread;
		uint16_t frame;
		uint64_t below;
	} known[] = {
		{ PLACE_BLOCK, 16, 48, made, 0, 0, 0 },  { PLACE_BLOCK, 0, 70000, made, 0, 0, 0 },
		{ PLACE_STACK, 0, 0, stack, 1, 2, 8 },   { PLACE_STACK, 0, 0, stack, 2, 1, 8 },
		{ PLACE_STACK, 0, 0, stack, 2, 1, 200 }, { PLACE_STACK, 0, 0, 0, 2, 0, 0 },
		{ PLACE_TLS, 64, 0, 0, 2, 0, 0 },        { PLACE_TLS, 4096, 0, 0, 2, 0, 0 },
		{ PLACE_FILE, 4160, 0, 0, 0, 0, 0 },     { PLACE_NOWHERE, 0, 0, 0, 0, 0, 0 },
		{ PLACE_STACK, 0, 0, stack, 2, 77, 8 },
	};
	for (unsigned i = 0; i < COUNT_OF(known); i++) {
		uint64_t address = UINT64_C(0x7f5500001000) + i * UINT64_C(64);
		struct rec_place *place = fake_place(address, known[i].sort);
		place->offset = known[i].offset;
		place->bytes = known[i].bytes;
		place->stack = known[i].stack;
		place->thread = known[i].thread;
		place->frame = known[i].frame;
		place->below = known[i].below;
		place->path = known[i].sort == PLACE_FILE ? fake_text("/dev/shm/queue") : 0;
		fake_hold(worker, KIND_MUTEX, address, MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack,
			  5 * NSEC_PER_SEC);
	}
	/* What was there before the hold began may have been something else. */
	fake_place(UINT64_C(0x7f5500004000), PLACE_FILE)->seen = FAKE_NOW - 5 * NSEC_PER_SEC;
	fake_hold(worker, KIND_MUTEX, UINT64_C(0x7f5500004000), MODE_EXCLUSIVE, OP_pthread_mutex_lock, stack,
		  5 * NSEC_PER_SEC);
	fake_wait(first, KIND_MUTEX, UINT64_C(0x7f5500001000), OP_pthread_mutex_lock,
		  stack_in("lookup", "/src/app/index.c", 80), 4 * NSEC_PER_SEC);
	ASSERT_GOLDEN("places.txt");
}
END_TEST

/* Who signals as a rule, of conditions and a semaphore; nothing where another one may have been there then. */
START_TEST(test_signalled)
{
	fake_clear();
	fake.report.all_threads = true;
	stack_id waits = stack_in("take", "/src/app/queue.c", 40),
		 sends = stack_in("put", "/src/app/queue.c", 22);
	struct snap_thread *first = fake_thread(1, "server"), *sender = fake_thread(2, "sender");
	struct snap_thread *takers[7];
	for (unsigned i = 0; i < COUNT_OF(takers); i++) {
		takers[i] = fake_thread(3 + i, "taker");
		uint64_t handle = i < 4 ? LOCK(i) : UINT64_C(0x7f5500001000) + i * UINT64_C(64);
		enum kind kind = i == 1 ? KIND_SEM : KIND_COND;
		fake_wait(takers[i], kind, handle, kind == KIND_SEM ? OP_sem_wait : OP_pthread_cond_wait,
			  waits, 5 * NSEC_PER_SEC);
		fake_signal(kind, handle, kind == KIND_SEM ? OP_sem_post : OP_pthread_cond_signal,
			    i == 3 ? 77 : 2, sends, 7 * NSEC_PER_SEC)
		    ->count = i + 1;
	}
	strcpy(fake_signal(KIND_COND, LOCK(9), OP_pthread_cond_broadcast, 78, sends, 6 * NSEC_PER_SEC)->name,
	       "gone");
	struct rec_signal told;
	ck_assert(view_signal(&fake.view, KIND_COND, LOCK(9), &told));
	fake_wait(first, KIND_COND, LOCK(9), OP_pthread_cond_wait, waits, 5 * NSEC_PER_SEC);
	sender->state = THREAD_ENDED;
	sender->ended = FAKE_NOW - 3 * NSEC_PER_SEC;
	/* In a block that is older than the signal; in one that is not; on a stack, of a frame that may be newer. */
	fake_place(UINT64_C(0x7f5500001000) + 4 * 64, PLACE_BLOCK)->born = 100;
	fake_place(UINT64_C(0x7f5500001000) + 5 * 64, PLACE_BLOCK)->born = 101;
	struct rec_place *place = fake_place(UINT64_C(0x7f5500001000) + 6 * 64, PLACE_STACK);
	place->thread = 1;
	place->stack = waits;
	place->frame = 2;
	ASSERT_GOLDEN("signalled.txt");
}
END_TEST

/* An incident that was found, found in fuller form, and is over: one account. */
START_TEST(test_resolved)
{
	fake_scene_stuck_holder();
	struct finding *fuller = fake.findings.found[0];
	struct finding *early = fake_finding(FINDING_stuck_holder, 3, NSEC_PER_SEC);
	early->key = fuller->key;
	early->count = 1;
	struct finding *over = fake_finding(FINDING_stuck_holder, 3, 41 * NSEC_PER_SEC);
	over->key = fuller->key;
	over->flags = FOUND_OVER;
	over->over = FAKE_NOW;
	fuller->since = over->since;
	ASSERT_GOLDEN("resolved.txt");
	fake.report.trigger = TRIGGER_THRESHOLD;
	fake.report.found[0] = over;
	fake.report.found_count = 1;
	over->count = 4;
	ASSERT_GOLDEN("resolved_news.txt");
}
END_TEST

/* The same between other threads is told once. */
START_TEST(test_folds)
{
	fake_clear();
	stack_id waits = stack_in("eat", "/src/app/table.c", 12);
	for (thread_id id = 2; id < 22; id++) {
		char name[16];
		snprintf(name, sizeof name, "guest-%u", id);
		struct snap_thread *thread = fake_thread(id, name);
		fake_wait(thread, KIND_MUTEX, LOCK(id), OP_pthread_mutex_lock, waits, NSEC_PER_SEC);
		struct finding *finding = fake_finding(FINDING_deadlock, id, NSEC_PER_SEC);
		struct finding_item *item = fake_item_wait(finding, ROLE_waits, thread);
		item->flags |= ITEM_SUBJECT;
		item->other = id;
	}
	ASSERT_GOLDEN("folded.txt");
}
END_TEST

START_TEST(test_dump)
{
	fake_scene_stuck_holder();
	fake.report.trigger = TRIGGER_REQUEST;
	fake.report.all_threads = true;
	fake.report.found_count = 0;
	struct snap_thread *running = fake_thread(8, "cruncher"), *ended = fake_thread(9, "done");
	struct snap_thread *asleep = fake_thread(10, "hand-made");
	running->kernel_state = 'R';
	running->cpu_ns = 3 * NSEC_PER_SEC;
	ended->state = THREAD_ENDED;
	asleep->kernel_state = 'S';
	asleep->now_stack = stack_in("futex_wait_by_hand", "/src/app/own_lock.c", 31);
	struct snap_thread *reader = snapshot_thread(&fake.snapshot, 3);
	fake_hold(reader, KIND_MUTEX, LOCK(3), MODE_EXCLUSIVE, OP_pthread_mutex_lock, 0, NSEC_PER_SEC)
	    ->state = HOLD_PARKED;
	ASSERT_GOLDEN("dump.txt");
}
END_TEST

/* A server with many threads: equal ones are one. */
START_TEST(test_dump_folds)
{
	fake_clear();
	fake.report.trigger = TRIGGER_REQUEST;
	fake.report.all_threads = true;
	stack_id idle = stack_in("pool_take", "/src/app/pool.c", 60);
	for (thread_id id = 1; id <= 500; id++)
		fake_wait(fake_thread(id, "pool"), KIND_COND, LOCK(0), OP_pthread_cond_wait, idle,
			  id * NSEC_PER_SEC);
	fake_hold(snapshot_thread(&fake.snapshot, 250), KIND_MUTEX, LOCK(2), MODE_EXCLUSIVE,
		  OP_pthread_mutex_lock, idle, 1);
	ASSERT_GOLDEN("dump_folded.txt");
	/* Every second one is elsewhere: no list without an end. */
	for (uint32_t i = 0; i < 500; i += 2)
		fake.snapshot.threads[i].wait.op = OP_sem_wait;
	ck_assert_ptr_nonnull(strstr(fake_written(write_text), "more threads with the same stack: 4, 6, 8,"));
	ck_assert_ptr_nonnull(strstr(fake_written(write_text), "32, 34, ...\n"));
}
END_TEST

START_TEST(test_deep_stacks)
{
	fake_clear();
	fake_thread(1, "server");
	uint64_t addresses[200];
	uint64_t walk = fake_function("walk", "/src/app/tree.c", 5);
	for (unsigned i = 0; i < 100; i++)
		addresses[i] = walk;
	for (unsigned i = 100; i < 200; i++) {
		char *name = arena_copy(&fake.arena, "step_00", 7);
		name[5] = (char)('0' + (i - 100) / 10);
		name[6] = (char)('0' + i % 10);
		addresses[i] = fake_function(name, "/src/app/steps.c", i);
	}
	struct finding *finding = fake_finding(FINDING_leak, 0, 0);
	finding->amount = 10;
	finding->count = 1;
	fake_item_stack(finding, ROLE_allocated, 0, fake_stack_of(addresses, 200, STACK_TRUNCATED));
	finding = fake_finding(FINDING_leak, 0, 0);
	fake_item_stack(finding, ROLE_allocated, 0, fake_stack_of(addresses, 100, 0));
	ASSERT_GOLDEN("deep.txt");
}
END_TEST

/*
 * Three locks, two of them waited for; one place called from two others; one that is waited for now, by a thread
 * that another one makes wait.
 */
START_TEST(test_locks)
{
	fake_clear();
	stack_id put = fake_stack(fake_function("put", "/src/app/cache.c", 31),
				  fake_function("serve", "/src/app/server.c", 80), UINT64_C(0)),
		 put_too = fake_stack(fake_function("put", "/src/app/cache.c", 31),
				      fake_function("reload", "/src/app/server.c", 95), UINT64_C(0)),
		 get = fake_stack(fake_function("get", "/src/app/cache.c", 12), UINT64_C(0)),
		 walk = fake_stack(fake_function("walk", "/src/app/tree.c", 5), UINT64_C(0));
	fake_symbol(0x1000, "cache_lock (server .bss)");
	fake_symbol(0x2000, "tree_lock (server .bss)");
	fake_symbol(0x3000, "quiet_lock (server .bss)");
	struct rec_use *use = fake_use(KIND_MUTEX, 0x1000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, put);
	use->taken = 40000;
	use->waits = 1000;
	use->waited = 3 * NSEC_PER_SEC;
	use->waited_most = 41 * NSEC_PER_MSEC;
	use->held = 8 * NSEC_PER_SEC;
	use->held_most = 50 * NSEC_PER_MSEC;
	use->made_wait = 2 * NSEC_PER_SEC;
	use = fake_use(KIND_MUTEX, 0x1000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, put_too);
	use->taken = 2;
	use->made_wait = 1100 * NSEC_PER_MSEC;
	use = fake_use(KIND_MUTEX, 0x1000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, get);
	use->taken = 12113;
	use->waits = 204;
	use->waited = 200 * NSEC_PER_MSEC;
	use->waited_most = 3 * NSEC_PER_MSEC;
	fake_use(KIND_RWLOCK, 0x2000, MODE_SHARED, OP_pthread_rwlock_rdlock, walk)->taken = 7;
	fake_use(KIND_MUTEX, 0x3000, MODE_EXCLUSIVE, OP_pthread_mutex_lock, walk)->taken = 9;
	use = fake_use(KIND_MUTEX, 0, MODE_EXCLUSIVE, OP_pthread_mutex_lock, walk);
	use->taken = 5000;
	use->waits = 1;
	use->waited = use->waited_most = 20 * NSEC_PER_MSEC / 1000;
	struct snap_thread *reader = fake_thread(1, "server"), *writer = fake_thread(2, "writer");
	fake_hold(reader, KIND_RWLOCK, 0x2000, MODE_SHARED, OP_pthread_rwlock_rdlock, walk,
		  300 * NSEC_PER_MSEC);
	fake_wait(writer, KIND_RWLOCK, 0x2000, OP_pthread_rwlock_wrlock, get, 250 * NSEC_PER_MSEC);
	fake.report.trigger = TRIGGER_REQUEST;
	ASSERT_GOLDEN("locks.txt");
	fake.report.verbosity = 1;
	ASSERT_GOLDEN("locks_verbose.txt");
	/* At the end nobody has asked. */
	fake.report.verbosity = 0;
	fake.report.trigger = TRIGGER_EXIT;
	ck_assert_str_eq(fake_written(write_text), "");
}
END_TEST

START_TEST(test_silence)
{
	fake_scene_deadlock();
	fake.report.found_count = 0;
	for (uint32_t i = 0; i < fake.snapshot.thread_count; i++)
		fake.snapshot.threads[i].waiting = false;
	ck_assert_str_eq(fake_written(write_text), "");
	fake.report.suppressed = 5;
	ck_assert_str_eq(fake_written(write_text), "");
	fake.report.trigger = TRIGGER_CRASH;
	ck_assert_str_eq(fake_written(write_text), "");
	fake.report.trigger = TRIGGER_REQUEST;
	ck_assert_str_eq(fake_written(write_text),
			 "whoholds: server (pid 4242): nothing found, 5 suppressed after 12.4 s\n");
	fake.report.trigger = TRIGGER_EXIT;
	fake.report.suppressed = 0;
	fake.report.verbosity = 1;
	ck_assert_str_eq(fake_written(write_text),
			 "whoholds: server (pid 4242): nothing found after 12.4 s; heap 3 MiB in "
			 "1,234 blocks, peak 5 MiB; 2 threads\n"
			 "locks: 2, taken 0 times, none waited for\n");
}
END_TEST

/* Names come from the program: a terminal must not obey them, a line stay one line. */
START_TEST(test_hostile_names)
{
	fake_scene_deadlock();
	struct finding *finding = fake.findings.found[0];
	memcpy(finding->items[0].thread_name, "\033[31m\nevil\x9b\xff\xc2\x9b\x7f!", 16);
	fake_symbol(1, "x");
	const char *text = fake_written(write_text);
	ck_assert_ptr_nonnull(strstr(text, "thread 2 \"?[31m evil"));
	for (const char *at = text; *at; at++)
		ck_assert((unsigned char)*at >= 0x20 || *at == '\n');
	ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
	ck_assert_ptr_null(strstr(text, "\xff"));
}
END_TEST

/* What a damaged recording may say. */
START_TEST(test_nonsense)
{
	void (*const scenes[])(void) = { fake_scene_stuck_holder, fake_scene_deadlock, fake_scene_leaks };
	unsigned seed = 1;
	for (unsigned round = 0; round < 300; round++) {
		scenes[round % 3]();
		fake.report.all_threads = round & 4;
		fake.report.verbosity = (int)(round % 3) - 1;
		struct finding *finding = fake.findings.found[0];
		size_t bytes = finding->bytes;
		for (unsigned i = 0; i < 12; i++) {
			seed = seed * 1103515245 + 12345;
			size_t at = (seed >> 8) % bytes;
			/* Not its size: whoever reads a log checks that it lies in the log (finding_next). */
			if (at >= sizeof finding->bytes)
				((unsigned char *)finding)[at] = (unsigned char)(seed >> 24);
		}
		for (unsigned i = 0; i < 4; i++) {
			seed = seed * 1103515245 + 12345;
			size_t at = (seed >> 8) % sizeof(struct snap_thread);
			unsigned char *thread = (unsigned char *)&fake.snapshot.threads[0];
			/* Pointers and counts are the snapshot's own, made in this process. */
			if (at < offsetof(struct snap_thread, wait) + sizeof(struct rec_wait) &&
			    at != offsetof(struct snap_thread, torn) &&
			    at != offsetof(struct snap_thread, waiting))
				thread[at] = (unsigned char)(seed >> 24);
		}
		ck_assert_ptr_nonnull(fake_written(write_text));
		ck_assert_ptr_nonnull(fake_written(write_json));
	}
	fake_scene_deadlock();
	struct finding *finding = fake.findings.found[0];
	finding->bytes = 8;
	ck_assert_ptr_nonnull(fake_written(write_text));
	finding->bytes = sizeof *finding;
	finding->item_count = UINT32_MAX;
	ck_assert_ptr_nonnull(strstr(fake_written(write_text), "deadlock: "));
}
END_TEST

static int broken_put(struct sink *self, const char *bytes, size_t count)
{
	(void)bytes;
	(void)count;
	*(int *)self->data += 1;
	return -28;
}

START_TEST(test_sink_error)
{
	int calls = 0;
	struct sink sink = { .put = broken_put, .data = &calls };
	fake_scene_leaks();
	ck_assert_int_eq(write_text(&fake.report, &sink), -28);
	ck_assert_int_eq(calls, 1);
	sink.error = 0;
	ck_assert_int_eq(write_json(&fake.report, &sink), -28);
	ck_assert_int_eq(calls, 2);
}
END_TEST

static unsigned pieces_left;

static void *scarce(size_t bytes)
{
	return pieces_left && pieces_left-- ? calloc(1, bytes) : NULL;
}

/* Memory runs out after each number of pieces: an error or a report, never a crash. */
START_TEST(test_no_memory)
{
	fake_scene_stuck_holder();
	fake.report.all_threads = true;
	void *(*more)(size_t) = fake.scratch.more;
	bool failed = false, succeeded = false;
	arena_release(&fake.scratch);
	fake.scratch.more = scarce;
	for (unsigned pieces = 0; pieces < 4; pieces++) {
		arena_release(&fake.scratch);
		pieces_left = pieces;
		bool ok = fake_written(write_text) != NULL;
		arena_release(&fake.scratch);
		pieces_left = pieces;
		ok = fake_written(write_json) != NULL && ok;
		failed |= !ok;
		succeeded |= ok;
	}
	arena_release(&fake.scratch);
	fake.scratch.more = more;
	ck_assert(failed);
	ck_assert(succeeded);
}
END_TEST

START_TEST(test_table)
{
	ck_assert_ptr_eq(writer_find("text")->write, write_text);
	ck_assert_ptr_eq(writer_find("json")->write, write_json);
	ck_assert_ptr_null(writer_find("html"));
	ck_assert_ptr_null(writer_find(""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");
	tcase_add_test(tests, test_stuck_holder);
	tcase_add_test(tests, test_deadlock);
	tcase_add_test(tests, test_leaks);
	tcase_add_test(tests, test_rings);
	tcase_add_test(tests, test_assorted);
	tcase_add_test(tests, test_places);
	tcase_add_test(tests, test_signalled);
	tcase_add_test(tests, test_resolved);
	tcase_add_test(tests, test_folds);
	tcase_add_test(tests, test_dump);
	tcase_add_test(tests, test_dump_folds);
	tcase_add_test(tests, test_deep_stacks);
	tcase_add_test(tests, test_locks);
	tcase_add_test(tests, test_silence);
	tcase_add_test(tests, test_hostile_names);
	tcase_add_test(tests, test_nonsense);
	tcase_add_test(tests, test_sink_error);
	tcase_add_test(tests, test_no_memory);
	tcase_add_test(tests, test_table);
	suite_add_tcase(suite, tests);
	int failed = suite_run(suite);
	fake_clear();
	return failed != 0;
}
