#include "hooks/bind.h"

#include <link.h>
#include <string.h>

#include "hooks/bind_entries.h"
#include "hooks/bind_table.h"
#include "hooks/check_heap.h"
#include "hooks/deep.h"
#include "hooks/hook.h"
#include "options.h"
#include "platform/elf_next.h"
#include "platform/lock.h"
#include "platform/relocations.h"
#include "platform/sys.h"
#include "registry/foreign_heap.h"
#include "registry/recording.h"
#include "stack/modules.h"

/* -- entries ------------------------------------------------------------------ */

/* Held for the table of entries and that of modules; whoever has the loader's lock too takes that one first. */
static struct lock bind_lock;
static uint32_t entries_used;

static void entry_fill(struct bound *bound, struct bind_function *function, void *target)
{
	bool calls = function->acquires || function->releases_when;
	*bound = (struct bound){
		.target = target,
		.route = calls ? (void *)bind_call : (void *)bind_tail,
		.flags = function->releases ? BIND_BEFORE : 0,
	};
	__atomic_store_n(&bound->function, function, __ATOMIC_RELEASE);
}

/* The entry that stands in for `target`: one each, so that the addresses of functions compare as they did. 0: no room. */
static uint64_t entry_of(struct bind_function *function, void *target)
{
	struct bound *free_one = NULL;
	for (uint32_t i = 0; i < entries_used; i++) {
		struct bound *bound = &bind_table[i];
		if (bound->function == function && bound->target == target)
			return bind_entry(bound);
		if (!bound->function && !free_one)
			free_one = bound;
	}
	if (!free_one && entries_used < BIND_ENTRIES)
		free_one = &bind_table[entries_used++];
	if (!free_one)
		return 0;
	entry_fill(free_one, function, target);
	return bind_entry(free_one);
}

/* -- modules ------------------------------------------------------------------ */

#define MODULES_MOST 4096u

/* Modules that need no second look, as long as none was unloaded. */
static struct {
	const ElfW(Dyn) * dynamic;
} looked_at[MODULES_MOST];
static uint32_t looked_at_count;
static uint64_t unloaded_seen, loaded_seen;
static uint32_t
    startup_count;      /* modules that were there when we began: the first ones in the loader's list */
static bool unfinished; /* some module was left for later */

static bool is_looked_at(const ElfW(Dyn) * dynamic)
{
	for (uint32_t i = 0; i < looked_at_count; i++)
		if (looked_at[i].dynamic == dynamic)
			return true;
	return false;
}

struct search {
	uint64_t address;
	struct elf_module found;
	uint32_t index;
};

static bool search_one(struct elf_module *module, void *data)
{
	struct search *search = data;
	if (search->address < module->start || search->address >= module->end) {
		search->index++;
		return true;
	}
	search->found = *module;
	return false;
}

static bool module_of(uint64_t address, struct elf_module *ret_module)
{
	struct search search = { .address = address };
	relocations_modules(search_one, &search);
	*ret_module = search.found;
	return search.found.dynamic;
}

/* -- words that are not bound yet ---------------------------------------------- */

struct definers {
	const struct elf_slot *slot;
	const struct elf_module *asking;
	uint32_t index, count;
	uint32_t first;        /* index of the first that defines it */
	uint32_t asking_index; /* of the module whose word it is */
	void *address;
	bool own; /* the first is the asking module itself */
};

static bool definer_one(struct elf_module *module, void *data)
{
	struct definers *search = data;
	void *address;
	if (module->dynamic == search->asking->dynamic)
		search->asking_index = search->index;
	if (elf_definition(module->dynamic, module->bias, search->slot->name, search->slot->version,
			   &address)) {
		if (!search->count++) {
			search->first = search->index;
			search->address = address;
			search->own = module->dynamic == search->asking->dynamic;
		}
	}
	search->index++;
	return true;
}

/*
 * What the loader would find for a word that it has not bound yet. Only where there is no doubt: nobody else defines the name, or
 * both modules were there from the start, when they are searched in the order of the list. `own`: it may be the module's own. 0: leave it
 * alone.
 */
static uint64_t resolve(const struct elf_module *module, const struct elf_slot *slot, bool own)
{
	struct definers search = { .slot = slot, .asking = module };
	relocations_modules(definer_one, &search);
	bool at_start = search.asking_index < startup_count && search.first < startup_count;
	if (!search.count || (search.own && !own) || (search.count > 1 && !at_start))
		return 0;
	return (uintptr_t)search.address;
}

/*
 * The function that a word stands for. 0: it is to be left alone: it is one of ours already, or the module's own and no method, or what lies there
 * is not that function (a program that is not position independent gives out an address in its own linkage table, from which a
 * call goes on through a word that is bound; and other tools have put their own there).
 */
static uint64_t target_of(const struct elf_module *module, const struct elf_slot *slot, bool method)
{
	uint64_t value = __atomic_load_n(slot->at, __ATOMIC_ACQUIRE);
	struct elf_module there;
	if (!value || bind_is_entry(value) || !module_of(value, &there))
		return 0;
	bool defined = elf_defines_at(there.dynamic, there.bias, slot->name, (const void *)value);
	if (there.dynamic == module->dynamic)
		return defined ? (method ? value : 0) : slot->called ? resolve(module, slot, method) : 0;
	return defined ? value : 0;
}

