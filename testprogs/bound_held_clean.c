/*
 * The same, with all closed that the library opens.
 *
 * RUN: whoholds run --config=%src/shared/things.conf %prog
 * BUILD: -ldl
 * KINDS: none
 * EXPECT-STDOUT: 0 open
 */
#define CLEAN
#include "bound_held.c"
