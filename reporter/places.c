#include "reporter/places.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "base/digits.h"
#include "base/hash.h"
#include "options.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/block_place.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "reporter/storage.h"
#include "stack/memory.h"

#define LOOKS_MOST 32u /* for what is not known yet, a call */
#define FILES_EVERY \
	4u /* calls: one look at the list of mappings, which takes a millisecond where there are thousands */
#define BLOCK_REACH (UINT64_C(1) << 30) /* of a lock, behind the start of its block */
#define FILES_MOST 4u                   /* for findings */
#define STORAGES_MOST 256u /* threads, a lock that is looked for in their storage; chosen by feel */

/* -- memory of threads ------------------------------------------------------- */

/* A look at the words of somebody's stack, a piece at a time. */
struct words {
	uint64_t at[64];
	uint64_t start, count; /* what is in `at` */
	uint64_t end;          /* of the stack */
};

static bool word_at(struct words *words, uint64_t address, uint64_t *ret_word)
{
	if (address < words->start || address - words->start >= words->count * 8) {
		words->start = address;
		words->count = MIN_OF(COUNT_OF(words->at), (words->end - address) / 8);
		if (!words->count || !memory_copy(words->at, address, words->count * 8))
			return false;
	}
	*ret_word = words->at[(address - words->start) / 8];
	return true;
}

#define FRAMES_REACH ((uint64_t)256 * 1024) /* of a stack that is gone through; chosen by feel */
#define TLS_REACH ((uint64_t)256 * 1024)    /* more than libc sets aside */

/*
 * In which frame of a thread that waits `address` lies, and where that frame ends. Frames are told from one another
 * by the return addresses between them, which are looked for in the order of the stack that was captured. Leftovers
 * of earlier calls may look the same: where one of the two that bound the frame is there
 * twice, nothing is said.
 */
static void find_frame(const struct snap_thread *thread, uint64_t high, uint64_t address,
		       struct rec_place *place)
{
	const struct rec_stack *stack = view_stack(recording_view(), thread->wait.stack);
	struct words words = { .end = high };
	uint64_t sp = thread->wait.sp, word, end = 0;
	if (!stack || !sp || sp % 8 || address < sp || address - sp > FRAMES_REACH)
		return;
	uint16_t frame = 1;
	bool bounded = false;
	for (uint64_t at = sp; at + 8 <= high && at - sp <= 2 * FRAMES_REACH; at += 8) {
		uint16_t next = end ? frame + 1 : frame;
		if (!word_at(&words, at, &word))
			return;
		if (at >= address && ((frame > 1 && word == stack->frames[frame - 1]) ||
				      (end && word == stack->frames[frame])))
			return;
		if (next >= stack->count) {
			/* The outermost one has nothing beyond it to be looked for. */
			bounded = end && !(stack->flags & STACK_TRUNCATED);
			break;
		}
		if (word != stack->frames[next])
			continue;
		if (at < address) {
			frame++;
		} else if (!end) {
			end = at + 8;
		} else {
			bounded = true;
			break;
		}
	}
	const struct rec_thread *slot = view_thread(recording_view(), thread->slot);
	if (!bounded || atomic_load_explicit(&slot->changes, memory_order_acquire) != thread->changes)
		return;
	place->frame = frame;
	place->below = end - address;
}

/* The kernel maps nothing else so near below the end of the main thread's stack. */
#define MAIN_STACK_BYTES ((uint64_t)128 << 20)

static bool in_thread(const struct snapshot *snapshot, uint64_t address, nsec_t since,
		      struct rec_place *place)
{
	struct storage_room room = { 0 };
	for (uint32_t i = 0; i < snapshot->thread_count; i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		bool is_main = thread->flags & THREAD_MAIN;
		uint64_t high = is_main ? process_stack_high() : thread->stack_high;
		uint64_t low = is_main ? high - MIN_OF(high, MAIN_STACK_BYTES) : thread->stack_low;
		bool on_stack = address >= low && address < high;
		/* Its storage is in the memory of its stack, save for the main thread. */
		bool near = thread->tls && address < thread->tls && thread->tls - address <= TLS_REACH &&
			    (on_stack || is_main);
		if (thread->state != THREAD_RUNNING || !(on_stack || near))
			continue;
		/* `since` is known to the tick. */
		if (thread->started > since + options.tick)
			return false;
		place->thread = thread->id;
		if (near && !room.all)
			room = storage_room();
		uint64_t below = thread->tls - address;
		if (near && below <= (is_main && !on_stack ? room.all : room.own)) {
			place->sort = PLACE_TLS;
			place->offset = below;
			return true;
		}
		if (near && storage_find(thread->tls, address, place))
			return true;
		/* Nothing of the program's is behind what the libraries have. */
		if (!on_stack || (!is_main && address >= thread->tls - MIN_OF(room.all, thread->tls)))
			return false;
		place->sort = PLACE_STACK;
		if (thread->waiting && !thread->torn)
			find_frame(thread, high, address, place);
		place->stack = place->frame ? thread->wait.stack : 0;
		return true;
	}
	return false;
}

