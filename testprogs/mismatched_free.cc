/*
 * Memory that goes back to another family than it came from. Nothing breaks with glibc, which has one heap for all of
 * them; elsewhere it does.
 *
 * RUN: whoholds run %prog
 * KINDS: mismatched-free
 * EXPECT: was made with malloc and given back with delete, in delete_malloced
 * EXPECT: was made with new and given back with free, in free_new
 * EXPECT: was made with new[] and given back with delete, in delete_array
 * EXPECT: was made with new and given back with delete[], in array_delete
 * EXPECT: was made with new and given back with realloc, in grow_new
 * EXPECT: was made with aligned new and given back with delete, in delete_aligned
 * EXPECT: a block of 104 bytes from counted was made with new[] and given back with delete, in delete_counted
 * EXPECT: a block of 44 bytes from derived was deleted as one of 4 bytes, in delete_base
 * EXPECT-JSON: [finding("mismatched-free")] | length == 9
 * EXPECT-JSON: finding("mismatched-free") | has_frame("freed"; "free_new()"; {{line free}}) and has_frame("allocated"; "free_new()"; {{line new}})
 * EXPECT-STATUS: 134
 * LEAVES: recordings
 * BUILD: -std=c++17 -Wno-mismatched-new-delete
 */
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#define APART __attribute__((noinline)) static

template <typename T> static T *hidden(T *pointer)
{
	T *volatile kept = pointer;
	return kept;
}

struct alignas(64) Wide {
	char bytes[64];
};

struct Base {
	int a;
};

struct Derived : Base {
	int more[10];
};

APART void delete_malloced()
{
	delete hidden(static_cast<int *>(std::malloc(40)));
}

APART void delete_duplicate()
{
	std::unique_ptr<char> text(strdup("text"));
}

APART void free_new()
{
	int *number = new int;     // line: new
	std::free(hidden(number)); // line: free
}

APART void delete_array()
{
	delete hidden(new int[10]);
}

APART void array_delete()
{
	delete[] hidden(new int);
}

APART void grow_new()
{
	std::free(std::realloc(hidden(new int), 100));
}

APART void delete_aligned()
{
	::operator delete(static_cast<void *>(hidden(new Wide)));
}

APART std::string *counted()
{
	return new std::string[3];
}

/* Where the elements have destructors the array begins with their count, and the address is not the block's. */
APART void delete_counted()
{
	::operator delete(static_cast<void *>(hidden(counted())));
}

APART Base *derived()
{
	return new Derived;
}

APART void delete_base()
{
	delete hidden(derived());
}

int main()
{
	delete_malloced();
	delete_duplicate();
	free_new();
	delete_array();
	array_delete();
	grow_new();
	delete_aligned();
	delete_base();
	delete_counted(); /* libc ends the process for that one */
	return 0;
}
