/* What writers are to show: whole reports, as a program would leave them. */
#include "fake_report.h"

#define SESSIONS_LOCK (FAKE_PROGRAM + 0x4060)
#define CHANNEL_READY (FAKE_PROGRAM + 0x40a0)
#define MAP_ITERATOR UINT64_C(0x555600001230)

void fake_scene_stuck_holder(void)
{
	static const char *const names[] = { "writer-1", "writer-2", "writer-3", "writer-4" };
	fake_clear();
	fake_symbol(SESSIONS_LOCK, "sessions.lock (server .bss)");
	fake_symbol(CHANNEL_READY, "requests.ready (server .bss)");
	uint64_t main_code = fake_function("main", "/src/app/leaky_range.c", 71);
	uint64_t start = fake_function_in(FAKE_LIBC, "start_thread"),
		 clone = fake_function_in(FAKE_LIBC, "clone3");
	uint64_t reader_code = fake_function("reader_main", "/src/app/leaky_range.c", 40);
	uint64_t receive = fake_function("scan_and_receive", "/src/app/leaky_range.c", 31);
	uint64_t scan = fake_function("scan_and_receive", "/src/app/leaky_range.c", 27);
	uint64_t chan_recv = fake_function("chan_recv", "/src/app/chan.c", 57);
	uint64_t begin = fake_function("map_iter_begin", "/src/app/map.c", 88);
	uint64_t put = fake_function("map_put", "/src/app/map.c", 120);
	uint64_t writer_code = fake_function("writer_main", "/src/app/leaky_range.c", 52);
	uint64_t join = fake_function("main", "/src/app/leaky_range.c", 80);
	stack_id blocked = fake_stack(chan_recv, receive, reader_code, start, clone, UINT64_C(0));
	stack_id opened = fake_stack(begin, scan, reader_code, start, clone, UINT64_C(0));
	stack_id locked = fake_stack(begin, scan, reader_code, start, clone, UINT64_C(0));
	stack_id puts = fake_stack(put, writer_code, start, clone, UINT64_C(0));
	stack_id made = fake_stack(main_code, UINT64_C(0));
	struct snap_thread *first = fake_thread(1, "server");
	fake_wait(first, KIND_THREAD, 0, OP_pthread_join, fake_stack(join, UINT64_C(0)),
		  10350 * NSEC_PER_MSEC)
	    ->target = 3;
	struct snap_thread *reader = fake_thread(3, "reader");
	reader->created_stack = made;
	fake_wait(reader, KIND_COND, CHANNEL_READY, OP_pthread_cond_wait, blocked, 10300 * NSEC_PER_MSEC)
	    ->handle2 = CHANNEL_READY + 64;
	struct rec_hold *iterator =
	    fake_resource(3, KIND_ITERATOR, MAP_ITERATOR, OP_wh_iter_open, opened, 10400 * NSEC_PER_MSEC);
	iterator->name = fake_text("sessions");
	struct rec_hold *lock = fake_hold(reader, KIND_RWLOCK, SESSIONS_LOCK, MODE_SHARED,
					  OP_pthread_rwlock_rdlock, locked, 10400 * NSEC_PER_MSEC);
	struct finding *finding = fake_finding(FINDING_stuck_holder, 3, 10300 * NSEC_PER_MSEC);
	finding->key = 77;
	finding->limit = 10 * NSEC_PER_SEC;
	finding->count = COUNT_OF(names);
	fake_item_wait(finding, ROLE_blocked, reader)->flags |= ITEM_SUBJECT;
	fake_item_hold(finding, ROLE_opened, reader, iterator);
	fake_item_hold(finding, ROLE_acquired, reader, lock);
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		struct snap_thread *writer = fake_thread(4 + i, names[i]);
		writer->created_stack = made;
		fake_wait(writer, KIND_RWLOCK, SESSIONS_LOCK, OP_pthread_rwlock_wrlock, puts,
			  (10100 - 100 * (nsec_t)i) * NSEC_PER_MSEC);
		fake_item_wait(finding, ROLE_waits, writer)->other = 3;
	}
}

