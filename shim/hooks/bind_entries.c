#include "hooks/bind_entries.h"

#include <cpuid.h>

#include "stack/bounds.h"
#include "stack/memory.h"

struct bound bind_table[BIND_ENTRIES];

/*
 * How vector registers are kept. Most hold nothing beyond their first 128 bits, and what nobody uses need not be kept. Processors tell
 * which are in use (xgetbv 1), which some take longer for than looking at the registers does; but a look at 512 bits makes others
 * slower for a while.
 */
uint8_t bind_vectors = BIND_XMM;

#define XCR0_YMM 4u
#define XCR0_ZMM 0x40u

static bool is_intel(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx && d == signature_INTEL_edx;
}

void bind_entries_init(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return;
	uint32_t low, high;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	bool tells = __get_cpuid_count(0xd, 1, &a, &b, &c, &d) && (a >> 2 & 1);
	if ((low & XCR0_ZMM) && is_intel() && tells)
		bind_vectors = BIND_ASK;
	else if (low & XCR0_ZMM)
		bind_vectors = BIND_ZMM;
	else if (low & XCR0_YMM)
		bind_vectors = BIND_YMM;
}

/*
 * Near the end of a page the words above the caller's frame may be those of nobody: the stack may end there, unless it is the
 * thread's own and goes on beyond. `to` has room for BIND_STACK_BYTES.
 */
void bind_copy_stack(const uint64_t *from, uint64_t *to);
READS_STACKS void bind_copy_stack(const uint64_t *from, uint64_t *to)
{
	static __thread struct bounds bounds TLS_IE;
	uint64_t next = ((uintptr_t)from | (MEMORY_PAGE - 1)) + 1;
	size_t words = BIND_STACK_BYTES / sizeof *from, below = (next - (uintptr_t)from) / sizeof *from;
	bool goes_on =
	    bounds_cover(&bounds, (uintptr_t)from) && bounds.high - (uintptr_t)from >= BIND_STACK_BYTES;
	if (below < words && !goes_on && !memory_readable(next))
		words = below;
	for (size_t i = 0; i < words; i++)
		to[i] = from[i];
}

#if defined(__x86_64__)

/*
 * The frame of both routes, from rbp down: struct bound_call, 8 vectors of 64 bytes, and in bind_call copies
 * of the arguments on the stack.
 */
_Static_assert(sizeof(struct bound_call) == 128 && offsetof(struct bound_call, bound) == 64, "see below");
_Static_assert(offsetof(struct bound_call, vectors) == 80 && sizeof(struct bound) == 32, "see below");
_Static_assert(BIND_STACK_BYTES == 256 && BIND_ENTRIES == 1024 && BIND_ENTRY_BYTES == 16, "see below");
_Static_assert(BIND_XMM == 0 && BIND_ASK == 1 && BIND_YMM == 2 && BIND_ZMM == 3, "see below");

