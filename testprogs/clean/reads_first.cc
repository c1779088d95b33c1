/*
 * Reads standard input one way after the other, from the first byte to the end, or in the one way that it is told. Each gets
 * what was written. The command line's tests let it fall asleep in its first read.
 * Guards: hooks of functions with any number of arguments, and of what the compiler makes of getc_unlocked.
 *
 * RUN: %prog
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <iostream>

#include <unistd.h>

static const char text[] = "12 apples 7\nten pears\n";

static int by_getc()
{
	return getc(stdin);
}

static int by_fgetc()
{
	int (*volatile function)(FILE *) = fgetc;
	return function(stdin);
}

static int by_getchar()
{
	int (*volatile function)() = getchar;
	return function();
}

static int by_getc_unlocked()
{
	return getc_unlocked(stdin);
}

static int by_function_unlocked()
{
	int (*volatile function)(FILE *) = getc_unlocked;
	return function(stdin);
}

static int by_getchar_unlocked()
{
	int (*volatile function)() = getchar_unlocked;
	return function();
}

static int by_scanf()
{
	char c;
	return scanf("%c", &c) == 1 ? c : EOF;
}

static int by_fscanf()
{
	/* Into many, so that not all of them come in registers. */
	static char c[8];
	static int count, next;
	if (next == count) {
		count = fscanf(stdin, "%c%c%c%c%c%c%c%c", c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7);
		next = 0;
	}
	if (count > 0)
		return c[next++];
	count = next = 0;
	return EOF;
}

static int by_cin()
{
	return std::cin.get();
}

static const struct {
	const char *name;
	int (*read)();
} ways[] = {
	{ "getc", by_getc },
	{ "fgetc", by_fgetc },
	{ "getchar", by_getchar },
	{ "getc_unlocked", by_getc_unlocked },
	{ "function_unlocked", by_function_unlocked },
	{ "getchar_unlocked", by_getchar_unlocked },
	{ "scanf", by_scanf },
	{ "fscanf", by_fscanf },
	{ "cin", by_cin },
};

static bool right(int (*read)())
{
	char got[sizeof text + 1];
	size_t length = 0;
	for (int c; length < sizeof got && (c = read()) != EOF;)
		got[length++] = (char)c;
	return length == sizeof text - 1 && memcmp(got, text, length) == 0;
}

static bool right_from_pipe(int (*read)())
{
	int ends[2];
	if (pipe(ends) != 0 || write(ends[1], text, sizeof text - 1) != (ssize_t)sizeof text - 1)
		return false;
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	clearerr(stdin);
	std::cin.clear();
	return right(read);
}

int main(int argc, char **argv)
{
	for (const auto &way : ways) {
		if (argc > 1 && strcmp(argv[1], way.name) == 0)
			return !right(way.read);
		if (argc == 1 && !right_from_pipe(way.read)) {
			printf("%s did not read what was written\n", way.name);
			return 1;
		}
	}
	return argc > 1;
}
