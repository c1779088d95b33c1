/*
 * annotations.c, in a static program, where there is nobody to tell.
 *
 * RUN: %prog
 * BUILD: -static
 * KINDS: none
 * EXPECT-STDOUT: annotations: all closed
 */
#include "hostile/annotations.c"
