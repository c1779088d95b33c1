/*
 * Two objects that are made when they are first asked for, each of which asks for the other while it is made; two threads
 * begin at the two ends.
 *
 * Hard because no lock is in sight: the compiler's own guards are what they wait for.
 *
 * RUN: whoholds run --set blocked=1s %prog
 * HANGS: yes
 * TIMEOUT: 20
 * KINDS: deadlock
 * EXPECT: error deadlock:
 * EXPECT: waits in __cxa_guard_acquire for static initialiser the_config()::it, held by thread
 * EXPECT-JSON: finding("deadlock") | (.threads | length) == 2 and has_thread({{tid logger}}) and has_thread({{tid config}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("waits"; {{tid logger}}; "the_config()"; {{line config}})
 * EXPECT-JSON: finding("deadlock") | has_frame_of("acquired"; {{tid logger}}; "the_logger()"; {{line logger}})
 * EXPECT-DUMP: static_deadlock.cc:{{line config}}
 */
#include <thread>

extern "C" {
#include "lib/show.h"
}

static pthread_barrier_t both_began;

struct logger {
	logger();
};
struct config {
	config();
};

static logger &the_logger()
{
	static logger it; /* line: logger */
	return it;
}

static config &the_config()
{
	static config it; /* line: config */
	return it;
}

logger::logger()
{
	pthread_barrier_wait(&both_began);
	the_config();
}

config::config()
{
	pthread_barrier_wait(&both_began);
	the_logger();
}

int main()
{
	pthread_barrier_init(&both_began, nullptr, 2);
	std::thread first([] {
		show_thread("logger");
		the_logger();
	});
	std::thread second([] {
		show_thread("config");
		the_config();
	});
	first.join();
	second.join();
}
