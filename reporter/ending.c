#include "reporter/ending.h"

#include <stdatomic.h>

#include "options.h"
#include "platform/sys.h"
#include "registry/alert.h"
#include "registry/recording.h"
#include "registry/snapshot.h"
#include "registry/stack_depth.h"
#include "registry/thread.h"
#include "reporter/detect/detect.h"
#include "reporter/places.h"
#include "reporter/probe.h"

/* Whether a live look has told of it, and nothing about it can have changed since. */
static bool is_told(const struct finding *finding)
{
	bool leak = finding->kind == FINDING_leak || finding->kind == FINDING_possible_leak ||
		    finding->kind == FINDING_iterator_leak;
	bool is = false;
	if (!detect_is_event(finding->kind) && !leak)
		return false;
	for (const struct finding *told = NULL; (told = finding_next(recording_view(), told));)
		if (told->kind == finding->kind && told->key == finding->key &&
		    told->count == finding->count && !(told->flags & FOUND_ON_REQUEST))
			is |= !leak || (!(told->flags & FOUND_OVER) && told->amount == finding->amount &&
					told->indirect == finding->indirect);
	return is;
}

void ending_judge(const struct scan_caller *caller)
{
	struct arena arena = { .more = sys_pages, .less = sys_pages_free };
	struct snapshot snapshot;
	stack_depth_look_all();
	snapshot_take(recording_view(), sys_monotonic(), &arena, &snapshot);
	probe_mutexes(&snapshot);
	struct limits limits;
	limits_from_options(&limits, &options);
	const struct snap_thread *exiting = snapshot_thread_by_tid(&snapshot, sys_tid());
	limits.exiting = exiting ? exiting->id : 0;
	struct finding_list found = { .arena = &arena };
	detect_end(&snapshot, &limits, &found);
	places_of_findings(&snapshot, &found);
	scan_at_end(&snapshot, caller, &found);
	for (uint32_t i = 0; i < found.count; i++)
		if (!is_told(found.found[i]))
			alert_append(found.found[i], found.found[i]->bytes, offsetof(struct finding, number));
	atomic_fetch_or_explicit(&recording->flags, REC_FINAL_DONE, memory_order_release);
	arena_release(&arena);
}
