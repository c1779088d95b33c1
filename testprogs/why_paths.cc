/*
 * Blocks that are kept alive in every way there is, for `whoholds why` (testprogs/cli/why.sh): a map of
 * shared pointers, a stack, a thread-local variable, a thread-specific value, a list, an interior pointer. Nothing is
 * wrong with any of it. Waits until its standard input ends.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <pthread.h>
#include <string>
#include <thread>

struct session {
	std::string user;
	char *buffer;
};

struct node {
	node *next;
	long number;
};

static std::map<int, std::shared_ptr<session>> sessions;
static node *head;
static char *volatile inside;
static thread_local char *volatile scratch;
static pthread_key_t key;

static __attribute__((noinline)) char *make_buffer(size_t bytes)
{
	char *buffer = static_cast<char *>(malloc(bytes));

	if (!buffer)
		exit(1);
	memset(buffer, 'x', bytes);
	return buffer;
}

static __attribute__((noinline)) node *make_node(node *next)
{
	node *made = new node;

	made->next = next;
	made->number = next ? next->number + 1 : 0;
	return made;
}

static void show(const char *name, const void *address)
{
	printf("addr %s %p\n", name, address);
	fflush(stdout);
}

static void worker()
{
	char *volatile local[4] = { nullptr, make_buffer(777), nullptr, nullptr };

	scratch = make_buffer(888);
	show("local", local[1]);
	show("scratch", scratch);
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	free(scratch);
	free(local[1]);
}

int main()
{
	for (int i = 0; i < 100; i++) {
		auto made = std::make_shared<session>();

		made->user = "somebody with a long name";
		made->buffer = make_buffer(4096);
		sessions[i] = made;
	}
	show("buffer", sessions[50]->buffer);
	for (int i = 0; i < 1000; i++) {
		head = make_node(head);
		if (i == 9)
			show("node", head);
	}
	inside = make_buffer(500) + 100;
	show("inside", inside + 20);
	pthread_key_create(&key, free);
	pthread_setspecific(key, make_buffer(999));
	show("specific", pthread_getspecific(key));
	std::thread thread(worker);
	thread.join();
	for (auto &entry : sessions)
		free(entry.second->buffer);
	sessions.clear();
	return 0;
}
