/*
 * The entry points of bound functions: whatever a call passes in registers and on the stack arrives, and whatever comes back comes
 * back, though all that may be overwritten is overwritten in between. In each way to keep vectors that this processor has.
 */
#include <check.h>
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hooks/bind_entries.h"

#define STACK_WORDS (BIND_STACK_BYTES / 8)

/* What a call has where: the code below knows the layout. */
struct registers {
	uint64_t words[8]; /* rdi, rsi, rdx, rcx, r8, r9, rax, r10 */
	uint8_t vectors[8][64];
	uint64_t stack[STACK_WORDS];
};

struct results {
	uint64_t words[2];      /* rax, rdx */
	uint8_t vectors[2][64]; /* 0 and 1 */
	long double x87;
	uint64_t kept; /* 1: rbx, rbp, r12 to r15 and rsp are as they were */
};

_Static_assert(offsetof(struct registers, vectors) == 64 && offsetof(struct registers, stack) == 576 &&
		   offsetof(struct results, vectors) == 16 && offsetof(struct results, x87) == 144 &&
		   offsetof(struct results, kept) == 160 && STACK_WORDS == 32,
	       "see below");

/* Calls `entry` with what `given` has, and fills in what came back. */
void call_xmm(const struct registers *given, struct results *ret_back, uint64_t entry);
void call_ymm(const struct registers *given, struct results *ret_back, uint64_t entry);
void call_zmm(const struct registers *given, struct results *ret_back, uint64_t entry);
/* Functions to be bound: they note what they get in `arrived`, and give back `given_back`. */
void target_xmm(void);
void target_ymm(void);
void target_zmm(void);
/* Overwrite what a function may. */
void spoil_xmm(void);
void spoil_ymm(void);
void spoil_zmm(void);

extern struct registers arrived;
extern struct results given_back;
struct registers arrived;
struct results given_back;

__asm__(
    ".macro wh_test move, reg, last\n"
    ".text\n"
    ".globl call_\\reg\\()\n.type call_\\reg\\(), @function\n"
    "call_\\reg\\():\n"
    "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
    "pushq %rsi\n"
    "movq %rdi, %rbx\n"
    "movq %rdx, %r11\n"
    "subq $256, %rsp\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "movq 576+8*\\n(%rbx), %rax\n movq %rax, 8*\\n(%rsp)\n"
    ".endr\n"
    ".irp n, 0,1,2,3,4,5,6,7\n \\move 64+64*\\n(%rbx), %\\reg\\()\\n\n .endr\n"
    "movq 0(%rbx), %rdi\n movq 8(%rbx), %rsi\n movq 16(%rbx), %rdx\n movq 24(%rbx), %rcx\n"
    "movq 32(%rbx), %r8\n movq 40(%rbx), %r9\n movq 48(%rbx), %rax\n movq 56(%rbx), %r10\n"
    "movq %rsp, %r12\n leaq 1(%rsp), %r13\n leaq 2(%rsp), %r14\n leaq 3(%rsp), %r15\n leaq 4(%rsp), %rbp\n"
    "leaq 5(%rsp), %rbx\n"
    "call *%r11\n"
    "movq 256(%rsp), %rcx\n"
    "movq %rax, 0(%rcx)\n movq %rdx, 8(%rcx)\n"
    "\\move %\\reg\\()0, 16(%rcx)\n \\move %\\reg\\()1, 80(%rcx)\n"
    "fstpt 144(%rcx)\n"
    "subq $1, %r13\n subq $2, %r14\n subq $3, %r15\n subq $4, %rbp\n subq $5, %rbx\n"
    "xorq %rsp, %r12\n xorq %rsp, %r13\n xorq %rsp, %r14\n xorq %rsp, %r15\n xorq %rsp, %rbp\n xorq %rsp, "
    "%rbx\n"
    "orq %r13, %r12\n orq %r14, %r12\n orq %r15, %r12\n orq %rbp, %r12\n orq %rbx, %r12\n"
    "xorl %eax, %eax\n testq %r12, %r12\n sete %al\n movq %rax, 160(%rcx)\n"
    "addq $264, %rsp\n"
    "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n"
    "ret\n"
    ".size call_\\reg\\(), . - call_\\reg\\()\n"

    ".globl target_\\reg\\()\n.type target_\\reg\\(), @function\n"
    "target_\\reg\\():\n"
    "movq %r11, -8(%rsp)\n"
    "leaq arrived(%rip), %r11\n"
    "movq %rdi, 0(%r11)\n movq %rsi, 8(%r11)\n movq %rdx, 16(%r11)\n movq %rcx, 24(%r11)\n"
    "movq %r8, 32(%r11)\n movq %r9, 40(%r11)\n movq %rax, 48(%r11)\n movq %r10, 56(%r11)\n"
    ".irp n, 0,1,2,3,4,5,6,7\n \\move %\\reg\\()\\n, 64+64*\\n(%r11)\n .endr\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "movq 8+8*\\n(%rsp), %rax\n movq %rax, 576+8*\\n(%r11)\n"
    ".endr\n"
    "leaq given_back(%rip), %r11\n"
    "movq 0(%r11), %rax\n movq 8(%r11), %rdx\n"
    "\\move 16(%r11), %\\reg\\()0\n \\move 80(%r11), %\\reg\\()1\n"
    "fldt 144(%r11)\n"
    "ret\n"
    ".size target_\\reg\\(), . - target_\\reg\\()\n"

    ".globl spoil_\\reg\\()\n.type spoil_\\reg\\(), @function\n"
    "spoil_\\reg\\():\n"
    "leaq arrived(%rip), %r11\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n \\move 7+\\n(%r11), %\\reg\\()\\n\n .endr\n"
    ".ifc \\last,zeroupper\n vzeroupper\n .endif\n"
    "movq $0x77, %rax\n movq %rax, %rdi\n movq %rax, %rsi\n movq %rax, %rdx\n movq %rax, %rcx\n movq %rax, "
    "%r8\n"
    "movq %rax, %r9\n movq %rax, %r10\n movq %rax, %r11\n"
    "ret\n"
    ".size spoil_\\reg\\(), . - spoil_\\reg\\()\n"
    ".endm\n"
    "wh_test movups, xmm, none\n"
    "wh_test vmovups, ymm, zeroupper\n"
    "wh_test vmovups, zmm, zeroupper\n"
    ".purgem wh_test\n");

