#include "registry/foreign_heap.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "platform/lock.h"

/* jemalloc maps in pieces that grow, so these are many; what finds no place stays a root. */
#define PIECES_MOST 512u

struct piece {
	uint64_t start, end;
	const void *caller; /* until it is known who calls */
};

bool foreign_heap_watches = true;

static struct lock lock;
static struct piece pieces[PIECES_MOST];
static uint32_t count;
static uint64_t module_start, module_end; /* the allocator's; 0: not known yet */
static bool named;                        /* who calls what was looked at */
static bool doubted;

#ifdef DLFO_STRUCT_HAS_EH_DBASE
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

/* The module that `address` lies in, if it is jemalloc alone. */
static bool find_module(const void *address)
{
	struct dl_find_object object;
	if (!_dl_find_object || _dl_find_object((void *)address, &object) != 0 || !object.dlfo_link_map)
		return false;
	const char *path = object.dlfo_link_map->l_name, *slash = strrchr(path, '/');
	if (strncmp(slash ? slash + 1 : path, "libjemalloc.so", strlen("libjemalloc.so")) != 0)
		return false;
	module_start = (uintptr_t)object.dlfo_map_start;
	module_end = (uintptr_t)object.dlfo_map_end;
	return true;
}
#else
/* Before glibc 2.35: nothing is left out. */
static bool find_module(const void *address)
{
	(void)address;
	return false;
}
#endif

static bool is_of_module(const void *address)
{
	return (uintptr_t)address - module_start < module_end - module_start;
}

/* With the lock held, as all of the pieces. */
static void add(uint64_t start, uint64_t end, const void *caller)
{
	for (uint32_t i = 0; i < count; i++)
		if (pieces[i].caller == caller && (pieces[i].end == start || pieces[i].start == end)) {
			pieces[i].start = MIN_OF(pieces[i].start, start);
			pieces[i].end = MAX_OF(pieces[i].end, end);
			return;
		}
	if (count < PIECES_MOST)
		pieces[count++] = (struct piece){ start, end, caller };
	else if (!module_end)
		foreign_heap_watches = false; /* a process that is not watched never says whose they are */
}

void foreign_heap_mapped(uint64_t start, uint64_t bytes, const void *caller)
{
	/* Should anybody have unmapped it unseen. */
	foreign_heap_unmapping_other(start, bytes);
	if (!caller || (module_end && !is_of_module(caller)) || !lock_take(&lock))
		return;
	add(start, start + bytes, module_end ? NULL : caller);
	lock_release(&lock);
}

void foreign_heap_unmapping_other(uint64_t start, uint64_t bytes)
{
	const uint64_t end = start + bytes < start ? UINT64_MAX : start + bytes;
	if (!lock_take(&lock)) {
		doubted = true;
		return;
	}
	for (uint32_t i = count; i-- > 0;) {
		const struct piece piece = pieces[i];
		if (end <= piece.start || start >= piece.end)
			continue;
		pieces[i] = pieces[--count];
		if (piece.start < start)
			add(piece.start, start, piece.caller);
		if (end < piece.end)
			add(end, piece.end, piece.caller);
	}
	lock_release(&lock);
}

void foreign_heap_start(const void *allocate)
{
	if (!find_module(allocate)) {
		foreign_heap_watches = false;
		return;
	}
	if (!lock_take(&lock)) {
		doubted = true;
		return;
	}
	for (uint32_t i = count; i-- > 0;) {
		const struct piece piece = pieces[i];
		if (!piece.caller)
			continue;
		pieces[i] = pieces[--count];
		if (is_of_module(piece.caller))
			add(piece.start, piece.end, NULL);
	}
	lock_release(&lock);
}

bool foreign_heap_hands_out(const char *name)
{
	static const char *const names[] = { "mallocx", "rallocx", "xallocx", "smallocx" };
	if (LIKELY(!foreign_heap_watches))
		return false;
	for (uint32_t i = 0; i < COUNT_OF(names); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

void foreign_heap_called_by(const void *inside)
{
	if (!inside || !is_of_module(inside))
		doubted = true;
}

bool foreign_heap_doubted(void)
{
	return foreign_heap_watches && doubted;
}

void foreign_heap_named(void)
{
	named = true;
}

void foreign_heap_fork_child(void)
{
	lock.word = 0;
}

void foreign_heap_each(void (*each)(uint64_t start, uint64_t end, void *data), void *data)
{
	/* In an image nobody gives back a lock that was held. */
	if (!foreign_heap_watches || !named || doubted || !lock_try(&lock))
		return;
	for (uint32_t i = 0; i < count; i++)
		if (!pieces[i].caller)
			each(pieces[i].start, pieces[i].end, data);
	lock_release(&lock);
}
