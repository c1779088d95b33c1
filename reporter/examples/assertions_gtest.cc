/*
 * GoogleTest: a listener that fails every test which leaves something behind, so that no test has to be changed.
 *
 *     c++ -g assertions_gtest.cc -o tests -lgtest -pthread && whoholds run ./tests
 */
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache.h"
#include "whoholds.h"

class NothingLeft : public testing::EmptyTestEventListener
{
	wh_mark before{};

	void OnTestStart(const testing::TestInfo &) override
	{
		before = wh_now();
	}

	void OnTestEnd(const testing::TestInfo &) override
	{
		EXPECT_EQ(wh_lost_bytes_since(before), 0u);
		EXPECT_EQ(wh_open_since(before), 0);
	}
};

TEST(Cache, Put)
{
	struct cache *cache = cache_new();
	for (int i = 0; i < 10; i++)
		cache_put(cache, i % 2 ? "odd" : "even");
	EXPECT_TRUE(cache_has(cache, "odd"));
	cache_free(cache);
}

TEST(Cache, Has)
{
	static struct cache *cache = cache_new();
	cache_put(cache, "known");
	EXPECT_FALSE(cache_has(cache, "unknown"));
}

TEST(Cache, Threads)
{
	std::vector<std::unique_ptr<std::string>> names;
	for (int i = 0; i < 4; i++)
		names.push_back(std::make_unique<std::string>(100, 'x'));
	std::thread([&names] { names.clear(); }).join();
	EXPECT_TRUE(names.empty());
}

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	/* Behind the printer, which GoogleTest has there: the first to be told of a start is the last to be told of an end. */
	testing::UnitTest::GetInstance()->listeners().Append(new NothingLeft);
	return RUN_ALL_TESTS();
}
