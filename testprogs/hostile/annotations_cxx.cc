/*
 * The header in C++: scopes that open and close, and an iterator that stays open
 * when an exception goes by is seen.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: annotations: closed by scope
 */
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "lib/check.h"
#include "whoholds.h"

struct Walk {
	explicit Walk(const std::vector<int> &over)
	{
		wh_iter_open(&over, this, "walk");
	}
	~Walk()
	{
		wh_iter_close(this);
	}
};

int main()
{
	std::vector<int> numbers(100);
	wh_mark mark = wh_now();
	try {
		Walk walk(numbers);
		CHECK_EQUAL(wh_open_since(mark), wh_active() ? 1 : 0);
		throw std::runtime_error("out");
	} catch (const std::runtime_error &) {
		CHECK_EQUAL(wh_open_since(mark), 0);
	}
	numbers.resize(1000);
	CHECK_EQUAL(wh_live_bytes_since(mark) >= 4000, wh_active() != 0);
	std::printf("annotations: closed by scope\n");
}
