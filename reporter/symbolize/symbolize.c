#include "reporter/symbolize/symbolize.h"

#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/hash.h"
#include "base/text.h"
#include "reporter/symbolize/binary.h"

#define BINARY_BUCKETS 256u

/* What one address of one file was found to be. */
struct answer {
	const struct binary *binary; /* NULL: an empty slot */
	uint64_t address;            /* the file's own */
	bool outermost;              /* see outermost_libc */
	const struct frame *frames;  /* in the names' arena */
	size_t count;
};

/* `base` is what others see of it. */
struct lookup {
	struct symbolizer base;
	struct names names;
	struct binary *binaries[BINARY_BUCKETS];
	struct answer *answers; /* open addressing; size is a power of two */
	size_t answer_count, answer_size;
	/* The process whose recording is being read, found alive or not. */
	int32_t pid;
	uint64_t pid_ticks;
	bool pid_alive;
};

/* -- modules ----------------------------------------------------------------- */

static bool is_vdso(const char *path)
{
	return strncmp(path, "[vdso", 5) == 0 || strncmp(path, "linux-vdso", 10) == 0 ||
	       strncmp(path, "linux-gate", 10) == 0;
}

/* The path of a module, absolute; the main program's is that of the process where the loader leaves it out. */
static void module_path(const struct view *view, const struct rec_module *module, struct text *text)
{
	const char *path = view_text(view, module->path);
	if (!*path && (module->flags & MODULE_MAIN))
		path = view_text(view, view->header->exe);
	if (is_vdso(path))
		path = "[vdso]";
	const char *folder = *path && *path != '/' && *path != '[' ? view_text(view, view->header->cwd) : "";
	if (*folder)
		text_format(text, "%s/", folder);
	text_put(text, path);
}

static int32_t alive_pid(struct lookup *lookup, const struct view *view)
{
	int32_t pid = view->header->pid;
	uint64_t ticks = view->header->started_boot_ticks;
	if (pid != lookup->pid || ticks != lookup->pid_ticks) {
		lookup->pid = pid;
		lookup->pid_ticks = ticks;
		lookup->pid_alive = locate_alive(pid, ticks);
	}
	return lookup->pid_alive ? pid : 0;
}

static uint64_t ended_real(const struct view *view)
{
	const struct rec_header *header = view->header;
	if (!header->ended_mono || header->ended_mono < header->started_mono)
		return 0;
	return header->started_real + (header->ended_mono - header->started_mono);
}

static struct binary *open_binary(struct lookup *lookup, const struct view *view,
				  const struct rec_module *module, const char *path)
{
	struct wanted wanted = {
		.path = path,
		.build_id = module->build_id,
		.build_id_bytes = MIN_OF(module->build_id_bytes, REC_BUILD_ID_BYTES),
		.start = module->start,
		.end = module->end,
		.pid = alive_pid(lookup, view),
		.is_program = module->flags & MODULE_MAIN,
		.ended_real = ended_real(view),
	};
	if (is_vdso(path))
		return binary_open_vdso(&wanted, &lookup->names);
	return binary_open(&wanted, &lookup->names);
}

/* The file of a module; NULL: no memory. */
static struct binary *find_binary(struct lookup *lookup, const struct view *view,
				  const struct rec_module *module)
{
	char path[LOCATE_PATH_BYTES];
	path[0] = '\0';
	struct text text = TEXT_OF(path);
	module_path(view, module, &text);
	size_t id_bytes = MIN_OF(module->build_id_bytes, REC_BUILD_ID_BYTES);
	uint64_t hash = hash_text(path);
	for (size_t i = 0; i < id_bytes; i++)
		hash = hash_add(hash, module->build_id[i]);
	/* Without a build-id a path alone does not tell two processes' files apart. */
	if (!id_bytes)
		hash =
		    hash_add(hash, hash_add((uint64_t)view->header->pid, view->header->started_boot_ticks));

	struct binary **bucket = &lookup->binaries[hash % BINARY_BUCKETS];
	for (struct binary *binary = *bucket; binary; binary = binary->next)
		if (binary->hash == hash && strcmp(binary->path, path) == 0)
			return binary;
	struct binary *binary = open_binary(lookup, view, module, path);
	if (!binary)
		return NULL;
	binary->hash = hash;
	binary->next = *bucket;
	*bucket = binary;
	return binary;
}

/*
 * The module that holds `address` now or, since an address of the program's data or a start routine carries no
 * epoch, the one that held it last.
 */
static const struct rec_module *last_module(const struct view *view, uint64_t address)
{
	const struct rec_module *module = view_module(view, address, view->header->epoch);
	for (uint32_t i = view_modules(view); !module && i--;) {
		const struct rec_module *old = view_module_at(view, i);
		if (address >= old->start && address < old->end)
			module = old;
	}
	return module;
}

