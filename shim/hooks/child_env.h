/*
 * The environment that a child is given by exec and posix_spawn. A program that
 * makes up its own environment would lose us: with children=yes, what makes a
 * child be followed is added where it is missing; with children=no our own library is taken out
 * of LD_PRELOAD. The program's arrays and strings are never written.
 *
 *   struct child_env env;
 *   size_t bytes = child_env_plan(&env, envp);
 *   void *memory = bytes ? CHILD_ENV_MEMORY(bytes) : NULL;
 *   char *const *given = child_env_make(&env, memory);
 *   ... the real call, with `given` ...
 *   child_env_release(memory, bytes);
 *
 * The memory is the caller's own stack where it is small; a page mapping else. One
 * made in a vfork child (which shares its parent's memory, and never gets to child_env_release
 * where exec succeeds) is given back by the thread's next call.
 *
 * Context: hook, also in a vfork child. Keep errno.
 */
#ifndef WH_HOOKS_CHILD_ENV_H
#define WH_HOOKS_CHILD_ENV_H

#include "base/context.h"
#include "base/types.h"

#define CHILD_ENV_ADD_MAX 8

struct child_env {
	char *const *given; /* what the program passed; may be NULL */
	size_t count;       /* its strings */
	const char *add[CHILD_ENV_ADD_MAX];
	size_t add_count;
	const char *preload; /* the LD_PRELOAD of `given` that is to be written anew; NULL: none */
	size_t preload_at;
	const char *library; /* our own path */
	bool follow;         /* add it, else take it out */
};

/* Return: bytes that the new environment takes, 0: the given one will do. */
size_t child_env_plan(struct child_env *env, char *const *given);

/* Writes the planned environment into `memory`, or returns the given one where that is NULL. */
char *const *child_env_make(const struct child_env *env, void *memory);

#define CHILD_ENV_STACK_BYTES 4096u
#define CHILD_ENV_MEMORY(bytes) \
	((bytes) <= CHILD_ENV_STACK_BYTES ? __builtin_alloca(bytes) : child_env_map(bytes))

/* Pages for a large environment; NULL where there are none (the given one is used then). */
void *child_env_map(size_t bytes);
void child_env_release(void *memory, size_t bytes);

#endif
