#include "base/sort.h"

#include <string.h>

struct heap {
	char *items;
	size_t size;
	sort_before *before;
	void *data;
};

static void swap(struct heap *heap, size_t a, size_t b)
{
	char *left = heap->items + a * heap->size;
	char *right = heap->items + b * heap->size;
	char piece[64];
	for (size_t done = 0; done < heap->size; done += sizeof(piece)) {
		size_t bytes = MIN_OF(sizeof(piece), heap->size - done);
		memcpy(piece, left + done, bytes);
		memcpy(left + done, right + done, bytes);
		memcpy(right + done, piece, bytes);
	}
}

static bool is_before(const struct heap *heap, size_t a, size_t b)
{
	return heap->before(heap->items + a * heap->size, heap->items + b * heap->size, heap->data);
}

/* Lets the item at `at` sink until no child of it belongs behind it. */
static void sift_down(struct heap *heap, size_t at, size_t count)
{
	for (;;) {
		size_t last = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (is_before(heap, last, child))
				last = child;
		if (last == at)
			return;
		swap(heap, at, last);
		at = last;
	}
}

void sort_items(void *items, size_t count, size_t size, sort_before *before, void *data)
{
	struct heap heap = { .items = items, .size = size, .before = before, .data = data };
	for (size_t at = count / 2; at-- > 0;)
		sift_down(&heap, at, count);
	for (size_t end = count; end-- > 1;) {
		swap(&heap, 0, end);
		sift_down(&heap, 0, end);
	}
}