/* -- answers ----------------------------------------------------------------- */

static bool grow_answers(struct lookup *lookup)
{
	size_t size = lookup->answer_size ? lookup->answer_size * 2 : 4096;
	struct answer *answers = calloc(size, sizeof(*answers));
	if (!answers)
		return false;
	for (size_t i = 0; i < lookup->answer_size; i++) {
		const struct answer *old = &lookup->answers[i];
		if (!old->binary)
			continue;
		size_t at = hash_add((uintptr_t)old->binary, old->address) & (size - 1);
		while (answers[at].binary)
			at = (at + 1) & (size - 1);
		answers[at] = *old;
	}
	free(lookup->answers);
	lookup->answers = answers;
	lookup->answer_size = size;
	return true;
}

/* The frames of an address of a file, or with `outermost` just its function; NULL: no memory. */
static const struct answer *find_answer(struct lookup *lookup, struct binary *binary, uint64_t address,
					bool outermost)
{
	if (lookup->answer_count >= lookup->answer_size / 2 && !grow_answers(lookup))
		return NULL;
	size_t mask = lookup->answer_size - 1;
	size_t at = hash_add((uintptr_t)binary, address) & mask;
	for (; lookup->answers[at].binary; at = (at + 1) & mask)
		if (lookup->answers[at].binary == binary && lookup->answers[at].address == address &&
		    lookup->answers[at].outermost == outermost)
			return &lookup->answers[at];

	struct frame frames[DEBUG_MOST_INLINED];
	size_t count = 1;
	if (outermost)
		binary_symbol(binary, address, &frames[0]);
	else
		count = binary_frames(binary, address, frames, COUNT_OF(frames));
	for (size_t i = 0; i < count; i++) {
		frames[i].module = *binary->path ? binary->path : "?";
		frames[i].build_id = binary->build_id;
		frames[i].offset = address;
	}
	struct frame *kept = arena_array(&lookup->names.arena, count, sizeof(*kept));
	if (!kept)
		return NULL;
	memcpy(kept, frames, count * sizeof(*kept));
	lookup->answers[at] = (struct answer){
		.binary = binary, .address = address, .outermost = outermost, .frames = kept, .count = count
	};
	lookup->answer_count++;
	return &lookup->answers[at];
}

static bool is_in(const struct view *view, const struct rec_stack *record, uint16_t frame, uint32_t flag)
{
	const struct rec_module *module = view_module(view, record->frames[frame] - 1, record->epoch);
	return module && (module->flags & flag);
}

/*
 * From which frame on there is nothing but libc, and _start: it calls main and the start routines of threads, and that is
 * in every stack there is. For the lines of those calls, which nobody wants to see, its debugging information would
 * have to be inflated, which takes longer than all the rest of a small report: they get the name of their
 * function alone.
 */
static uint16_t outermost_libc(const struct view *view, const struct rec_stack *record, uint16_t count)
{
	uint16_t from = count;
	if (record->flags & STACK_TRUNCATED)
		return count;
	if (from > 1 && is_in(view, record, from - 1, MODULE_MAIN))
		from--;
	while (from > 1 && is_in(view, record, from - 1, MODULE_LIBC))
		from--;
	return from;
}

/* -- the interface ----------------------------------------------------------- */

static size_t lookup_frames(struct symbolizer *self, const struct view *view, stack_id stack,
			    struct arena *arena, struct frame **ret_frames)
{
	struct lookup *lookup = (struct lookup *)self;
	*ret_frames = NULL;
	const struct rec_stack *record = view_stack(view, stack);
	if (!record || !record->count)
		return 0;
	/* A live target may still write to its tables: look at each number once. */
	uint16_t count = record->count;
	struct answer *found = arena_array(arena, count, sizeof(*found));
	if (!found)
		return 0;
	size_t total = 0;
	uint16_t outermost = outermost_libc(view, record, count);
	for (uint16_t i = 0; i < count; i++) {
		/* A return address is behind the call, perhaps in the next function. */
		bool exact = i == 0 && (record->flags & STACK_EXACT_PC);
		uint64_t address = record->frames[i];
		address -= exact || !address ? 0 : 1;
		const struct rec_module *module = view_module(view, address, record->epoch);
		struct binary *binary = module ? find_binary(lookup, view, module) : NULL;
		const struct answer *answer =
		    binary ? find_answer(lookup, binary, address - module->bias,
					 i >= outermost && (module->flags & MODULE_LIBC))
			   : NULL;
		if (answer)
			found[i] = *answer;
		else
			found[i] = (struct answer){ .address = address, .count = 1 };
		total += found[i].count;
	}
	struct frame *frames = arena_array(arena, total, sizeof(*frames));
	if (!frames)
		return 0;
	struct frame *at = frames;
	for (uint16_t i = 0; i < count; at += found[i++].count) {
		if (found[i].binary)
			memcpy(at, found[i].frames, found[i].count * sizeof(*at));
		else
			at->offset = found[i].address;
	}
	*ret_frames = frames;
	return total;
}

