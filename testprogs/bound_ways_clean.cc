/*
 * Bound functions are left in every way that there is: an exception through them, longjmp out of them, a thread cancelled inside;
 * they call themselves and are called last. Addresses of them compare equal, and work from any thread.
 * Hard because: a frame that an unwinder can't get past ends the program, and one that is left behind spoils the next call.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -O2 -foptimize-sibling-calls -lthings
 * KINDS: none
 * EXPECT-STDOUT: 0 open
 */
#include <csetjmp>
#include <cstdio>
#include <pthread.h>
#include <stdexcept>
#include <unistd.h>

#include "shared/things.h"

static int depth;
static jmp_buf place;
static bool dropped, reached;

struct drop {
	~drop()
	{
		dropped = true;
	}
};

static void throws(struct thing *thing, void *)
{
	drop d;
	thing_close(thing);
	throw std::runtime_error("inside");
}

static void jumps(struct thing *thing, void *)
{
	thing_close(thing);
	longjmp(place, 7);
}

static void again(struct thing *thing, void *data)
{
	if (++depth < 50) {
		struct thing *inner = thing_open_with(again, data);
		thing_close(inner);
	}
	thing_lock(thing, 0);
}

static void waits(struct thing *thing, void *)
{
	drop d;
	thing_close(thing);
	reached = true;
	for (;;)
		pause();
}

static void *cancelled(void *)
{
	return thing_open_with(waits, nullptr);
}

static void jump_out()
{
	if (setjmp(place) == 0)
		thing_open_with(jumps, nullptr);
}

/* A jump: tail calls are made as such (BUILD above). */
__attribute__((noinline)) static struct thing *last(const char *name)
{
	return thing_open(name);
}

static void *threaded(void *)
{
	for (int i = 0; i < 20000; i++)
		thing_close(last("t"));
	return nullptr;
}

/* A word in the program's data, and one in its table. */
static struct thing *(*in_data)(const char *) = thing_open;

int main()
{
	for (int i = 0; i < 100; i++) {
		dropped = false;
		try {
			thing_open_with(throws, nullptr);
			return 1;
		} catch (const std::exception &) {
		}
		if (!dropped)
			return 2;
		jump_out();
	}
	thing_close(thing_open_with(again, nullptr));
	dropped = false;
	pthread_t thread;
	void *result = nullptr;
	pthread_create(&thread, nullptr, cancelled, nullptr);
	while (!__atomic_load_n(&reached, __ATOMIC_ACQUIRE))
		usleep(1000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	if (result != PTHREAD_CANCELED || !dropped)
		return 4;
	pthread_t threads[4];
	for (auto &t : threads)
		pthread_create(&t, nullptr, threaded, nullptr);
	for (auto &t : threads)
		pthread_join(t, nullptr);
	struct thing *(*volatile taken)(const char *) = thing_open;
	if (taken != in_data)
		return 5;
	thing_close(in_data("d"));
	thing_close(taken("e"));
	printf("%d open\n", things_open);
}
