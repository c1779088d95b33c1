/*
 * The kinds of objects and their traits; the names of operations, roles and
 * finding kinds. All of them are tables (.def); this header turns them into
 * enums and look-ups that the shim, the detectors and the writers share.
 */
#ifndef WH_REGISTRY_KIND_H
#define WH_REGISTRY_KIND_H

#include "base/types.h"

enum kind {
#define KIND(id, name, traits) KIND_##id,
#include "registry/kinds.def"
	KIND_COUNT
};

enum kind_trait {
	KIND_IS_OWNED = 1,
	KIND_IS_BLOCKS = 2,
	KIND_IS_THREAD = 4,
	KIND_IS_ITERATES = 8,
	KIND_IS_RESOURCE = 16,
	KIND_IS_MEMORY = 32,
	KIND_IS_ROUTINE = 64,
	KIND_IS_SIZED = 128,
	KIND_IS_PLACED = 256,
};

/* The libc call that a thread waits in, or acquired with. */
enum op {
#define OP(id, name) OP_##id,
#include "registry/ops.def"
	OP_COUNT
};

/* How a lock is held or wanted. */
enum mode { MODE_NONE, MODE_EXCLUSIVE, MODE_SHARED };

/*
 * Look-ups tolerate any number, since it may come out of a damaged recording:
 * an unknown one is "unknown" or has no traits.
 *
 * Context: signal.
 */
const char *kind_name(unsigned kind);
extern const uint16_t kind_trait_table[KIND_COUNT];
static inline unsigned kind_traits(unsigned kind)
{
	return kind < KIND_COUNT ? kind_trait_table[kind] : 0;
}
static inline bool kind_has(unsigned kind, unsigned trait)
{
	return (kind_traits(kind) & trait) == trait;
}
/* What one thread has and others wait for: how it is used is counted (registry/contention.h). */
static inline bool kind_is_lock(unsigned kind)
{
	return kind == KIND_MUTEX || kind == KIND_RWLOCK || kind == KIND_SPIN || kind == KIND_LOCK;
}
/* A wait that something outside of the process ends, or time. */
static inline bool kind_is_outside(unsigned kind)
{
	return kind == KIND_FD || kind == KIND_PROCESS || kind == KIND_SIGNAL || kind == KIND_QUEUE ||
	       kind == KIND_TIME;
}
const char *op_name(unsigned op);
const char *mode_name(unsigned mode);

#endif
