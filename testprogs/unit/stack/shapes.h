/*
 * Functions whose frames have all the shapes that compilers give them. The same
 * source is compiled with different options, once each under its own name.
 */
#ifndef WH_TEST_SHAPES_H
#define WH_TEST_SHAPES_H

typedef void (*visit_fn)(void);

struct shape {
	const char *name;
	void (*call)(int levels,
		     visit_fn visit); /* calls `visit` from within `levels` frames of this shape */
};

#define SHAPES_MOST 16
extern const struct shape shapes_O0[SHAPES_MOST], shapes_O2[SHAPES_MOST], shapes_O3[SHAPES_MOST],
    shapes_Os[SHAPES_MOST], shapes_pointer[SHAPES_MOST], shapes_clang_O0[SHAPES_MOST],
    shapes_clang_O2[SHAPES_MOST], shapes_cxx[SHAPES_MOST];

#endif
