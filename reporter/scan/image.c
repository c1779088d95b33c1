#include "reporter/scan/image.h"

#include <errno.h>

#include "platform/real.h"
#include "registry/allocation.h"
#include "registry/pool.h"
#include "registry/recording.h"
#include "reporter/scan/ghosts.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/pools.h"

/* Where the library begins and ends, from the linker: its module is known once a stack went through it, so mostly not. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static bool is_loaded(const struct rec_module *module)
{
	return !__atomic_load_n((const uint32_t *)&module->unloaded, __ATOMIC_RELAXED);
}

static void find_modules(struct image *image)
{
	const struct view *view = image->snapshot->view;
	const struct rec_module *module;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++) {
		if (!is_loaded(module))
			continue;
		if (module->flags & MODULE_LIBC)
			image->libc = (struct range){ module->start, module->end };
		if (module->flags & MODULE_LOADER)
			image->loader = (struct range){ module->start, module->end };
	}
	image->shim =
	    (struct range){ (uint64_t)__ehdr_start, ((uint64_t)_end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1) };
	image->recording = (struct range){ (uint64_t)view->header, view_end(view) };
}

/* Which sites are the loader's own, or libc's for its lists (ghosts.h), as far as they were asked for. */
enum site_is { SITE_NOT_ASKED, SITE_OF_PROGRAM, SITE_OF_LOADER, SITE_KEEPS };

struct collector {
	struct image *image;
	struct heap heap;
	struct pools pools;
	uint8_t *sites;
	uint64_t site_count;
	const struct rec_header *header;
};

static enum site_is ask(const struct image *image, const struct allocation *block)
{
	const struct view *view = image->snapshot->view;
	const struct rec_site *site = view_site(view, block->site);
	const struct rec_stack *stack = site ? view_stack(view, site->stack) : NULL;
	if (!stack || !stack->count)
		return SITE_OF_PROGRAM;
	if (stack->frames[0] >= image->loader.start && stack->frames[0] < image->loader.end)
		return SITE_OF_LOADER;
	return image->seeks_ghosts && ghosts_keeper_of(block->size, stack) ? SITE_KEEPS : SITE_OF_PROGRAM;
}

static enum site_is site_of(struct collector *collector, const struct allocation *block)
{
	if (!block->site || block->site >= collector->site_count)
		return SITE_OF_PROGRAM;
	uint8_t *known = &collector->sites[block->site];
	if (*known == SITE_NOT_ASKED)
		*known = ask(collector->image, block);
	return *known;
}

static bool collect(const struct allocation *allocation, void *data)
{
	struct collector *collector = data;
	enum site_is site = site_of(collector, allocation);
	bool root = allocation->flags & ALLOCATION_ROOT || site == SITE_OF_LOADER;
	struct block block = {
		.start = allocation->address,
		.bytes = allocation->size,
		.site = allocation->site,
		.thread = allocation->thread,
		.flags = (root ? BLOCK_ROOT : 0) | (site == SITE_KEEPS ? BLOCK_LEFT_OUT : 0),
	};
	pools_add(&collector->pools, collector->image, block.start + 1, block.start);
	heap_add(&collector->heap, &block);
	if (pools_reach(&collector->pools, block.start + block.bytes))
		block.flags |= BLOCK_HOLES;
	blocks_add(&collector->image->blocks, &block);
	return !collector->image->blocks.failed;
}

static bool malloc_is_of_libc(const struct image *image)
{
	uint64_t address = (uint64_t)(uintptr_t)real.malloc;
	return address >= image->libc.start && address < image->libc.end;
}

bool image_known(uint64_t start, struct allocation *ret_allocation)
{
	return allocation_find((const void *)(uintptr_t)start, ret_allocation) ||
	       pool_find(start, ret_allocation);
}

/* What the tables of the program's allocations say, in a process that does not touch them meanwhile. */
static bool known(struct block *block)
{
	struct allocation allocation;
	if (!allocation_find((const void *)(uintptr_t)block->start, &allocation)) {
		if (!pool_find(block->start, &allocation))
			return false;
		block->flags |= BLOCK_POOL;
	}
	block->bytes = allocation.size;
	block->site = allocation.site;
	block->thread = allocation.thread;
	return true;
}

static int collect_into(struct collector *collector, unsigned unit_shift)
{
	struct image *image = collector->image;
	struct blocks *blocks = &image->blocks;
	*blocks = (struct blocks){
		.known = known,
		.fetch = allocation_fetch,
		.of_libc = malloc_is_of_libc(image),
		.readable = &image->readable,
		.pages = &image->pages,
	};
	collector->heap = (struct heap){
		.maps = &image->maps,
		.readable = &image->readable,
		.of_libc = blocks->of_libc,
		.ranges = &image->heap,
	};
	blocks_begin(blocks, unit_shift);
	heap_begin(&collector->heap);
	collector->pools.next = 0;
	allocation_each(collect, collector);
	pools_add(&collector->pools, image, UINT64_MAX, 0);
	heap_end(&collector->heap);
	if (!blocks->too_near)
		blocks_index(blocks);
	return blocks->failed ? -ENOMEM : 0;
}

static int collect_blocks(struct image *image)
{
	struct collector collector = { .image = image, .site_count = view_sites(image->snapshot->view) };
	collector.sites = memory_array(collector.site_count, sizeof *collector.sites);
	if (!collector.sites)
		return -ENOMEM;
	pools_begin(&collector.pools, image);
	if (collector.pools.failed)
		return -ENOMEM;
	int error = collect_into(&collector, BLOCKS_UNIT_USUAL);
	if (error && image->blocks.too_near) {
		blocks_release(&image->blocks);
		ranges_release(&image->heap);
		error = collect_into(&collector, BLOCKS_UNIT_SMALL);
	}
	pools_release(&collector.pools);
	memory_free(collector.sites, collector.site_count, sizeof *collector.sites);
	/* A site that is no number of the table: of a damaged record. It would cost an array of that length. */
	if (image->blocks.sites > MAX_OF(collector.site_count, (uint64_t)1))
		return -EBADMSG;
	return error;
}

int image_take(struct image *image)
{
	find_modules(image);
	int error = maps_read(&image->maps);
	if (error)
		return error;
	for (uint64_t i = 0; i < image->maps.count; i++)
		if (image->maps.at[i].flags & MAP_READ)
			ranges_add(&image->readable, image->maps.at[i].start, image->maps.at[i].end);
	ranges_sort(&image->readable);
	pages_open(&image->pages);
	error = collect_blocks(image);
	if (error)
		return error;
	ranges_sort(&image->heap);
	return image->readable.failed || image->heap.failed ? -ENOMEM : 0;
}

void image_release(struct image *image)
{
	blocks_release(&image->blocks);
	pages_close(&image->pages);
	ranges_release(&image->heap);
	ranges_release(&image->readable);
	maps_release(&image->maps);
}
