/*
 * Why the table of modules is safe without a lock.
 *
 * A place in `starts` is taken by compare-and-swap, for one start address, for ever; the slot of the same number
 * holds the module that is there now. So two threads that add the same module meet in one slot.
 *
 * The slot's `state` is its lock and its sequence number. Who moves it from EMPTY or RETIRED to FILLING owns the
 * slot, and its READY (release) shows what he filled in; nobody waits for him. A reader copies a READY slot and
 * looks at the state again: a number that has not changed means that nobody has begun to fill it since, for filling
 * takes the state up by at least one round. (The copy itself races with a filler, and is thrown away then. On
 * x86-64 stores are seen in their order, so none of the filler's comes before his FILLING.)
 *
 * Retiring is one compare-and-swap from the very state that was looked at; who loses it has nothing to do. What
 * follows is in the order that stack/rules.c explains: the epoch, then the rules; the recording is told last, where
 * a reader who finds no `unloaded` yet sees the module with the stacks that it had.
 *
 * A scan gives tickets: it retires what no scan with its ticket or a later one has seen. A module that is added
 * meanwhile bears a ticket at least as new, or is asked for by address once more (still_mapped).
 *
 * Names are the loader's memory and go with the module: they are read while the slot is filled alone, by a thread
 * that just found the module through the loader.
 *
 * Tested by testprogs/unit/test_stack_modules.c: loading, unloading and unwinding at once.
 */
#include "stack/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/text.h"
#include "platform/lock.h"
#include "platform/process.h"
#include "platform/sys.h"
#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/last.h"
#include "stack/memory.h"
#include "stack/rules.h"
#include "stack/stack.h"

#ifdef DLFO_STRUCT_HAS_EH_DBASE
#define HAVE_FIND_OBJECT 1
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));
#endif
extern const char *gnu_get_libc_version(void) __attribute__((weak));

#define MODULES_MOST 2048u /* eight times what a desktop program maps; more are used but not recorded */

enum { SLOT_EMPTY, SLOT_FILLING, SLOT_READY, SLOT_RETIRED, SLOT_STATES };

/*
 * `state` counts up by SLOT_STATES with each filling, so that a reader who finds the
 * same number before and after has copied one module and not halves of two.
 */
struct slot {
	uint32_t state;
	uint32_t seen;    /* the ticket of the last scan that found it */
	uint32_t record;  /* number in REC_MODULES + 1; 0: it found no room */
	uint32_t flags;   /* enum module_flag */
	uint32_t storage; /* rec_module.storage */
	const char *name; /* the loader's; goes with the module */
	struct module module;
	uint32_t build_id_bytes;
	uint8_t build_id[REC_BUILD_ID_BYTES];
};

/* Starts apart from the rest: looking for one reads eight in a cache line. A place is never given back. */
static uint64_t starts[MODULES_MOST];
static struct slot slots[MODULES_MOST];
static uint32_t tickets;
static uint32_t epoch;

/* What is known of a module before it gets its slot. */
struct candidate {
	struct module module;
	const char *name;
	uint32_t storage;
	uint32_t build_id_bytes;
	uint8_t build_id[REC_BUILD_ID_BYTES];
};

/* -- where modules went away ------------------------------------------------ */

/*
 * A few places: programs that load and unload do it at the same addresses over and over. Where
 * there are more, everything before `forgotten` counts as changed.
 */
#define GONE_MOST 64u
static struct {
	uint64_t start, end;
	uint32_t epoch;
} gone[GONE_MOST];
static uint32_t gone_count, gone_forgotten;
static struct lock gone_lock;

static void gone_add(uint64_t start, uint64_t end, uint32_t at)
{
	if (!lock_take(&gone_lock)) {
		__atomic_store_n(&gone_forgotten, at, __ATOMIC_RELEASE);
		return;
	}
	uint32_t i = 0;
	while (i < gone_count && (gone[i].start != start || gone[i].end != end))
		i++;
	if (i == GONE_MOST) {
		__atomic_store_n(&gone_forgotten, at, __ATOMIC_RELEASE);
	} else {
		gone[i].start = start;
		gone[i].end = end;
		__atomic_store_n(&gone[i].epoch, at, __ATOMIC_RELEASE);
		if (i == gone_count)
			__atomic_store_n(&gone_count, i + 1, __ATOMIC_RELEASE);
	}
	lock_release(&gone_lock);
}

