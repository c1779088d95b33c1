/* A run of a suite about stacks: in one process, with a recording of its own. */
#ifndef TEST_STACK_SUITE_H
#define TEST_STACK_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/recording.h"
#include "stack/stack.h"

#include "testprogs/unit/place.h"
#include "testprogs/unit/suite.h"

struct stack_suite {
	const char *name;
	const char *not_in_valgrind;     /* why it can't run there */
	bool (*prepare)(void);           /* with the recording open; false: it has said why it can't run */
	void (*add_tests)(TCase *tcase); /* to its one test case */
};

/* Such a suite's `prepare` where stacks are compared with libunwind's. */
__attribute__((unused)) static bool load_libunwind(void)
{
	if (stack_verify_init(0) == 0)
		return true;
	printf("libunwind.so.8 is not installed\n");
	return false;
}

/* Return: the exit status. */
static int stack_suite_run(const struct stack_suite *what)
{
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, "vgpreload")) {
		printf("%s\n", what->not_in_valgrind);
		return 77;
	}
	Suite *suite = suite_create(what->name);
	TCase *tcase = tcase_create(what->name);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	what->add_tests(tcase);
	recording_configure(place_make("test_stack"), NULL);
	if (recording_open() != 0)
		return 1;
	if (!what->prepare())
		return 77;
	/* In this process: its recording is the tests' too. */
	int failed = suite_run_here(suite);
	recording_unlink();
	place_remove();
	return failed ? 1 : 0;
}

#endif
