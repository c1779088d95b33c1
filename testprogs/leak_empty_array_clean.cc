/*
 * Arrays of no elements, with destructors: all that is allocated is the number in front of them, and what
 * the program keeps is the address behind it.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <cstdlib>

struct element {
	~element()
	{
		std::free(memory);
	}
	void *memory = nullptr;
};

static element *kept[100];

int main(int argc, char **)
{
	for (element *&array : kept)
		array = new element[argc - 1];
	return kept[0] == nullptr;
}
