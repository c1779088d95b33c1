/*
 * What gcc's scope cleanups need of libgcc, without linking to it: the library is
 * loaded into every process of a run, and most of those never unwind.
 *
 * When one does (a cancelled thread, a C++ exception that passes through a hook),
 * the unwinder at work is there already; it asks our frames' personality routine
 * first, which finds the two functions then. Where no libgcc_s is loaded, the
 * program brought its unwinder statically, and the functions are looked for in it;
 * failing that our cleanups are passed over: a wait stays recorded until the
 * thread's next one, and the program goes on as it would.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/context.h"
#include "platform/elf_next.h"
#include "platform/relocations.h"

typedef int personality(int version, int actions, uint64_t class, void *exception, void *context);

personality __gcc_personality_v0; /* hidden by -fvisibility=hidden */

/* _URC_CONTINUE_UNWIND of the Itanium C++ ABI: nothing to do in this frame. */
#define CONTINUE_UNWIND 8

void *cleanups_resume;

/*
 * Not by dlopen and dlsym, whose lock is held while constructors run: one of these may be waiting for the very thread that unwinds. By
 * name in libgcc_s, wherever it is loaded; else in whatever has both.
 */
struct search {
	bool in_libgcc;
	void *resume, *known;
};

static bool look_in(struct elf_module *module, void *data)
{
	struct search *search = data;
	void *resume = NULL, *known = NULL;
	if (module->dynamic == elf_own_dynamic() ||
	    (search->in_libgcc && !strstr(module->name, "/libgcc_s.so.1")) ||
	    !elf_definition(module->dynamic, module->bias, "_Unwind_Resume", NULL, &resume) ||
	    !elf_definition(module->dynamic, module->bias, "__gcc_personality_v0", NULL, &known))
		return true;
	search->resume = resume;
	search->known = known;
	return !resume || !known;
}

static void look(const struct elf_counts *counts, void *data)
{
	(void)counts;
	relocations_modules(look_in, data);
}

static personality *find(void)
{
	static personality *found;
	personality *known = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
	if (known)
		return known;
	struct search search = { .in_libgcc = true };
	relocations_visit(look, &search);
	if (!search.known) {
		search.in_libgcc = false;
		relocations_visit(look, &search);
	}
	if (!search.resume || !search.known)
		return NULL;
	known = (personality *)search.known;
	__atomic_store_n(&cleanups_resume, search.resume, __ATOMIC_RELEASE);
	__atomic_store_n(&found, known, __ATOMIC_RELEASE);
	return known;
}

int __gcc_personality_v0(int version, int actions, uint64_t class, void *exception, void *context)
{
	personality *real = find();
	return real ? real(version, actions, class, exception, context) : CONTINUE_UNWIND;
}

/* A jump, not a call: the unwinder goes on from the frame that it is called from. */
__asm__(".text\n"
	".hidden cleanups_resume\n"
	".hidden _Unwind_Resume\n"
	".globl _Unwind_Resume\n"
	".type _Unwind_Resume,@function\n"
	"_Unwind_Resume:\n"
	"	.cfi_startproc\n"
	"	jmp *cleanups_resume(%rip)\n"
	"	.cfi_endproc\n"
	".size _Unwind_Resume, .-_Unwind_Resume\n");