/*
 * In storage that a library has got since it was loaded by dlopen: a block of the loader's. Where it would be several threads' (who has not
 * yet been told that another library has the number now), it is nobody's.
 */
static bool in_storage(const struct snapshot *snapshot, uint64_t address, nsec_t since,
		       struct rec_place *place)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < MIN_OF(snapshot->thread_count, STORAGES_MOST); i++) {
		const struct snap_thread *thread = &snapshot->threads[i];
		struct rec_place there = { .address = address };
		if (thread->state != THREAD_RUNNING || thread->started > since + options.tick ||
		    !storage_find(thread->tls, address, &there))
			continue;
		*place = there;
		place->thread = thread->id;
		found++;
	}
	return found == 1;
}

/* Whether the block that `place` is in was asked for by the loader: as storage, mostly. */
static bool is_loaders(const struct rec_place *place)
{
	const struct rec_stack *stack = view_stack(recording_view(), place->stack);
	const struct rec_module *module =
	    stack && stack->count ? view_module(recording_view(), stack->frames[0], stack->epoch) : NULL;
	return module && module->flags & MODULE_LOADER;
}

/* -- shared files ------------------------------------------------------------ */

/* "7f5a4d752000-7f5a4d753000 rw-s 00000000 00:1a 5    /dev/shm/queue". Return: whether the line's mapping holds the address. */
static bool in_line(const char *line, uint64_t address, struct rec_place *place)
{
	uint64_t start, end, behind;
	const char *at = digits_hex(line, &start);
	if (*at != '-')
		return false;
	at = digits_hex(at + 1, &end);
	if (address < start || address >= end)
		return false;
	const char *path = strchr(at, '/');
	const char *offset = *at ? strchr(at + 1, ' ') : NULL;
	/* What is shared with nobody but forked children is in no file. */
	if (!path || !offset++ || offset - at < 6 || at[4] != 's' || strncmp(path, "/dev/zero", 9) == 0)
		return true;
	digits_hex(offset, &behind);
	place->offset = behind + (address - start);
	place->path = recording_text(path);
	place->sort = place->path ? PLACE_FILE : PLACE_NOWHERE;
	return true;
}

