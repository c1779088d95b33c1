/*
 * The only pointer to a block is where no global leads: in a register of a running or a blocked thread, on another
 * thread's stack, in thread-local storage, in a thread-specific value, in what an ended thread returned and
 * nobody has joined yet, on the stack of a coroutine, on an alternate signal stack.
 * None of that is lost when the program ends.
 * Hard because: to read a register of another thread it must be stopped.
 *
 * RUN: whoholds run %prog
 * TIMEOUT: 30
 * KINDS: thread-leak?
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

static pthread_barrier_t ready;
static pthread_key_t early_key, late_key;
static __thread void *local;

/* An address that no memory holds: the complement of it does. */
static __attribute__((noinline)) void *hidden(size_t bytes, unsigned long *ret_complement)
{
	void *block = malloc(bytes);
	*ret_complement = ~(unsigned long)block;
	return NULL;
}

static void *in_register_running(void *unused)
{
	static unsigned long complement;
	hidden(1001, &complement);
	wipe_stack();
	pthread_barrier_wait(&ready);
	__asm__ volatile("mov %0, %%r12\n\tnot %%r12\n1:\tpause\n\tjmp 1b" : : "m"(complement) : "r12");
	return unused;
}

static void *in_vector_register_running(void *unused)
{
	static unsigned long complement;
	hidden(1002, &complement);
	wipe_stack();
	pthread_barrier_wait(&ready);
	__asm__ volatile("mov %0, %%rax\n\tnot %%rax\n\tmovq %%rax, %%xmm9\n\tpunpcklqdq %%xmm9, %%xmm9\n\t"
			 "xor %%eax, %%eax\n1:\tpause\n\tjmp 1b"
			 :
			 : "m"(complement)
			 : "rax", "xmm9");
	return unused;
}

static void *in_register_blocked(void *unused)
{
	static unsigned long complement;
	hidden(1003, &complement);
	wipe_stack();
	pthread_barrier_wait(&ready);
	__asm__ volatile("mov %0, %%rbx\n\tnot %%rbx\n1:\tmov %1, %%eax\n\tsyscall\n\tjmp 1b"
			 :
			 : "m"(complement), "i"(SYS_pause)
			 : "rax", "rbx", "rcx", "r11");
	return unused;
}

static void *on_stack(void *unused)
{
	void *volatile block = malloc(1004);
	local = malloc(1005);
	pthread_setspecific(early_key, malloc(1006));
	pthread_setspecific(late_key, malloc(1007));
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	(void)block;
	return unused;
}

static void *returned(void *unused)
{
	(void)unused;
	return malloc(1008);
}

/* -- elsewhere than on a stack of libc's ------------------------------------ */

static ucontext_t outside, inside_heap, inside_mapping;

static void coroutine(void)
{
	void *volatile block = malloc(1009);
	for (;;)
		swapcontext(&inside_heap, &outside);
	(void)block;
}

static void coroutine_on_mapping(void)
{
	void *volatile block = malloc(1010);
	for (;;)
		swapcontext(&inside_mapping, &outside);
	(void)block;
}

static void start_coroutine(ucontext_t *context, void *stack, size_t bytes, void (*run)(void))
{
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = bytes;
	context->uc_link = &outside;
	makecontext(context, run, 0);
	swapcontext(&outside, context);
}

/* The coroutine runs for ever, and with it the thread. */
static void run_on_coroutine(void)
{
	void *volatile block = malloc(1011);
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	(void)block;
}

static void *on_coroutine(void *unused)
{
	static ucontext_t context, back;
	void *volatile block = malloc(1012);
	char *stack = malloc(65536);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = 65536;
	context.uc_link = NULL;
	makecontext(&context, run_on_coroutine, 0);
	swapcontext(&back, &context);
	(void)block;
	return unused;
}

static void handler(int number)
{
	(void)number;
	void *volatile block = malloc(1013);
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	(void)block;
}

static void *on_signal_stack(void *unused)
{
	stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 };
	void *volatile block = malloc(1014);
	sigaltstack(&alternate, NULL);
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	(void)block;
	return unused;
}

int main(void)
{
	pthread_key_t keys[40];
	pthread_key_create(&early_key, NULL);
	for (int i = 0; i < 40; i++)
		pthread_key_create(&keys[i], NULL);
	pthread_key_create(&late_key, NULL);
	pthread_barrier_init(&ready, NULL, 7);
	thread_start(in_register_running, NULL);
	thread_start(in_vector_register_running, NULL);
	thread_start(in_register_blocked, NULL);
	thread_start(on_stack, NULL);
	thread_start(on_coroutine, NULL);
	thread_start(on_signal_stack, NULL);
	thread_start(returned, NULL);
	char *mapping = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	start_coroutine(&inside_heap, malloc(65536), 65536, coroutine);
	start_coroutine(&inside_mapping, mapping, 65536, coroutine_on_mapping);
	mapping = NULL;
	local = malloc(1015);
	pthread_setspecific(early_key, malloc(1016));
	pthread_setspecific(late_key, malloc(1017));
	pthread_barrier_wait(&ready);
	sleep_ms(50);
	wipe_stack();
	exit(0);
}
