#include "reporter/write/writers.h"

#include <string.h>

const struct writer writers[] = {
#define WRITER(name_, function, sentence_) { .name = (name_), .write = (function), .sentence = (sentence_) },
#include "reporter/write/writers.def"
	{ .name = NULL },
};

const struct writer *writer_find(const char *name)
{
	for (const struct writer *writer = writers; writer->name; writer++)
		if (strcmp(writer->name, name) == 0)
			return writer;
	return NULL;
}
