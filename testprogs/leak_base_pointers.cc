/*
 * Containers of pointers to a base. Shapes are deleted by a base whose destructor is not virtual: what the derived class
 * has of its own is lost. And a vector of pointers is cleared: the objects are.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 20
 * KINDS: leak
 * EXPECT-JSON: [finding("leak")] | length == 2
 * EXPECT-JSON: finding("leak") | select(.count == 20 and .bytes == 20 * 800) | has_function("allocated"; "make_polygons()")
 * EXPECT-JSON: finding("leak") | select(.count == 15 and .indirect_bytes >= 15 * 101) | has_frame("allocated"; "make_labels()"; {{line label}})
 * BUILD: -Wno-delete-non-virtual-dtor -fno-sized-deallocation
 */
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#define APART __attribute__((noinline)) static

struct Shape {
	int color = 1;
};

struct Polygon : Shape {
	std::vector<double> corners = std::vector<double>(100);
};

struct Label {
	virtual ~Label() = default;
};

struct Text : Label {
	std::string text = std::string(100, 't');
};

static std::vector<Shape *> shapes;
static std::vector<Label *> labels;

APART void make_polygons()
{
	for (int i = 0; i < 20; i++)
		shapes.push_back(new Polygon);
}

APART void make_labels()
{
	for (int i = 0; i < 15; i++)
		labels.push_back(new Text); /* line: label */
}

APART void wipe_stack()
{
	volatile char stack[8192];
	for (auto &byte : stack)
		byte = 0;
}

int main()
{
	make_polygons();
	make_labels();
	for (auto *shape : shapes)
		delete shape;
	shapes.clear();
	labels.clear();
	labels.shrink_to_fit();
	wipe_stack();
	std::puts("done");
}
