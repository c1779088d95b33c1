/*
 * A parser goes one level down for each bracket. What it is given is nested so deep that nearly all of its
 * thread's stack is used: a little more, and the program crashes.
 *
 * Hard because nothing is wrong yet, and when the thread ends the frames are long gone; and the next thread, which
 * libc gives the same stack, has done nothing of the kind.
 *
 * KINDS: stack-depth
 * EXPECT: warning stack-depth: thread 2 "parser" has used
 * EXPECT: of its 1 MiB of stack (9
 * EXPECT-JSON: finding("stack-depth") | has_frame("deepest"; "parse_level"; {{line goes down}}) and has_frame("created"; "main"; {{line creates}})
 * EXPECT-JSON: [finding("stack-depth")] | length == 1 and .[0].bytes == 1048576
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/show.h"

#define STACK_BYTES (1024 * 1024)
#define ENOUGH (STACK_BYTES / 100 * 93)

static uintptr_t first;

static int parse_level(int level)
{
	volatile char token[1000];

	memset((char *)token, '(', sizeof token);
	if (first - (uintptr_t)token > ENOUGH)
		return level;
	return parse_level(level + 1) + (token[level % (int)sizeof token] == ')'); /* line: goes down */
}

static void *parse(void *unused)
{
	show_thread("parser");
	first = (uintptr_t)__builtin_frame_address(0);
	printf("%d levels\n", parse_level(0));
	return unused;
}

static void *idle(void *unused)
{
	return unused;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (pthread_create(&thread, &attributes, parse, NULL)) /* line: creates */
		return 1;
	pthread_join(thread, NULL);
	if (pthread_create(&thread, &attributes, idle, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}
