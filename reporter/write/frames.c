#include "reporter/write/frames.h"

#include <string.h>

#include "base/text.h"

/* -- modules and offsets ---------------------------------------------------- */

static const char *build_id_text(const struct rec_module *module, struct arena *arena)
{
	uint32_t count = MIN_OF(module->build_id_bytes, REC_BUILD_ID_BYTES);
	char *hex = count ? arena_alloc(arena, (size_t)count * 2 + 1) : NULL;
	for (uint32_t i = 0; hex && i < count; i++) {
		hex[i * 2] = "0123456789abcdef"[module->build_id[i] >> 4];
		hex[i * 2 + 1] = "0123456789abcdef"[module->build_id[i] & 15];
	}
	return hex;
}

static size_t plain_frames(struct symbolizer *self, const struct view *view, stack_id stack,
			   struct arena *arena, struct frame **ret_frames)
{
	(void)self;
	*ret_frames = NULL;
	const struct rec_stack *record = view_stack(view, stack);
	if (!record || !record->count)
		return 0;
	struct frame *frames = arena_array(arena, record->count, sizeof(*frames));
	if (!frames)
		return 0;
	const struct rec_module *before = NULL;
	for (uint16_t i = 0; i < record->count; i++) {
		/* A return address is behind the call, perhaps in the next function. */
		bool exact = i == 0 && (record->flags & STACK_EXACT_PC);
		uint64_t address = record->frames[i] - (exact || !record->frames[i] ? 0 : 1);
		const struct rec_module *module = view_module(view, address, record->epoch);
		frames[i].offset = address;
		if (!module)
			continue;
		frames[i].offset = address - module->bias;
		const char *path = view_text(view, module->path);
		frames[i].module = *path ? path : "?";
		/* Neighbours are mostly of one module, and need one text. */
		frames[i].build_id =
		    i && module == before ? frames[i - 1].build_id : build_id_text(module, arena);
		before = module;
	}
	*ret_frames = frames;
	return record->count;
}

static const char *plain_data(struct symbolizer *self, const struct view *view, uint64_t address,
			      struct arena *arena)
{
	(void)self;
	const struct rec_module *module = view_module(view, address, view->header->epoch);
	const char *path = module ? path_base(view_text(view, module->path)) : "";
	if (!*path)
		return NULL;
	size_t size = strlen(path) + 24;
	char *name = arena_alloc(arena, size);
	if (!name)
		return NULL;
	struct text text = { .at = name, .size = size };
	text_format(&text, "%s+0x%lx", path, address - module->bias);
	return name;
}

static const char *plain_function(struct symbolizer *self, const struct view *view, uint64_t address,
				  struct arena *arena)
{
	return plain_data(self, view, address, arena);
}

static bool plain_variable(struct symbolizer *self, const struct view *view, const struct rec_place *place,
			   struct frame *ret_variable)
{
	(void)self;
	(void)view;
	(void)place;
	(void)ret_variable;
	return false;
}

struct symbolizer symbolizer_plain = {
	.frames = plain_frames, .data = plain_data, .variable = plain_variable, .function = plain_function
};

/* -- what a frame is to its reader ------------------------------------------ */

const char *path_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path ? path : "";
}

static bool begins_with_any(const char *text, const char *const *beginnings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

bool frame_is_runtime(const struct frame *frame)
{
	static const char *const modules[] = {
#define RUNTIME_MODULE(beginning) beginning,
#include "reporter/write/runtime_modules.def"
	};
	return frame->module && begins_with_any(path_base(frame->module), modules, COUNT_OF(modules));
}

bool frame_is_own(const struct frame *frame)
{
	static const char *const functions[] = {
#define LIBRARY_FUNCTION(beginning) beginning,
#include "reporter/write/library_functions.def"
	};
	if (frame_is_runtime(frame))
		return false;
	if (!frame->function)
		return frame->module;
	size_t length;
	return !begins_with_any(function_stem(frame->function, &length), functions, COUNT_OF(functions));
}

/* -- names of functions ----------------------------------------------------- */

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t count = strlen(end);
	return length > count && memcmp(text + length - count, end, count) == 0;
}

