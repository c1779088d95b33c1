/* Runs a suite: each test in a process of its own, or all of them in this one, where they share what was made before. */
#ifndef TEST_SUITE_H
#define TEST_SUITE_H

#include <check.h>

static inline int suite_run_forked(Suite *suite, enum fork_status fork_status)
{
	SRunner *runner = srunner_create(suite);
	if (fork_status != CK_FORK_GETENV)
		srunner_set_fork_status(runner, fork_status);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

/* Return, of both: how many of its tests failed. The suite is freed. */
static inline int suite_run(Suite *suite)
{
	return suite_run_forked(suite, CK_FORK_GETENV);
}

static inline int suite_run_here(Suite *suite)
{
	return suite_run_forked(suite, CK_NOFORK);
}

#endif
