/*
 * Keys are kept, not pointers: the address with a cookie xored into it, and a tag in its upper bits.
 *
 * RUN: whoholds run --set "pointers=mask 0x0000ffffffffffff xor 0x00005a5a5a5a5a5a" %prog
 * KINDS: none
 * TWIN: leak_disguised
 */
#define CLEAN
#include "leak_disguised.c"