struct width {
	unsigned bytes;
	void (*call)(const struct registers *given, struct results *ret_back, uint64_t entry);
	void (*target)(void);
	void (*spoil)(void);
};

static const struct width widths[] = {
	{ 16, call_xmm, target_xmm, spoil_xmm },
	{ 32, call_ymm, target_ymm, spoil_ymm },
	{ 64, call_zmm, target_zmm, spoil_zmm },
};

/* How many of the widths this processor and system have. */
static unsigned widths_here(void)
{
	unsigned a, b, c, d, low, high;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 1;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & 0x40 ? 3 : low & 4 ? 2 : 1;
}

static bool processor_tells(void)
{
	unsigned a, b, c, d;
	return __get_cpuid_count(0xd, 1, &a, &b, &c, &d) && (a >> 2 & 1);
}

/* -- what stands in for bind_events.c ------------------------------------------ */

static void (*spoil)(void);
static unsigned befores, afters;
static struct registers seen;
static uint64_t seen_result;

static void spoil_all(void)
{
	__asm__ volatile("call *%0"
			 :
			 : "b"(spoil)
			 : "rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc",
			   "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void *bind_before(struct bound *bound, struct bound_call *call, const void *frame)
{
	befores++;
	memcpy(seen.words, call->arguments, sizeof call->arguments);
	/* Above the frame pointer and the return address. */
	memcpy(seen.stack, (const char *)frame + 16, sizeof seen.stack);
	spoil_all();
	return bound->target;
}

void bind_after(struct bound *bound, struct bound_call *call, const void *frame)
{
	(void)bound;
	(void)frame;
	afters++;
	seen_result = call->result;
	spoil_all();
}

/* -- the tests ------------------------------------------------------------------- */

static void fill(void *bytes, size_t count, unsigned seed)
{
	for (size_t i = 0; i < count; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(seed + i * 37 + i / 251);
}

enum route { CALL, CALL_BEFORE, TAIL };

static void check_call(enum route route, const struct width *width, unsigned seed)
{
	struct registers given;
	struct results back;
	memset(&arrived, 0xee, sizeof arrived);
	memset(&back, 0, sizeof back);
	fill(&given, sizeof given, seed);
	fill(&given_back, sizeof given_back, seed + 100);
	given_back.x87 = (long double)seed / 7;
	spoil = width->spoil;
	befores = afters = 0;
	bind_table[3] = (struct bound){
		.target = (void *)width->target,
		.route = route == TAIL ? (void *)bind_tail : (void *)bind_call,
		.flags = route == CALL ? 0 : BIND_BEFORE,
	};

	width->call(&given, &back, bind_entry(&bind_table[3]));

	ck_assert_mem_eq(arrived.words, given.words, sizeof given.words);
	ck_assert_mem_eq(arrived.stack, given.stack, sizeof given.stack);
	ck_assert_mem_eq(back.words, given_back.words, sizeof back.words);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_mem_eq(arrived.vectors[i], given.vectors[i], width->bytes);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_mem_eq(back.vectors[i], given_back.vectors[i], width->bytes);
	ck_assert_ldouble_eq(back.x87, given_back.x87);
	ck_assert_uint_eq(back.kept, 1);
	ck_assert_uint_eq(befores, route != CALL);
	ck_assert_uint_eq(afters, route != TAIL);
	if (route != CALL) {
		ck_assert_mem_eq(seen.words, given.words, sizeof(uint64_t) * 6);
		ck_assert_mem_eq(seen.stack, given.stack, sizeof given.stack);
	}
	if (route != TAIL)
		ck_assert_uint_eq(seen_result, given_back.words[0]);
}

static void check_routes(unsigned most)
{
	for (unsigned width = 0; width < most; width++)
		for (unsigned seed = 0; seed < 20; seed++) {
			check_call(CALL, &widths[width], seed);
			check_call(CALL_BEFORE, &widths[width], seed);
			check_call(TAIL, &widths[width], seed);
		}
}

START_TEST(narrow_vectors_where_there_are_no_wider_ones)
{
	bind_vectors = BIND_XMM;
	check_routes(1);
}
END_TEST

START_TEST(wide_vectors_that_are_looked_at)
{
	if (widths_here() >= 2) {
		bind_vectors = BIND_YMM;
		check_routes(2);
	}
}
END_TEST

START_TEST(the_widest_vectors_that_are_looked_at)
{
	if (widths_here() >= 3) {
		bind_vectors = BIND_ZMM;
		check_routes(3);
	}
}
END_TEST

START_TEST(vectors_that_the_processor_tells_of)
{
	if (widths_here() >= 2 && processor_tells()) {
		bind_vectors = BIND_ASK;
		check_routes(widths_here());
	}
}
END_TEST

START_TEST(what_this_processor_gets)
{
	bind_entries_init();
	check_routes(widths_here());
}
END_TEST

/* One set bit, wherever it is, makes a register count as wide. */
START_TEST(a_single_bit_in_any_vector)
{
	static const uint8_t modes[] = { BIND_YMM, BIND_ZMM };
	for (unsigned mode = 0; mode + 2 <= widths_here(); mode++) {
		const struct width *width = &widths[mode + 1];
		bind_vectors = modes[mode];
		spoil = width->spoil;
		bind_table[3] = (struct bound){ .target = (void *)width->target,
						.route = (void *)bind_tail,
						.flags = BIND_BEFORE };
		for (unsigned at = 0; at < 8 * width->bytes; at++) {
			struct registers given = { 0 };
			struct results back;
			memset(&arrived, 0xee, sizeof arrived);
			given.vectors[at / width->bytes][at % width->bytes] = 0x10;
			width->call(&given, &back, bind_entry(&bind_table[3]));
			for (unsigned i = 0; i < 8; i++)
				ck_assert_mem_eq(arrived.vectors[i], given.vectors[i], width->bytes);
		}
	}
}
END_TEST

/* Wherever in a page the stack is when the call is made: its end, beyond which there might be nothing, included. */
START_TEST(at_any_place_of_a_page)
{
	bind_entries_init();
	for (unsigned bytes = 16; bytes < 4096 + 256; bytes += 16) {
		volatile char *room = __builtin_alloca(bytes);
		room[0] = 1;
		check_call(CALL, &widths[0], bytes);
		check_call(CALL_BEFORE, &widths[0], bytes);
	}
}
END_TEST

int main(void)
{
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, "vgpreload")) {
		printf("whether a stack goes on is tested by system calls that valgrind takes for errors\n");
		return 77;
	}
	Suite *suite = suite_create("bind_entries");
	TCase *tcase = tcase_create("calls");
	tcase_add_test(tcase, narrow_vectors_where_there_are_no_wider_ones);
	tcase_add_test(tcase, wide_vectors_that_are_looked_at);
	tcase_add_test(tcase, the_widest_vectors_that_are_looked_at);
	tcase_add_test(tcase, vectors_that_the_processor_tells_of);
	tcase_add_test(tcase, what_this_processor_gets);
	tcase_add_test(tcase, a_single_bit_in_any_vector);
	tcase_add_test(tcase, at_any_place_of_a_page);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
