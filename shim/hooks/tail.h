/*
 * Hooks that may not have a frame of their own while the real function runs:
 * vfork and raw system calls that return twice (the second return finds the frame
 * overwritten by what the child did). Such a hook looks at its arguments and then
 * jumps, so that for the real function our caller is its caller.
 *
 * TAIL_HOOK(name, before)
 *   name    defines the exported function `name`
 *   before  void *before(first three arguments of the call): called with the arguments, which
 *           are kept; returns the address to go on at
 */
#ifndef WH_HOOKS_TAIL_H
#define WH_HOOKS_TAIL_H

#include "base/context.h"

#if defined(__x86_64__)
#define TAIL_HOOK(name, before) \
	__asm__(".text\n" \
		".p2align 4\n" \
		".globl " #name "\n" \
		".type " #name ", @function\n" #name ":\n" \
		".cfi_startproc\n" \
		"endbr64\n" \
		"pushq %rbp\n" \
		".cfi_adjust_cfa_offset 8\n" \
		".cfi_rel_offset %rbp, 0\n" \
		"movq %rsp, %rbp\n" \
		"pushq %rdi\npushq %rsi\npushq %rdx\npushq %rcx\npushq %r8\npushq %r9\n" \
		".cfi_adjust_cfa_offset 48\n" \
		"call " #before "\n" \
		"movq %rax, %r11\n" \
		"popq %r9\npopq %r8\npopq %rcx\npopq %rdx\npopq %rsi\npopq %rdi\n" \
		"popq %rbp\n" \
		".cfi_adjust_cfa_offset -56\n" \
		".cfi_restore %rbp\n" \
		"jmp *%r11\n" \
		".cfi_endproc\n" \
		".size " #name ", . - " #name "\n")
#else
#error "whoholds runs on x86-64"
#endif

#endif
