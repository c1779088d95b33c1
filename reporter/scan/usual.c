#include "reporter/scan/usual.h"

#include "reporter/scan/maps.h"

/* What the header of a std::string's text has before the string (libstdc++'s old ABI): bytes, room for, owners. */
#define STRING_HEADER 24u

static bool is_array(const uint64_t *block, uint64_t bytes, uint64_t offset)
{
	if (offset != BLOCKS_ARRAY_COUNT_BYTES)
		return false;
	uint64_t count = block[0], elements = bytes - BLOCKS_ARRAY_COUNT_BYTES;
	return count && elements && elements % count == 0;
}

static bool is_string(const uint64_t *block, uint64_t bytes, uint64_t offset)
{
	return offset == STRING_HEADER && block[0] <= block[1] && block[1] < bytes - STRING_HEADER;
}

static bool is_behind_size(const uint64_t *block, uint64_t bytes, uint64_t offset)
{
	return offset == sizeof(uint64_t) && block[0] == bytes - sizeof(uint64_t);
}

static bool has_flags(const struct maps *maps, uint64_t address, uint32_t wanted, uint32_t unwanted)
{
	const struct map *map = maps_find(maps, address);
	return map && (map->flags & (wanted | unwanted)) == wanted;
}

/* A pointer to a table of functions, which is written once, by the loader. */
static bool is_table(const struct maps *maps, uint64_t address)
{
	return address % sizeof(uint64_t) == 0 &&
	       has_flags(maps, address, MAP_READ | MAP_OF_FILE, MAP_WRITE) &&
	       has_flags(maps, *(const uint64_t *)address, MAP_EXECUTE, 0);
}

static bool is_base(const struct maps *maps, const uint64_t *block, uint64_t offset)
{
	return maps && offset % sizeof(uint64_t) == 0 && is_table(maps, block[0]) &&
	       is_table(maps, block[offset / sizeof(uint64_t)]);
}

bool usual_middle(const struct blocks *blocks, uint32_t number, uint64_t start, uint64_t word,
		  const void *data)
{
	uint64_t bytes = blocks_look(blocks, start).bytes, offset = word - start;
	/* Another allocator's may be read in part only; and blocks of a pool are cut as the program likes. */
	if (offset >= bytes || blocks_flags(blocks, number) & (BLOCK_HOLES | BLOCK_POOL))
		return true;
	if (offset + sizeof(uint64_t) > bytes)
		return false;
	const uint64_t *block = (const uint64_t *)start;
	return is_array(block, bytes, offset) || is_string(block, bytes, offset) ||
	       is_behind_size(block, bytes, offset) || is_base(data, block, offset);
}
