/*
 * Pairs of library functions that are known by name alone: those of hooks/library_pairs.def and those of a config file
 * (pairs.h). Every word of a loaded module that the loader has filled in with such a function's address (global offset tables,
 * pointers in data) is made to point at an entry of ours that stands in for the function (hooks/bind_entries.h); dlsym answers
 * with the same entry. A word that is not yet bound (lazy binding) is bound then, to what the loader would find.
 *
 * What is not seen: calls inside of the library that defines a function (unless the table says that it is a method, which the
 * library hands out pointers to), calls that the compiler has made direct or inline, and
 * functions of the program itself. Modules that dlopen brings are looked at when it has returned, before what it
 * brought can be asked for with dlsym.
 */
#ifndef WH_HOOKS_BIND_H
#define WH_HOOKS_BIND_H

#include "base/context.h"
#include "base/types.h"

/*
 * Reads the config files named by the option `pairs` and binds what is loaded. `complain` gets a line a mistake.
 * Context: init, when every module that the program needs has been relocated.
 */
void bind_start(void (*complain)(const char *message));

/* The recording is a new one. Context: hook. */
void bind_fork_child(void);

/* At the end: notes in the recording which functions of configured pairs nothing was found to call. Context: hook. */
void bind_end(void);

struct bound;
struct bound_call;

/* For bind_before: a call of dlsym is about to be made. Return: where it goes on. Context: hook. */
void *bind_dlsym(const struct bound *bound, const struct bound_call *call, const void *frame);

/* The function `name` of the library that `function` lies in; NULL: it has none. No lock is taken. Context: hook. */
void *bind_sibling(void *function, const char *name);

#endif
