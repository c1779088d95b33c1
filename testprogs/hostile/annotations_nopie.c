/*
 * annotations.c, in a program that is not position-independent.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -fno-pie -no-pie
 * KINDS: none
 * EXPECT-STDOUT: annotations: all closed
 */
#include "hostile/annotations.c"
