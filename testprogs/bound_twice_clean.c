/*
 * Lists of addresses that are freed once each, though they lie where others did;
 * an expression that is freed again when it is empty; and what is not there at all.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 */
#include <netdb.h>
#include <regex.h>
#include <stddef.h>

int main(void)
{
	for (int i = 0; i < 100; i++) {
		struct addrinfo *first, *second, wanted = { .ai_flags = AI_NUMERICHOST };
		regex_t expression;
		if (getaddrinfo("127.0.0.1", NULL, &wanted, &first) != 0 ||
		    getaddrinfo("127.0.0.2", NULL, &wanted, &second) != 0)
			return 2;
		freeaddrinfo(first);
		freeaddrinfo(second);
		if (regcomp(&expression, "a+", 0) != 0)
			return 2;
		regfree(&expression);
		regfree(&expression);
		freeaddrinfo(NULL);
	}
	return 0;
}
