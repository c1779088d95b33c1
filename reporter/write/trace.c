#include "reporter/write/writers.h"

#include <errno.h>

#include "reporter/write/accounts.h"
#include "reporter/write/json_out.h"
#include "reporter/write/objects.h"

/*
 * A timeline in the format of Chrome's trace viewer (chrome://tracing, Perfetto): threads by name; the iterations of
 * the sample that the option `spans` asks for; what threads hold and wait for at the end; findings as marks. Times
 * are microseconds since the process began.
 */

struct trace {
	struct json json;
	struct names names;
	struct accounts accounts;
};

static uint64_t micros(const struct trace *self, nsec_t at)
{
	nsec_t start = self->names.report->view->header->started_mono;
	return at > start ? (at - start) / 1000 : 0;
}

/* The kernel's number of a thread, by which viewers sort; its own where that is not known any more. */
static int64_t tid_of(const struct trace *self, thread_id id)
{
	const struct snap_thread *thread = snapshot_thread(self->names.report->snapshot, id);
	return thread && thread->tid ? thread->tid : (int64_t)id;
}

/* What every event begins with; `phase` as the format has it: X a duration, i a moment, M what is about the whole. */
static void begin_event(struct trace *self, const char *phase, const char *category, const char *name,
			int64_t tid, nsec_t at)
{
	struct json *json = &self->json;
	json_begin(json, NULL, '{');
	json_string(json, "ph", phase);
	json_string(json, "cat", category);
	json_string(json, "name", name);
	json_signed(json, "pid", self->names.report->view->header->pid);
	json_signed(json, "tid", tid);
	json_number(json, "ts", at ? micros(self, at) : 0);
}

static void put_name(struct trace *self, const char *what, int64_t tid, const char *name)
{
	struct json *json = &self->json;
	begin_event(self, "M", "__metadata", what, tid, 0);
	json_begin(json, "args", '{');
	json_string(json, "name", name);
	json_end(json, '}');
	json_end(json, '}');
}

/* One frame a string, the innermost first. */
static void put_stack(struct trace *self, const char *key, stack_id id)
{
	struct names *names = &self->names;
	const struct named_stack *stack = names_stack(names, id);
	if (!stack->count)
		return;
	json_begin(&self->json, key, '[');
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		const char *function = names_short_function(names, frame);
		json_string(&self->json, NULL,
			    frame->file ? names_format(names, "%s %s:%u", function, path_base(frame->file),
						       frame->line)
					: function);
	}
	json_end(&self->json, ']');
}

static void put_span(struct trace *self, const struct rec_span *span)
{
	struct json *json = &self->json;
	struct names *names = &self->names;
	nsec_t begin = span->begin, end = span->end, until = end ? end : self->names.report->snapshot->now;
	struct object *object = object_get(names, span->kind, span->handle, span->name, 0);
	if (!begin || until < begin)
		return;
	begin_event(self, "X", "iteration", object_text(names, object, OBJECT_BRIEF),
		    span->tid ? span->tid : tid_of(self, span->thread), begin);
	json_number(json, "dur", (until - begin) / 1000);
	json_begin(json, "args", '{');
	json_number(json, "thread", span->thread);
	json_bool(json, "open", !end);
	if (span->container)
		json_hex(json, "container", span->container);
	if (end && !span->closed_elsewhere) {
		json_number(json, "allocated_bytes", span->allocated);
		json_number(json, "freed_bytes", span->freed);
		json_number(json, "cpu_us", span->cpu / 1000);
		json_number(json, "not_on_cpu_us",
			    until - begin > span->cpu ? (until - begin - span->cpu) / 1000 : 0);
	}
	if (span->wait_op) {
		struct object *wanted = object_get(names, span->wait_kind, span->wait_handle, 0, 0);
		json_string(json, "blocked_in", op_name(span->wait_op));
		if (wanted)
			json_string(json, "blocked_on", object_text(names, wanted, OBJECT_PLAIN));
		json_number(json, "blocked_at_least_us", span->waited / 1000);
		put_stack(self, "blocked_stack", span->wait_stack);
	}
	put_stack(self, "opened", span->stack);
	json_end(json, '}');
	json_end(json, '}');
}