__asm__(".macro wh_frame size\n"
	"endbr64\n"
	"pushq %rbp\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset %rbp, -16\n"
	"movq %rsp, %rbp\n"
	".cfi_def_cfa_register %rbp\n"
	"subq $\\size, %rsp\n"
	"movq %rdi, -128(%rbp)\n"
	"movq %rsi, -120(%rbp)\n"
	"movq %rdx, -112(%rbp)\n"
	"movq %rcx, -104(%rbp)\n"
	"movq %r8, -96(%rbp)\n"
	"movq %r9, -88(%rbp)\n"
	"movq %rax, -80(%rbp)\n"
	"movq %r11, -64(%rbp)\n"
	"movq %r10, -56(%rbp)\n"
	".endm\n"

	".macro wh_arguments\n"
	"movq -128(%rbp), %rdi\n"
	"movq -120(%rbp), %rsi\n"
	"movq -112(%rbp), %rdx\n"
	"movq -104(%rbp), %rcx\n"
	"movq -96(%rbp), %r8\n"
	"movq -88(%rbp), %r9\n"
	"movq -80(%rbp), %rax\n"
	"movq -56(%rbp), %r10\n"
	".endm\n"

	/* ORs of the first two vectors, or of eight, in number 8. Those from 8 on carry no arguments. */
	".macro wh_any two, op, reg\n"
	"\\op %\\reg\\()0, %\\reg\\()1, %\\reg\\()8\n"
	".ifeq \\two\n"
	"\\op %\\reg\\()2, %\\reg\\()3, %\\reg\\()9\n"
	"\\op %\\reg\\()4, %\\reg\\()5, %\\reg\\()10\n"
	"\\op %\\reg\\()6, %\\reg\\()7, %\\reg\\()11\n"
	"\\op %\\reg\\()8, %\\reg\\()9, %\\reg\\()8\n"
	"\\op %\\reg\\()10, %\\reg\\()11, %\\reg\\()10\n"
	"\\op %\\reg\\()8, %\\reg\\()10, %\\reg\\()8\n"
	".endif\n"
	".endm\n"

	/* The first vectors, as wide as they are in use. Overwrites eax, ecx, edx, and vectors from 8 on. */
	".macro wh_keep_vectors two, list:vararg\n"
	"movzbl bind_vectors(%rip), %eax\n"
	"cmpl $1, %eax\n"
	"ja 76f\n"
	"je 75f\n"
	"72: xorl %eax, %eax\n"
	".irp n, \\list\n movups %xmm\\n, -640+64*\\n(%rbp)\n .endr\n"
	"jmp 79f\n"
	/* BIND_ASK */
	"75: movl $1, %ecx\n"
	"xgetbv\n"
	"testl $0x40, %eax\n"
	"jnz 74f\n"
	"testl $4, %eax\n"
	"jz 72b\n"
	"73: .irp n, \\list\n vmovups %ymm\\n, -640+64*\\n(%rbp)\n .endr\n"
	"movl $4, %eax\n"
	"vzeroupper\n"
	"jmp 79f\n"
	"76: cmpl $2, %eax\n"
	"jne 77f\n"
	/* BIND_YMM */
	"wh_any \\two, vorps, ymm\n"
	"vextractf128 $1, %ymm8, %xmm8\n"
	"vptest %xmm8, %xmm8\n"
	"jnz 73b\n"
	"vzeroupper\n"
	"jmp 72b\n"
	/* BIND_ZMM */
	"77: wh_any \\two, vporq, zmm\n"
	"vextracti64x4 $1, %zmm8, %ymm9\n"
	"vextractf128 $1, %ymm8, %xmm10\n"
	"vextractf128 $1, %ymm9, %xmm11\n"
	"vorps %xmm9, %xmm10, %xmm9\n"
	"vorps %xmm9, %xmm11, %xmm9\n"
	"vptest %xmm9, %xmm9\n"
	"jnz 74f\n"
	"vzeroupper\n"
	"jmp 72b\n"
	"74: .irp n, \\list\n vmovups %zmm\\n, -640+64*\\n(%rbp)\n .endr\n"
	"movl $0x40, %eax\n"
	"vzeroupper\n"
	"79: movl %eax, -48(%rbp)\n"
	".endm\n"

	".macro wh_restore_vectors list:vararg\n"
	"movl -48(%rbp), %eax\n"
	"testl $0x40, %eax\n"
	"jnz 84f\n"
	"testl $4, %eax\n"
	"jnz 83f\n"
	".irp n, \\list\n movups -640+64*\\n(%rbp), %xmm\\n\n .endr\n"
	"jmp 89f\n"
	"83: .irp n, \\list\n vmovups -640+64*\\n(%rbp), %ymm\\n\n .endr\n"
	"jmp 89f\n"
	"84: .irp n, \\list\n vmovups -640+64*\\n(%rbp), %zmm\\n\n .endr\n"
	"89:\n"
	".endm\n"

	".macro wh_look function\n"
	"movq -64(%rbp), %rdi\n"
	"leaq -128(%rbp), %rsi\n"
	"movq %rbp, %rdx\n"
	"call \\function\n"
	".endm\n"

	".text\n"
	".hidden bind_table\n.hidden bind_vectors\n"
	".p2align 4\n"
	".globl bind_tail\n.hidden bind_tail\n.type bind_tail, @function\n"
	"bind_tail:\n"
	".cfi_startproc\n"
	"wh_frame 640\n"
	"wh_keep_vectors 0, 0, 1, 2, 3, 4, 5, 6, 7\n"
	"wh_look bind_before\n"
	"movq %rax, %r11\n"
	"wh_restore_vectors 0, 1, 2, 3, 4, 5, 6, 7\n"
	"wh_arguments\n"
	"leave\n"
	".cfi_def_cfa %rsp, 8\n"
	".cfi_restore %rbp\n"
	"jmp *%r11\n"
	".cfi_endproc\n"
	".size bind_tail, . - bind_tail\n"

	".p2align 4\n"
	".globl bind_call\n.hidden bind_call\n.type bind_call, @function\n"
	"bind_call:\n"
	".cfi_startproc\n"
	"wh_frame 896\n"
	"testl $1, 24(%r11)\n"
	"jz 1f\n"
	"wh_keep_vectors 0, 0, 1, 2, 3, 4, 5, 6, 7\n"
	"wh_look bind_before\n"
	"wh_restore_vectors 0, 1, 2, 3, 4, 5, 6, 7\n"
	/* Vectors from 8 on carry no arguments. */
	"1: leaq 16(%rbp), %r11\n"
	"andl $4095, %r11d\n"
	"cmpl $4096-256, %r11d\n"
	"jbe 2f\n"
	"wh_keep_vectors 0, 0, 1, 2, 3, 4, 5, 6, 7\n"
	"leaq 16(%rbp), %rdi\n"
	"movq %rsp, %rsi\n"
	"call bind_copy_stack\n"
	"wh_restore_vectors 0, 1, 2, 3, 4, 5, 6, 7\n"
	"jmp 3f\n"
	"2: .irp at, 0, 64, 128, 192\n"
	"movups 16+\\at(%rbp), %xmm8\n"
	"movups 32+\\at(%rbp), %xmm9\n"
	"movups 48+\\at(%rbp), %xmm10\n"
	"movups 64+\\at(%rbp), %xmm11\n"
	"movups %xmm8, \\at(%rsp)\n"
	"movups %xmm9, 16+\\at(%rsp)\n"
	"movups %xmm10, 32+\\at(%rsp)\n"
	"movups %xmm11, 48+\\at(%rsp)\n"
	".endr\n"
	"3: wh_arguments\n"
	"movq -64(%rbp), %r11\n"
	"call *(%r11)\n"
	"movq %rax, -80(%rbp)\n"
	"movq %rdx, -72(%rbp)\n"
	"wh_keep_vectors 1, 0, 1\n"
	"wh_look bind_after\n"
	"wh_restore_vectors 0, 1\n"
	"movq -80(%rbp), %rax\n"
	"movq -72(%rbp), %rdx\n"
	/* What stays in a dead frame of ours would make a lost handle look known. */
	"movq $0, -80(%rbp)\n"
	"leave\n"
	".cfi_def_cfa %rsp, 8\n"
	".cfi_restore %rbp\n"
	"ret\n"
	".cfi_endproc\n"
	".size bind_call, . - bind_call\n"

	".p2align 4\n"
	".globl bind_entry_first\n.hidden bind_entry_first\n.type bind_entry_first, @function\n"
	"bind_entry_first:\n"
	".cfi_startproc\n"
	".set wh_entry, 0\n"
	".rept 1024\n"
	"endbr64\n"
	"leaq bind_table+32*wh_entry(%rip), %r11\n"
	"jmp *8(%r11)\n"
	".p2align 4\n"
	".set wh_entry, wh_entry+1\n"
	".endr\n"
	".cfi_endproc\n"
	".size bind_entry_first, . - bind_entry_first\n"
	".purgem wh_frame\n.purgem wh_any\n.purgem wh_arguments\n.purgem wh_keep_vectors\n.purgem "
	"wh_restore_vectors\n.purgem wh_look\n");
#else
#error "whoholds runs on x86-64"
#endif
