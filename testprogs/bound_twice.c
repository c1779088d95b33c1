/*
 * A list of addresses is freed by the function that looks through it, and once more by whoever asked for it.
 * Hard because it is a library's own function that frees it, which no hook stands in for; and libc may end
 * the process for it: here a child is.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: released-twice double-free?
 * EXPECT: error released-twice: thread 1 "main" released resource "address list", which it had released already in count
 * EXPECT-JSON: finding("released-twice") | has_frame("released-again"; "twice"; {{line again}}) and has_frame("released"; "count"; {{line frees}}) and has_frame("opened"; "twice"; {{line asks}})
 */
#include <netdb.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int count(struct addrinfo *list)
{
	int found = 0;
	for (struct addrinfo *at = list; at; at = at->ai_next)
		found++;
	freeaddrinfo(list); /* line: frees */
	return found;
}

static void twice(void)
{
	struct addrinfo *list, wanted = { .ai_flags = AI_NUMERICHOST };
	if (getaddrinfo("127.0.0.1", NULL, &wanted, &list) != 0) /* line: asks */
		_exit(2);
	int found = count(list);
	freeaddrinfo(list); /* line: again */
	_exit(found == 0);
}

int main(void)
{
	struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	pid_t child = fork();
	if (child == 0)
		twice();
	waitpid(child, NULL, 0);
	return 0;
}
