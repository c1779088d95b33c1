/*
 * What is no allocation's start is freed: each sort in a child of its own, which dies of it.
 *
 * RUN: whoholds run %prog
 * KINDS: invalid-free
 * EXPECT: an address 16 bytes behind the start of a block of 100 bytes from record_new was freed in advanced
 * EXPECT: an address 16 bytes before a block of 100 bytes from record_new was freed in before
 * EXPECT: a variable on the stack was freed in on_stack
 * EXPECT: an address 6 bytes behind the start of a block of 100 bytes from record_new was freed in little_advanced
 * EXPECT: a variable on the stack was freed in on_stack_gone
 * EXPECT: data of the program or of a library, which was never allocated, was freed in global
 * EXPECT: data of the program or of a library, which was never allocated, was freed in literal
 * EXPECT: an address that no allocation can have was freed in made_up
 * EXPECT-JSON: finding("invalid-free") | has_frame("freed"; "advanced"; {{line inside}}) and has_frame("allocated"; "record_new"; {{line new}})
 * LEAVES: recordings
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char table[64] __attribute__((aligned(16)));
static const char text[] __attribute__((aligned(16))) = "default";

__attribute__((noinline)) static char *record_new(void)
{
	return malloc(100); /* line: new */
}

/* The compiler knows better otherwise. */
__attribute__((noinline)) static void *hidden(void *address)
{
	void *volatile kept = address;
	return kept;
}

__attribute__((noinline)) static void advanced(void)
{
	free(hidden(record_new() + 16)); /* line: inside */
}

/* Not where any block could begin; but in the first 8 bytes of that one. */
__attribute__((noinline)) static void little_advanced(void)
{
	free(hidden(record_new() + 6));
}

__attribute__((noinline)) static void before(void)
{
	free(hidden(record_new() - 16));
}

__attribute__((noinline)) static void on_stack(void)
{
	char local[64] __attribute__((aligned(16))) = "x";
	free(hidden(local));
}

/* As where that call is a function's last, and a jump: its variables are below the stack by then. */
__attribute__((noinline)) static void on_stack_gone(void)
{
	free(hidden((char *)__builtin_frame_address(0) - 1024));
}

__attribute__((noinline)) static void global(void)
{
	free(hidden(table));
}

__attribute__((noinline)) static void literal(void)
{
	free(hidden((void *)text));
}

__attribute__((noinline)) static void made_up(void)
{
	free(hidden((void *)0x123450));
}

int main(void)
{
	static void (*const sorts[])(void) = { advanced,      little_advanced, before,  on_stack,
					       on_stack_gone, global,          literal, made_up };
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
		int status;
		pid_t child = fork();
		if (child == 0) {
			close(2); /* libc's own words about it */
			sorts[i]();
			_exit(0);
		}
		waitpid(child, &status, 0);
	}
	return 0;
}