bool modules_same_since(uint32_t since, const uint64_t *addresses, uint32_t count)
{
	if (__atomic_load_n(&gone_forgotten, __ATOMIC_ACQUIRE) > since)
		return false;
	uint32_t places = __atomic_load_n(&gone_count, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < places; i++) {
		if (__atomic_load_n(&gone[i].epoch, __ATOMIC_ACQUIRE) <= since)
			continue;
		for (uint32_t k = 0; k < count; k++)
			if (addresses[k] - gone[i].start < gone[i].end - gone[i].start)
				return false;
	}
	return true;
}

bool module_gone_next(uint32_t since, uint32_t *at, uint64_t *ret_start, uint64_t *ret_end)
{
	while (*at < __atomic_load_n(&gone_count, __ATOMIC_ACQUIRE)) {
		uint32_t i = (*at)++;
		if (__atomic_load_n(&gone[i].epoch, __ATOMIC_ACQUIRE) <= since)
			continue;
		*ret_start = gone[i].start;
		*ret_end = gone[i].end;
		return true;
	}
	return false;
}

uint32_t modules_epoch(void)
{
	return __atomic_load_n(&epoch,
			       __ATOMIC_SEQ_CST); /* see stack/rules.c; no dearer than any other load */
}

/* -- reading ELF ------------------------------------------------------------ */

bool module_covers(const struct module *module, uint64_t address, uint64_t bytes)
{
	for (uint32_t i = 0; i < module->part_count; i++) {
		const struct module_part *part = &module->parts[i];
		if (address >= part->low && address <= part->high)
			return bytes <= part->high - address;
	}
	return false;
}

static void find_build_id(struct candidate *found, uint64_t at, uint64_t bytes, uint64_t align)
{
	align = align == 8 ? 8 : 4;
	while (bytes >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const void *)at;
		uint64_t name = (note->n_namesz + align - 1) & ~(align - 1);
		uint64_t size = sizeof *note + name + ((note->n_descsz + align - 1) & ~(align - 1));
		if (size > bytes)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(note + 1, "GNU", 4) == 0) {
			found->build_id_bytes = MIN_OF(note->n_descsz, REC_BUILD_ID_BYTES);
			memcpy(found->build_id, (const char *)(note + 1) + name, found->build_id_bytes);
			return;
		}
		at += size;
		bytes -= size;
	}
}

