/* Stacks of other, blocked threads, read from outside. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "registry/recording.h"
#include "registry/thread.h"
#include "stack/stack.h"

#include "testprogs/unit/stack/shapes.h"
#include "testprogs/unit/stack_suite.h"

__thread struct self_state self TLS_IE;

static const struct shape *const builds[] = { shapes_O0,      shapes_O2,       shapes_O3,      shapes_Os,
					      shapes_pointer, shapes_clang_O0, shapes_clang_O2 };

static sem_t go;
static atomic_int blocked_tid;
static stack_id its_own;

static NOINLINE void block(void)
{
	its_own = stack_capture(__builtin_frame_address(0));
	blocked_tid = (int)syscall(SYS_gettid);
	while (sem_wait(&go) != 0)
		continue;
}

struct job {
	const struct shape *shape;
	int levels;
};

static void *run(void *data)
{
	const struct job *job = data;
	job->shape->call(job->levels, block);
	stack_thread_end();
	return NULL;
}

static int look(pthread_t *thread, struct job *job, stack_id *ret_stack)
{
	blocked_tid = 0;
	pthread_create(thread, NULL, run, job);
	for (int tries = 0; tries < 2000; tries++) {
		usleep(500);
		if (!blocked_tid)
			continue;
		int error = stack_of_thread(blocked_tid, ret_stack);
		if (error != -EAGAIN)
			return error;
	}
	return -ETIMEDOUT;
}

/* All but the frames within libc, and the call itself, must be what the thread saw when it captured its own stack. */
START_TEST(blocked_threads)
{
	unsigned whole = 0, all = 0;
	for (size_t b = 0; b < COUNT_OF(builds); b++) {
		for (size_t s = 0; s < 9; s++) {
			struct job job = { .shape = &builds[b][s], .levels = 5 };
			pthread_t thread;
			stack_id id = 0;
			ck_assert_int_eq(look(&thread, &job, &id), 0);
			const struct rec_stack *seen = view_stack(recording_view(), id);
			const struct rec_stack *own = view_stack(recording_view(), its_own);
			ck_assert(seen->flags & STACK_EXACT_PC);
			if (!(seen->flags & STACK_TRUNCATED)) {
				whole++;
				ck_assert_uint_gt(seen->count, own->count);
				for (uint32_t i = 1; i <= own->count; i++)
					ck_assert_msg(seen->frames[seen->count - i] ==
							  own->frames[own->count - i],
						      "%s: frame %u from outside", job.shape->name, i);
			}
			all++;
			sem_post(&go);
			pthread_join(thread, NULL);
		}
	}
	/* Frame pointers that nobody saved can't be known; most often somebody did. */
	ck_assert_msg(whole >= all - all / 8, "%u of %u whole", whole, all);
}
END_TEST

static void *spin(void *data)
{
	atomic_bool *stop = data;
	blocked_tid = (int)syscall(SYS_gettid);
	while (!*stop)
		continue;
	return NULL;
}

START_TEST(running_threads_are_refused)
{
	atomic_bool stop = false;
	pthread_t thread;
	stack_id id = 4711;
	blocked_tid = 0;
	pthread_create(&thread, NULL, spin, &stop);
	while (!blocked_tid)
		usleep(100);
	ck_assert_int_eq(stack_of_thread(blocked_tid, &id), -EAGAIN);
	ck_assert_uint_eq(id, 4711);
	stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_eq(stack_of_thread(blocked_tid, &id), -ESRCH);
}
END_TEST

/*
 * Wakes and sleeps in threads that come and go. The naps double from 20 us to 20 ms: the short ones end while they are
 * looked at, the long ones are longer than a look, however slow the build and the machine.
 */
static void *restless(void *data)
{
	atomic_bool *ended = data;
	blocked_tid = (int)syscall(SYS_gettid);
	for (unsigned i = 0; i < 33; i++) {
		struct timespec nap = { .tv_nsec = 20000l << i % 11 };
		nanosleep(&nap, NULL);
	}
	*ended = true;
	return NULL;
}

START_TEST(threads_that_wake_and_end)
{
	unsigned got = 0;
	time_t until = time(NULL) + 20;
	for (int round = 0; round < 10 || (!got && time(NULL) < until); round++) {
		pthread_t thread;
		pthread_attr_t small;
		atomic_bool ended = false;
		blocked_tid = 0;
		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, 65536);
		pthread_create(&thread, &small, restless, &ended);
		while (!ended) {
			stack_id id;
			int error = blocked_tid ? stack_of_thread(blocked_tid, &id) : -EAGAIN;
			got += error == 0;
			if (error)
				usleep(50);
		}
		pthread_join(thread, NULL);
		pthread_attr_destroy(&small);
	}
	ck_assert_uint_gt(got, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, blocked_threads);
	tcase_add_test(tcase, running_threads_are_refused);
	tcase_add_test(tcase, threads_that_wake_and_end);
}

static bool prepare(void)
{
	stack_modules_changed(false);
	return sem_init(&go, 0, 0) == 0;
}

int main(void)
{
	return stack_suite_run(&(struct stack_suite){
	    .name = "stack remote",
	    .not_in_valgrind = "the kernel sees valgrind, not the program",
	    .prepare = prepare,
	    .add_tests = add_tests,
	});
}
