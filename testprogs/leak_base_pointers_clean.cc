/*
 * As in leak_base_pointers; the destructor of the base is virtual, and the vector owns what it points to. Some
 * are kept to the end by a second base, which does not lie at the object's start.
 *
 * KINDS: none
 * TIMEOUT: 20
 */
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

struct Shape {
	virtual ~Shape() = default;
	int color = 1;
};

struct Named {
	virtual ~Named() = default;
	std::string name = std::string(100, 'n');
};

struct Polygon : Shape, Named {
	std::vector<double> corners = std::vector<double>(100);
};

static std::vector<Shape *> shapes;
static std::vector<std::unique_ptr<Named>> names;
static auto *kept = new std::vector<Named *>; // not destroyed at the end, as what it points to

int main()
{
	for (int i = 0; i < 20; i++) {
		shapes.push_back(new Polygon);
		names.push_back(std::make_unique<Polygon>());
		kept->push_back(new Polygon);
	}
	for (auto *shape : shapes)
		delete shape;
	shapes.clear();
	names.clear();
	std::printf("%zu\n", kept->size());
}
