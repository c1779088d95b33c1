/*
 * The twin: as many come as are waited for.
 *
 * BUILD: -std=c++20
 * KINDS: none
 * EXPECT-STDOUT: done
 */
#include <atomic>
#include <barrier>
#include <cstdio>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

static std::latch ready(2);
static std::barrier phase(2);
static std::atomic<int> state;
static std::counting_semaphore<1000> units(0);

static void waits_on_latch()
{
	ready.arrive_and_wait();
}

static void comes_to_barrier()
{
	for (int i = 0; i < 3; i++)
		phase.arrive_and_wait();
}

static void waits_for_change()
{
	state.wait(0);
	units.release();
}

static void acquires()
{
	units.acquire();
}

static void changes()
{
	state = 1;
	state.notify_all();
}

int main()
{
	std::vector<std::thread> threads;
	for (auto routine : { waits_on_latch, comes_to_barrier, waits_for_change, acquires, waits_on_latch,
			      comes_to_barrier, changes })
		threads.emplace_back(routine);
	for (auto &thread : threads)
		thread.join();
	std::puts("done");
}
