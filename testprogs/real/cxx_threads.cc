/*
 * A C++ program with threads and exceptions, as real ones are: a pool, futures
 * that carry exceptions, shared locks, call_once, thread-local objects with
 * destructors. Prints the same whatever the threads' timing. Run by
 * scripts/real-programs.sh, which also has the compiler compile it.
 */
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <regex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace
{

class Pool
{
      public:
	explicit Pool(unsigned size)
	{
		for (unsigned i = 0; i < size; i++)
			threads.emplace_back([this] { work(); });
	}

	~Pool()
	{
		{
			std::lock_guard guard(lock);
			stopping = true;
		}
		filled.notify_all();
		for (auto &thread : threads)
			thread.join();
	}

	template <typename F> auto submit(F function) -> std::future<decltype(function())>
	{
		auto task = std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
		auto future = task->get_future();
		{
			std::lock_guard guard(lock);
			tasks.push_back([task] { (*task)(); });
		}
		filled.notify_one();
		return future;
	}

      private:
	void work()
	{
		for (;;) {
			std::unique_lock guard(lock);
			filled.wait(guard, [this] { return stopping || !tasks.empty(); });
			if (tasks.empty())
				return;
			auto task = std::move(tasks.front());
			tasks.pop_front();
			guard.unlock();
			task();
		}
	}

	std::mutex lock;
	std::condition_variable filled;
	std::deque<std::function<void()>> tasks;
	std::vector<std::thread> threads;
	bool stopping = false;
};

/* Writers are few, readers many; both throw now and then with the lock held. */
class Ledger
{
      public:
	void add(const std::string &who, long amount)
	{
		std::unique_lock guard(lock);
		if (amount == 0)
			throw std::invalid_argument("nothing to add for " + who);
		balances[who] += amount;
	}

	long get(const std::string &who) const
	{
		std::shared_lock guard(lock);
		return balances.at(who);
	}

	long total() const
	{
		std::shared_lock guard(lock);
		return std::accumulate(balances.begin(), balances.end(), 0L,
				       [](long sum, const auto &entry) { return sum + entry.second; });
	}

      private:
	mutable std::shared_mutex lock;
	std::map<std::string, long> balances;
};

struct Scratch {
	std::vector<std::string> words;
	~Scratch()
	{
		destroyed++;
	}
	static std::atomic<int> destroyed;
};

std::atomic<int> Scratch::destroyed;

size_t count_words(unsigned seed)
{
	static std::once_flag once;
	static std::unique_ptr<std::regex> word;
	thread_local Scratch scratch;

	std::call_once(once, [] { word = std::make_unique<std::regex>("[a-z]+[0-9]"); });
	std::string text;
	for (unsigned i = 0; i < 60; i++)
		text += "abc" + std::to_string((seed + i) % 7) + " XY ";
	scratch.words.assign(std::sregex_token_iterator(text.begin(), text.end(), *word), {});
	return scratch.words.size();
}

int deep_throw(int depth)
{
	std::string ballast(static_cast<size_t>(depth) * 10, 'x');

	if (depth == 0)
		throw std::runtime_error("from the depth");
	return deep_throw(depth - 1) + static_cast<int>(ballast.size());
}

} /* namespace */

int main()
{
	Ledger ledger;
	int refused = 0, unknown = 0, caught = 0;
	size_t words = 0;

	{
		Pool pool(4);
		std::vector<std::future<void>> added;
		for (int i = 0; i < 4000; i++)
			added.push_back(pool.submit(
			    [&ledger, i] { ledger.add("account" + std::to_string(i % 50), i % 10); }));
		for (auto &future : added) {
			try {
				future.get();
			} catch (const std::invalid_argument &) {
				refused++;
			}
		}
		std::vector<std::future<long>> asked;
		for (int i = 0; i < 2000; i++)
			asked.push_back(pool.submit(
			    [&ledger, i] { return ledger.get("account" + std::to_string(i % 60)); }));
		for (auto &future : asked) {
			try {
				future.get();
			} catch (const std::out_of_range &) {
				unknown++;
			}
		}
		std::vector<std::future<size_t>> counted;
		for (unsigned i = 0; i < 200; i++)
			counted.push_back(pool.submit([i] { return count_words(i); }));
		for (auto &future : counted)
			words += future.get();
	}

	std::vector<std::future<int>> thrown;
	for (int i = 0; i < 100; i++)
		thrown.push_back(std::async(std::launch::async, deep_throw, i));
	for (auto &future : thrown) {
		try {
			future.get();
		} catch (const std::exception &error) {
			caught += std::string(error.what()) == "from the depth";
		}
	}

	std::counting_semaphore<4> permits(2);
	std::unordered_map<int, std::vector<int>> lists;
	std::timed_mutex lists_lock;
	std::vector<std::jthread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&, i] {
			for (int j = 0; j < 500; j++) {
				// Not acquire(): libstdc++ 12's may sleep for ever on a semaphore that is free
				// (it waits for a change of a value it read after it had failed).
				while (!permits.try_acquire_for(std::chrono::milliseconds(100)))
					;
				if (lists_lock.try_lock_for(std::chrono::seconds(20))) {
					lists[j % 13].push_back(i);
					lists_lock.unlock();
				}
				permits.release();
			}
		});
	threads.clear();
	size_t listed = 0;
	for (const auto &[key, list] : lists)
		listed += list.size();

	/* How many threads of the pool came to work, and so had a scratch, is up to the scheduler. */
	bool destroyed = Scratch::destroyed >= 1 && Scratch::destroyed <= 4;
	std::cout << "total " << ledger.total() << ", refused " << refused << ", unknown " << unknown
		  << ", words " << words << ", caught " << caught << ", listed " << listed
		  << ", scratches destroyed " << destroyed << '\n';
	return 0;
}
