#include "reporter/symbolize/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static void *heap_more(size_t bytes)
{
	return calloc(1, bytes);
}

static void heap_less(void *memory, size_t bytes)
{
	(void)bytes;
	free(memory);
}

void names_begin(struct names *names)
{
	*names = (struct names){ .arena = { .more = heap_more, .less = heap_less } };
}

static uint64_t hash_bytes(const char *text, size_t bytes)
{
	uint64_t hash = bytes;
	for (; bytes >= 8; text += 8, bytes -= 8) {
		uint64_t word;
		memcpy(&word, text, sizeof(word));
		hash = hash_add(hash, word);
	}
	uint64_t rest = 0;
	memcpy(&rest, text, bytes);
	return hash_add(hash, rest);
}

static bool grow(struct names *names)
{
	size_t size = names->size ? names->size * 2 : 1024;
	const char **slots = calloc(size, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < names->size; i++) {
		if (!names->slots[i])
			continue;
		size_t at = hash_bytes(names->slots[i], strlen(names->slots[i])) & (size - 1);
		while (slots[at])
			at = (at + 1) & (size - 1);
		slots[at] = names->slots[i];
	}
	free(names->slots);
	names->slots = slots;
	names->size = size;
	return true;
}

const char *names_put(struct names *names, const char *text, size_t bytes)
{
	bytes = strnlen(text, bytes);
	if (names->count >= names->size / 2 && !grow(names))
		return NULL;
	size_t at = hash_bytes(text, bytes) & (names->size - 1);
	for (const char *known; (known = names->slots[at]); at = (at + 1) & (names->size - 1))
		if (strncmp(known, text, bytes) == 0 && !known[bytes])
			return known;
	const char *copy = arena_copy(&names->arena, text, bytes);
	if (copy) {
		names->slots[at] = copy;
		names->count++;
	}
	return copy;
}

const char *names_keep(struct names *names, const char *text)
{
	return text ? names_put(names, text, strlen(text)) : NULL;
}

void names_release(struct names *names)
{
	arena_release(&names->arena);
	free(names->slots);
	*names = (struct names){ 0 };
}
