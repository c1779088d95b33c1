#include "hooks/bind_table.h"

#include <string.h>

#include "base/hash.h"
#include "registry/recording.h"

/* -- the built-in ones -------------------------------------------------------- */

static const struct pair library_pairs[] = {
#define LIBRARY_PAIR(name_, kind_) { .name = (name_), .kind = KIND_##kind_ },
#define ACQUIRE(function, handle, container, when)
#define RELEASE(function, handle, when)
#include "hooks/library_pairs.def"
};

#define RET ((struct pair_value){ .source = PAIR_RET })
#define ARG(n) ((struct pair_value){ .source = PAIR_ARG, .number = (n) })
#define AT_ARG(n) ((struct pair_value){ .source = PAIR_AT_ARG, .number = (n) })
#define INT_RET ((struct pair_value){ .source = PAIR_RET, .is_int = true })
#define INT(n) ((struct pair_value){ .source = PAIR_ARG, .number = (n), .is_int = true })
#define FIRST_INT(n) ((struct pair_value){ .source = PAIR_AT_ARG, .number = (n), .is_int = true })
#define SECOND_INT(n) ((struct pair_value){ .source = PAIR_AT_ARG, .number = (n), .is_int = true, .word = 1 })
#define WORD(n, word_) ((struct pair_value){ .source = PAIR_AT_ARG, .number = (n), .word = (word_) })
#define FROM(n) ((struct pair_value){ .source = PAIR_FROM, .number = (n), .is_int = true })
#define RANGE(n) ((struct pair_value){ .source = PAIR_RANGE, .number = (n), .is_int = true })
#define RIGHTS(n) ((struct pair_value){ .source = PAIR_RIGHTS, .number = (n), .is_int = true })
#define BITS(n) ((struct pair_value){ .source = PAIR_BITS, .number = (n), .is_int = true })
#define NOTHING ((struct pair_value){ .source = PAIR_NOTHING })
#define ALWAYS ((struct pair_when){ .test = PAIR_ALWAYS })
#define NOT_NULL ((struct pair_when){ .test = PAIR_NE, .is_pointer = true })
#define TEST(test_, value_) ((struct pair_when){ .test = PAIR_##test_, .value = (value_) })
#define ASKED(function, test_, value_) \
	((struct pair_when){ .test = PAIR_##test_, .value = (value_), .asks = #function })

/* A line without a function begins the next pair. */
static const struct pair_line library_lines[] = {
#define LIBRARY_PAIR(name, kind) { .function = NULL },
#define ACQUIRE(function_, handle_, container_, when_) \
	{ .function = #function_, \
	  .handle = handle_, \
	  .container = container_, \
	  .when = when_, \
	  .acquires = true },
#define RELEASE(function_, handle_, when_) { .function = #function_, .handle = handle_, .when = when_ },
#include "hooks/library_pairs.def"
};

static const char *const methods[] = {
#define LIBRARY_PAIR(name, kind)
#define ACQUIRE(function, handle, container, when)
#define RELEASE(function, handle, when)
#define METHOD(function) #function,
#include "hooks/library_pairs.def"
};

/* Of descriptors: one pair, which has no name but the number. */
static const struct pair_line descriptor_lines[] = {
#define ACQUIRE(function_, handle_, when_) \
	{ .function = #function_, .handle = handle_, .when = when_, .acquires = true },
#define RELEASE(function_, handle_, when_) { .function = #function_, .handle = handle_, .when = when_ },
#define MEETS(function_, handle_) { .function = #function_, .handle = handle_ },
#include "hooks/descriptors.def"
};

/* -- the table ----------------------------------------------------------------- */

#define FUNCTIONS_MOST 2048u
#define SLOTS 8192u      /* of the hash table; a power of two */
#define BEGINNINGS 4096u /* bits that say which first four bytes a name may have */
#define PAIRS_IN_ALL (COUNT_OF(library_pairs) + 1 + PAIRS_MOST)

struct bind_action bind_actions[BIND_ACTIONS_MOST];
static struct bind_function functions[FUNCTIONS_MOST];
static uint16_t slots[SLOTS]; /* number of the function + 1 */
static uint64_t beginnings[BEGINNINGS / 64];
static const char *pair_names[PAIRS_IN_ALL];
text_id bind_pair_texts[PAIRS_IN_ALL];
static uint32_t action_count, function_count, pair_count;

static uint32_t beginning_of(const char *name)
{
	uint32_t first = 0;
	for (unsigned i = 0; i < 4 && name[i]; i++)
		first |= (uint32_t)(unsigned char)name[i] << (8 * i);
	return (uint32_t)(first * UINT32_C(0x9e3779b1)) >> 20;
}

_Static_assert(BEGINNINGS == 1u << 12, "as many bits as beginning_of leaves");

struct bind_function *bind_table_find(const char *name)
{
	uint32_t first = beginning_of(name);
	if (LIKELY(!(beginnings[first / 64] >> (first % 64) & 1)))
		return NULL;
	uint64_t hash = hash_text(name);
	for (size_t at = hash % SLOTS; slots[at]; at = (at + 1) % SLOTS) {
		struct bind_function *function = &functions[slots[at] - 1];
		if (function->hash == hash && strcmp(function->name, name) == 0)
			return function;
	}
	return NULL;
}

static struct bind_function *function_get(const char *name)
{
	struct bind_function *function = bind_table_find(name);
	if (function)
		return function;
	if (function_count == FUNCTIONS_MOST)
		return NULL;
	function = &functions[function_count++];
	function->name = name;
	function->hash = hash_text(name);
	uint32_t first = beginning_of(name);
	beginnings[first / 64] |= UINT64_C(1) << (first % 64);
	size_t at = function->hash % SLOTS;
	while (slots[at])
		at = (at + 1) % SLOTS;
	slots[at] = (uint16_t)function_count;
	return function;
}

static bool line_add(const struct pair_line *line, uint32_t pair, enum kind kind, bool configured)
{
	struct bind_function *function = function_get(line->function);
	if (!function || action_count == BIND_ACTIONS_MOST)
		return false;
	struct bind_action *action = &bind_actions[action_count++];
	*action = (struct bind_action){
		.line = line,
		.pair = (uint16_t)pair,
		.kind = (uint8_t)kind,
		.configured = configured,
		.next = function->first,
		.keeps = line->acquires && line->handle.source == PAIR_ARG,
	};
	function->first = (uint16_t)action_count;
	function->configured |= configured;
	function->acquires |= line->acquires;
	function->releases |= !line->acquires;
	function->releases_when |= !line->acquires && line->when.test != PAIR_ALWAYS;
	return true;
}

void bind_table_start(bool with_descriptors)
{
	uint32_t pair = UINT32_MAX;
	for (size_t i = 0; i < COUNT_OF(library_pairs); i++)
		pair_names[pair_count++] = library_pairs[i].name;
	for (size_t i = 0; i < COUNT_OF(library_lines); i++) {
		if (!library_lines[i].function)
			pair++;
		else
			line_add(&library_lines[i], pair, library_pairs[pair].kind, false);
	}
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		struct bind_function *method = function_get(methods[i]);
		if (method)
			method->method = true;
	}
	pair_names[pair_count++] = "descriptor";
	for (size_t i = 0; i < COUNT_OF(descriptor_lines) && with_descriptors; i++)
		line_add(&descriptor_lines[i], pair_count - 1, KIND_DESCRIPTOR, false);
	struct bind_function *asked = function_get("dlsym");
	if (asked)
		asked->dlsym = true;
}

bool bind_table_add(const struct pairs *pairs)
{
	uint32_t first = pair_count;
	if (first + pairs->pair_count > PAIRS_IN_ALL)
		return false;
	for (uint32_t i = 0; i < pairs->pair_count; i++)
		pair_names[pair_count++] = pairs->pairs[i].name;
	for (uint32_t i = 0; i < pairs->line_count; i++) {
		const struct pair_line *line = &pairs->lines[i];
		if (!line_add(line, first + line->pair, pairs->pairs[line->pair].kind, true))
			return false;
	}
	return true;
}

void bind_table_each(void (*each)(struct bind_function *function, void *data), void *data)
{
	for (uint32_t i = 0; i < function_count; i++)
		each(&functions[i], data);
}

/* -- names --------------------------------------------------------------------- */

text_id bind_pair_text_new(uint16_t pair)
{
	text_id text = recording_text(pair_names[pair]);
	__atomic_store_n(&bind_pair_texts[pair], text, __ATOMIC_RELAXED);
	return text;
}

void bind_table_name(void)
{
	memset(bind_pair_texts, 0, sizeof bind_pair_texts);
}
