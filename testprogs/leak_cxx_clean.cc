/*
 * What C++ programs keep until the end, and how: containers, strings, arrays with a count in front of them,
 * empty ones that are nothing but that count, objects reached by a base that does not lie at their start, shared_ptr without rings.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: none
 */
#include <cstdio>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Left {
	virtual ~Left() = default;
	long a = 1;
};
struct Right {
	virtual ~Right() = default;
	std::string text = std::string(100, 'r');
};
struct Both : Left, Right {
	std::vector<int> numbers = std::vector<int>(1000);
};

static std::map<int, std::string> ordered;
static std::unordered_map<std::string, std::vector<int>> hashed;
static std::deque<std::string> queue;
static std::list<std::string> chain;
static auto *on_heap = new std::set<std::string>;
static auto *array = new std::string[20];
static volatile size_t none;
std::string *empty = new std::string[none]; // points behind the block's end
static Right *second_base = new Both;
static std::function<int()> closure;
static std::shared_ptr<Both> shared = std::make_shared<Both>();
static std::weak_ptr<Both> weak = shared;
static thread_local std::string mine = std::string(200, 't');

struct AtEnd {
	~AtEnd()
	{
		hashed["late"].push_back(1);
	}
} at_end;

int main()
{
	for (int i = 0; i < 1000; i++) {
		std::string text =
		    "a text that is too long for the object itself, number " + std::to_string(i);
		ordered[i] = text;
		hashed[text].assign(10, i);
		queue.push_back(text);
		chain.push_back(text);
		on_heap->insert(text);
	}
	for (int i = 0; i < 20; i++)
		array[i] = std::string(100, 'a');
	closure = [big = std::vector<int>(500)] { return big[0]; };
	std::thread([] { mine += "thread"; }).join();
	std::string local(300, 'l');
	std::printf("%d %zu %zu\n", closure(), mine.size(), local.size());
	std::exit(second_base->text.size() == 100 && empty ? 0 : 1); // with `local` on the stack
}
