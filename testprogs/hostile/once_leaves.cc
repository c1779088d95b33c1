/*
 * A once routine is left in every way there is: by return, by an exception (the
 * next caller runs it again), by cancellation, and from inside another one.
 * Guards: the routine that libc is given is the library's, and exceptions and
 * forced unwinding must pass through it.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: once: 1 return, 3 exceptions, 1 cancellation, 3 nested, 400 callers
 */
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <stdexcept>
#include <thread>
#include <threads.h>
#include <unistd.h>
#include <vector>

#include "lib/check.h"

static int returned, thrown, cancelled, nested, calls;

static void counts()
{
	CHECK_HELD(1);
	returned++;
}

static void throws_twice()
{
	if (++thrown < 3)
		throw std::runtime_error("not yet");
}

static pthread_once_t inner = PTHREAD_ONCE_INIT;
static once_flag innermost = ONCE_FLAG_INIT;

static void run_innermost()
{
	CHECK_HELD(3);
	nested++;
}

static void run_inner()
{
	CHECK_HELD(2);
	nested++;
	call_once(&innermost, run_innermost);
	CHECK_HELD(2);
}

static void run_outer()
{
	nested++;
	CHECK_EQUAL(pthread_once(&inner, run_inner), 0);
	CHECK_HELD(1);
}

static pthread_once_t unlucky = PTHREAD_ONCE_INIT;
static bool in_routine;

static void hangs_at_first()
{
	if (cancelled++)
		return;
	__atomic_store_n(&in_routine, true, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

static void *is_cancelled(void *)
{
	pthread_once(&unlucky, hangs_at_first);
	return nullptr;
}

static pthread_once_t shared = PTHREAD_ONCE_INIT;

static void slowly()
{
	usleep(20000);
	calls++;
}

int main()
{
	check_mark();

	static pthread_once_t once = PTHREAD_ONCE_INIT;
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(pthread_once(&once, counts), 0);
	CHECK_HELD(0);

	std::once_flag flag;
	int caught = 0;
	for (int i = 0; i < 5; i++) {
		try {
			std::call_once(flag, throws_twice);
		} catch (const std::runtime_error &) {
			caught++;
			CHECK_HELD(0);
		}
	}
	CHECK_EQUAL(caught, 2);

	static pthread_once_t outer = PTHREAD_ONCE_INIT;
	CHECK_EQUAL(pthread_once(&outer, run_outer), 0);
	CHECK_HELD(0);

	pthread_t thread;
	void *value;
	CHECK_EQUAL(pthread_create(&thread, nullptr, is_cancelled, nullptr), 0);
	while (!__atomic_load_n(&in_routine, __ATOMIC_ACQUIRE))
		usleep(1000);
	CHECK_HELD(1);
	pthread_cancel(thread);
	pthread_join(thread, &value);
	CHECK(value == PTHREAD_CANCELED);
	CHECK_HELD(0);
	CHECK_EQUAL(pthread_once(&unlucky, hangs_at_first), 0);
	CHECK_EQUAL(cancelled, 2);

	std::vector<std::thread> threads;
	int callers = 0;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&callers] {
			for (int n = 0; n < 100; n++) {
				CHECK_EQUAL(pthread_once(&shared, slowly), 0);
				CHECK_EQUAL(calls, 1);
				__atomic_fetch_add(&callers, 1, __ATOMIC_RELAXED);
			}
		});
	for (std::thread &each : threads)
		each.join();
	CHECK_HELD(0);
	printf("once: %d return, %d exceptions, %d cancellation, %d nested, %d callers\n", returned, thrown,
	       cancelled - 1, nested, callers);
}
