#include "stack/remains.h"

#include "platform/sys.h"
#include "registry/recording.h"
#include "stack/depot.h"
#include "stack/memory.h"
#include "stack/modules.h"
#include "stack/unwind.h"

#define REACH_BYTES UINT64_C(65536) /* that are looked at for a return address; chosen somewhat arbitrarily */
#define PIECE_WORDS 64u

/*
 * Frames that make a walk believable: what looks like a return address may be a pointer to a function, or
 * be left from a frame before, and leads nowhere.
 */
#define FRAMES_LEAST 3u
#define STARTS_MOST 64u

struct room {
	struct walk walk;
	uint8_t copies[CFI_COPY_BYTES];
};

/*
 * Whether the word may be where a call returns to: it lies in a module, behind an instruction of
 * a length and a first byte that calls have.
 */
static bool is_return_address(uint64_t word)
{
	struct module module;
	uint8_t before[7];
	if (!module_find_known(word, &module) ||
	    (word >= recording->shim_start && word < recording->shim_end) ||
	    !memory_copy(before, word - sizeof before, sizeof before))
		return false;
	/* call rel32; call *REG or *MEMORY, two to seven bytes, perhaps with a prefix */
	if (before[2] == 0xe8)
		return true;
	for (unsigned at = 0; at + 2 <= sizeof before; at++)
		if (before[at] == 0xff && (before[at + 1] >> 3 & 7) == 2)
			return true;
	return false;
}

/* Walks from the frame that `pc` returns to, with the stack pointer `sp` and what lies below the return address. */
static uint32_t walk_from(struct room *room, uint64_t sp, uint64_t pc, uint64_t below, uint64_t high)
{
	struct walk *walk = &room->walk;
	struct registers registers = { .known = 1u << CFI_RSP | 1u << CFI_RIP };
	struct reach reach = { .page = 1, .foreign = true };
	bool exact = false;

	registers.values[CFI_RSP] = sp;
	registers.values[CFI_RIP] = pc;
	/* Where the callee kept a frame pointer, its caller's was the first thing that it pushed. */
	if (below >= sp && below < high) {
		registers.known |= 1u << CFI_RBP;
		registers.values[CFI_RBP] = below;
	}
	walk->cfi.copies = room->copies;
	walk->first = WALK_MOST;
	do {
		uint64_t at = registers.values[CFI_RSP];
		if (at > high || at < sp)
			break;
		walk->frames[--walk->first] = (struct unwind_frame){ .pc = registers.values[CFI_RIP] };
	} while (WALK_MOST - walk->first < unwind_depth &&
		 unwind_step(&walk->cfi, &registers, &exact, &reach) == UNWIND_MORE);
	return WALK_MOST - walk->first;
}

static stack_id look(struct room *room, uint64_t lowest, uint64_t high)
{
	uint64_t piece[PIECE_WORDS], below = 0;
	unsigned starts = 0;
	for (uint64_t from = lowest & ~UINT64_C(7); from < MIN_OF(lowest + REACH_BYTES, high);
	     from += sizeof piece) {
		uint32_t words = (uint32_t)MIN_OF((high - from) / sizeof *piece, (uint64_t)PIECE_WORDS);
		if (!words || !memory_copy(piece, from, words * sizeof *piece))
			return 0;
		for (uint32_t i = 0; i < words; below = piece[i++]) {
			if (!is_return_address(piece[i]))
				continue;
			uint64_t sp = from + (i + 1) * sizeof *piece;
			uint32_t count = walk_from(room, sp, piece[i], below, high);
			if (count >= MIN_OF(FRAMES_LEAST, unwind_depth)) {
				const struct unwind_frame *frames = &room->walk.frames[room->walk.first];
				return depot_put(frames, count, STACK_TRUNCATED,
						 depot_hash_all(frames, count));
			}
			if (++starts == STARTS_MOST)
				return 0;
		}
	}
	return 0;
}

stack_id stack_of_remains(uint64_t lowest, uint64_t high)
{
	struct room *room = sys_pages(sizeof *room);
	if (!room)
		return 0;
	stack_id stack = look(room, lowest, high);
	sys_pages_free(room, sizeof *room);
	return stack;
}