/* Something that lasts: from `since` to now. */
static void put_state(struct trace *self, const char *category, const char *name, thread_id thread,
		      nsec_t since, stack_id stack)
{
	nsec_t now = self->names.report->snapshot->now;
	if (!since || since > now)
		return;
	begin_event(self, "X", category, name, tid_of(self, thread), since);
	json_number(&self->json, "dur", (now - since) / 1000);
	json_begin(&self->json, "args", '{');
	put_stack(self, "stack", stack);
	json_end(&self->json, '}');
	json_end(&self->json, '}');
}

static void put_hold(struct trace *self, const struct rec_hold *hold)
{
	struct names *names = &self->names;
	struct object *object = hold->state == HOLD_LIVE ? object_of_hold(names, hold) : NULL;
	/* Those of the sample stand among the spans. */
	if (object && !(kind_has(hold->kind, KIND_IS_ITERATES) && hold->span))
		put_state(self, "hold",
			  names_format(names, "holds %s", object_text(names, object, OBJECT_PLAIN)),
			  hold->owner, hold->since, hold->stack);
}

static void put_thread(struct trace *self, const struct snap_thread *thread)
{
	struct names *names = &self->names;
	put_name(self, "thread_name", tid_of(self, thread->id), names_thread(names, thread->id, NULL));
	for (uint32_t i = 0; i < thread->hold_count; i++)
		put_hold(self, &thread->holds[i]);
	if (!thread->waiting)
		return;
	struct object *object = object_of_wait(names, &thread->wait);
	const char *what = op_name(thread->wait.op);
	if (object)
		what = names_format(names, "%s: %s", what, object_text(names, object, OBJECT_PLAIN));
	put_state(self, "wait", what, thread->id, thread->wait.since, thread->wait.stack);
}

static void put_finding(struct trace *self, const struct account *account)
{
	const struct finding *finding = account->finding;
	begin_event(self, "i", "finding", finding_kind_name(finding->kind), tid_of(self, finding->thread),
		    finding->at);
	json_string(&self->json, "s", "p");
	json_begin(&self->json, "args", '{');
	json_string(&self->json, "title", account->title);
	json_string(&self->json, "id", account->id);
	json_end(&self->json, '}');
	json_end(&self->json, '}');
}

int write_trace(const struct report *report, struct sink *sink)
{
	struct out out;
	struct trace *self = arena_alloc(report->arena, sizeof(*self));
	int error = self ? out_init(&out, sink, report->arena, false) : -ENOMEM;
	if (!error)
		error = names_init(&self->names, report);
	if (!error)
		error = accounts_make(&self->names, &self->accounts);
	if (error)
		return error;
	const struct snapshot *snapshot = report->snapshot;
	const struct rec_span *span;
	self->json.out = &out;
	json_begin(&self->json, NULL, '{');
	json_string(&self->json, "displayTimeUnit", "ms");
	json_begin(&self->json, "traceEvents", '[');
	put_name(self, "process_name", report->view->header->pid, self->names.program);
	for (uint32_t i = 0; i < snapshot->thread_count; i++)
		put_thread(self, &snapshot->threads[i]);
	for (uint32_t i = 0; i < snapshot->resource_count; i++)
		put_hold(self, &snapshot->resources[i]);
	for (uint32_t i = 0; (span = view_span(report->view, i)); i++)
		put_span(self, span);
	for (uint32_t i = 0; i < self->accounts.count; i++)
		put_finding(self, &self->accounts.all[i]);
	json_end(&self->json, ']');
	json_end(&self->json, '}');
	out_raw(&out, "\n", 1);
	return out_finish(&out);
}
