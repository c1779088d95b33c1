#include "platform/relocations.h"

#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>

#include "base/context.h"
#include "platform/sys.h"

#define PAGE UINT64_C(4096)

/* -- modules ----------------------------------------------------------------- */

static bool read_module(const struct dl_phdr_info *info, struct elf_module *module)
{
	*module = (struct elf_module){ .bias = info->dlpi_addr, .start = UINT64_MAX };
	module->name = info->dlpi_name ? info->dlpi_name : "";
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t low = info->dlpi_addr + header->p_vaddr, high = low + header->p_memsz;
		switch (header->p_type) {
		case PT_LOAD:
			module->start = MIN_OF(module->start, low);
			module->end = MAX_OF(module->end, high);
			break;
		case PT_DYNAMIC:
			module->dynamic = (const void *)low;
			break;
		case PT_GNU_RELRO:
			/* As the loader rounds them. */
			module->relro_start = low & ~(PAGE - 1);
			module->relro_end = high & ~(PAGE - 1);
			break;
		default:
			break;
		}
	}
	return module->dynamic && module->start < module->end;
}

struct visit {
	void (*visit)(const struct elf_counts *counts, void *data);
	void *data;
};

static int visit_once(struct dl_phdr_info *info, size_t size, void *data)
{
	struct visit *visit = data;
	struct elf_counts counts = { 0 };
	if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
		counts = (struct elf_counts){ .loaded = info->dlpi_adds, .unloaded = info->dlpi_subs };
	visit->visit(&counts, visit->data);
	return 1;
}

void relocations_visit(void (*visit)(const struct elf_counts *counts, void *data), void *data)
{
	struct visit job = { .visit = visit, .data = data };
	dl_iterate_phdr(visit_once, &job);
}

struct walk {
	bool (*each)(struct elf_module *module, void *data);
	void *data;
};

static int walk_one(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct walk *walk = data;
	struct elf_module module;
	(void)size;
	return read_module(info, &module) && !walk->each(&module, walk->data);
}

void relocations_modules(bool (*each)(struct elf_module *module, void *data), void *data)
{
	struct walk walk = { .each = each, .data = data };
	dl_iterate_phdr(walk_one, &walk); /* its lock may be taken again by who has it */
}

/* -- words ------------------------------------------------------------------- */

struct tables {
	const ElfW(Rela) * data, *calls;
	uint64_t data_count, call_count;
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint16_t *versions;
	const ElfW(Verneed) * needs;
	uint64_t need_count;
};

static const void *table_at(const struct elf_module *module, uint64_t pointer)
{
	return (const void *)(pointer < module->bias ? pointer + module->bias : pointer);
}

static bool read_tables(const struct elf_module *module, struct tables *tables)
{
	*tables = (struct tables){ 0 };
	bool plain = true;
	for (const ElfW(Dyn) *entry = module->dynamic; entry->d_tag != DT_NULL; entry++) {
		const void *at = table_at(module, entry->d_un.d_ptr);
		switch (entry->d_tag) {
		case DT_RELA:
			tables->data = at;
			break;
		case DT_RELASZ:
			tables->data_count = entry->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_JMPREL:
			tables->calls = at;
			break;
		case DT_PLTRELSZ:
			tables->call_count = entry->d_un.d_val / sizeof(ElfW(Rela));
			break;
		case DT_PLTREL:
			plain = entry->d_un.d_val == DT_RELA;
			break;
		case DT_SYMTAB:
			tables->symbols = at;
			break;
		case DT_STRTAB:
			tables->strings = at;
			break;
		case DT_VERSYM:
			tables->versions = at;
			break;
		case DT_VERNEED:
			tables->needs = at;
			break;
		case DT_VERNEEDNUM:
			tables->need_count = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	if (!tables->data)
		tables->data_count = 0;
	if (!tables->calls)
		tables->call_count = 0;
	return plain && tables->symbols && tables->strings;
}

#define VERSION_HIDDEN 0x8000u

static const char *version_of(const struct tables *tables, uint32_t symbol)
{
	uint16_t wanted = tables->versions ? tables->versions[symbol] & (uint16_t)~VERSION_HIDDEN : 0;
	const ElfW(Verneed) *need = tables->needs;
	for (uint64_t i = 0; wanted > VER_NDX_GLOBAL && need && i < tables->need_count; i++) {
		const ElfW(Vernaux) *name = (const void *)((const char *)need + need->vn_aux);
		for (unsigned k = 0; k < need->vn_cnt; k++) {
			if ((name->vna_other & ~VERSION_HIDDEN) == wanted)
				return tables->strings + name->vna_name;
			name = (const void *)((const char *)name + name->vna_next);
		}
		need = (const void *)((const char *)need + need->vn_next);
	}
	return NULL;
}

static bool names_a_function(unsigned type, const ElfW(Rela) * entry)
{
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
	       (type == R_X86_64_64 && entry->r_addend == 0);
}

void relocations_each(struct elf_module *module, bool (*wants)(const char *name),
		      void (*each)(struct elf_module *module, const struct elf_slot *slot, void *data),
		      void *data)
{
	struct tables tables;
	if (!read_tables(module, &tables))
		return;
	for (uint64_t i = 0; i < tables.data_count + tables.call_count; i++) {
		const ElfW(Rela) *entry =
		    i < tables.data_count ? &tables.data[i] : &tables.calls[i - tables.data_count];
		unsigned type = ELF64_R_TYPE(entry->r_info);
		uint32_t symbol = (uint32_t)ELF64_R_SYM(entry->r_info);
		if (!symbol || !names_a_function(type, entry))
			continue;
		const char *name = tables.strings + tables.symbols[symbol].st_name;
		if (LIKELY(!wants(name)))
			continue;
		struct elf_slot slot = {
			.at = (uint64_t *)(module->bias + entry->r_offset),
			.name = name,
			.version = version_of(&tables, symbol),
			.called = type == R_X86_64_JUMP_SLOT,
		};
		uint64_t at = (uintptr_t)slot.at;
		if (at >= module->start && at + sizeof *slot.at <= module->end && at % sizeof *slot.at == 0)
			each(module, &slot, data);
	}
}

/* -- storing ----------------------------------------------------------------- */

/*
 * Whether the page of `at` can be written now, without a change and without a fault: the kernel adds 0 to the word, or says
 * that it can't.
 */
static bool is_writable(uint64_t *at)
{
	uint32_t other = 0;
	long woken = sys_call6(SYS_futex, (long)&other, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, (long)at,
			       FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
	return woken >= 0;
}

static int protect(const struct elf_module *module, int protection)
{
	return (int)sys_call3(SYS_mprotect, module->relro_start, module->relro_end - module->relro_start,
			      protection);
}

bool relocations_finished(const struct elf_module *module)
{
	return module->relro_end <= module->relro_start || !is_writable((uint64_t *)module->relro_start);
}

int relocations_store(struct elf_module *module, const struct elf_slot *slot, uint64_t value)
{
	uint64_t at = (uintptr_t)slot->at;
	if (!is_writable(slot->at)) {
		if (at < module->relro_start || at >= module->relro_end ||
		    protect(module, PROT_READ | PROT_WRITE) != 0)
			return -EACCES;
		module->relro_open = true;
	}
	__atomic_store_n(slot->at, value, __ATOMIC_RELEASE);
	return 0;
}

void relocations_done(struct elf_module *module)
{
	if (module->relro_open)
		protect(module, PROT_READ);
	module->relro_open = false;
}
