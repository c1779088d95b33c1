/*
 * Whose memory is at an address, as the kernel has it.
 */
#ifndef WH_PLATFORM_MAPPING_H
#define WH_PLATFORM_MAPPING_H

#include "base/types.h"

/*
 * Whether the mapping that `address` lies in is this process's alone: not shared, neither with other processes
 * nor with another mapping of the process. false also where that can't be told. Takes a descriptor for
 * the time, and reads all of /proc/self/maps: for what is about to be told of. Context: hook.
 */
bool mapping_is_private(uint64_t address);

/* The same, as `maps` has it: what /proc/self/maps said. Context: signal. */
bool mapping_is_private_in(const char *maps, uint64_t address);

#endif
