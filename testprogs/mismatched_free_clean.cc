/*
 * Every family given back as it should be, also where that is not plain to see: containers, over-aligned types, arrays
 * with and without a count, sizes that the compiler adds, operators of a class, placement, memory from C.
 *
 * KINDS: none
 * BUILD: -std=c++17
 */
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct alignas(64) Wide {
	char bytes[64];
};

struct Base {
	virtual ~Base() = default;
	int a = 1;
};

struct Derived : Base {
	std::string more = std::string(50, 'x');
};

/* With operators of its own, which are malloc's. */
struct Pooled {
	int value = 0;
	static void *operator new(std::size_t size)
	{
		return std::malloc(size);
	}
	static void operator delete(void *block)
	{
		std::free(block);
	}
};

struct Thrower {
	Thrower()
	{
		throw 1;
	}
	int room[20];
};

int main()
{
	std::vector<Wide> wide(5);
	std::vector<std::string> names(100, std::string(40, 'y'));
	std::map<int, std::deque<int>> deques;
	for (int i = 0; i < 50; i++)
		deques[i].push_back(i);
	std::function<int()> call = [names] { return static_cast<int>(names.size()); };
	delete new Wide;
	delete[] new Wide[3];
	delete[] new std::string[3];
	delete[] new int[3];
	delete new (std::nothrow) int;
	delete[] new (std::nothrow) char[100];
	std::unique_ptr<Base> base(new Derived);
	std::shared_ptr<Base> shared = std::make_shared<Derived>();
	delete new Pooled;
	try {
		delete new Thrower;
	} catch (int) {
	}
	void *room = std::malloc(sizeof(std::string));
	auto *placed = new (room) std::string(60, 'z');
	placed->~basic_string();
	std::free(room);
	std::unique_ptr<char, void (*)(void *)> copy(strdup("text"), std::free);
#ifdef __cpp_sized_deallocation /* not clang's way before its 19th version */
	::operator delete(::operator new(33), static_cast<std::size_t>(33));
#endif
	::operator delete(::operator new(33));
	std::allocator<int> numbers;
	numbers.deallocate(numbers.allocate(7), 7);
	std::free(std::aligned_alloc(64, 128));
	std::free(std::realloc(std::calloc(3, 5), 400));
	return call() == 100 ? 0 : 1;
}
