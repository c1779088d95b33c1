/*
 * Objects: what is known of a lock, semaphore, barrier or condition variable
 * beyond its address, from its init call or from wh_name. Most locks have no entry
 * (static initialisers), and need none.
 *
 * Context: hook. Under the registry's lock; not for hot paths.
 */
#ifndef WH_REGISTRY_OBJECT_H
#define WH_REGISTRY_OBJECT_H

#include "base/context.h"
#include "registry/format.h"
#include "registry/kind.h"

void object_created(enum kind kind, uint64_t address, stack_id stack, uint32_t value, uint16_t attributes);
void object_destroyed(enum kind kind, uint64_t address);
void object_named(uint64_t address, const char *name);

/* Adds to what is known of an object (enum object_attribute); nothing where it is not known. */
void object_marked(enum kind kind, uint64_t address, uint16_t attributes);

/* Where the object was made, by its init call; 0: unknown. */
stack_id object_made(enum kind kind, uint64_t address);

/*
 * How many can have the semaphore at once that is used as a lock, or as several: by threads of this process
 * that give it back themselves, as far as has been seen; 0: it is not, or not known. Context: hook.
 */
uint32_t object_units(uint64_t address);

/*
 * In a fork child: start with none, but for those that are shared between processes or robust: what is known of
 * them, while the parent's recording is there; and entered again, in the child's own. Context: hook.
 */
void object_fork_child(void);
void object_fork_restore(void);

#endif
