#include "reporter/storage.h"

#include <elf.h>
#include <string.h>

#include "registry/recording.h"
#include "stack/memory.h"

#define HEADERS_MOST 24u

/* A module's thread-local storage, as its program headers have it; false: it has none, or they can't be read. */
static bool tls_of_module(const struct rec_module *module, Elf64_Phdr *ret_header)
{
	Elf64_Ehdr file;
	Elf64_Phdr headers[HEADERS_MOST];
	if (!memory_copy(&file, module->start, sizeof file) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
	    file.e_phentsize != sizeof headers[0] || !file.e_phnum || file.e_phoff > 2048 ||
	    !memory_copy(headers, module->start + file.e_phoff,
			 MIN_OF(file.e_phnum, HEADERS_MOST) * sizeof headers[0]))
		return false;
	for (unsigned i = 0; i < MIN_OF(file.e_phnum, HEADERS_MOST); i++) {
		if (headers[i].p_type != PT_TLS)
			continue;
		*ret_header = headers[i];
		return true;
	}
	return false;
}

struct storage_room storage_room(void)
{
	const struct view *view = recording_view();
	struct storage_room room = { 0 };
	const struct rec_module *module;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++) {
		Elf64_Phdr header;
		if (module->unloaded || !tls_of_module(module, &header))
			continue;
		uint64_t align = MAX_OF(header.p_align, UINT64_C(1));
		room.all += header.p_memsz + align;
		/* The program's is the first below the thread pointer; only where its start is aligned is its place plain. */
		if (module->flags & MODULE_MAIN && header.p_vaddr % align == 0)
			room.own = (header.p_memsz + align - 1) / align * align;
	}
	return room;
}

#ifdef __x86_64__
/* The word behind the thread pointer's own: where the list is. */
#define LIST_AT 8u

/* Of the list: one before its first one its length, in it when it was last brought up to date, then by number where storage is. */
struct entry {
	uint64_t word, unused;
};

static bool entry_read(uint64_t list, int64_t number, struct entry *ret_entry)
{
	return memory_copy(ret_entry, list + (uint64_t)number * sizeof *ret_entry, sizeof *ret_entry);
}

#define STORAGE_MOST (UINT64_C(1) << 30) /* a module has less */

bool storage_find(uint64_t thread_pointer, uint64_t address, struct rec_place *ret_place)
{
	const struct view *view = recording_view();
	const struct rec_module *module;
	struct entry length, entry;
	uint64_t list;
	if (!thread_pointer || !memory_copy(&list, thread_pointer + LIST_AT, sizeof list) || !list ||
	    list % 8 || !entry_read(list, -1, &length))
		return false;
	for (uint32_t i = 0; (module = view_module_at(view, i)); i++) {
		uint32_t number = atomic_load_explicit(&module->storage, memory_order_relaxed);
		Elf64_Phdr header;
		if (!number || number > length.word || module->unloaded || module->flags & MODULE_MAIN ||
		    !entry_read(list, number, &entry) || address < entry.word ||
		    address - entry.word > STORAGE_MOST || !tls_of_module(module, &header) ||
		    address - entry.word >= header.p_memsz)
			continue;
		ret_place->sort = PLACE_TLS;
		ret_place->module = i + 1;
		ret_place->offset = address - entry.word;
		return true;
	}
	return false;
}
#else
bool storage_find(uint64_t thread_pointer, uint64_t address, struct rec_place *ret_place)
{
	(void)thread_pointer, (void)address, (void)ret_place;
	return false;
}
#endif