static bool read_headers(struct candidate *found, const Elf64_Phdr *headers, unsigned count, uint64_t bias)
{
	struct module *module = &found->module;
	memset(found, 0, sizeof *found);
	module->bias = bias;
	module->start = UINT64_MAX;
	for (unsigned i = 0; i < count; i++) {
		const Elf64_Phdr *header = &headers[i];
		if (header->p_type == PT_GNU_EH_FRAME)
			module->unwind = bias + header->p_vaddr;
		if (header->p_type != PT_LOAD || !header->p_memsz)
			continue;
		uint64_t low = (bias + header->p_vaddr) & ~(MEMORY_PAGE - 1);
		uint64_t high =
		    (bias + header->p_vaddr + header->p_memsz + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
		module->start = MIN_OF(module->start, low);
		module->end = MAX_OF(module->end, high);
		if ((header->p_flags & PF_R) && module->part_count < MODULE_PARTS)
			module->parts[module->part_count++] = (struct module_part){
				/* What lies behind the file's end need not be mapped if the file was cut. */
				.low = bias + header->p_vaddr,
				.high = bias + header->p_vaddr + header->p_filesz,
			};
	}
	if (module->end <= module->start)
		return false;
	if (module->unwind && !module_covers(module, module->unwind, 4))
		module->unwind = 0;
	const Elf64_Ehdr *file = (const void *)module->start;
	if (module_covers(module, module->start, sizeof *file) &&
	    memcmp(file->e_ident, ELFMAG, SELFMAG) == 0 && file->e_entry)
		module->entry = bias + file->e_entry;
	for (unsigned i = 0; i < count && !found->build_id_bytes; i++)
		if (headers[i].p_type == PT_NOTE &&
		    module_covers(module, bias + headers[i].p_vaddr, headers[i].p_filesz))
			find_build_id(found, bias + headers[i].p_vaddr, headers[i].p_filesz,
				      headers[i].p_align);
	return true;
}

/* -- the table -------------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static uint32_t flags_of(const struct module *module, const char *name)
{
	uint32_t flags = 0;
	uint64_t size = module->end - module->start;
	if ((uintptr_t)stack_capture - module->start < size)
		flags |= MODULE_SHIM;
	if (getauxval(AT_PHDR) - module->start < size)
		flags |= MODULE_MAIN;
	if (getauxval(AT_BASE) - module->start < size || strncmp(last_part(name), "ld-", 3) == 0)
		flags |= MODULE_LOADER;
	if (gnu_get_libc_version ? (uintptr_t)gnu_get_libc_version - module->start < size
				 : strncmp(last_part(name), "libc.", 5) == 0)
		flags |= MODULE_LIBC;
	return flags;
}

static text_id path_text(const char *name, uint32_t flags)
{
	if (name[0] == '/' || (name[0] && !strchr(name, '/') && !(flags & MODULE_MAIN)))
		return recording_text(name);
	if ((flags & MODULE_MAIN) && recording->exe)
		return recording->exe;
	/* A path is longer than a hook's stack allows. */
	const size_t bytes = 2 * MEMORY_PAGE;
	char *buffer = sys_pages(bytes);
	if (!buffer)
		return recording_text(name);
	struct text path = { .at = buffer, .size = bytes };
	if (flags & MODULE_MAIN) {
		process_exe(&path);
	} else {
		long got = sys_call2(SYS_getcwd, buffer, MEMORY_PAGE);
		path.used = got > 1 ? (size_t)got - 1 : 0;
		text_byte(&path, '/');
		text_put(&path, name);
	}
	text_id text = recording_text(buffer);
	sys_pages_free(buffer, bytes);
	return text;
}

static void write_record(struct slot *slot)
{
	__atomic_store_n(&slot->record, 0, __ATOMIC_RELEASE);
	if (!recording)
		return;
	uint64_t at = recording_append(REC_MODULES, sizeof(struct rec_module));
	if (at == UINT64_MAX)
		return;
	struct rec_module *record = (void *)((char *)recording_table(REC_MODULES) + at);
	record->start = slot->module.start;
	record->bias = slot->module.bias;
	atomic_store_explicit(&record->loaded, modules_epoch(), memory_order_relaxed);
	record->path = path_text(slot->name, slot->flags);
	record->build_id_bytes = slot->build_id_bytes;
	memcpy(record->build_id, slot->build_id, sizeof record->build_id);
	record->flags = slot->flags;
	atomic_store_explicit(&record->storage, slot->storage, memory_order_relaxed);
	/* Last: until it is set the range is empty and nothing is found in it. */
	__atomic_store_n(&record->end, slot->module.end, __ATOMIC_RELEASE);
	if (slot->flags & MODULE_SHIM) {
		recording->shim_start = slot->module.start;
		recording->shim_end = slot->module.end;
	}
	__atomic_store_n(&slot->record, (uint32_t)(at / sizeof *record) + 1, __ATOMIC_RELEASE);
}

static void raise_epoch(uint32_t to)
{
	if (!recording)
		return;
	uint32_t now = atomic_load_explicit(&recording->epoch, memory_order_relaxed);
	while (now < to && !atomic_compare_exchange_weak_explicit(&recording->epoch, &now, to,
								  memory_order_release, memory_order_relaxed))
		continue;
}

