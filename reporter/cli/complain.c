#include "reporter/cli/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say(const char *format, va_list list)
{
	char line[4096 + 512];
	int prefix = snprintf(line, sizeof line, "whoholds: ");
	int length = vsnprintf(line + prefix, sizeof line - (size_t)prefix - 1, format, list);
	size_t bytes = (size_t)prefix + (length > 0 ? (size_t)length : 0);
	if (bytes > sizeof line - 2)
		bytes = sizeof line - 2;
	/* Names come from file systems and recordings: none of them may steer the terminal. */
	for (size_t i = 0; i < bytes; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\n' && line[i] != '\t') || line[i] == 127)
			line[i] = '?';
	line[bytes++] = '\n';
	/* Nowhere to complain about that. */
	if (write(STDERR_FILENO, line, bytes) < 0)
		return;
}

void complain(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(format, list);
	va_end(list);
}

int usage_error(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	say(format, list);
	va_end(list);
	return EXIT_USAGE;
}
