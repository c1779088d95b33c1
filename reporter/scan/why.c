#include "reporter/scan/why.h"

#include <elf.h>
#include <errno.h>

#include "options.h"
#include "platform/guard.h"
#include "platform/sys.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/paths.h"
#include "reporter/scan/resources.h"
#include "reporter/scan/roots.h"
#include "reporter/scan/stacks.h"

/* -- whose a place is -------------------------------------------------------- */

struct thread_place {
	struct range stack; /* that libc gave it, its thread-local storage and control block included */
	uint64_t sp, pointer;
	stack_id frames;
	thread_id id;
};

struct atlas {
	struct image *image;
	struct thread_place *threads;
	uint64_t thread_count;
	uint64_t tls_bytes; /* of static thread-local storage, which lies below the thread pointers */
};

/* PT_TLS of every module, from the program headers that are mapped with it. */
static uint64_t static_tls_bytes(const struct image *image)
{
	const struct view *view = image->snapshot->view;
	const struct rec_module *module;
	uint64_t bytes = 0;
	struct range piece;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++) {
		const Elf64_Ehdr *head = (const Elf64_Ehdr *)module->start;
		if (module->unloaded || !ranges_next(&image->readable, module->start, module->end, &piece) ||
		    piece.start != module->start || piece.end - piece.start < 4096 || head->e_phoff > 2048)
			continue;
		const Elf64_Phdr *at = (const Elf64_Phdr *)(module->start + head->e_phoff);
		for (unsigned j = 0; j < head->e_phnum && j < 30; j++)
			if (at[j].p_type == PT_TLS)
				bytes += at[j].p_memsz + MIN_OF(at[j].p_align, (uint64_t)4096);
	}
	return bytes;
}

static struct range stack_range(const struct image *image, uint64_t sp, uint64_t pointer)
{
	struct range stack = { 0, 0 };
	const struct map *map = maps_find(&image->maps, sp);
	if (map && map->flags & MAP_MAIN_STACK)
		return (struct range){ map->start, map->end };
	if (stack_of_pointer(&image->maps, pointer, &stack))
		return stack;
	return map ? (struct range){ map->start, map->end } : stack;
}

static int atlas_make(struct atlas *atlas, const struct why *why)
{
	struct image *image = why->image;
	const struct stop *stop = image->stop;
	*atlas = (struct atlas){ .image = image, .tls_bytes = static_tls_bytes(image) };
	uint64_t count = stop ? stop->count : 0;
	atlas->threads = memory_array(count, sizeof *atlas->threads);
	if (!atlas->threads)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		const struct stop_thread *held = &stop->threads[i];
		const struct snap_thread *known = snapshot_thread_by_tid(image->snapshot, held->tid);
		if (!held->words)
			continue;
		atlas->threads[atlas->thread_count++] = (struct thread_place){
			.stack = stack_range(image, held->sp, held->pointer),
			.sp = held->sp,
			.pointer = held->pointer,
			.frames = why->stacks ? why->stacks[i] : 0,
			.id = known ? known->id : 0,
		};
	}
	return 0;
}

/* struct pthread of glibc: thread-specific values lie in it, and nothing else that points to blocks of the program's. */
static bool is_in_control_block(const struct thread_place *thread, uint64_t place)
{
	return place - thread->pointer < CONTROL_BLOCK_BYTES;
}

static enum rec_root root_in_thread(const struct atlas *atlas, const struct thread_place *thread,
				    uint64_t place)
{
	if (thread->pointer && is_in_control_block(thread, place))
		return ROOT_SPECIFIC;
	if (thread->pointer && place < thread->pointer && thread->pointer - place <= atlas->tls_bytes)
		return ROOT_TLS;
	if (place >= thread->stack.start && place < thread->stack.end)
		return ROOT_STACK;
	return ROOT_NONE;
}

static bool is_in_module(const struct view *view, uint64_t place)
{
	const struct rec_module *module;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++)
		if (!module->unloaded && place >= module->start && place < module->end)
			return true;
	return false;
}

