// Frames of C++: exceptions in flight, destructors that run because of them, virtual and lambda calls.
extern "C" {
#include "shapes.h"
extern const struct shape shapes_cxx[SHAPES_MOST];
}

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

volatile int sink;

struct visitor {
	visit_fn visit;
	explicit visitor(visit_fn call) : visit(call)
	{
	}
	~visitor()
	{
		visit();
	}
};

[[gnu::noinline]] void throwing(int levels, visit_fn visit)
{
	std::string text(static_cast<size_t>(levels + 20), 'x');
	visitor on_the_way_out(visit);
	if (levels > 1)
		throwing(levels - 1, visit);
	else
		throw std::runtime_error(text);
	sink = sink + static_cast<int>(text.size());
}

void call_throwing(int levels, visit_fn visit)
{
	try {
		throwing(levels, visit);
	} catch (const std::exception &) {
		visit();
	}
}

struct base {
	virtual ~base() = default;
	virtual void call(int levels, visit_fn visit) = 0;
};

struct derived : base {
	void call(int levels, visit_fn visit) override
	{
		std::vector<int> some(static_cast<size_t>(levels) + 3, levels);
		if (levels > 1)
			call(levels - 1, visit);
		else
			visit();
		sink = sink + some.back();
	}
};

void call_virtual(int levels, visit_fn visit)
{
	derived object;
	static_cast<base &>(object).call(levels, visit);
}

void call_lambda(int levels, visit_fn visit)
{
	std::function<void(int)> self = [&](int left) {
		std::vector<std::string> some(2, "text that is too long for a small string");
		if (left > 1)
			self(left - 1);
		else
			visit();
		sink = sink + static_cast<int>(some.size());
	};
	self(levels);
}

void rethrowing(int levels, visit_fn visit)
{
	try {
		if (levels > 1)
			rethrowing(levels - 1, visit);
		else
			throw 1;
	} catch (...) {
		visit();
		if (levels > 1)
			throw;
	}
}

} // namespace

const struct shape shapes_cxx[SHAPES_MOST] = {
	{ "throwing", call_throwing },
	{ "virtual", call_virtual },
	{ "lambda", call_lambda },
	{ "rethrowing", rethrowing },
};
