/*
 * The same server, which closes what its clients hang up on, and its log; the clients that are being served are
 * known to the kernel alone, as texts, or as shorts.
 *
 * RUN: whoholds run --set descriptors=on --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#define CLEAN
#include "fd_live.c"