static enum rec_root root_of(const struct atlas *atlas, uint64_t place,
			     const struct thread_place **ret_thread)
{
	const struct image *image = atlas->image;
	const struct stop *stop = image->stop;
	*ret_thread = NULL;
	if (!place)
		return ROOT_REGISTER;
	if (stop && place - (uint64_t)(uintptr_t)stop->registers < stop->count * STOP_WORDS * 8) {
		uint64_t number = (place - (uint64_t)(uintptr_t)stop->registers) / 8 / STOP_WORDS;
		for (uint64_t i = 0; i < atlas->thread_count; i++)
			if (atlas->threads[i].sp == stop->threads[number].sp)
				*ret_thread = &atlas->threads[i];
		return ROOT_REGISTER;
	}
	for (uint64_t i = 0; i < atlas->thread_count; i++) {
		enum rec_root root = root_in_thread(atlas, &atlas->threads[i], place);
		if (root == ROOT_NONE)
			continue;
		*ret_thread = &atlas->threads[i];
		return root;
	}
	if (is_in_module(image->snapshot->view, place))
		return ROOT_DATA;
	const struct map *map = maps_find(&image->maps, place);
	/* Behind its initialised data a module has more, which is no file's. */
	bool behind_module = map && !(map->flags & MAP_OF_FILE) && map > image->maps.at &&
			     map[-1].end == map->start && is_in_module(image->snapshot->view, map[-1].start);
	return map && map->flags & MAP_MAIN_STACK ? ROOT_STACK : behind_module ? ROOT_DATA : ROOT_MAPPING;
}

/* What says most to who asks, where several roots lead to one block. */
static uint32_t rank_of(uint64_t place, void *data)
{
	static const uint8_t ranks[] = {
		[ROOT_REGISTER] = 1, [ROOT_STACK] = 2,    [ROOT_MAPPING] = 3,
		[ROOT_TLS] = 4,      [ROOT_SPECIFIC] = 5, [ROOT_DATA] = 6,
	};
	const struct thread_place *thread;
	return ranks[root_of(data, place, &thread)];
}

/*
 * The frame that a place on a stack belongs to: between its function's own return address, which the frame of
 * the caller ends with, and that of the function it has called. From 1, the innermost; 0: not known.
 */
static uint32_t frame_of(const struct atlas *atlas, const struct thread_place *thread, uint64_t place)
{
	const struct rec_stack *stack = view_stack(atlas->image->snapshot->view, thread->frames);
	if (!stack || thread->sp % 8 || thread->sp < thread->stack.start || place < thread->sp)
		return 0;
	uint32_t frame = stack->flags & STACK_EXACT_PC ? 1 : 0;
	for (uint64_t at = thread->sp; at < place && frame < stack->count; at += 8)
		frame += *(const uint64_t *)at == stack->frames[frame];
	return frame;
}

/* A block that is asked about. */
struct target {
	uint64_t start, bytes;
	uint32_t number;
};

/* -- one path ---------------------------------------------------------------- */

static stack_id stack_of_site(const struct atlas *atlas, site_id number)
{
	const struct rec_site *site = view_site(atlas->image->snapshot->view, number);
	return site ? site->stack : 0;
}

/* The newest step goes to the front, since the way is found from its end. In the middle of a long one steps are left out. */
static void put_step(struct rec_why_path *path, const struct rec_why_step *step)
{
	const uint32_t half = REC_WHY_STEPS / 2;
	path->length++;
	if (path->step_count < REC_WHY_STEPS) {
		for (uint32_t i = path->step_count++; i > 0; i--)
			path->steps[i] = path->steps[i - 1];
	} else {
		path->skipped_at = half;
		for (uint32_t i = half - 1; i > 0; i--)
			path->steps[i] = path->steps[i - 1];
	}
	path->steps[0] = *step;
}

static void put_block(const struct atlas *atlas, struct rec_why_step *step, uint64_t start)
{
	struct block block = blocks_look(&atlas->image->blocks, start);
	step->block = start;
	step->bytes = block.bytes;
	step->stack = stack_of_site(atlas, block.site);
}

static void put_root(struct atlas *atlas, struct rec_why_path *path, const struct path_root *root)
{
	const struct blocks *blocks = &atlas->image->blocks;
	const struct thread_place *thread;
	struct rec_why_step step = { .place = root->place };
	if (!root->place && blocks_flags(blocks, root->block) & BLOCK_ROOT) {
		step.root = ROOT_LOADER;
		put_block(atlas, &step, root->start);
		put_step(path, &step);
		return;
	}
	step.root = root_of(atlas, root->place, &thread);
	if (step.root == ROOT_REGISTER)
		step.place = 0;
	if (thread) {
		step.thread = thread->id;
		step.stack = step.root == ROOT_STACK ? thread->frames : 0;
		step.frame = step.root == ROOT_STACK ? frame_of(atlas, thread, root->place) : 0;
	}
	put_step(path, &step);
}

static void describe(struct atlas *atlas, const struct paths *paths, const struct target *target,
		     struct rec_why_path *path)
{
	struct block known = blocks_look(&atlas->image->blocks, target->start);
	*path = (struct rec_why_path){
		.block = known.start,
		.bytes = known.bytes,
		.stack = stack_of_site(atlas, known.site),
		.thread = known.thread,
		.lost = !paths_reach(paths, target->number),
	};
	if (path->lost)
		return;
	uint32_t block = target->number;
	while (!paths_root(paths, block)) {
		struct rec_why_step step = { .root = ROOT_NONE };
		uint64_t start;
		block = paths_holder(paths, block, &start, &step.place);
		put_block(atlas, &step, start);
		put_step(path, &step);
	}
	put_root(atlas, path, paths_root(paths, block));
}

