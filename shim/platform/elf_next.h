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

/* Reads which objects come after ours; before the first elf_next. One thread; context: init. */
void elf_next_begin(void);

/*
 * `version` may be NULL: the default one. Return: NULL where no later object defines it.
 * Context: hook, before the program's own threads load or unload anything (init).
 */
void *elf_next(const char *name, const char *version);

/* The first definition in any object, ours and those before us included. The same context. */
void *elf_any(const char *name);

/* The path by which the loader found our own library; "" where it is not the loader's. Context: init. */
const char *elf_own_path(void);

#endif
