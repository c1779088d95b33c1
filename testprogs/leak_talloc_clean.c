/*
 * Requests that are freed with all that hangs on them, some that only their parent knows, and one that is moved to another parent.
 *
 * BUILD: -ltalloc
 * KINDS: none
 */
#include <talloc.h>

#include "lib/lose.h"

static TALLOC_CTX *server;

struct request {
	char *path;
};

__attribute__((noinline)) static struct request *request_new(TALLOC_CTX *context, int number)
{
	struct request *request = talloc_zero(context, struct request);
	request->path = talloc_asprintf(request, "/pages/%d", number);
	return request;
}

__attribute__((noinline)) static void serve(void)
{
	for (int i = 0; i < 50; i++) {
		struct request *request = request_new(NULL, i);
		request_new(server, i);
		if (i % 2)
			talloc_free(request);
		else
			talloc_steal(server, request);
	}
}

int main(void)
{
	server = talloc_new(NULL);
	serve();
	wipe_stack();
	return 0;
}
