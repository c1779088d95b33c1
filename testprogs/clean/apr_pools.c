/*
 * APR takes its memory from mmap (Debian) or from malloc. Pools that are destroyed, pools that only the one they were made from
 * knows, and strings that only their pool knows.
 *
 * BUILD: -I/usr/include/apr-1.0 -lapr-1
 * KINDS: none
 */
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "lib/lose.h"

static apr_pool_t *server;

__attribute__((noinline)) static void serve(void)
{
	for (int i = 0; i < 50; i++) {
		apr_pool_t *pool = NULL;
		if (apr_pool_create(&pool, i % 3 ? server : NULL) != APR_SUCCESS)
			return;
		apr_psprintf(pool, "/pages/%d", i);
		apr_palloc(pool, 20000);
		if (i % 2)
			apr_pool_destroy(pool);
	}
}

int main(void)
{
	if (apr_initialize() != APR_SUCCESS || apr_pool_create(&server, NULL) != APR_SUCCESS)
		return 1;
	serve();
	wipe_stack();
	return 0;
}
