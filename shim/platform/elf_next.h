/*
 * The next definition of a symbol after our own library, in the order in which
 * objects were loaded: what dlsym(RTLD_NEXT) would answer, without its locks,
 * and above all without its allocations. dlsym allocates the message of a failure,
 * and that allocation may be what an allocator before us in the order is in the
 * middle of setting itself up for.
 *
 * By the objects' GNU hash tables (Ulrich Drepper, "How To Write Shared
 * Libraries"; the hash is Daniel J. Bernstein's).
 */
#ifndef WH_PLATFORM_ELF_NEXT_H
#define WH_PLATFORM_ELF_NEXT_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* Reads which objects come after ours; before the first elf_next. One thread; context: init. */
void elf_next_begin(void);

/*
 * `version` may be NULL: the default one. Return: NULL where no later object defines it.
 * Context: hook, before the program's own threads load or unload anything (init).
 */
void *elf_next(const char *name, const char *version);

/* The first definition in any object, ours and those before us included. The same context. */
void *elf_any(const char *name);

/*
 * Of an object that stays mapped meanwhile, by its dynamic section and bias. Nothing of it is called.
 *
 * elf_defines_at: whether it defines `name`, in any version, at that address (or chooses where at run time).
 * elf_definition: whether it defines that version of it (NULL: the default one); *ret_address is NULL where
 * that is chosen at run time. Context: hook.
 */
bool elf_defines_at(const ElfW(Dyn) * dynamic, uintptr_t bias, const char *name, const void *address);
bool elf_definition(const ElfW(Dyn) * dynamic, uintptr_t bias, const char *name, const char *version,
		    void **ret_address);

/* Our own dynamic section, and that of the last object that was there at elf_next_begin. Context: signal. */
const ElfW(Dyn) * elf_own_dynamic(void);
const ElfW(Dyn) * elf_last_at_start(void);

/*
 * The next object in the loader's order, the first after NULL; NULL: no more. Takes no lock: for who knows that no other
 * thread loads or unloads anything. Context: hook.
 */
const struct link_map *elf_object_after(const struct link_map *map);

/* Whether an object that comes before ours defines it: the program itself, say. Context: hook. */
bool elf_is_before(const char *name);

/* The path by which the loader found our own library; "" where it is not the loader's. Context: init. */
const char *elf_own_path(void);

#endif
