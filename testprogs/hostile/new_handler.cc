/*
 * Memory runs out for operator new: the program's handler is asked, as often as the library asks it, and an exception comes through,
 * or nullptr where the program asked for that.
 * Guards: hooks that call malloc in place of the operator.
 *
 * RUN: whoholds run %prog
 * RUN: WHOHOLDS_OPTIONS=check=heap LD_PRELOAD=%lib %prog
 * KINDS: none
 */
#include <cstddef>
#include <new>

#include "lib/check.h"

static int asked;

/* Has nothing to give, the first two times; then nobody is left to ask. */
static void give_up()
{
	if (++asked % 3 == 0)
		std::set_new_handler(nullptr);
}

/* More than there are addresses for, not so much that nobody could mean it. */
static volatile std::size_t too_much = std::size_t(1) << 47;

int main()
{
	bool thrown = false;
	std::set_new_handler(give_up);
	try {
		::operator delete(::operator new(too_much));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	CHECK(thrown);
	CHECK_EQUAL(asked, 3);
	std::set_new_handler(give_up);
	CHECK(!::operator new(too_much, std::nothrow));
	CHECK_EQUAL(asked, 6);
	std::set_new_handler(give_up);
	CHECK(!::operator new[](too_much, std::align_val_t(64), std::nothrow));
	CHECK_EQUAL(asked, 9);
	return 0;
}
