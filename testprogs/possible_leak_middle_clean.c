/*
 * The same cursors, while the rings are still known by their start.
 *
 * RUN: whoholds run --set possible_leaks=on %prog
 * KINDS: none
 * TWIN: possible_leak_middle
 */
#define CLEAN
#include "possible_leak_middle.c"
