#include "registry/kind.h"

#include "base/context.h"

const uint16_t kind_trait_table[KIND_COUNT] = {
#define OWNED KIND_IS_OWNED
#define BLOCKS KIND_IS_BLOCKS
#define THREAD KIND_IS_THREAD
#define ITERATES KIND_IS_ITERATES
#define RESOURCE KIND_IS_RESOURCE
#define MEMORY KIND_IS_MEMORY
#define ROUTINE KIND_IS_ROUTINE
#define SIZED KIND_IS_SIZED
#define PLACED KIND_IS_PLACED
#define KIND(id, text, traits) [KIND_##id] = (traits),
#include "registry/kinds.def"
};

static const char *const kinds[] = {
#define KIND(id, text, traits) [KIND_##id] = (text),
#include "registry/kinds.def"
};

static const char *const ops[] = {
#define OP(id, text) [OP_##id] = (text),
#include "registry/ops.def"
};

const char *kind_name(unsigned kind)
{
	return kind < COUNT_OF(kinds) ? kinds[kind] : "unknown";
}

const char *op_name(unsigned op)
{
	return op < COUNT_OF(ops) ? ops[op] : "unknown";
}

const char *mode_name(unsigned mode)
{
	return mode == MODE_SHARED ? "shared" : mode == MODE_EXCLUSIVE ? "exclusive" : "none";
}