static void retire(struct slot *slot, uint32_t state)
{
	uint64_t start = slot->module.start, end = slot->module.end;
	uint32_t record = __atomic_load_n(&slot->record, __ATOMIC_ACQUIRE);
	if (state % SLOT_STATES != SLOT_READY ||
	    !__atomic_compare_exchange_n(&slot->state, &state, state + (SLOT_RETIRED - SLOT_READY), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	/* The epoch first: rules that are being learnt look at it once they are stored, and take themselves back. */
	uint32_t now = __atomic_add_fetch(&epoch, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&unwind_generation, 1, __ATOMIC_SEQ_CST);
	gone_add(start, end, now);
	rules_forget(start, end);
	if (record && recording) {
		struct rec_module *written = (struct rec_module *)recording_table(REC_MODULES) + (record - 1);
		atomic_store_explicit(&written->unloaded, now, memory_order_release);
	}
	raise_epoch(now);
}

/* The slot of the module that starts there; NULL: there is none, or with `make` no room for one. */
static struct slot *slot_at(uint64_t start, bool make)
{
	for (uint32_t i = 0; i < MODULES_MOST; i++) {
		uint64_t there = __atomic_load_n(&starts[i], __ATOMIC_ACQUIRE);
		if (!there) {
			if (!make)
				return NULL;
			if (__atomic_compare_exchange_n(&starts[i], &there, start, false, __ATOMIC_ACQ_REL,
							__ATOMIC_ACQUIRE))
				return &slots[i];
		}
		if (there == start)
			return &slots[i];
	}
	return NULL;
}

/* Copies a module out. Return: false where it is not there, or changed meanwhile. */
static bool slot_read(struct slot *slot, struct module *ret_module)
{
	uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
	if (state % SLOT_STATES != SLOT_READY)
		return false;
	*ret_module = slot->module;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->state, __ATOMIC_RELAXED) == state;
}

static void retire_overlapping(const struct module *module)
{
	for (uint32_t i = 0; i < MODULES_MOST && __atomic_load_n(&starts[i], __ATOMIC_ACQUIRE); i++) {
		struct module other;
		uint32_t state = __atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE);
		if (slot_read(&slots[i], &other) && other.start < module->end && module->start < other.end)
			retire(&slots[i], state);
	}
}

