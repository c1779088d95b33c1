/*
 * Thread-local storage, of which thread and module an address is. The program's is the first below the thread pointer; where a library's
 * lies the loader has in a list of each thread's (glibc's `dtv`), by numbers of modules that dl_iterate_phdr tells.
 *
 * Context: reporter. Nothing here takes the loader's lock, and memory that is gone is not touched.
 */
#ifndef WH_REPORTER_STORAGE_H
#define WH_REPORTER_STORAGE_H

#include "base/context.h"
#include "registry/format.h"

/* What lies below thread pointers: of the program alone, and of all modules, at the most. Bytes. */
struct storage_room {
	uint64_t own, all;
};

struct storage_room storage_room(void);

/*
 * The library in whose storage, of the thread with that thread pointer, `address` lies: as sort, module and offset of the
 * place. Return: false: in none that is known.
 */
bool storage_find(uint64_t thread_pointer, uint64_t address, struct rec_place *ret_place);

#endif
