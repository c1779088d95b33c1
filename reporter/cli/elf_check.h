/*
 * Whether a program can be run with a library preloaded into it: said before it
 * is started, with the reason and the next step, since the loader ignores a preload that does
 * not fit in silence.
 *
 * Context: offline.
 */
#ifndef WH_CLI_ELF_CHECK_H
#define WH_CLI_ELF_CHECK_H

#include "base/text.h"

#define ELF_CHECK_PATH_BYTES 4096

/*
 * Finds `name` as execvp does: by $PATH where it has no slash. Return: 0, -ENOENT, or another negative errno
 * (-EACCES: found, and may not be executed).
 */
int elf_check_find(const char *name, char ret_path[ELF_CHECK_PATH_BYTES]);

/*
 * Whether the file can be executed and preloaded into; of a script, its interpreter. Return: 0, or
 * EXIT_UNLOADABLE with the reason and the next step in `ret_reason`: "it is statically linked ...".
 */
int elf_check(const char *path, struct text *ret_reason);

#endif
