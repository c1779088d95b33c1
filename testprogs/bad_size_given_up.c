/*
 * The width and the height of a picture are believed; their product is no size. The program says that it is out of memory. It
 * has asked for alignments that are none before: one was refused, one made another one.
 *
 * RUN: whoholds run %prog
 * KINDS: bad-size
 * TWIN: bad_size_later_clean
 * EXPECT-STATUS: 2
 * EXPECT: calloc was asked for 4,611,686,018,427,387,905 times 4 bytes, more than a size can say, in picture_new
 * EXPECT: posix_memalign was asked for an alignment of 4, which is none, in page_new
 * EXPECT: aligned_alloc was asked for an alignment of 24, which is none, in row_new
 * EXPECT: realloc was asked for -1 bytes, in picture_grow
 * EXPECT-JSON: [finding("bad-size")] | length == 4
 * EXPECT-JSON: finding("bad-size") | has_frame("called"; "picture_new"; {{line picture}})
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void *picture_new(size_t width, size_t height)
{
	void *volatile pixels = calloc(width * height, 4); /* line: picture */
	return pixels;
}

__attribute__((noinline)) static void *picture_grow(void *pixels, size_t bytes)
{
	void *volatile grown = realloc(pixels, bytes);
	return grown;
}

__attribute__((noinline)) static void *row_new(size_t alignment)
{
	void *volatile row = aligned_alloc(alignment, 240);
	return row;
}

__attribute__((noinline)) static void *page_new(size_t alignment)
{
	void *page = NULL;
	int error = posix_memalign(&page, alignment, 100);
	return error ? NULL : page;
}

int main(int argc, char **argv)
{
	(void)argv;
	size_t one = (size_t)argc;
	free(row_new(23 + one));
	free(page_new(3 + one));
	void *pixels = malloc(100);
	if (picture_grow(pixels, SIZE_MAX - 1 + one))
		return 0;
	free(pixels);
	if (!picture_new((SIZE_MAX / 4 + 2) * one, one)) {
		fprintf(stderr, "out of memory\n");
		return 2;
	}
	return 0;
}