/* -- binding ------------------------------------------------------------------- */

static bool wants(const char *name)
{
	return bind_table_find(name) || foreign_heap_hands_out(name) || deep_wants(name);
}

static void bind_slot(struct elf_module *module, const struct elf_slot *slot, void *data)
{
	struct bind_function *function = bind_table_find(slot->name);
	(void)data;
	if (UNLIKELY(foreign_heap_hands_out(slot->name)))
		foreign_heap_called_by((const void *)module->start);
	if (deep_wants(slot->name)) {
		deep_bind(module, slot);
		return;
	}
	if (function && bind_is_entry(__atomic_load_n(slot->at, __ATOMIC_ACQUIRE)))
		return;
	uint64_t target = function ? target_of(module, slot, function->method) : 0;
	uint64_t entry = target ? entry_of(function, (void *)target) : 0;
	if (entry && relocations_store(module, slot, entry) == 0)
		function->words++;
}

static bool bind_module(struct elf_module *module, void *data)
{
	bool at_start = *(const bool *)data;
	if (module->dynamic == elf_own_dynamic() || is_looked_at(module->dynamic))
		return true;
	if (!at_start && !relocations_finished(module)) {
		unfinished = true;
		return true;
	}
	relocations_each(module, wants, bind_slot, NULL);
	relocations_done(module);
	if (looked_at_count < MODULES_MOST)
		looked_at[looked_at_count++].dynamic = module->dynamic;
	return true;
}

/* All of them before the first word is looked at: what a word stands for may be in a later one. */
static bool count_module(struct elf_module *module, void *data)
{
	(void)module;
	(void)data;
	startup_count++;
	return true;
}

