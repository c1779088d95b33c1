#include "reporter/write/signalled.h"

#include <stdatomic.h>

/*
 * Whether what lies there has been the same since the signal. Conditions need not be destroyed: where memory is
 * used again, the signal may have been for what was there before.
 */
static bool is_same_since(struct names *names, const struct object *object, const struct rec_signal *signal)
{
	const struct report *report = names->report;
	const struct rec_place *place = view_place(report->view, object->place);
	const struct snap_thread *owner;
	switch (place ? place->sort : PLACE_NOWHERE) {
	case PLACE_BLOCK:
		return place->born <= signal->era;
	case PLACE_FILE:
		return true;
	case PLACE_TLS:
		owner = snapshot_thread(report->snapshot, place->thread);
		return owner && owner->started <= signal->at;
	case PLACE_STACK:
		/* The frame is at least as old as the wait that it leads to. */
		owner = snapshot_thread(report->snapshot, place->thread);
		return owner && place->frame && owner->waiting && owner->wait.stack == place->stack &&
		       owner->wait.since <= signal->at;
	default:
		return view_module(report->view, object->handle,
				   atomic_load_explicit(&report->view->header->epoch, memory_order_relaxed));
	}
}

bool object_signal(struct names *names, const struct object *object, struct rec_signal *ret_signal)
{
	return object && (object->kind == KIND_COND || object->kind == KIND_SEM) &&
	       view_signal(names->report->view, object->kind, object->handle, ret_signal) &&
	       ret_signal->at <= names->report->snapshot->now && is_same_since(names, object, ret_signal);
}

bool signal_thread_ended(const struct names *names, const struct rec_signal *signal, nsec_t *ret_at)
{
	const struct snap_thread *thread = snapshot_thread(names->report->snapshot, signal->thread);
	*ret_at = signal->ended;
	if (signal->ended)
		return true;
	*ret_at = thread && thread->state == THREAD_ENDED ? thread->ended : 0;
	return !thread || thread->state == THREAD_ENDED;
}
