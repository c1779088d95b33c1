#include "hooks/alloc_misuse.h"

#include "platform/elf_next.h"
#include "registry/freed.h"
#include "registry/misuse.h"
#include "stack/bounds.h"
#include "stack/memory.h"
#include "stack/modules.h"
#include "start.h"

/*
 * Of calls with an address that nothing can be said of. Who makes many has an allocator that we don't see,
 * and is not to pay for each of them.
 */
#define UNKNOWN_MOST 4096u
static uint32_t unknown_count;

/* glibc's blocks begin at multiples of 16, at least 32 bytes apart, with a header of 8 bytes before them. */
#define LIBC_ALIGNMENT 16u
#define LIBC_LEAST 32u
#define LIBC_HEADER 8u

/* The kernel maps nothing below for programs, nor above. */
#define LOWEST UINT64_C(65536)
#define HIGHEST (UINT64_C(1) << 47)

/* How many bytes glibc takes for a block of `size`, its header among them. */
static uint64_t libc_chunk(uint64_t size)
{
	uint64_t chunk = (size + LIBC_HEADER + LIBC_ALIGNMENT - 1) & ~(uint64_t)(LIBC_ALIGNMENT - 1);
	return MAX_OF(chunk, (uint64_t)LIBC_LEAST);
}

static bool is_cxx(unsigned kind)
{
	return kind >= ALLOCATED_NEW;
}

static bool is_array(unsigned kind)
{
	return kind == ALLOCATED_NEW_ARRAY || kind == ALLOCATED_NEW_ARRAY_ALIGNED;
}

/*
 * Whether the program brings some of C++'s operators itself. Those that it leaves to the library go on to
 * its own ones, so that it may rightly give back by one family what it got by another.
 */
static bool has_own_operators(void)
{
	static const char *const names[] = {
#define OPERATOR(name, form, kind) #name,
#include "platform/operators.def"
	};
	static uint8_t known; /* 1: no, 2: yes */
	if (!known) {
		uint8_t found = 1;
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (elf_is_before(names[i]))
				found = 2;
		known = found;
	}
	return known == 2;
}

/* -- noting ----------------------------------------------------------------- */

static struct rec_misuse_part part_of_site(site_id site, uint64_t thread)
{
	const struct rec_site *at = site ? view_site(recording_view(), site) : NULL;
	return (struct rec_misuse_part){ .stack = at ? at->stack : 0, .thread = (thread_id)thread };
}

/* `allocated` of what is known of a block. */
static struct rec_misuse_part part_of_block(const struct allocation *block)
{
	return part_of_site(block->site, block->thread);
}

static void note(struct rec_misuse *what, const struct alloc_release *how)
{
	what->handle = (uintptr_t)how->block;
	what->parts[0] = misuse_now(stack_capture(how->frame), how->op);
	if (misuse_note(what))
		start_misuse_noted(what->kind != MISUSE_mismatched_free);
}

static void note_invalid(const struct alloc_release *how, enum misuse_where where,
			 const struct allocation *block)
{
	struct rec_misuse what = { .kind = MISUSE_invalid_free, .flags = (uint16_t)where };
	if (block) {
		what.amount = block->size;
		what.offset =
		    (int32_t)MIN_OF((int64_t)((uintptr_t)how->block - block->address), (int64_t)INT32_MAX);
		what.parts[1] = part_of_block(block);
	}
	note(&what, how);
}

static void note_mismatched(const struct alloc_release *how, const struct allocation *block)
{
	struct rec_misuse what = {
		.kind = MISUSE_mismatched_free,
		.flags = misuse_kinds(block->kind, how->kind),
		.amount = block->size,
	};
	what.parts[1] = part_of_block(block);
	/* Alike but for the size: the size that was told. */
	if (allocation_given_back(block->kind) == how->kind)
		what.offset = (int32_t)MIN_OF(how->size, (size_t)INT32_MAX);
	note(&what, how);
}

static void note_double(const struct alloc_release *how, site_id site)
{
	struct rec_misuse what = { .kind = MISUSE_double_free };
	freed_find((uintptr_t)how->block, site, &what.parts[1]);
	what.parts[2] = part_of_site(site, 0);
	note(&what, how);
}

/* -- judging ---------------------------------------------------------------- */

