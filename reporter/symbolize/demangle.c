#include "reporter/symbolize/names.h"

#include <setjmp.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "base/text.h"

#define INPUT_MOST \
	4096u /* longest name that is demangled, bytes; the recommendation of libiberty's fuzzers */
#define OUTPUT_MOST 16384u

/* A short mangled name can stand for a huge one (back references): stop there, and keep what it was. */
struct output {
	char bytes[OUTPUT_MOST];
	size_t used;
	jmp_buf full;
};

static void output_put(const char *bytes, size_t count, void *data)
{
	struct output *output = data;
	/* libiberty keeps its state on the stack and in small blocks; a few of them leak here, once a hostile name. */
	if (count > sizeof(output->bytes) - output->used)
		longjmp(output->full, 1);
	if (count) /* else `bytes` may be NULL */
		memcpy(output->bytes + output->used, bytes, count);
	output->used += count;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Length without one trailing ".word", ".word.123" or ".123"; the length itself where there is none. */
static size_t without_clone(const char *name, size_t length)
{
	static const char *const clones[] = {
#define CLONE(suffix) suffix,
#include "reporter/symbolize/clones.def"
#undef CLONE
	};
	size_t stem = length;
	while (stem && is_digit(name[stem - 1]))
		stem--;
	bool numbered = stem < length && stem > 1 && name[stem - 1] == '.';
	stem = numbered ? stem - 1 : length;
	for (size_t i = 0; i < COUNT_OF(clones); i++) {
		size_t bytes = strlen(clones[i]);
		if (stem > bytes && memcmp(name + stem - bytes, clones[i], bytes) == 0)
			return stem - bytes;
	}
	return stem;
}

static size_t stem_bytes(const char *name)
{
	size_t length = strcspn(name, "@");
	if (!length)
		return strlen(name);
	for (size_t shorter; (shorter = without_clone(name, length)) < length;)
		length = shorter;
	return length;
}

/* `mangled` for people, in `output`; false: it is no mangled name, or stands for too long a one. */
static NOINLINE bool demangle(const char *mangled, struct output *output)
{
	output->used = 0;
	if (setjmp(output->full))
		return false;
	/* First Rust: its older names are valid C++ ones, with a hash as their last part. */
	if (rust_demangle_callback(mangled, DMGL_PARAMS | DMGL_ANSI, output_put, output) && output->used)
		return true;
	output->used = 0;
	return cplus_demangle_v3_callback(mangled, DMGL_PARAMS | DMGL_ANSI, output_put, output) &&
	       output->used;
}

const char *names_demangle(struct names *names, const char *linkage)
{
	size_t length = stem_bytes(linkage);
	/* C's names, most of them, end here. */
	const char *start = linkage + strspn(linkage, "_");
	if (length > INPUT_MOST || start == linkage || (*start != 'Z' && *start != 'R'))
		return names_put(names, linkage, length);

	char mangled[INPUT_MOST + 1];
	struct output output;
	memcpy(mangled, linkage, length);
	mangled[length] = '\0';
	if (demangle(mangled, &output))
		return names_put(names, output.bytes, output.used);
	return names_put(names, linkage, length);
}