/* -- the question ------------------------------------------------------------ */

/* The largest blocks of a site; all of them are flagged. Return: how many there is room for. */
static uint32_t targets_of_site(const struct atlas *atlas, struct rec_why *answer, struct target *ret_targets)
{
	struct blocks *blocks = &atlas->image->blocks;
	const struct rec_stack *stack = view_stack(atlas->image->snapshot->view, (stack_id)answer->value);
	site_id site = stack ? stack->site : 0;
	uint32_t count = 0;
	for (struct block_walk walk = { 0 }; site && blocks_next(blocks, &walk);) {
		struct block block = { .start = walk.start };
		if (!blocks->known(&block) || block.site != site)
			continue;
		blocks_flag(blocks, walk.number, BLOCK_TARGET);
		answer->site_blocks++;
		answer->site_bytes += block.bytes;
		if (count == REC_WHY_PATHS && block.bytes <= ret_targets[count - 1].bytes)
			continue;
		count += count < REC_WHY_PATHS;
		uint32_t at = count - 1;
		for (; at > 0 && block.bytes > ret_targets[at - 1].bytes; at--)
			ret_targets[at] = ret_targets[at - 1];
		ret_targets[at] = (struct target){ walk.start, block.bytes, walk.number };
	}
	return count;
}

static uint32_t find_targets(const struct atlas *atlas, struct rec_why *answer, struct target *ret_targets)
{
	struct blocks *blocks = &atlas->image->blocks;
	if (answer->what == WHY_OF_SITE)
		return targets_of_site(atlas, answer, ret_targets);
	ret_targets[0].number = blocks_find_start(blocks, answer->value, &ret_targets[0].start);
	if (ret_targets[0].number == BLOCK_NONE)
		return 0;
	blocks_flag(blocks, ret_targets[0].number, BLOCK_TARGET);
	return 1;
}

static int go_through(struct atlas *atlas, struct paths *paths)
{
	int error = paths_init(paths, &atlas->image->blocks, atlas->image->deadline);
	paths->rank = rank_of;
	paths->data = atlas;
	paths->mark.mask = options.pointer_mask;
	paths->mark.exclusive = options.pointer_xor;
	if (!error)
		error = roots_mark(atlas->image, &paths->mark);
	return error ? error : paths_find(paths);
}

/* From now on it is as if what was asked about were not there. */
static void leave_targets_out(struct blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++)
		if (blocks_flags(blocks, (uint32_t)i) & BLOCK_TARGET)
			blocks_flag(blocks, (uint32_t)i, BLOCK_LEFT_OUT);
}

static int answer(struct atlas *atlas, struct rec_why *into)
{
	struct blocks *blocks = &atlas->image->blocks;
	struct target targets[REC_WHY_PATHS];
	struct paths paths = { 0 };
	into->blocks = blocks->count;
	into->bytes = blocks->bytes;
	uint32_t count = find_targets(atlas, into, targets);
	if (!count)
		return -ENOENT;
	int error = go_through(atlas, &paths);
	for (uint32_t i = 0; i < count && !error; i++)
		describe(atlas, &paths, &targets[i], &into->paths[i]);
	uint64_t reached_blocks = paths.reached_blocks, reached_bytes = paths.reached_bytes;
	paths_release(&paths);
	if (error)
		return error;
	leave_targets_out(blocks);
	paths = (struct paths){ 0 };
	error = go_through(atlas, &paths);
	into->retained_blocks = reached_blocks - MIN_OF(paths.reached_blocks, reached_blocks);
	into->retained_bytes = reached_bytes - MIN_OF(paths.reached_bytes, reached_bytes);
	paths_release(&paths);
	if (count == 1) {
		into->paths[0].retained_blocks = into->retained_blocks;
		into->paths[0].retained_bytes = into->retained_bytes;
	}
	into->path_count = count;
	return error;
}

static int take_and_answer(struct why *why)
{
	struct atlas atlas = { 0 };
	int error = image_take(why->image);
	if (!error && !why->image->blocks.count)
		error = -ENOENT;
	if (!error)
		error = atlas_make(&atlas, why);
	if (error)
		return error;
	resources_enter(why->image->snapshot, &why->image->blocks);
	return answer(&atlas, why->answer);
}

static void answer_guarded(void *data)
{
	struct why *why = data;
	why->answer->error = take_and_answer(why);
	/* The rest goes with the process. */
	image_release(why->image);
}

void why_answer(struct why *why)
{
	why->answer->error = -EFAULT;
	guard_call(answer_guarded, why);
}