/*
 * An array whose elements have destructors begins behind its count, where its block begins. delete gives
 * back the address of the elements, delete[] that of a count which a single object has not.
 */
static bool is_cookie_apart(const struct alloc_release *how, const struct allocation *block, int64_t offset)
{
	if (!is_cxx(how->kind))
		return false;
	return is_array(how->kind) ? offset == -8 && !is_array(block->kind)
				   : offset == 8 && is_array(block->kind);
}

/* Whether the address is in or at the block, of which it is not the start. Says so. */
static bool judged_by_block(const struct alloc_release *how, const struct allocation *block)
{
	int64_t offset = (int64_t)((uintptr_t)how->block - block->address);
	if (offset < -(int64_t)LIBC_ALIGNMENT || offset >= (int64_t)libc_chunk(block->size))
		return false;
	if (!(block->flags & ALLOCATION_ROOT) && is_cookie_apart(how, block, offset) && !has_own_operators())
		note_mismatched(how, block);
	else
		note_invalid(how, offset < 0 ? MISUSE_BEFORE : MISUSE_INSIDE, block);
	return true;
}

/* How far below the frame of a call that was a jump its caller's variables are looked for. */
#define GONE_MOST UINT64_C(65536)

/*
 * Whether it lies in a frame of a function that runs, or of one whose last call this was: then that frame is gone
 * already, and ours lies where it was. There may be something else below the stack, behind a page that can't be read.
 */
static bool is_in_frames(const struct alloc_release *how)
{
	struct bounds bounds = { .low = 0 };
	struct allocation below;
	uint64_t frame = (uintptr_t)how->frame, address = (uintptr_t)how->block;
	if (frame - MIN_OF(frame, GONE_MOST) > address || !bounds_cover(&bounds, frame) ||
	    address >= bounds.high)
		return false;
	/* A stack in memory of the program's own has no such page. */
	if (address < frame && allocation_below(how->frame, &below) && frame - below.address < below.size)
		return false;
	for (uint64_t page = address; page < frame; page += MEMORY_PAGE)
		if (!memory_readable(page))
			return false;
	return true;
}

/* Not only what the file has: also data that begins as zero. */
static bool is_in_module(uint64_t address)
{
	struct module module;
	return module_find(address, &module) && address >= module.start && address < module.end;
}

static void judge_unknown(const struct alloc_release *how)
{
	uint64_t address = (uintptr_t)how->block;
	struct allocation block;
	site_id site;
	/* Other allocators hand out blocks by functions of their own (mallocx, tc_malloc), which nobody sees. */
	if (!alloc_is_libc)
		return;
	if (allocation_was_freed(how->block, &site)) {
		note_double(how, site);
		return;
	}
	enum address_was inherited = allocation_inherited(how->block, how->op != OP_realloc);
	if (inherited == ADDRESS_FREED)
		note_double(how, 0);
	else if (inherited == ADDRESS_LIVE)
		freed_note_other(address, 0, how->frame);
	if (inherited != ADDRESS_UNKNOWN)
		return;
	if (__atomic_fetch_add(&unknown_count, 1, __ATOMIC_RELAXED) >= UNKNOWN_MOST)
		return;
	if (allocation_below((const char *)how->block + LIBC_ALIGNMENT, &block) &&
	    judged_by_block(how, &block))
		return;
	if (is_in_frames(how))
		note_invalid(how, MISUSE_ON_STACK, NULL);
	else if (is_in_module(address))
		note_invalid(how, MISUSE_IN_MODULE, NULL);
	else if (address % LIBC_ALIGNMENT || address < LOWEST || address >= HIGHEST ||
		 !memory_readable(address - LIBC_HEADER))
		note_invalid(how, MISUSE_NOWHERE, NULL);
}

void alloc_misuse(const struct alloc_release *how, const struct allocation *was)
{
	if (!recording || !how->block)
		return;
	int kept_errno = errno;
	if (!was) {
		if (allocation_certain())
			judge_unknown(how);
	} else if (!(was->flags & ALLOCATION_ROOT) && (is_cxx(was->kind) || is_cxx(how->kind)) &&
		   !has_own_operators()) {
		note_mismatched(how, was);
	}
	errno = kept_errno;
}