void fake_scene_deadlock(void)
{
	fake_clear();
	fake_symbol(FAKE_PROGRAM + 0x5000, "accounts_lock (server .bss)");
	fake_symbol(FAKE_PROGRAM + 0x5040, "journal_lock (server .bss)");
	uint64_t start = fake_function_in(FAKE_LIBC, "start_thread"),
		 clone = fake_function_in(FAKE_LIBC, "clone3");
	uint64_t debit_lock = fake_function("debit", "/src/app/bank.c", 21);
	uint64_t debit_wait = fake_function("debit", "/src/app/bank.c", 22);
	uint64_t debit_main = fake_function("debit_main", "/src/app/bank.c", 50);
	uint64_t audit_lock = fake_function("audit", "/src/app/bank.c", 33);
	uint64_t audit_wait = fake_function("audit", "/src/app/bank.c", 34);
	uint64_t audit_main = fake_function("audit_main", "/src/app/bank.c", 60);
	struct snap_thread *one = fake_thread(2, "debit"), *two = fake_thread(3, "audit");
	struct rec_hold *accounts =
	    fake_hold(one, KIND_MUTEX, FAKE_PROGRAM + 0x5000, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
		      fake_stack(debit_lock, debit_main, start, clone, UINT64_C(0)), 7420 * NSEC_PER_MSEC);
	struct rec_hold *journal =
	    fake_hold(two, KIND_MUTEX, FAKE_PROGRAM + 0x5040, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
		      fake_stack(audit_lock, audit_main, start, clone, UINT64_C(0)), 7410 * NSEC_PER_MSEC);
	fake_wait(one, KIND_MUTEX, FAKE_PROGRAM + 0x5040, OP_pthread_mutex_lock,
		  fake_stack(debit_wait, debit_main, start, clone, UINT64_C(0)), 7400 * NSEC_PER_MSEC);
	fake_wait(two, KIND_MUTEX, FAKE_PROGRAM + 0x5000, OP_pthread_mutex_lock,
		  fake_stack(audit_wait, audit_main, start, clone, UINT64_C(0)), 7300 * NSEC_PER_MSEC);
	struct finding *finding = fake_finding(FINDING_deadlock, 2, 7300 * NSEC_PER_MSEC);
	finding->flags = FOUND_CYCLE;
	finding->count = 2;
	finding->key = 78;
	struct finding_item *item = fake_item_wait(finding, ROLE_waits, one);
	item->flags |= ITEM_SUBJECT;
	item->other = 3;
	fake_item_hold(finding, ROLE_acquired, one, accounts);
	item = fake_item_wait(finding, ROLE_waits, two);
	item->flags |= ITEM_SUBJECT;
	item->other = 2;
	fake_item_hold(finding, ROLE_acquired, two, journal);
}

static struct finding *leak(stack_id stack, uint64_t bytes, uint64_t blocks, uint64_t key)
{
	struct finding *finding = fake_finding(FINDING_leak, 0, 0);
	finding->amount = bytes;
	finding->count = blocks;
	finding->key = key;
	struct finding_item *item = fake_item_stack(finding, ROLE_allocated, 0, stack);
	item->flags |= ITEM_SUBJECT;
	item->amount = bytes;
	item->count = (uint32_t)blocks;
	return finding;
}

void fake_scene_leaks(void)
{
	fake_clear();
	fake_thread(1, "server");
	fake.view.live = false;
	fake.header->state = REC_EXITED;
	fake.header->ended_mono = FAKE_NOW;
	fake.report.has_exit_code = true;
	uint64_t start = fake_function_in(FAKE_LIBC, "__libc_start_call_main");
	uint64_t main_code = fake_function("main", "/src/app/db.c", 10);
	uint64_t load_row = fake_function("load_row", "/src/app/db.c", 42);
	uint64_t load_all = fake_function("load_all", "/src/app/db.c", 77);
	uint64_t ring = fake_function("ring_add", "/src/app/ring.c", 9);
	uint64_t strdup_code = fake_function_in(FAKE_LIBC, "strdup");
	uint64_t vector = fake_function("std::__new_allocator<Session>::allocate(unsigned long, void const*)",
					"/usr/include/c++/13/bits/new_allocator.h", 151);
	fake_inline(vector, "std::vector<Session, std::allocator<Session> >::push_back(Session const&)",
		    "/usr/include/c++/13/bits/stl_vector.h", 1288);
	uint64_t cxx = fake_function(
	    "server::Registry<Session, std::less<std::basic_string<char, std::char_traits<char>, "
	    "std::allocator<char> > > >::remember(Session const&)",
	    "/src/app/registry.cc", 19);
	leak(fake_stack(load_row, load_all, main_code, start, UINT64_C(0)), 65536, 1024, 101)->indirect =
	    12288;
	leak(fake_stack(ring, main_code, start, UINT64_C(0)), 4800, 100, 102)->flags |= FOUND_CYCLE;
	leak(fake_stack(strdup_code, load_row, load_all, main_code, start, UINT64_C(0)), 1, 1, 103);
	leak(fake_stack(vector, cxx, main_code, start, UINT64_C(0)), 8192, 1, 104);
	leak(fake_stack(fake_nameless(FAKE_PROGRAM, 0x11d2), fake_nameless(FAKE_PROGRAM, 0x1300), start,
			UINT64_C(0)),
	     300, 3, 105);
}