static char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool ends_with_any(const char *text, size_t length, const char *const *ends, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t end = strlen(ends[i]), same = 0;
		while (same < end && length >= end && ends[i][same] == char_lower(text[length - end + same]))
			same++;
		if (same == end)
			return true;
	}
	return false;
}

bool frame_is_allocator(const struct frame *frame)
{
	static const char *const ends[] = {
#define ALLOCATOR_FUNCTION(end) end,
#include "reporter/write/allocator_functions.def"
	};
	size_t length;
	if (!frame->function)
		return false;
	const char *stem = function_stem(frame->function, &length);
	while (length && (stem[length - 1] == '_' || (stem[length - 1] >= '0' && stem[length - 1] <= '9')))
		length--;
	return ends_with_any(stem, length, ends, COUNT_OF(ends));
}

/* Cuts one suffix that a compiler gave a clone of a function; false: there is none. */
static bool cut_clone_suffix(const char *text, size_t *length)
{
	static const char *const plain[] = { ".cold", ".isra", ".part", ".constprop", ".lto_priv", ".llvm" };
	size_t at = *length;
	while (at && text[at - 1] >= '0' && text[at - 1] <= '9')
		at--;
	if (at < *length && at && text[at - 1] == '.')
		at--;
	else
		at = *length;
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		if (!ends_with(text, at, plain[i]))
			continue;
		*length = at - strlen(plain[i]);
		return true;
	}
	return false;
}

/* "::h0123456789abcdef" behind a Rust symbol of the older mangling. */
static bool cut_rust_hash(const char *text, size_t *length)
{
	if (*length <= 19 || memcmp(text + *length - 19, "::h", 3) != 0)
		return false;
	for (size_t i = *length - 16; i < *length; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	*length -= 19;
	return true;
}

/* The bracket at `at` opens something: the place behind its counterpart, or NULL. */
static const char *skip_bracket(const char *at)
{
	unsigned depth = 0;
	for (; *at; at++) {
		if (*at == '(' || *at == '<' || *at == '[' || *at == '{')
			depth++;
		else if ((*at == ')' || *at == '>' || *at == ']' || *at == '}') &&
			 !(*at == '>' && at[-1] == '-'))
			if (--depth == 0)
				return at + 1;
	}
	return NULL;
}

/*
 * Finds in a demangled name "RESULT NAME(PARAMETERS) const" the piece NAME. A name of C is its
 * own stem. What can't be understood is left as it is: a stem only has to be the same each time.
 */
const char *function_stem(const char *function, size_t *ret_length)
{
	static const char anonymous[] = "(anonymous namespace)";
	const char *start = function, *end = NULL;
	for (const char *at = function; *at && !end;) {
		if (strncmp(at, anonymous, strlen(anonymous)) == 0) {
			at += strlen(anonymous);
		} else if (strncmp(at, "operator", 8) == 0 &&
			   (at == function || at[-1] == ':' || at[-1] == ' ')) {
			at +=
			    8; /* operator(), operator<<, operator new[], operator int: up to the parameters */
			if (strncmp(at, "()", 2) == 0)
				at += 2;
			while (*at && *at != '(')
				at++;
			end = *at ? at : NULL;
		} else if (*at == '(') {
			const char *next = skip_bracket(at);
			if (next && (*next == ':' || *next == '('))
				at = next; /* f(int)::{lambda}, or a result that is a pointer to a function */
			else if (next && strncmp(next, " const::", 8) == 0)
				at = next + 6;
			else if (at > start)
				end = at;
			else
				at++;
		} else if (*at == '<' || *at == '[' || *at == '{') {
			const char *next = skip_bracket(at);
			at = next ? next : at + strlen(at);
		} else if (*at == ' ' && at[1] == '[' && at > start) {
			end = at; /* "f [clone .cold]" */
		} else if (*at == ' ') {
			/* A Rust path holds spaces inside <> alone; in C++ one at this level ends the result. */
			start = ++at;
		} else {
			at++;
		}
	}
	size_t length = end ? (size_t)(end - start) : strlen(start);
	if (!length) {
		start = function;
		length = strlen(function);
	}
	while (cut_clone_suffix(start, &length) || cut_rust_hash(start, &length))
		;
	*ret_length = length;
	return start;
}
