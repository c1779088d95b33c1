/*
 * Reports built by hand, for the tests of writers and suppressions: a recording in
 * memory whose modules, strings, stacks, threads and findings are what the test
 * says, and a symbolizer that knows what the test tells it.
 *
 * One report at a time; fake_clear begins the next. A mistake in a test (a table
 * that is too small) ends the program.
 */
#ifndef WH_TESTPROGS_FAKE_REPORT_H
#define WH_TESTPROGS_FAKE_REPORT_H

#include "reporter/suppress.h"
#include "reporter/write/report.h"

#define FAKE_NOW (1000 * NSEC_PER_SEC) /* CLOCK_MONOTONIC of the report */
#define FAKE_PROGRAM UINT64_C(0x555500000000)
#define FAKE_LIBC UINT64_C(0x7f0000000000)
#define FAKE_SHIM UINT64_C(0x7f1000000000)

struct fake {
	struct rec_header *header;
	struct view view;
	struct snapshot snapshot;
	struct arena arena;   /* of what the test builds */
	struct arena scratch; /* of what is tested */
	struct report report;
	struct finding_list findings;
};

extern struct fake fake;

/* An empty recording of /opt/app/server, pid 4242, 12.4 s old, with a program, a libc and a shim mapped. */
void fake_clear(void);

text_id fake_text(const char *text);

/* A function at an address of its own in the program; several may be inlined into one another (see fake_inline). */
uint64_t fake_function(const char *function, const char *file, unsigned line);
/* One in libc or the shim, without file and line. */
uint64_t fake_function_in(uint64_t module, const char *function);
/* Code that has no symbol. */
uint64_t fake_nameless(uint64_t module, uint64_t offset);
/* `address` is also in this function, which is the caller of what was said of it before. */
void fake_inline(uint64_t address, const char *function, const char *file, unsigned line);
/* The symbol at a data address. */
void fake_symbol(uint64_t address, const char *name);

/* Of addresses from the innermost frame on, ended by 0. */
stack_id fake_stack(uint64_t innermost, ...);
stack_id fake_stack_of(const uint64_t *addresses, uint16_t count, uint16_t flags);

/* Threads, in the order of their ids. */
struct snap_thread *fake_thread(thread_id id, const char *name);
/* The thread holds / waits, since `age` ago. */
struct rec_hold *fake_hold(struct snap_thread *thread, enum kind kind, uint64_t handle, enum mode mode,
			   enum op op, stack_id stack, nsec_t age);
struct rec_wait *fake_wait(struct snap_thread *thread, enum kind kind, uint64_t handle, enum op op,
			   stack_id stack, nsec_t age);
struct rec_hold *fake_resource(thread_id owner, enum kind kind, uint64_t handle, enum op op, stack_id stack,
			       nsec_t age);
/* An iteration of the sample, begun `age` ago; the rest, its end included, is to be written to it. */
struct rec_span *fake_span(const struct snap_thread *thread, enum kind kind, uint64_t handle, stack_id stack,
			   nsec_t age);
/* So many that are over and took so long each; those of the same place are to come one after the other. */
void fake_iterations(enum kind kind, stack_id stack, uint32_t count, nsec_t duration);
struct rec_object *fake_object(enum kind kind, uint64_t address, const char *name, stack_id created);
/* What is known of where `address` lies; for what has been held or waited for since before FAKE_NOW. */
struct rec_place *fake_place(uint64_t address, enum rec_place_sort sort);
/* Somebody signalled what is at `handle`, `age` ago. */
struct rec_signal *fake_signal(enum kind kind, uint64_t handle, enum op op, thread_id thread, stack_id stack,
			       nsec_t age);
void fake_site(stack_id stack, uint64_t live_bytes, uint64_t live_blocks);
/* How a lock was used from a place; what is to be counted is written to it. */
struct rec_use *fake_use(enum kind kind, uint64_t handle, enum mode mode, enum op op, stack_id stack);

/* A finding made now, of trouble that is `age` old. Items: finding_add with room 64, or these. */
struct finding *fake_finding(enum finding_kind kind, thread_id thread, nsec_t age);
struct finding_item *fake_item_hold(struct finding *finding, enum role role, const struct snap_thread *thread,
				    const struct rec_hold *hold);
struct finding_item *fake_item_wait(struct finding *finding, enum role role,
				    const struct snap_thread *thread);
struct finding_item *fake_item_stack(struct finding *finding, enum role role, thread_id thread,
				     stack_id stack);

/* What a writer writes of fake.report, NUL-terminated, in memory that lasts until the next call; NULL: it failed. */
const char *fake_written(int (*write)(const struct report *report, struct sink *sink));

/*
 * Compares with testprogs/golden/NAME; with RERECORD=1 in the environment it writes that file instead. Return:
 * NULL where they are equal, else where they first differ, to be shown.
 */
const char *fake_golden(const char *name, const char *written);

/* -- scenes, used by more than one test ------------------------------------- */

void fake_scene_stuck_holder(void); /* an iterator over an rwlock, a channel nobody fills, four writers */
void fake_scene_deadlock(void);     /* AB-BA */
void fake_scene_leaks(void);        /* a leak with indirect blocks, a ring, a C++ one, one without symbols */

#endif
