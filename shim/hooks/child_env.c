#include "hooks/child_env.h"

#include <string.h>

#include "platform/sys.h"
#include "stack/memory.h"
#include "start.h"

#define PRELOAD "LD_PRELOAD="
#define PRELOAD_LENGTH (sizeof(PRELOAD) - 1)

/* Mapped in a vfork child of this thread, which can't free it itself. */
static __thread struct {
	void *memory;
	size_t bytes;
} left_behind TLS_IE;

/* The length of "NAME=" in "NAME=value"; 0 where there is no '='. */
static size_t name_length(const char *string)
{
	const char *equals = strchr(string, '=');
	return equals ? (size_t)(equals - string) + 1 : 0;
}

/* The next path of an LD_PRELOAD value from *at; NULL at its end. */
static const char *preload_next(const char **at, size_t *ret_length)
{
	const char *start = *at + strspn(*at, ": ");
	*ret_length = strcspn(start, ": ");
	*at = start + *ret_length;
	return *ret_length ? start : NULL;
}

static bool preload_has(const char *value, const char *library)
{
	size_t length, wanted = strlen(library);
	const char *path;

	while ((path = preload_next(&value, &length)))
		if (length == wanted && !memcmp(path, library, length))
			return true;
	return false;
}

/* Names are shorter than that, with their '='. */
#define NAME_MOST 32u

/* Whether the page of `at` is there; `known` is one that was asked for. In a sandbox nothing can be asked. */
static bool is_there(uint64_t *known, const void *at)
{
	uint64_t page = (uintptr_t)at & ~(MEMORY_PAGE - 1);
	if (page == *known || sys_sandboxed)
		return true;
	if (!memory_readable(page))
		return false;
	*known = page;
	return true;
}

static bool has_name(uint64_t *known, const char *string)
{
	size_t in_page = MEMORY_PAGE - (uintptr_t)string % MEMORY_PAGE;
	return is_there(known, string) &&
	       (in_page >= NAME_MOST || memchr(string, '\0', in_page) || is_there(known, string + in_page));
}

/* Return: false: some of it lies at no good address. The kernel is the one to answer that. */
static bool count_strings(char *const *given, size_t *ret_count)
{
	uint64_t of_array = 1, of_strings = 1; /* no pages */
	size_t count = 0;
	for (; given; count++) {
		if (!is_there(&of_array, &given[count]))
			return false;
		if (!given[count])
			break;
		if (!has_name(&of_strings, given[count]))
			return false;
	}
	*ret_count = count;
	return true;
}

/* The last of that name, which is the one that counts; NULL: none. */
static const char *find(const struct child_env *env, const char *name, size_t length, size_t *ret_at)
{
	for (size_t i = env->count; i-- > 0;) {
		if (!strncmp(env->given[i], name, length)) {
			*ret_at = i;
			return env->given[i];
		}
	}
	return NULL;
}

size_t child_env_plan(struct child_env *env, char *const *given)
{
	const char *const *ours = start_child_environment();

	*env = (struct child_env){ .given = given, .library = start_library_path() };
	if (!env->library || !*env->library)
		return 0;
	if (!count_strings(given, &env->count))
		return 0;
	env->follow = ours && *ours;
	const char *preload = find(env, PRELOAD, PRELOAD_LENGTH, &env->preload_at);
	if (preload && preload_has(preload + PRELOAD_LENGTH, env->library) != env->follow)
		env->preload = preload;

	size_t at;
	for (; env->follow && *ours && env->add_count < CHILD_ENV_ADD_MAX; ours++)
		if (!find(env, *ours, name_length(*ours), &at))
			env->add[env->add_count++] = *ours;
	if (!env->preload && !env->add_count)
		return 0;
	size_t text = env->preload ? strlen(env->preload) + 1 + strlen(env->library) + 1 : 0;
	return (env->count + env->add_count + 1) * sizeof(char *) + text;
}

/* "LD_PRELOAD=..." with our library behind the others, or without it. Return: false: nothing is left. */
static bool preload_write(const struct child_env *env, char *into)
{
	size_t length, wanted = strlen(env->library);

	if (env->follow) {
		length = strlen(env->preload);
		memcpy(into, env->preload, length);
		if (length > PRELOAD_LENGTH)
			into[length++] = ':';
		memcpy(into + length, env->library, wanted + 1);
		return true;
	}
	const char *from = env->preload + PRELOAD_LENGTH, *path;
	size_t used = PRELOAD_LENGTH;
	memcpy(into, PRELOAD, PRELOAD_LENGTH);
	while ((path = preload_next(&from, &length))) {
		if (length == wanted && !memcmp(path, env->library, length))
			continue;
		if (used > PRELOAD_LENGTH)
			into[used++] = ':';
		memcpy(into + used, path, length);
		used += length;
	}
	into[used] = '\0';
	return used > PRELOAD_LENGTH;
}

char *const *child_env_make(const struct child_env *env, void *memory)
{
	if (!memory)
		return env->given;
	char **array = memory;
	char *text = (char *)(array + env->count + env->add_count + 1);
	size_t used = 0;

	for (size_t i = 0; i < env->count; i++) {
		if (!env->preload || i != env->preload_at)
			array[used++] = env->given[i];
		else if (preload_write(env, text))
			array[used++] = text;
	}
	for (size_t i = 0; i < env->add_count; i++)
		array[used++] =
		    (char *)(uintptr_t)env->add[i]; /* exec's own prototype: it does not write them */
	array[used] = NULL;
	return array;
}

void *child_env_map(size_t bytes)
{
	if (left_behind.memory)
		sys_pages_free(left_behind.memory, left_behind.bytes);
	left_behind.memory = sys_pages(bytes);
	left_behind.bytes = bytes;
	return left_behind.memory;
}

void child_env_release(void *memory, size_t bytes)
{
	if (!memory || memory != left_behind.memory)
		return;
	sys_pages_free(memory, bytes);
	left_behind.memory = NULL;
}
