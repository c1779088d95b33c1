/*
 * Two objects that own each other by std::shared_ptr, and an array that nobody deletes.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 2
 * EXPECT-JSON: finding("leak") | select(.cycle and .count == 20 and .indirect_bytes >= 20 * 101) | has_frame("allocated"; "lose_pair()"; {{line pair}})
 * EXPECT-JSON: finding("leak") | select(.cycle == false and .count == 1 and .bytes > 30 * 32) | has_frame("allocated"; "lose_array()"; {{line array}})
 */
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

struct Node {
	std::shared_ptr<Node> other;
	std::string name = std::string(100, 'x'); // too long to lie in the object
};

static __attribute__((noinline)) void lose_pair()
{
	auto left = std::make_shared<Node>(); /* line: pair */
	auto right = std::make_shared<Node>();
	left->other = right;
	right->other = left;
}

static __attribute__((noinline)) void lose_array()
{
	auto *strings = new std::string[30]; /* line: array */
	strings[3] = std::string(50, 'y');
}

static __attribute__((noinline)) void wipe_stack()
{
	volatile char stack[8192];
	for (auto &byte : stack)
		byte = 0;
}

int main()
{
	for (int i = 0; i < 10; i++)
		lose_pair();
	lose_array();
	wipe_stack();
	std::puts("lost");
}
