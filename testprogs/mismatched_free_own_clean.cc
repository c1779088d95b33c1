/*
 * A program with operators of its own, but not all of them: those that it leaves to the library end up in its own, and
 * so blocks that it got from malloc come back by a delete that it has not.
 *
 * KINDS: none
 * BUILD: -std=c++17
 */
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

/* gcc asks for the sized form as well; that it is not there is what this is about. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif

static unsigned long made;

void *operator new(std::size_t size)
{
	made++;
	if (void *block = std::malloc(size ? size : 1))
		return block;
	throw std::bad_alloc();
}

void operator delete(void *block) noexcept
{
	std::free(block);
}

struct Counted {
	int values[20];
	~Counted()
	{
		values[0] = 0;
	}
};

int main()
{
	delete new Counted; /* with its size: the library's */
	delete[] new Counted[3];
	std::vector<std::string> names(20, std::string(100, 'x'));
	names.clear();
	return made > 20 ? 0 : 1;
}
