/*
 * annotations.c, linked by gold.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * BUILD: -fuse-ld=gold
 * NEEDS: ld.gold
 * KINDS: none
 * EXPECT-STDOUT: annotations: all closed
 */
#include "hostile/annotations.c"