static bool mark_module(struct elf_module *module, void *data)
{
	uint64_t *alive = data;
	for (uint32_t i = 0; i < entries_used; i++) {
		uint64_t target = (uintptr_t)bind_table[i].target;
		if (target >= module->start && target < module->end)
			alive[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return true;
}

/* The entries of functions that are not there any more. Who still had their addresses could not have called them either. */
static void drop_entries(void)
{
	uint64_t alive[BIND_ENTRIES / 64] = { 0 };
	relocations_modules(mark_module, alive);
	for (uint32_t i = 0; i < entries_used; i++)
		if (!(alive[i / 64] >> (i % 64) & 1))
			__atomic_store_n(&bind_table[i].function, NULL, __ATOMIC_RELEASE);
}

static void bind_all(const struct elf_counts *counts, void *data)
{
	if (!lock_take(&bind_lock))
		return;
	if (counts->unloaded != unloaded_seen) {
		unloaded_seen = counts->unloaded;
		looked_at_count = 0;
		drop_entries();
	} else if (counts->loaded && counts->loaded == loaded_seen && !unfinished) {
		lock_release(&bind_lock);
		return;
	}
	loaded_seen = counts->loaded;
	unfinished = false;
	if (*(const bool *)data)
		relocations_modules(count_module, NULL);
	relocations_modules(bind_module, data);
	foreign_heap_named();
	lock_release(&bind_lock);
}

static void look(bool at_start)
{
	int kept_errno = errno;
	self.busy++;
	if (!sys_sandboxed)
		relocations_visit(bind_all, &at_start);
	self.busy--;
	errno = kept_errno;
}

static void look_again(void)
{
	if (startup_count)
		look(false);
}

/* -- dlsym --------------------------------------------------------------------- */

#ifdef DLFO_STRUCT_HAS_EH_DBASE
extern __typeof__(_dl_find_object) _dl_find_object __attribute__((weak));

/* The object that `address` lies in, while whoever asks keeps it loaded. No lock is taken. */
static const struct link_map *object_of(void *address)
{
	struct dl_find_object object;
	return _dl_find_object && _dl_find_object(address, &object) == 0 ? object.dlfo_link_map : NULL;
}
#else
/* Before glibc 2.35: what dlsym answers is not bound. */
static const struct link_map *object_of(void *address)
{
	(void)address;
	return NULL;
}
#endif

void *bind_sibling(void *function, const char *name)
{
	const struct link_map *map = object_of(function);
	void *found = NULL;
	return map && elf_definition(map->l_ld, map->l_addr, name, NULL, &found) ? found : NULL;
}

static void *(*real_dlsym)(void *handle, const char *name);

/* What stands in for the function that dlsym has found. */
static void *entry_for_found(const char *name, void *found)
{
	struct bind_function *function = bind_table_find(name);
	void *instead = check_heap_instead(found);
	if (instead != found)
		return instead;
	if (!found || !function || function->dlsym || bind_is_entry((uintptr_t)found))
		return found;
	const struct link_map *map = object_of(found);
	if (!map || map->l_ld == elf_own_dynamic() || !elf_defines_at(map->l_ld, map->l_addr, name, found))
		return found;
	uint64_t entry = 0;
	self.busy++;
	if (lock_take(&bind_lock)) {
		entry = entry_of(function, found);
		if (entry)
			function->words++;
		lock_release(&bind_lock);
	}
	self.busy--;
	return entry ? (void *)entry : found;
}

static void *dlsym_of_handle(void *handle, const char *name)
{
	return entry_for_found(name, real_dlsym(handle, name));
}

/*
 * Who asks in the order of search is found by the caller's address, which would be ours. So it is asked once from here, where only the
 * global scope is searched, and where that has nothing once more as the program did.
 */
static bool in_global_scope(const char *name, void **ret_found)
{
	*ret_found = real_dlsym(RTLD_DEFAULT, name);
	return *ret_found;
}

static __thread void *dlsym_answer TLS_IE;

static void *dlsym_answered(void *handle, const char *name)
{
	(void)handle;
	return entry_for_found(name, dlsym_answer);
}

#define STACK_REACH ((uint64_t)64 * 1024 * 1024)

/*
 * dlopen has returned, as far as the stack pointer says, and nothing is held that somebody may wait for with the loader's lock (see
 * look_for_opened in stack/stack.c). A stack that is far away is another one.
 */
static bool may_look(const void *frame)
{
	uint64_t sp = (uintptr_t)frame + 16;
	return self.opening_sp && sp >= self.opening_sp && sp - self.opening_sp < STACK_REACH &&
	       stack_modules_lockable();
}

void *bind_dlsym(const struct bound *bound, const struct bound_call *call, const void *frame)
{
	void *handle = (void *)call->arguments[0];
	const char *name = (const char *)call->arguments[1];
	if (self.busy || self.guest || !name || handle == RTLD_NEXT)
		return bound->target;
	if (may_look(frame)) {
		stack_modules_opening(0);
		stack_modules_changed(false);
	}
	if (UNLIKELY(foreign_heap_hands_out(name)))
		foreign_heap_called_by(NULL);
	const struct bind_function *function = bind_table_find(name);
	if (LIKELY(!function) ? !check_heap_runs() : function->dlsym)
		return bound->target;
	real_dlsym = (void *(*)(void *, const char *))bound->target;
	if (handle != RTLD_DEFAULT)
		return (void *)dlsym_of_handle;
	return in_global_scope(name, &dlsym_answer) ? (void *)dlsym_answered : bound->target;
}

/* -- start --------------------------------------------------------------------- */

static struct arena arena = { .more = sys_pages, .less = sys_pages_free };
static struct pairs pairs;

struct reading {
	const char *path;
	void (*complain)(const char *message);
};

static void complain_line(uint32_t line, const char *message, void *data)
{
	const struct reading *reading = data;
	char buffer[600];
	struct text text = TEXT_OF(buffer);
	text_format(&text, "%s:%u: %s", reading->path, line, message);
	reading->complain(buffer);
}

#define CONFIG_BYTES ((size_t)1024 * 1024)

static void read_config(const char *path, void (*complain)(const char *message))
{
	struct reading reading = { .path = path, .complain = complain };
	char *text = sys_pages_lazy(CONFIG_BYTES);
	long bytes = text ? sys_read_file(path, text, CONFIG_BYTES) : -ENOMEM;
	if (bytes >= 0)
		bytes = pairs_parse(&pairs, &arena, text, (size_t)bytes, complain_line, &reading);
	if (bytes < 0) {
		char buffer[600];
		struct text message = TEXT_OF(buffer);
		text_format(&message,
			    "the config file '%s' cannot be read (error %ld); its pairs are not followed",
			    path, -bytes);
		complain(buffer);
	}
	if (text)
		sys_pages_free(text, CONFIG_BYTES);
}

void bind_start(void (*complain)(const char *message))
{
	if (!options.iterators)
		return;
	if (strcmp(options.pairs, "none") != 0)
		read_config(options.pairs, complain);
	bind_table_start(options.descriptors);
	if (pairs.pair_count && !bind_table_add(&pairs))
		complain("there are too many pairs; the last ones are not followed");
	bind_entries_init();
	look(true);
	modules_scanned = look_again;
}

void bind_fork_child(void)
{
	bind_lock.word = 0;
	bind_table_name();
}

/* Closed by a way that is not seen: close_range, a system call. */
static bool is_closed(const struct rec_hold *hold)
{
	return hold->kind == KIND_DESCRIPTOR && sys_call2(SYS_fcntl, hold->handle, F_GETFD) == -EBADF;
}

static void name_unbound(struct bind_function *function, void *data)
{
	struct text *names = data;
	if (function->configured && !function->words)
		text_format(names, "%s%s", names->used ? ", " : "", function->name);
}

void bind_end(void)
{
	char buffer[400];
	struct text names = TEXT_OF(buffer);
	if (!startup_count)
		return;
	if (options.descriptors)
		resource_forget(is_closed);
	bind_table_each(name_unbound, &names);
	recording->unbound = names.used ? recording_text(names.at) : 0;
}
