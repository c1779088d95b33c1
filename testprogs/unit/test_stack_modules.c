/*
 * Modules that come and go: what was learnt of one must not be used for the next one at the same
 * addresses, nor may a stack be looked up in the wrong one later.
 */
#include <check.h>
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/modules.h"
#include "stack/stack.h"

#include "testprogs/unit/stack/shapes.h"
#include "testprogs/unit/stack_suite.h"

__thread struct self_state self TLS_IE;

static __thread stack_id last_stack;
static atomic_uint bad_stacks, visits;

static NOINLINE stack_id hook(void)
{
	bool same;
	last_stack = stack_verify(__builtin_frame_address(0), &same);
	visits++;
	if (!same || !last_stack)
		bad_stacks++;
	return last_stack;
}

static void visit(void)
{
	hook();
	__asm__ volatile("");
}

static void load_call_unload(const char *name, stack_id *ret_stack, uint64_t *ret_at)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(library != NULL, "%s", dlerror());
	void (*call)(visit_fn) = (void (*)(visit_fn))(uintptr_t)dlsym(library, "plugin_call");
	ck_assert(call != NULL);
	for (int i = 0; i < 3; i++)
		call(visit);
	*ret_stack = last_stack;
	*ret_at = (uintptr_t)call;
	dlclose(library);
	stack_modules_changed(true);
}

static const char *module_of(stack_id id)
{
	const struct view *view = recording_view();
	const struct rec_stack *stack = view_stack(view, id);
	const struct rec_module *module = view_module(view, stack->frames[1], stack->epoch);
	return module ? view_text(view, module->path) : "nothing";
}

START_TEST(unloaded_rules_are_not_used_again)
{
	unsigned same_place = 0;
	uint64_t before = 0;
	bad_stacks = visits = 0;
	for (int i = 0; i < 40; i++) {
		const char *name = i % 2 ? PLUGINS "/plugin_1600.so" : PLUGINS "/plugin_800.so";
		stack_id id;
		uint64_t at;
		load_call_unload(name, &id, &at);
		ck_assert_uint_ne(id, 0);
		ck_assert_str_eq(module_of(id), name);
		same_place += at == before;
		before = at;
	}
	ck_assert_uint_eq(bad_stacks, 0);
	ck_assert_uint_gt(same_place, 10); /* else nothing was tested */
	ck_assert_uint_eq(recording->epoch, modules_epoch());
	ck_assert_uint_ge(recording->epoch, 40);
}
END_TEST

/* A stack that has nothing to do with what was unloaded keeps its id, however often the epoch rises. */
START_TEST(other_stacks_keep_their_ids)
{
	stack_id first = 0;
	for (int i = 0; i < 10; i++) {
		stack_id id, mine = hook();
		uint64_t at;
		if (!first)
			first = mine;
		ck_assert_uint_eq(mine, first);
		load_call_unload(PLUGINS "/plugin_1600.so", &id, &at);
	}
}
END_TEST

/* Unloaded without a word: the tick notices. */
START_TEST(silent_unload_is_noticed)
{
	stack_id ids[2];
	bad_stacks = 0;
	for (int i = 0; i < 2; i++) {
		void *library =
		    dlopen(i ? PLUGINS "/plugin_800.so" : PLUGINS "/plugin_1600.so", RTLD_NOW | RTLD_LOCAL);
		void (*call)(visit_fn) = (void (*)(visit_fn))(uintptr_t)dlsym(library, "plugin_call");
		call(visit);
		ids[i] = last_stack;
		dlclose(library);
		stack_modules_check();
	}
	ck_assert_uint_eq(bad_stacks, 0);
	ck_assert_str_eq(module_of(ids[0]), PLUGINS "/plugin_1600.so");
	ck_assert_str_eq(module_of(ids[1]), PLUGINS "/plugin_800.so");
}
END_TEST

static void (*plugin_open(const char *name, void **ret_library))(visit_fn)
{
	*ret_library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(*ret_library != NULL, "%s", dlerror());
	return (void (*)(visit_fn))(uintptr_t)dlsym(*ret_library, "plugin_call");
}

