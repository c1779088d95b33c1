#include "registry/block_place.h"

#include "platform/sys.h"
#include "registry/recording.h"

bool block_place_find(uint64_t address, uint64_t most, struct rec_place *ret_place)
{
	struct allocation block;
	/* What the loader allocates for itself has no name. */
	if (!allocation_around(address, most, &block) || (block.flags & ALLOCATION_ROOT))
		return false;
	const struct rec_site *site = view_site(recording_view(), block.site);
	*ret_place = (struct rec_place){
		.address = address,
		.offset = address - block.address,
		.bytes = block.size,
		.stack = site ? site->stack : 0,
		.sort = PLACE_BLOCK,
		.born = block.born,
	};
	return ret_place->stack;
}

/* How far behind the start of its block a thing is looked for on the program's own time: further than most. */
#define NOTE_REACH (UINT64_C(64) << 10)

uint32_t block_place_note(uint64_t address, uint32_t most)
{
	struct rec_place place;
	uint64_t used = atomic_load_explicit(&recording->tables[REC_PLACES].used, memory_order_relaxed);
	if (used / sizeof place >= most || !block_place_find(address, NOTE_REACH, &place))
		return 0;
	uint64_t at = recording_append(REC_PLACES, sizeof place);
	if (at == UINT64_MAX)
		return 0;
	place.seen = sys_monotonic_coarse();
	*(struct rec_place *)((char *)recording_table(REC_PLACES) + at) = place;
	return (uint32_t)(at / sizeof place) + 1;
}
