/*
 * What programs in good order know by pointers into the middle alone: arrays of C++, by their first element; objects, by
 * their second base class; a block with its size in front.
 *
 * RUN: whoholds run --set possible_leaks=on %prog
 * KINDS: none
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {
#include "lib/lose.h"
}

struct element {
	std::string text = "long enough to be in a block of its own";
	~element()
	{
	}
};

struct first {
	virtual ~first()
	{
	}
	long number = 1;
};

struct second {
	virtual ~second()
	{
	}
	long number = 2;
};

struct both : first, second {
};

static element *elements;
static second *object;
static char *sized;

__attribute__((noinline)) static void fill()
{
	elements = new element[5];
	object = new both;
	auto *block = static_cast<uint64_t *>(malloc(8 + 100));
	block[0] = 100;
	sized = reinterpret_cast<char *>(block + 1);
	sized[0] = 1;
}

int main()
{
	fill();
	wipe_stack();
	printf("%zu %ld %d\n", elements[4].text.size(), object->number, sized[0]);
}
