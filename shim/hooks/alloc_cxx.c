/*
 * operator new and delete. Each goes on to the real operator, so that operators
 * and new-handlers which the program replaced keep working; what the real one
 * takes from malloc inside is not recorded a second time.
 *
 * The real ones are looked up at the first call of each: a C program may load
 * libstdc++ with a plugin, long after we were resolved.
 */
#include "hooks/alloc.h"

#include "hooks/cxx_runtime.h"

struct nothrow; /* std::nothrow_t, only ever passed on */

static void *operator_ready(void **place, const char *name)
{
	void *found = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	if (LIKELY(found))
		return found;
	self.busy += HOOK_IN_ALLOCATOR;
	const struct cxx_function function = cxx_runtime_find(name);
	/* One that the program brings itself may put blocks as near to each other as it likes. */
	if (function.address && !function.is_libstdcxx)
		alloc_share_windows();
	self.busy -= HOOK_IN_ALLOCATOR;
	__atomic_store_n(place, function.address, __ATOMIC_RELEASE);
	return function.address;
}

/*
 * The real operator as `call`, of the type of the hook itself. Where there is none anywhere (a program
 * that brought declarations but no runtime), `otherwise` is what the operator amounts to.
 */
#define REAL(name) \
	static void *real_##name; \
	__typeof__(&name) call = (__typeof__(&name))operator_ready(&real_##name, #name)

/*
 * Whether the real operator new may be left to itself: the malloc in it will find that the block is none of the sample, whatever
 * little more than `size` it asks for, or blocks are not recorded.
 */
#define ASKED_MORE 64u
static inline bool new_unseen(size_t size)
{
	const enum process_gate gate = alloc_gate_now();
	if (gate == GATE_SAMPLED)
		return !address_map_shared && !self.busy && size < INT64_MAX / 2 &&
		       self.until_sample > (int64_t)(size + ASKED_MORE);
	return gate == GATE_OFF;
}

#define MADE(kind, size, expression, otherwise) \
	if (UNLIKELY(call && new_unseen(size))) \
		return (expression); \
	ALLOC_CALL(block, size, kind, __builtin_frame_address(0), call ? (expression) : (otherwise)); \
	return block

/* How the real call is made known: at no cost where all is as usual. A wrong size goes the other way. */
static inline bool deleted(void *block, enum allocation_kind kind, size_t size, const void *frame)
{
	alloc_holding(block, kind & 1 ? OP_operator_delete_array : OP_operator_delete, frame);
	if (LIKELY(alloc_gate(GATE_EXACT) && self.busy == HOOK_IN_ALLOCATOR &&
		   allocation_deleted(block, kind, size, ((void *const *)frame)[1])))
		return true;
	struct alloc_release how = {
		.block = block,
		.frame = frame,
		.size = size,
		.kind = (uint8_t)kind,
		.op = kind & 1 ? OP_operator_delete_array : OP_operator_delete,
	};
	return !block || alloc_released(&how);
}

static inline bool deleted_unseen(const void *block)
{
	const enum process_gate gate = alloc_gate_now();
	return UNLIKELY(gate != GATE_EXACT) && alloc_freed_unseen(gate, block);
}

#define FREED(kind, block, size, expression) \
	if (UNLIKELY(call && deleted_unseen(block))) { \
		expression; \
		return; \
	} \
	self.busy += HOOK_IN_ALLOCATOR; \
	if (LIKELY(deleted(block, kind, size, __builtin_frame_address(0)))) { \
		if (LIKELY(call)) \
			expression; \
		else \
			real.free(block); \
	} \
	self.busy -= HOOK_IN_ALLOCATOR

#define FORM_NEW(name, kind) \
	void *name(size_t size); \
	EXPORT void *name(size_t size) \
	{ \
		real_ready(); \
		REAL(name); \
		MADE(kind, size, call(size), real.malloc(size ? size : 1)); \
	}
#define FORM_NEW_NOTHROW(name, kind) \
	void *name(size_t size, const struct nothrow *tag); \
	EXPORT void *name(size_t size, const struct nothrow *tag) \
	{ \
		real_ready(); \
		REAL(name); \
		MADE(kind, size, call(size, tag), real.malloc(size ? size : 1)); \
	}
#define FORM_NEW_ALIGNED(name, kind) \
	void *name(size_t size, size_t alignment); \
	EXPORT void *name(size_t size, size_t alignment) \
	{ \
		real_ready(); \
		REAL(name); \
		MADE(kind, size, call(size, alignment), real.memalign(alignment, size ? size : 1)); \
	}
#define FORM_NEW_ALIGNED_NOTHROW(name, kind) \
	void *name(size_t size, size_t alignment, const struct nothrow *tag); \
	EXPORT void *name(size_t size, size_t alignment, const struct nothrow *tag) \
	{ \
		real_ready(); \
		REAL(name); \
		MADE(kind, size, call(size, alignment, tag), real.memalign(alignment, size ? size : 1)); \
	}
#define FORM_DELETE(name, kind) \
	void name(void *block); \
	EXPORT void name(void *block) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, ALLOC_SIZE_UNTOLD, call(block)); \
	}
#define FORM_DELETE_NOTHROW(name, kind) \
	void name(void *block, const struct nothrow *tag); \
	EXPORT void name(void *block, const struct nothrow *tag) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, ALLOC_SIZE_UNTOLD, call(block, tag)); \
	}
#define FORM_DELETE_SIZED(name, kind) \
	void name(void *block, size_t size); \
	EXPORT void name(void *block, size_t size) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, size, call(block, size)); \
	}
#define FORM_DELETE_ALIGNED(name, kind) \
	void name(void *block, size_t alignment); \
	EXPORT void name(void *block, size_t alignment) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, ALLOC_SIZE_UNTOLD, call(block, alignment)); \
	}
#define FORM_DELETE_SIZED_ALIGNED(name, kind) \
	void name(void *block, size_t size, size_t alignment); \
	EXPORT void name(void *block, size_t size, size_t alignment) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, size, call(block, size, alignment)); \
	}
#define FORM_DELETE_ALIGNED_NOTHROW(name, kind) \
	void name(void *block, size_t alignment, const struct nothrow *tag); \
	EXPORT void name(void *block, size_t alignment, const struct nothrow *tag) \
	{ \
		real_ready(); \
		REAL(name); \
		FREED(kind, block, ALLOC_SIZE_UNTOLD, call(block, alignment, tag)); \
	}

#define OPERATOR(name, form, kind) FORM_##form(name, kind)
#include "platform/operators.def"
