/*
 * Static initialisers that threads wait for, that fail and are tried again, that use others, and one that ends the process.
 *
 * KINDS: none
 * EXPECT-STDOUT: made 4 times, failed 3, waited for by 8
 * EXPECT-STATUS: 3
 */
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

extern "C" {
#include "lib/check.h"
#include "lib/show.h"
}

static int tries, made, served;
static std::mutex counting;

struct fails_three_times {
	fails_three_times()
	{
		if (++tries <= 3)
			throw std::runtime_error("not yet");
		made++;
	}
};

struct part {
	part()
	{
		sleep_ms(20);
		made++;
	}
};

static part &the_part()
{
	static part it;
	return it;
}

struct whole {
	whole()
	{
		CHECK_HELD(1);
		std::lock_guard<std::mutex> lock(counting);
		the_part();
		made++;
	}
};

static whole &the_whole()
{
	static whole it;
	return it;
}

static void asks()
{
	the_whole();
	std::lock_guard<std::mutex> lock(counting);
	served++;
}

struct last {
	last()
	{
		made++;
		std::printf("made %d times, failed %d, waited for by %d\n", made, tries - 1, served);
		std::exit(3);
	}
};

int main()
{
	for (int i = 0; i < 4; i++) {
		try {
			static fails_three_times it;
			(void)it;
		} catch (const std::runtime_error &) {
			CHECK_HELD(0);
		}
	}
	std::vector<std::thread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back(asks);
	for (auto &thread : threads)
		thread.join();
	CHECK_HELD(0);
	static last it;
	(void)it;
}
