/* The timeline of the iterations in the sample, and what top shows. */
#include <check.h>
#include <string.h>

#include "reporter/write/writers.h"

#include "testprogs/unit/fake_report.h"
#include "testprogs/unit/suite.h"

static stack_id stack_in(const char *function, const char *file, unsigned line)
{
	return fake_stack(fake_function(function, file, line), UINT64_C(0));
}

#define ASSERT_HAS(written, wanted) ck_assert_msg(strstr(written, wanted), "no %s in %s", wanted, written)
#define ASSERT_LACKS(written, unwanted) \
	ck_assert_msg(!strstr(written, unwanted), "%s in %s", unwanted, written)

#define QUEUE UINT64_C(0x5555bb001000)

static struct snap_thread *a_reader(void)
{
	fake_clear();
	return fake_thread(1, "reader");
}

START_TEST(a_span_says_what_was_allocated_and_waited_for_meanwhile)
{
	struct snap_thread *reader = a_reader();
	struct rec_span *span = fake_span(reader, KIND_ITERATOR, 0x5555aa000010,
					  stack_in("scan", "/src/scan.c", 7), 5 * NSEC_PER_SEC);
	span->end = FAKE_NOW - 3 * NSEC_PER_SEC;
	span->name = fake_text("sessions");
	span->allocated = 4096;
	span->freed = 1024;
	span->cpu = 250 * NSEC_PER_MSEC;
	span->wait_op = OP_pthread_mutex_lock;
	span->wait_kind = KIND_MUTEX;
	span->wait_handle = QUEUE;
	span->wait_stack = stack_in("queue_take", "/src/queue.c", 31);
	span->waited = 1500 * NSEC_PER_MSEC;
	fake_symbol(QUEUE, "queue_lock");
	const char *written = fake_written(write_trace);
	ck_assert_ptr_nonnull(written);
	ASSERT_HAS(written, "\"cat\":\"iteration\",\"name\":\"iterator \\\"sessions\\\"\"");
	ASSERT_HAS(written, "\"dur\":2000000,");
	ASSERT_HAS(written, "\"open\":false,\"allocated_bytes\":4096,\"freed_bytes\":1024,\"cpu_us\":250000,"
			    "\"not_on_cpu_us\":1750000,");
	ASSERT_HAS(written, "\"blocked_in\":\"pthread_mutex_lock\",\"blocked_on\":\"mutex queue_lock\"");
	ASSERT_HAS(written, "\"blocked_at_least_us\":1500000,\"blocked_stack\":[\"queue_take queue.c:31\"]");
	ASSERT_HAS(written, "\"opened\":[\"scan scan.c:7\"]");
}
END_TEST

START_TEST(a_span_that_lasts_goes_on_to_the_end)
{
	struct snap_thread *reader = a_reader();
	fake_span(reader, KIND_ITERATOR, 0x5555aa000010, stack_in("scan", "/src/scan.c", 7),
		  5 * NSEC_PER_SEC);
	const char *written = fake_written(write_trace);
	ASSERT_HAS(written, "\"dur\":5000000,");
	ASSERT_HAS(written, "\"open\":true");
	ASSERT_LACKS(written, "allocated_bytes");
	ASSERT_LACKS(written, "blocked_in");
}
END_TEST

/* Counters are a thread's own: of one that another thread has closed nothing is known. */
START_TEST(a_span_closed_by_another_thread_has_no_counters)
{
	struct snap_thread *reader = a_reader();
	struct rec_span *span = fake_span(reader, KIND_ITERATOR, 0x5555aa000010, 0, 5 * NSEC_PER_SEC);
	span->end = FAKE_NOW;
	span->closed_elsewhere = 1;
	span->allocated = 77;
	const char *written = fake_written(write_trace);
	ASSERT_HAS(written, "\"open\":false");
	ASSERT_LACKS(written, "allocated_bytes");
}
END_TEST

START_TEST(a_span_that_is_being_written_is_left_out)
{
	struct snap_thread *reader = a_reader();
	fake_span(reader, KIND_ITERATOR, 0x5555aa000010, 0, 5 * NSEC_PER_SEC)->begin = 0;
	ASSERT_LACKS(fake_written(write_trace), "\"iteration\"");
}
END_TEST

START_TEST(top_shows_waits_holds_iterations_and_memory)
{
	struct snap_thread *reader = a_reader(), *writer = fake_thread(2, "writer");
	stack_id scan = stack_in("scan", "/src/scan.c", 7);
	fake_hold(reader, KIND_MUTEX, QUEUE, MODE_EXCLUSIVE, OP_pthread_mutex_lock,
		  stack_in("take", "/src/queue.c", 20), 9 * NSEC_PER_SEC);
	fake_wait(writer, KIND_MUTEX, QUEUE, OP_pthread_mutex_lock, stack_in("put", "/src/queue.c", 40),
		  8 * NSEC_PER_SEC);
	fake_symbol(QUEUE, "queue_lock");
	fake_resource(1, KIND_ITERATOR, 0x5555aa000010, 0, scan, 4 * NSEC_PER_SEC);
	fake_iterations(KIND_ITERATOR, scan, 98, 20 * NSEC_PER_MSEC);
	fake_iterations(KIND_ITERATOR, scan, 2, 3 * NSEC_PER_SEC);
	fake_site(stack_in("load", "/src/load.c", 12), 65536, 3);
	const char *written = fake_written(write_top);
	ck_assert_ptr_nonnull(written);
	ASSERT_HAS(written, "2 threads, 1 blocked");
	ASSERT_HAS(written, "put queue.c:40");
	ASSERT_HAS(written, "take queue.c:20");
	ASSERT_HAS(written, "scan scan.c:7");
	ASSERT_HAS(written, "load load.c:12");
	ASSERT_HAS(written, "64 KiB");
	ASSERT_HAS(written, "longest");
	const char *over = strstr(written, "iterations that are over");
	ck_assert_ptr_nonnull(over);
	ASSERT_HAS(over, "100 ");
	ASSERT_HAS(over, "3.0 s");
}
END_TEST

START_TEST(top_of_a_process_that_does_nothing_is_one_line)
{
	a_reader();
	const char *written = fake_written(write_top);
	ck_assert_ptr_nonnull(written);
	ck_assert_ptr_eq(strchr(written, '\n') + 1, written + strlen(written));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("live");
	TCase *trace = tcase_create("trace"), *top = tcase_create("top");
	tcase_add_test(trace, a_span_says_what_was_allocated_and_waited_for_meanwhile);
	tcase_add_test(trace, a_span_that_lasts_goes_on_to_the_end);
	tcase_add_test(trace, a_span_closed_by_another_thread_has_no_counters);
	tcase_add_test(trace, a_span_that_is_being_written_is_left_out);
	tcase_add_test(top, top_shows_waits_holds_iterations_and_memory);
	tcase_add_test(top, top_of_a_process_that_does_nothing_is_one_line);
	suite_add_tcase(suite, trace);
	suite_add_tcase(suite, top);
	return suite_run(suite) != 0;
}
