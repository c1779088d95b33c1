/*
 * A request with its strings, all of them children of one talloc context, which is forgotten: parents and children point at each other, so it is one ring each, told together.
 *
 * BUILD: -ltalloc
 * KINDS: leak
 * EXPECT-JSON: finding("leak") | has_function("allocated"; "request_new") and .count == 150
 */
#include <talloc.h>

#include "lib/lose.h"

#define REQUESTS 50

struct request {
	char *path, *from;
};

__attribute__((noinline)) static struct request *request_new(TALLOC_CTX *context, int number)
{
	struct request *request = talloc_zero(context, struct request); /* line: request */
	request->path = talloc_asprintf(request, "/pages/%d", number);
	request->from = talloc_strdup(request, "somebody");
	return request;
}

__attribute__((noinline)) static void serve(void)
{
	for (int i = 0; i < REQUESTS; i++)
		request_new(NULL, i);
}

int main(void)
{
	serve();
	wipe_stack();
	return 0;
}