static void add(const struct candidate *found)
{
	struct slot *slot = slot_at(found->module.start, true);
	if (!slot) {
		if (recording)
			recording_lost(REC_MODULES);
		return;
	}
	uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
	if (state % SLOT_STATES != SLOT_EMPTY && state % SLOT_STATES != SLOT_RETIRED)
		return;
	uint32_t filling = state - state % SLOT_STATES + SLOT_STATES + SLOT_FILLING;
	if (!__atomic_compare_exchange_n(&slot->state, &state, filling, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	self.busy++; /* the recording's tables grow under a lock: no handler may come for it now */
	retire_overlapping(&found->module);
	slot->module = found->module;
	slot->name = found->name ? found->name : "";
	slot->flags = flags_of(&slot->module, slot->name);
	slot->storage = found->storage;
	slot->build_id_bytes = found->build_id_bytes;
	memcpy(slot->build_id, found->build_id, sizeof slot->build_id);
	__atomic_store_n(&slot->seen, __atomic_load_n(&tickets, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	write_record(slot);
	self.busy--;
	__atomic_store_n(&slot->state, filling + (SLOT_READY - SLOT_FILLING), __ATOMIC_RELEASE);
}

/* -- finding ---------------------------------------------------------------- */

#ifdef HAVE_FIND_OBJECT
/* What the loader says lies at `address`: its start, unwind table and name. */
static bool ask_loader(uint64_t address, struct dl_find_object *ret_object)
{
	/* Not -1 alone: early in the start of a process some versions answer 1 for nothing. */
	return _dl_find_object && _dl_find_object((void *)address, ret_object) == 0;
}

/*
 * The program headers of a mapped file: behind its ELF header, or wherever a tool put them that rewrote it (BOLT:
 * near the end). There they are believed if they can be read and say of themselves that they are there.
 */
static const Elf64_Phdr *mapped_headers(const Elf64_Ehdr *file, uint64_t bias, uint64_t end)
{
	uint64_t bytes = file->e_phnum * sizeof(Elf64_Phdr);
	if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_phentsize != sizeof(Elf64_Phdr) || !bytes)
		return NULL;
	uint64_t at = (uintptr_t)file + file->e_phoff;
	const Elf64_Phdr *headers = (const void *)at;
	if (file->e_phoff <= MEMORY_PAGE - sizeof *file && bytes <= MEMORY_PAGE - file->e_phoff)
		return headers;
	if (file->e_phoff % 8 || at < (uintptr_t)file || at >= end || bytes > MEMORY_PAGE ||
	    bytes > end - at || !memory_readable(at) || !memory_readable(at + bytes - 8))
		return NULL;
	for (unsigned i = 0; i < file->e_phnum; i++)
		if (headers[i].p_type == PT_PHDR && headers[i].p_offset == file->e_phoff &&
		    bias + headers[i].p_vaddr == at)
			return headers;
	return NULL;
}

static bool read_mapped(const struct dl_find_object *object, struct candidate *ret_found)
{
	const Elf64_Ehdr *file = object->dlfo_map_start;
	if (!object->dlfo_link_map)
		return false;
	uint64_t bias = object->dlfo_link_map->l_addr;
	const Elf64_Phdr *headers = mapped_headers(file, bias, (uintptr_t)object->dlfo_map_end);
	if (!headers || !read_headers(ret_found, headers, file->e_phnum, bias))
		return false;
	ret_found->name = object->dlfo_link_map->l_name;
	return ret_found->module.start == (uintptr_t)file;
}

static NOINLINE bool find_new(const struct dl_find_object *object, struct module *ret_module)
{
	struct candidate found;
	if (!read_mapped(object, &found))
		return false;
	*ret_module = found.module;
	add(&found);
	return true;
}
#endif

bool module_find_known(uint64_t address, struct module *ret_module)
{
	for (uint32_t i = 0; i < MODULES_MOST && __atomic_load_n(&starts[i], __ATOMIC_ACQUIRE); i++)
		if (starts[i] <= address && slot_read(&slots[i], ret_module) && address < ret_module->end)
			return true;
	return false;
}

bool module_next(uint32_t *at, struct module *ret_module)
{
	while (*at < MODULES_MOST && __atomic_load_n(&starts[*at], __ATOMIC_ACQUIRE)) {
		struct slot *slot = &slots[(*at)++];
		uint32_t flags = __atomic_load_n(&slot->flags, __ATOMIC_RELAXED);
		if (slot_read(slot, ret_module) &&
		    !(flags & (MODULE_MAIN | MODULE_LIBC | MODULE_LOADER | MODULE_SHIM)))
			return true;
	}
	return false;
}

#ifdef HAVE_FIND_OBJECT
/*
 * A program whose segments leave holes between them is several objects to the loader, of which the first alone begins with the
 * headers. It has been seen by modules_scan.
 */
static NOINLINE bool find_part(uint64_t address, const struct dl_find_object *object,
			       struct module *ret_module)
{
	return module_find_known(address, ret_module) &&
	       ret_module->start < (uintptr_t)object->dlfo_map_start && ret_module->unwind &&
	       ret_module->unwind == (uintptr_t)object->dlfo_eh_frame;
}
#endif

bool module_find(uint64_t address, struct module *ret_module)
{
#ifdef HAVE_FIND_OBJECT
	if (_dl_find_object) {
		struct dl_find_object object;
		if (!ask_loader(address, &object))
			return false;
		struct slot *slot = slot_at((uintptr_t)object.dlfo_map_start & ~(MEMORY_PAGE - 1), false);
		if (slot) {
			uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
			if (slot_read(slot, ret_module)) {
				if (!ret_module->unwind ||
				    ret_module->unwind == (uintptr_t)object.dlfo_eh_frame)
					return true;
				retire(slot, state); /* replaced behind our back */
			}
		}
		return find_part(address, &object, ret_module) || find_new(&object, ret_module);
	}
#endif
	return module_find_known(address, ret_module);
}

/* One that was first met by an address has been entered without it. */
static void tell_storage(struct slot *slot, uint32_t storage)
{
	uint32_t record = __atomic_load_n(&slot->record, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->storage, __ATOMIC_RELAXED) == storage)
		return;
	__atomic_store_n(&slot->storage, storage, __ATOMIC_RELAXED);
	if (record && recording)
		atomic_store_explicit(
		    &((struct rec_module *)recording_table(REC_MODULES) + (record - 1))->storage, storage,
		    memory_order_relaxed);
}

static int scan_one(struct dl_phdr_info *info, size_t size, void *data)
{
	uint32_t ticket = *(const uint32_t *)data;
	struct candidate found;
	if (!read_headers(&found, info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr))
		return 0;
	found.name = info->dlpi_name;
	if (size >= offsetof(struct dl_phdr_info, dlpi_tls_modid) + sizeof info->dlpi_tls_modid)
		found.storage = (uint32_t)info->dlpi_tls_modid;
	struct slot *slot = slot_at(found.module.start, false);
	if (slot) {
		uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
		struct module known;
		if (slot_read(slot, &known)) {
			if (known.end == found.module.end && known.unwind == found.module.unwind &&
			    memcmp(slot->build_id, found.build_id, sizeof found.build_id) == 0) {
				if ((int32_t)(ticket - __atomic_load_n(&slot->seen, __ATOMIC_RELAXED)) > 0)
					__atomic_store_n(&slot->seen, ticket, __ATOMIC_RELAXED);
				tell_storage(slot, found.storage);
				return 0;
			}
			retire(slot, state);
		}
	}
	add(&found);
	return 0;
}

/* Whether the loader knows the slot's module where it was; false also where the loader can't be asked. */
static bool still_mapped(struct slot *slot)
{
#ifdef HAVE_FIND_OBJECT
	struct module module;
	struct dl_find_object object;
	return slot_read(slot, &module) && ask_loader(module.start, &object) &&
	       (uintptr_t)object.dlfo_map_start == module.start &&
	       (!module.unwind || module.unwind == (uintptr_t)object.dlfo_eh_frame);
#else
	(void)slot;
	return false;
#endif
}

void (*modules_scanned)(void);

void modules_scan(void)
{
	uint32_t ticket = __atomic_add_fetch(&tickets, 1, __ATOMIC_ACQ_REL);
	/* Unseen, but known to the loader: it is in another namespace (dlmopen). */
	dl_iterate_phdr(scan_one, &ticket);
	for (uint32_t i = 0; i < MODULES_MOST && __atomic_load_n(&starts[i], __ATOMIC_ACQUIRE); i++) {
		uint32_t state = __atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE);
		if ((int32_t)(__atomic_load_n(&slots[i].seen, __ATOMIC_RELAXED) - ticket) < 0 &&
		    !still_mapped(&slots[i]))
			retire(&slots[i], state);
	}
	if (modules_scanned)
		modules_scanned();
}

void modules_check(void)
{
#ifdef HAVE_FIND_OBJECT
	if (!_dl_find_object)
		return;
	for (uint32_t i = 0; i < MODULES_MOST && __atomic_load_n(&starts[i], __ATOMIC_ACQUIRE); i++) {
		uint32_t state = __atomic_load_n(&slots[i].state, __ATOMIC_ACQUIRE);
		if (!still_mapped(&slots[i]))
			retire(&slots[i], state);
	}
#endif
}

void modules_fork_child(void)
{
	gone_lock.word = 0;
	raise_epoch(modules_epoch());
	for (uint32_t i = 0; i < MODULES_MOST && starts[i]; i++) {
		struct slot *slot = &slots[i];
		if (slot->state % SLOT_STATES == SLOT_FILLING)
			slot->state +=
			    SLOT_RETIRED - SLOT_FILLING; /* whoever filled it is not in this process */
		if (slot->state % SLOT_STATES != SLOT_READY)
			continue;
#ifdef HAVE_FIND_OBJECT
		struct dl_find_object object;
		if (_dl_find_object && (!ask_loader(slot->module.start, &object) || !object.dlfo_link_map)) {
			retire(slot, slot->state);
			continue;
		}
		if (_dl_find_object)
			slot->name = object.dlfo_link_map->l_name;
#endif
		write_record(slot);
	}
}
