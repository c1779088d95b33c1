#include "stack/verify.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "base/text.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/memory.h"
#include "stack/stack.h"
#include "stack/unwind.h"

uint32_t verify_every;

/* As while the real allocator runs: it calls what is hooked, and nothing that matters is missed there. */
#define IN_LIBUNWIND 0x10000u

static uint32_t until_verify, shown;

#define SHOWN_MOST 3u  /* differences written out; the rest are more of the same, as a rule */
#define ROOM_PAGES 12u /* 48 KiB: several times what libunwind 1.6 was seen to use */

int stack_verify_init(uint32_t every)
{
	int error = unwind_reference_load();
	if (!error)
		verify_every = every;
	return error;
}

static void put_place(struct text *text, uint64_t pc)
{
	Dl_info info;
	text_format(text, " 0x%lx", (unsigned long)pc);
	if (dladdr((void *)(pc - 1), &info) && info.dli_fname)
		text_format(text, " %s+0x%lx", info.dli_fname,
			    (unsigned long)(pc - (uintptr_t)info.dli_fbase));
	text_format(text, "\n");
}

static NOINLINE void show(const struct rec_stack *ours, const uint64_t *pcs, uint32_t count,
			  enum unwind_end end)
{
	char line[400];
	struct text text = TEXT_OF(line);
	if (__atomic_fetch_add(&shown, 1, __ATOMIC_RELAXED) >= SHOWN_MOST)
		return;
	text_format(&text, "whoholds[%d]: a stack of %u frames%s differs from libunwind's of %u (ended %d)\n",
		    sys_pid(), ours->count, ours->flags & STACK_TRUNCATED ? ", truncated," : "", count,
		    (int)end);
	sys_write_all(2, line, text.used);
	for (uint32_t i = 0; i < ours->count || i < count; i++) {
		uint64_t mine = i < ours->count ? ours->frames[i] : 0, its = i < count ? pcs[i] : 0;
		text = (struct text)TEXT_OF(line);
		text_format(&text, "  %u %s", i, mine == its ? "both" : "ours");
		put_place(&text, mine);
		if (mine != its) {
			text_format(&text, "  %u libunwind", i);
			put_place(&text, its);
		}
		sys_write_all(2, line, text.used);
	}
}

NOINLINE bool verify_compare(const void *frame, stack_id id)
{
	uint64_t pcs[STACK_MAX_FRAMES];
	uint32_t count;
	const struct rec_stack *ours = view_stack(recording_view(), id);
	if (!ours)
		return true;
	self.busy += IN_LIBUNWIND;
	enum unwind_end end = unwind_reference(frame, pcs, ours->count, &count);
	bool cut = ours->flags & STACK_TRUNCATED;
	bool same = count >= ours->count && (cut || end == UNWIND_OUTERMOST || end == UNWIND_LOST);
	for (uint32_t i = 0; same && i < ours->count; i++)
		same = ours->frames[i] == pcs[i];
	if (count && !same)
		show(ours, pcs, count, end);
	self.busy -= IN_LIBUNWIND;
	if (!count)
		return true; /* libunwind did not come as far as the hook's caller */
	atomic_fetch_add_explicit(&recording->stacks_compared, 1, memory_order_relaxed);
	if (!same)
		atomic_fetch_add_explicit(&recording->stacks_mismatched, 1, memory_order_relaxed);
	if (cut && ours->count < unwind_depth)
		atomic_fetch_add_explicit(&recording->stacks_lost, 1, memory_order_relaxed);
	return same;
}

/* Small stacks are for stack_capture alone, which needs next to nothing of them. */
static bool has_room(const void *frame)
{
	uint64_t here = (uintptr_t)frame & ~(MEMORY_PAGE - 1);
	for (uint32_t i = 1; i <= ROOM_PAGES; i++)
		if (!memory_readable(here - i * MEMORY_PAGE))
			return false;
	return true;
}

NOINLINE void verify_sometimes(const void *frame, stack_id id)
{
	if (id && __atomic_add_fetch(&until_verify, 1, __ATOMIC_RELAXED) % verify_every == 0 &&
	    has_room(frame))
		verify_compare(frame, id);
}