static const char *lookup_data(struct symbolizer *self, const struct view *view, uint64_t address,
			       struct arena *arena)
{
	struct lookup *lookup = (struct lookup *)self;
	const struct rec_module *module = last_module(view, address);
	struct binary *binary = module ? find_binary(lookup, view, module) : NULL;
	char text[2048];
	if (!binary || !binary->dwfl)
		return symbolizer_plain.data(&symbolizer_plain, view, address, arena);
	if (!binary_data(binary, address - module->bias, text, sizeof(text)))
		return NULL;
	return names_keep(&lookup->names, text);
}

static bool lookup_thread_local(struct lookup *lookup, const struct view *view, const struct rec_place *place,
				struct frame *ret_variable)
{
	const struct rec_module *module = place->module ? view_module_at(view, place->module - 1) : NULL;
	for (uint32_t i = 0; !place->module && !module && i < view_modules(view); i++)
		if (view_module_at(view, i)->flags & MODULE_MAIN)
			module = view_module_at(view, i);
	struct binary *binary = module ? find_binary(lookup, view, module) : NULL;
	uint64_t offset = place->offset;
	if (!binary || (!place->module && !binary_thread_offset(binary, place->offset, &offset)))
		return false;
	*ret_variable = (struct frame){ .module = *binary->path ? binary->path : "?" };
	return binary_thread_local(binary, offset, ret_variable);
}

static bool lookup_variable(struct symbolizer *self, const struct view *view, const struct rec_place *place,
			    struct frame *ret_variable)
{
	struct lookup *lookup = (struct lookup *)self;
	const struct rec_stack *stack = view_stack(view, place->stack);
	const struct rec_module *module = NULL;
	uint64_t address = 0;
	if (place->sort == PLACE_TLS)
		return lookup_thread_local(lookup, view, place, ret_variable);
	if (place->sort == PLACE_STACK && stack && place->frame && place->frame <= stack->count) {
		bool exact = place->frame == 1 && (stack->flags & STACK_EXACT_PC);
		address = stack->frames[place->frame - 1];
		address -= exact || !address ? 0 : 1;
		module = view_module(view, address, stack->epoch);
	}
	struct binary *binary = module ? find_binary(lookup, view, module) : NULL;
	if (!binary)
		return false;
	*ret_variable = (struct frame){ .module = *binary->path ? binary->path : "?" };
	return binary_local(binary, address - module->bias, place->below, ret_variable);
}

static const char *lookup_function(struct symbolizer *self, const struct view *view, uint64_t address,
				   struct arena *arena)
{
	struct lookup *lookup = (struct lookup *)self;
	const struct rec_module *module = last_module(view, address);
	struct binary *binary = module ? find_binary(lookup, view, module) : NULL;
	const struct answer *answer =
	    binary ? find_answer(lookup, binary, address - module->bias, false) : NULL;
	(void)arena;
	/* The outermost: what is inlined at its first instruction is not its name. */
	return answer ? answer->frames[answer->count - 1].function : NULL;
}

struct symbolizer *symbolizer_open(void)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return NULL;
	lookup->base = (struct symbolizer){
		.frames = lookup_frames,
		.data = lookup_data,
		.variable = lookup_variable,
		.function = lookup_function,
	};
	names_begin(&lookup->names);
	return &lookup->base;
}

void symbolizer_close(struct symbolizer *symbolizer)
{
	struct lookup *lookup = (struct lookup *)symbolizer;
	if (!lookup)
		return;
	for (size_t i = 0; i < BINARY_BUCKETS; i++) {
		for (struct binary *binary = lookup->binaries[i]; binary;) {
			struct binary *next = binary->next;
			binary_close(binary);
			binary = next;
		}
	}
	free(lookup->answers);
	names_release(&lookup->names);
	free(lookup);
}

void symbolizer_notes(struct symbolizer *symbolizer,
		      void (*each)(const char *path, const char *note, void *data), void *data)
{
	struct lookup *lookup = (struct lookup *)symbolizer;
	for (size_t i = 0; i < BINARY_BUCKETS; i++)
		for (struct binary *binary = lookup->binaries[i]; binary; binary = binary->next)
			if (binary->note)
				each(binary->path, binary->note, data);
}
