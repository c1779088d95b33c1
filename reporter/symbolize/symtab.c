#include "reporter/symbolize/symtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/context.h"

/* Of several names for one function the one that its users know: `malloc`, not `__libc_malloc`. */
static uint32_t rank(const GElf_Sym *symbol, const char *name)
{
	uint32_t binding = GELF_ST_BIND(symbol->st_info);
	uint32_t known = binding == STB_GLOBAL || binding == STB_GNU_UNIQUE ? 2 : binding == STB_WEAK ? 1 : 0;
	size_t ugly = strspn(name, "_") * 32 + strnlen(name, 128);
	return known << 16 | (uint32_t)(0xffff - MIN_OF(ugly, (size_t)0xffff));
}

static bool is_code(const GElf_Sym *symbol, uint64_t address, const struct ranges *text)
{
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	case STT_NOTYPE:
		return ranges_find(text, address) != NULL;
	default:
		return false;
	}
}

static bool is_data(const GElf_Sym *symbol)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);
	return type == STT_OBJECT || type == STT_COMMON || type == STT_NOTYPE;
}

/* The end of code without a size: the next symbol, or the end of the executable part. */
static uint64_t label_end(const struct symtab *symtab, const struct ranges *labels, size_t index,
			  const struct ranges *text)
{
	uint64_t low = labels->at[index].low;
	const struct range *part = ranges_find(text, low);
	uint64_t end = part ? part->high : low + 1;
	for (size_t i = index + 1; i < labels->count; i++) {
		if (labels->at[i].low == low)
			continue;
		end = MIN_OF(end, labels->at[i].low);
		break;
	}
	size_t first = 0;
	size_t last = symtab->functions.count;
	while (first < last) {
		size_t middle = first + (last - first) / 2;
		if (symtab->functions.at[middle].low <= low)
			first = middle + 1;
		else
			last = middle;
	}
	if (first < symtab->functions.count)
		end = MIN_OF(end, symtab->functions.at[first].low);
	return end;
}

void symtab_read(struct symtab *symtab, Dwfl_Module *module, uint64_t bias, const struct ranges *text)
{
	int count = dwfl_module_getsymtab(module);
	if (count <= 0)
		return;
	symtab->symbols = calloc((size_t)count, sizeof(*symtab->symbols));
	if (!symtab->symbols)
		return;
	struct ranges bare = { 0 };
	for (int i = 1; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		GElf_Word section;
		const char *name =
		    dwfl_module_getsym_info(module, i, &symbol, &address, &section, NULL, NULL);
		if (!name || !*name || section == SHN_UNDEF || section == SHN_ABS || section == (GElf_Word)-1)
			continue;
		bool is_local = GELF_ST_TYPE(symbol.st_info) == STT_TLS;
		address = is_local ? symbol.st_value : address - bias;
		uint32_t item = (uint32_t)symtab->count;
		uint64_t end = address + symbol.st_size;
		if (is_code(&symbol, address, text)) {
			if (strncmp(name, ".L", 2) == 0)
				continue;
			if (symbol.st_size)
				ranges_add(&symtab->functions, address, end, item, rank(&symbol, name));
			else
				ranges_add(&bare, address, address + 1, item, rank(&symbol, name));
		} else if (is_local) {
			if (!ranges_add(&symtab->locals, address, end, item, rank(&symbol, name)))
				continue;
		} else if (is_data(&symbol)) {
			/* Without a size only its first byte is known. The linker's own marks (_edata) name nothing. */
			if (symbol.st_size)
				ranges_add(&symtab->objects, address, end, item, rank(&symbol, name));
			else if (*name != '_')
				ranges_add(&symtab->marks, address, address + 1, item, rank(&symbol, name));
			else
				continue;
		} else {
			continue;
		}
		symtab->symbols[symtab->count++] =
		    (struct symbol){ .name = name, .address = address, .bytes = symbol.st_size };
	}
	ranges_sort(&symtab->functions);
	ranges_sort(&symtab->objects);
	ranges_sort(&symtab->marks);
	ranges_sort(&symtab->locals);
	ranges_sort(&bare);
	/* A label inside a function that knows its size is not a function. */
	for (size_t i = 0; i < bare.count; i++)
		if (!ranges_find(&symtab->functions, bare.at[i].low))
			ranges_add(&symtab->labels, bare.at[i].low, label_end(symtab, &bare, i, text),
				   bare.at[i].item, bare.at[i].rank);
	ranges_sort(&symtab->labels);
	ranges_release(&bare);
}

const struct symbol *symtab_function(const struct symtab *symtab, uint64_t address)
{
	const struct range *range = ranges_find(&symtab->functions, address);
	if (!range)
		range = ranges_find(&symtab->labels, address);
	return range ? &symtab->symbols[range->item] : NULL;
}

const struct symbol *symtab_object(const struct symtab *symtab, uint64_t address)
{
	const struct range *range = ranges_find(&symtab->objects, address);
	if (!range)
		range = ranges_find(&symtab->marks, address);
	return range ? &symtab->symbols[range->item] : NULL;
}

const struct symbol *symtab_thread_local(const struct symtab *symtab, uint64_t offset)
{
	const struct range *range = ranges_find(&symtab->locals, offset);
	return range ? &symtab->symbols[range->item] : NULL;
}

void symtab_release(struct symtab *symtab)
{
	free(symtab->symbols);
	ranges_release(&symtab->functions);
	ranges_release(&symtab->labels);
	ranges_release(&symtab->objects);
	ranges_release(&symtab->marks);
	ranges_release(&symtab->locals);
	*symtab = (struct symtab){ 0 };
}
