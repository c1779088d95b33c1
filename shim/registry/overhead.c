#include "registry/overhead.h"

#include <time.h>

#include "options.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/recording.h"
#include "stack/stack.h"

/* In which the cost is compared with all CPU time; both of two in a row must be too dear. Chosen by feel. */
#define WINDOW (200 * NSEC_PER_MSEC)
#define WINDOWS 2u
/* A thread that was preempted meanwhile took no longer than the dearest stack does. */
#define SAMPLE_MOST ((nsec_t)20000)
/* Of the record and of its end, which are not measured: what they take where the stack is the one before. */
#define REST ((nsec_t)15)

static uint64_t spent; /* ns, by all threads */

static struct {
	nsec_t cpu, spent; /* at the beginning of the window */
	unsigned dear;     /* windows in a row */
} window;

/* Two looks at the clock take as long as some captures: what they take is measured, too, and left out. */
void overhead_sample(const void *frame, unsigned count)
{
	nsec_t before = sys_monotonic(), from = sys_monotonic();
	stack_capture(frame);
	nsec_t took = sys_monotonic() - from, looking = from - before;
	took = REST + (took > looking ? took - looking : 0);
	__atomic_fetch_add(&spent, MIN_OF(took, SAMPLE_MOST) * count, __ATOMIC_RELAXED);
}

static nsec_t process_cpu(void)
{
	struct timespec time = { 0 };
	sys_call2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return (nsec_t)time.tv_sec * NSEC_PER_SEC + (nsec_t)time.tv_nsec;
}

void overhead_tick(void)
{
	if (!options.max_overhead_percent || !allocation_exact())
		return;
	nsec_t cpu = process_cpu(), now = __atomic_load_n(&spent, __ATOMIC_RELAXED);
	if (cpu - window.cpu < WINDOW)
		return;
	bool dear = (now - window.spent) * 100 > (cpu - window.cpu) * options.max_overhead_percent;
	window.dear = dear ? window.dear + 1 : 0;
	window.cpu = cpu;
	window.spent = now;
	if (window.dear >= WINDOWS)
		allocation_sample_from_now(REC_OVERHEAD_LIMIT);
}

void overhead_fork_child(void)
{
	spent = 0;
	window.cpu = window.spent = 0;
	window.dear = 0;
}
