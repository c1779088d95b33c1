/*
 * C++20's ways to wait, each with too few to wait for: a latch that one of two counts down, a barrier that one of two
 * comes to, an atomic that nobody changes, a semaphore that nobody releases. All threads sleep, and none is left to wake one.
 *
 * BUILD: -std=c++20
 * HANGS: yes
 * KINDS: deadlock
 * EXPECT: threads have waited
 * EXPECT: none is left to wake another
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "waits_on_latch()"; {{line latch}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "comes_to_barrier()"; {{line barrier}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "waits_for_change()"; {{line atomic}})
 * EXPECT-JSON: finding("deadlock") | has_frame("waits"; "acquires()"; {{line semaphore}})
 */
#include <atomic>
#include <barrier>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

static std::latch ready(2);
static std::barrier phase(2);
static std::atomic<int> state;
static std::counting_semaphore<1000> units(0);

[[gnu::noinline]] static void waits_on_latch()
{
	ready.count_down();
	ready.wait(); /* line: latch */
	state = 1;
}

[[gnu::noinline]] static void comes_to_barrier()
{
	phase.arrive_and_wait(); /* line: barrier */
	state = 2;
}

[[gnu::noinline]] static void waits_for_change()
{
	state.wait(0); /* line: atomic */
	units.release();
}

[[gnu::noinline]] static void acquires()
{
	units.acquire(); /* line: semaphore */
	state = 3;
}

int main()
{
	std::vector<std::thread> threads;
	for (auto routine : { waits_on_latch, comes_to_barrier, waits_for_change, acquires })
		threads.emplace_back(routine);
	for (auto &thread : threads)
		thread.join();
}
