/*
 * A hundred threads sleep in every call that blocks, and memory is searched again and again. Nobody who sleeps is
 * touched for that: none of them gets a processor for a moment, so no call can come back early. What some of
 * them have in a register alone is found all the same: the six that a function must preserve, in each of four calls.
 * Hard because: reading the registers of a thread takes stopping it, and that interrupts its system call.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: none
 */
#include "lib/lose.h"
#include "lib/sleepers.h"

#define EACH 8

static void *sleep_for_good(void *argument)
{
	struct sleeper *me = argument;
	me->tid = (int)syscall(SYS_gettid);
	me->sleep();
	woken++;
	return NULL;
}

/* The block is known to nothing but the register while `call` sleeps. */
#define HIDE(name, register) \
	static __attribute__((noinline)) void name(void (*call)(void), uintptr_t hidden) \
	{ \
		__asm__ volatile( \
		    "lea -128(%%rsp), %%rsp\n\t" \
		    "push %%" register "\n\t" \
				       "push %%rbp\n\t" \
				       "mov %%rsp, %%rax\n\t" \
				       "and $-16, %%rsp\n\t" \
				       "push %%rax\n\t" \
				       "push $0\n\t" \
				       "not %0\n\t" \
				       "mov %0, %%" register "\n\t" \
							     "xor %0, %0\n\t" \
							     "call *%1\n\t" \
							     "add $8, %%rsp\n\t" \
							     "pop %%rsp\n\t" \
							     "pop %%rbp\n\t" \
							     "pop %%" register "\n\t" \
									       "lea 128(%%rsp), %%rsp" \
		    : "+D"(hidden), "+S"(call) \
		    : \
		    : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc"); \
	}
HIDE(hide_rbx, "rbx")
HIDE(hide_rbp, "rbp")
HIDE(hide_r12, "r12")
HIDE(hide_r13, "r13")
HIDE(hide_r14, "r14")
HIDE(hide_r15, "r15")

static void (*const ways_to_hide[])(void (*)(void), uintptr_t) = { hide_rbx, hide_rbp, hide_r12,
								   hide_r13, hide_r14, hide_r15 };
#define WAYS_TO_HIDE (sizeof ways_to_hide / sizeof *ways_to_hide)

static void (*const hiding_places[])(void) = { in_read, in_nanosleep, in_futex, in_cond };
#define HIDING_PLACES (sizeof hiding_places / sizeof *hiding_places)

static __attribute__((noinline)) uintptr_t block_in_disguise(void)
{
	return ~(uintptr_t)malloc(4000);
}

static void *hide_and_sleep(void *argument)
{
	struct sleeper *me = argument;
	uintptr_t hidden = block_in_disguise();
	wipe_stack();
	me->tid = (int)syscall(SYS_gettid);
	ways_to_hide[(size_t)(me - sleepers) % WAYS_TO_HIDE](me->sleep, hidden);
	woken++;
	return NULL;
}

static void start(void)
{
	for (size_t i = 0; i < WAYS_TO_HIDE * HIDING_PLACES; i++) {
		sleepers[sleeper_count].sleep = hiding_places[i / WAYS_TO_HIDE];
		thread_start(hide_and_sleep, &sleepers[sleeper_count++]);
	}
	for (size_t i = 0; i < WAYS_TO_SLEEP * EACH; i++) {
		sleepers[sleeper_count].sleep = ways_to_sleep[i / EACH];
		thread_start(sleep_for_good, &sleepers[sleeper_count++]);
	}
}

int main(void)
{
	return sleepers_run(start, 0);
}