static bool in_file(uint64_t address, struct rec_place *place)
{
	static char buffer[8192];
	size_t used = 0;
	/* In the program's table of descriptors nothing is opened. */
	int fd = self.guest ? sys_open("/proc/self/maps", O_RDONLY, 0) : -1;
	bool found = false;
	if (fd < 0)
		return false;
	for (long got; !found && (got = sys_read(fd, buffer + used, sizeof buffer - 1 - used)) > 0;) {
		char *line = buffer, *end;
		used += (size_t)got;
		buffer[used] = '\0';
		for (; !found && (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			found = in_line(line, address, place);
		}
		used -= MIN_OF((size_t)(line - buffer), used);
		memmove(buffer, line, used);
	}
	sys_close(fd);
	return place->sort == PLACE_FILE;
}

/* -- what is known ------------------------------------------------------------ */

#define INDEX_SIZE \
	4096u /* the newest places by their addresses; who finds another one's there looks it up again */

static uint32_t newest[INDEX_SIZE];

static struct rec_place *place_at(uint32_t number)
{
	return (struct rec_place *)recording_table(REC_PLACES) + (number - 1);
}

static bool is_same(const struct rec_place *a, const struct rec_place *b)
{
	return a->address == b->address && a->offset == b->offset && a->bytes == b->bytes &&
	       a->stack == b->stack && a->thread == b->thread && a->path == b->path && a->sort == b->sort &&
	       a->module == b->module && a->frame == b->frame && a->below == b->below && a->born == b->born;
}

struct budget {
	unsigned looks;  /* for what is not known yet ... */
	unsigned files;  /* ... with the list of mappings, which may be long */
	uint32_t places; /* of the table, that may be used */
};

/* Return: false: it would take more than the budget has left. */
static bool look(const struct snapshot *snapshot, uint64_t address, nsec_t since, struct budget *budget,
		 struct rec_place *place)
{
	const struct rec_place nowhere = { .address = address };
	struct rec_place other = nowhere;
	*place = nowhere;
	/* Modules' data are named by symbols. */
	if (view_module(recording_view(), address,
			atomic_load_explicit(&recording->epoch, memory_order_relaxed)))
		return true;
	if (block_place_find(address, BLOCK_REACH, place)) {
		if (is_loaders(place) && in_storage(snapshot, address, since, &other))
			*place = other;
		return true;
	}
	*place = nowhere;
	if (in_thread(snapshot, address, since, place))
		return true;
	*place = nowhere;
	if (!budget->files)
		return false;
	budget->files--;
	if (in_storage(snapshot, address, since, &other))
		*place = other;
	else
		in_file(address, place);
	return true;
}

/*
 * The number of the place of what has been held or waited for since `since`, which is recorded to the
 * tick: what was seen at that tick may have been what lay there before. 0: not known, or nowhere.
 */
static uint32_t place_of(const struct snapshot *snapshot, uint64_t address, nsec_t since,
			 struct budget *budget)
{
	uint32_t *known = &newest[hash_mix(address) % INDEX_SIZE];
	struct rec_place *there = *known ? place_at(*known) : NULL;
	if (!there || there->address != address || there->seen <= since) {
		struct rec_place fresh;
		if (!budget->looks)
			return 0;
		budget->looks--;
		if (!look(snapshot, address, since, budget, &fresh))
			return 0;
		if (!there || !is_same(there, &fresh)) {
			uint64_t used =
			    atomic_load_explicit(&recording->tables[REC_PLACES].used, memory_order_relaxed);
			uint64_t at = used / sizeof fresh < budget->places
					  ? recording_append(REC_PLACES, sizeof fresh)
					  : UINT64_MAX;
			if (at == UINT64_MAX)
				return 0;
			*known = (uint32_t)(at / sizeof fresh) + 1;
			there = place_at(*known);
			*there = fresh;
		}
	}
	atomic_store_explicit(&there->seen, snapshot->now, memory_order_relaxed);
	return there->sort == PLACE_NOWHERE ? 0 : *known;
}

static bool has_place(unsigned kind, uint64_t handle)
{
	return handle && kind_has(kind, KIND_IS_PLACED);
}

void places_look(const struct snapshot *snapshot, nsec_t tick)
{
	static unsigned calls;
	struct budget budget = { LOOKS_MOST, calls++ % FILES_EVERY == 0, REC_PLACES_MOST / 2 };
	/* Each time from another one on: those that come first must not use up what there is for all. */
	for (uint32_t k = 0; k < snapshot->thread_count; k++) {
		uint32_t i = (uint32_t)(((uint64_t)calls * LOOKS_MOST + k) % snapshot->thread_count);
		const struct snap_thread *thread = &snapshot->threads[i];
		const struct rec_wait *wait = &thread->wait;
		if (thread->torn)
			continue;
		if (thread->waiting && has_place(wait->kind, wait->handle) &&
		    wait->since + tick < snapshot->now)
			place_of(snapshot, wait->handle, wait->since, &budget);
		for (uint32_t j = 0; j < thread->hold_count; j++) {
			const struct rec_hold *hold = &thread->holds[j];
			if (has_place(hold->kind, hold->handle) && hold->since + tick < snapshot->now)
				place_of(snapshot, hold->handle, hold->since, &budget);
		}
	}
}

/* Since when the item's thread has held or waited for its object; 0: it does not now. */
static nsec_t since_of(const struct snapshot *snapshot, const struct finding_item *item)
{
	const struct snap_thread *thread = snapshot_thread(snapshot, item->thread);
	if (!thread || thread->torn)
		return 0;
	if (thread->waiting && thread->wait.kind == item->object_kind && thread->wait.handle == item->handle)
		return thread->wait.since;
	for (uint32_t i = 0; i < thread->hold_count; i++)
		if (thread->holds[i].kind == item->object_kind && thread->holds[i].handle == item->handle)
			return thread->holds[i].since;
	return 0;
}

void places_of_findings(const struct snapshot *snapshot, const struct finding_list *found)
{
	struct budget budget = { 8 * LOOKS_MOST, FILES_MOST, REC_PLACES_MOST };
	for (uint32_t i = 0; i < found->count; i++) {
		struct finding *finding = found->found[i];
		for (uint32_t j = 0; j < finding->item_count; j++) {
			struct finding_item *item = &finding->items[j];
			nsec_t since =
			    has_place(item->object_kind, item->handle) ? since_of(snapshot, item) : 0;
			if (since && !item->place)
				item->place = place_of(snapshot, item->handle, since, &budget);
		}
	}
}

void places_fork_child(void)
{
	memset(newest, 0, sizeof newest);
}