/* Between the real dlclose and our look at what went, another thread may load, and call, what takes its place. */
START_TEST(loaded_before_anybody_was_told)
{
	unsigned same_place = 0;
	bad_stacks = 0;
	for (int i = 0; i < 20; i++) {
		void *library;
		void (*before)(visit_fn) = plugin_open(PLUGINS "/plugin_1600.so", &library);
		before(visit);
		stack_unload_begin();
		dlclose(library);
		void (*after)(visit_fn) = plugin_open(PLUGINS "/plugin_800.so", &library);
		same_place += after == before;
		for (int k = 0; k < 3; k++)
			after(visit);
		stack_modules_changed(true);
		stack_unload_end();
		after(visit);
		stack_unload_begin();
		dlclose(library);
		stack_modules_changed(true);
		stack_unload_end();
	}
	ck_assert_uint_eq(bad_stacks, 0);
	ck_assert_uint_gt(same_place, 5); /* else nothing was tested */
}
END_TEST

static atomic_bool stop;

static void *load_and_unload(void *data)
{
	const char *name = data;
	while (!stop) {
		void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
		void (*call)(visit_fn) = (void (*)(visit_fn))(uintptr_t)dlsym(library, "plugin_call");
		call(visit);
		stack_unload_begin();
		dlclose(library);
		sched_yield(); /* another may load at the same place before we have said anything */
		stack_modules_changed(true);
		stack_unload_end();
	}
	stack_thread_end();
	return NULL;
}

static NOINLINE int recurse(int levels)
{
	char *room = __builtin_alloca((size_t)levels + 1);
	room[levels] = 1;
	if (!levels)
		visit();
	else
		recurse(levels - 1);
	return ((volatile char *)room)[levels];
}

START_TEST(unwinding_while_others_load_and_unload)
{
	pthread_t threads[2];
	bad_stacks = visits = 0;
	stop = false;
	pthread_create(&threads[0], NULL, load_and_unload, PLUGINS "/plugin_1600.so");
	pthread_create(&threads[1], NULL, load_and_unload, PLUGINS "/plugin_800.so");
	for (int i = 0; i < 3000; i++) {
		recurse(i % 30);
		stack_modules_check();
	}
	stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	ck_assert_uint_gt(visits, 3000);
	ck_assert_uint_eq(bad_stacks, 0);
}
END_TEST

/* What is recorded of modules is what the loader says, build-ids and flags included. */
START_TEST(records_are_right)
{
	stack_modules_changed(false);
	const struct view *view = recording_view();
	unsigned seen = 0;
	for (uint32_t i = 0; i < view_modules(view); i++) {
		const struct rec_module *module = view_module_at(view, i);
		if (module->unloaded)
			continue;
		seen |= module->flags;
		const char *path = view_text(view, module->path);
		ck_assert_msg(path[0] == '/' || strncmp(path, "linux-vdso", 10) == 0, "path '%s'", path);
		ck_assert_msg(module->build_id_bytes == 20 || strstr(path, "plugin"), "build-id of %s", path);
	}
	ck_assert_uint_eq(seen, MODULE_SHIM | MODULE_LOADER | MODULE_LIBC | MODULE_MAIN);
	const struct rec_module *mine = view_module(view, (uintptr_t)hook, recording->epoch);
	ck_assert(mine->flags & MODULE_MAIN);
	ck_assert(strstr(view_text(view, mine->path), "/test_stack_modules") != NULL);
	const struct rec_module *libc = view_module(view, (uintptr_t)gnu_get_libc_version, recording->epoch);
	ck_assert(libc->flags & MODULE_LIBC);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, unloaded_rules_are_not_used_again);
	tcase_add_test(tcase, other_stacks_keep_their_ids);
	tcase_add_test(tcase, silent_unload_is_noticed);
	tcase_add_test(tcase, loaded_before_anybody_was_told);
	tcase_add_test(tcase, unwinding_while_others_load_and_unload);
	tcase_add_test(tcase, records_are_right);
}

int main(void)
{
	return stack_suite_run(&(struct stack_suite){
	    .name = "stack modules",
	    .not_in_valgrind = "libunwind tests memory with system calls that valgrind takes for errors",
	    .prepare = load_libunwind,
	    .add_tests = add_tests,
	});
}
