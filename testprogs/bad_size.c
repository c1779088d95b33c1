/*
 * A message says how long it is, and it is said to be shorter than its own header: the difference is negative. Nobody looks at
 * what malloc says of it. By an argument: a program that gives up, a product of what is in a picture's header, and alignments.
 * Hard because: it is not what crashes.
 *
 * RUN: whoholds run %prog
 * KINDS: bad-size
 * EXPECT-STATUS: 139
 * EXPECT: malloc was asked for -12 bytes, in message_new
 * EXPECT-JSON: finding("bad-size") | has_frame("called"; "message_new"; {{line message}})
 * LEAVES: recordings
 */
#include <stdlib.h>
#include <string.h>

#define HEADER 16

__attribute__((noinline)) static char *message_new(size_t length)
{
	char *volatile body = malloc(length - HEADER); /* line: message */
	return body;
}

int main(int argc, char **argv)
{
	size_t length = argc > 1 ? strlen(argv[1]) : 4;
	char *body = message_new(length);
	memcpy(body, "head", length);
	return body[0] != 'h';
}
