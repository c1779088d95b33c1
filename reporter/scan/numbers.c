#include "reporter/scan/numbers.h"

#include <string.h>

#include "base/digits.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/kind.h"
#include "registry/opened.h"
#include "reporter/scan/memory.h"
#include "reporter/scan/polled.h"

void numbers_ignore(struct numbers *numbers, uint64_t start, uint64_t end)
{
	if (numbers->ignored_count < COUNT_OF(numbers->ignored))
		numbers->ignored[numbers->ignored_count++] = (struct range){ start, end };
}

/* What it has waited for by its bit it may keep as that. */
static void know_bits(struct numbers *numbers)
{
	for (uint64_t at = 0; at < NUMBERS_MOST; at += 64)
		numbers->known[at / 64] |= numbers->wanted[at / 64] & opened_by_bits(at);
}

struct numbers *numbers_make(const struct snapshot *snapshot)
{
	struct numbers *numbers = NULL;
	for (uint32_t i = 0; i < snapshot->resource_count; i++) {
		const struct rec_hold *hold = &snapshot->resources[i];
		if (hold->kind != KIND_DESCRIPTOR || hold->handle >= NUMBERS_MOST)
			continue;
		if (!numbers)
			numbers = memory_array(1, sizeof *numbers);
		if (!numbers)
			return NULL;
		numbers->wanted[hold->handle / 64] |= UINT64_C(1) << (hold->handle % 64);
		numbers->limit = MAX_OF(numbers->limit, (uint32_t)hold->handle + 1);
	}
	if (numbers)
		know_bits(numbers);
	return numbers;
}

void numbers_free(struct numbers *numbers)
{
	memory_free(numbers, 1, sizeof *numbers);
}

static bool is_ignored(const struct numbers *numbers, uint64_t address)
{
	for (uint32_t i = 0; i < numbers->ignored_count; i++)
		if (address >= numbers->ignored[i].start && address < numbers->ignored[i].end)
			return true;
	return false;
}

static inline void look_at(struct numbers *numbers, uint32_t number)
{
	if (UNLIKELY(number < numbers->limit))
		numbers->known[number / 64] |= numbers->wanted[number / 64] & UINT64_C(1) << (number % 64);
}

/* Exponents of doubles from 1 to NUMBERS_MOST. */
#define EXPONENT_SHIFT 52u
#define EXPONENT_OF_1 0x3ffu
#define EXPONENTS 17u

static inline bool may_be_double(uint64_t word)
{
	return (word >> EXPONENT_SHIFT) - EXPONENT_OF_1 < EXPONENTS;
}

/* A word of a language whose values carry their type: OCaml and Ruby have 2n + 1, SBCL 2n, Emacs and Guile 4n + 2, Lua a double. */
static void look_at_value(struct numbers *numbers, uint64_t word)
{
	if (word < 4 * (uint64_t)numbers->limit) {
		look_at(numbers, (uint32_t)word >> 1);
		if (word % 4 == 2)
			look_at(numbers, (uint32_t)word >> 2);
	} else if (may_be_double(word)) {
		double value;
		memcpy(&value, &word, sizeof value);
		if (value == (double)(uint32_t)value)
			look_at(numbers, (uint32_t)value);
	}
}

/* The number that a word begins with as a text of its own, as a shell's variables hold them; UINT64_MAX: none. */
static inline uint64_t text_of_word(uint64_t word)
{
	uint64_t number = 0;
	for (; (uint8_t)(word - '0') < 10 && number < NUMBERS_MOST; word >>= 8)
		number = number * 10 + (uint8_t)(word - '0');
	return (uint8_t)word ? UINT64_MAX : number;
}

/* Four shorts: each is one that is looked for, or less than that, or -1. Parts of any other word would be any number by chance. */
static inline bool may_be_shorts(uint64_t word, uint32_t limit)
{
	for (unsigned shift = 0; shift < 64; shift += 16)
		if ((uint16_t)(word >> shift) >= limit && (uint16_t)(word >> shift) != UINT16_MAX)
			return false;
	return true;
}

static inline bool may_be_text(uint64_t word)
{
	return (uint8_t)(word - '0') < 10;
}

static inline bool may_hold_one(uint64_t word, uint32_t limit)
{
	return (uint32_t)word < limit || word < 4 * (uint64_t)limit || (uint32_t)(word >> 32) < limit ||
	       may_be_shorts(word, limit) || may_be_text(word) || may_be_double(word);
}

static void look_at_word(struct numbers *numbers, uint64_t word)
{
	look_at(numbers, (uint32_t)word);
	look_at(numbers, (uint32_t)(word >> 32));
	for (unsigned shift = 0; shift < 64 && may_be_shorts(word, numbers->limit); shift += 16)
		look_at(numbers, (uint16_t)(word >> shift));
	look_at_value(numbers, word);
	if (may_be_text(word))
		look_at(numbers, (uint32_t)text_of_word(word));
}

void numbers_look(struct numbers *numbers, const uint64_t *words, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (words[i] && UNLIKELY(may_hold_one(words[i], numbers->limit)) &&
		    !is_ignored(numbers, (uintptr_t)&words[i]))
			look_at_word(numbers, words[i]);
}

static void look_at_file(const char *text, void *data)
{
	struct numbers *numbers = data;
	uint64_t number;
	if (!text)
		memcpy(numbers->known, numbers->wanted, sizeof numbers->known);
	for (const char *at = text; at && (at = digits_behind(at, "tfd:"));) {
		at = digits_decimal(at, &number);
		look_at(numbers, (uint32_t)number);
	}
}

void numbers_polled(struct numbers *numbers, int32_t pid)
{
	polled_each(pid, look_at_file, numbers);
}

bool numbers_known(const struct numbers *numbers, uint64_t number)
{
	return number >= NUMBERS_MOST || numbers->known[number / 64] >> (number % 64) & 1;
}

#define FILE_BYTES 4096

bool numbers_lose(int32_t tid, uint64_t number)
{
	char name[32], file[FILE_BYTES];
	struct text text = TEXT_OF(name);
	text_format(&text, "fdinfo/%lu", number);
	return process_read_task(0, tid, name, file, sizeof file) > 0 && !digits_behind(file, "\nlock:");
}

bool numbers_target(int32_t tid, uint64_t number, struct text *target)
{
	char path[64], link[256];
	struct text text = TEXT_OF(path);
	text_format(&text, "/proc/self/task/%d/fd/%lu", tid, number);
	long length = sys_readlink(path, link, sizeof link - 1);
	if (length <= 0)
		return false;
	link[length] = '\0';
	/* "socket:[4711]", "anon_inode:[eventfd]", "anon_inode:inotify": the number says nothing to anybody. */
	const char *kind = *link == '/' ? NULL : strchr(link, ':');
	if (!kind) {
		text_put(target, link);
		return true;
	}
	kind += kind[1] == '[' ? 2 : 1;
	if (*kind >= '0' && *kind <= '9')
		text_bytes(target, link, strcspn(link, ":"));
	else
		text_bytes(target, kind, strcspn(kind, "]"));
	return true;
}
