/* Titles of what programs do to locks and threads and must not. */
#include "reporter/write/title.h"

#include "registry/misuse.h"

const char *title_not_owner_unlock(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *unlocked = item_with(finding, ROLE_unlocked, 0);
	const struct finding_item *acquired = item_with(finding, ROLE_acquired, 0);
	if (!unlocked)
		return finding_kind_words(finding->kind);
	const char *who = acquired ? names_format(names, "which %s held", names_item_thread(names, acquired))
				   : "which nobody held";
	return names_format(names, "%s unlocked %s, %s%s", names_item_thread(names, unlocked),
			    object_text(names, object_of_item(names, unlocked), OBJECT_BRIEF), who,
			    times(names, finding));
}

/* `while it held it`, `while thread 2 "reader" waited for it`: how the object of `by` was used just then. */
static const char *use(struct names *names, const struct finding *finding, const struct finding_item *by)
{
	const struct finding_item *holder = item_with(finding, ROLE_acquired, 0);
	const struct finding_item *waiter = item_with(finding, ROLE_waits, 0);
	if (holder && holder->thread == by->thread)
		return "while it held it itself";
	if (holder)
		return names_format(names, "while %s held it", names_item_thread(names, holder));
	return waiter ? names_format(names, "while %s waited for it", names_item_thread(names, waiter)) : "";
}

static const char *destroying(unsigned op)
{
	switch (op) {
	case OP_free:
	case OP_operator_delete:
	case OP_operator_delete_array:
		return "freed the memory of ";
	case OP_dlclose:
		return "unloaded the module with ";
	case OP_munmap:
		return "unmapped the memory of ";
	case OP_mmap:
		return "mapped something else over ";
	case OP_mremap:
		return "moved the memory of ";
	default:
		return "destroyed ";
	}
}

/* Of a lock that was a local variable. */
static const char *title_frame_left(struct names *names, const struct finding *finding)
{
	const struct finding_item *waiter = item_with(finding, ROLE_waits, 0);
	const struct finding_item *holder = item_with(finding, ROLE_acquired, 0);
	const struct finding_item *left = item_with(finding, ROLE_now, 0);
	const struct finding_item *ended = item_with(finding, ROLE_created, 0);
	const struct finding_item *by = waiter ? waiter : holder;
	if (!by || (!left && !ended))
		return finding_kind_words(finding->kind);
	const char *who = names_item_thread(names, by);
	const char *does = waiter ? "waits for" : "holds";
	const char *what = object_text(names, object_of_item(names, by), OBJECT_BRIEF);
	if (left && left->thread == by->thread)
		return names_format(names, "%s %s %s in a stack frame that it has left", who, does, what);
	if (left)
		return names_format(names, "%s %s %s in a stack frame that %s has left", who, does, what,
				    names_item_thread(names, left));
	return names_format(names, "%s %s %s on the stack of %s, which has ended", who, does, what,
			    names_item_thread(names, ended));
}

/* What a call does to a lock or condition that is destroyed, or does again. */
static const char *using(unsigned op, unsigned kind)
{
	switch (op) {
	case OP_pthread_mutex_destroy:
	case OP_mtx_destroy:
	case OP_pthread_cond_destroy:
	case OP_cnd_destroy:
	case OP_pthread_rwlock_destroy:
		return "destroyed";
	case OP_pthread_cond_signal:
	case OP_pthread_cond_broadcast:
	case OP_cnd_signal:
	case OP_cnd_broadcast:
		return "signalled";
	case OP_pthread_cond_wait:
	case OP_pthread_cond_timedwait:
	case OP_pthread_cond_clockwait:
	case OP_cnd_wait:
	case OP_cnd_timedwait:
		return kind == KIND_COND ? "waited for" : "used";
	case OP_pthread_mutex_unlock:
	case OP_mtx_unlock:
		return "unlocked";
	case OP_pthread_mutex_lock:
	case OP_pthread_mutex_trylock:
	case OP_pthread_mutex_timedlock:
	case OP_pthread_mutex_clocklock:
	case OP_mtx_lock:
	case OP_mtx_trylock:
	case OP_mtx_timedlock:
	case OP_pthread_rwlock_rdlock:
	case OP_pthread_rwlock_wrlock:
	case OP_pthread_rwlock_tryrdlock:
	case OP_pthread_rwlock_trywrlock:
	case OP_pthread_rwlock_timedrdlock:
	case OP_pthread_rwlock_timedwrlock:
	case OP_pthread_rwlock_clockrdlock:
	case OP_pthread_rwlock_clockwrlock:
		return "locked";
	default:
		return "used";
	}
}

/* Of one that had been destroyed before; `destroyed`: by whom, NULL: nobody knows any more. */
static const char *title_used_after(struct names *names, const struct finding *finding,
				    const struct finding_item *used, const struct finding_item *destroyed)
{
	const char *who = "it had";
	if (destroyed && destroyed->thread != used->thread)
		who = names_format(names, "%s had", names_item_thread(names, destroyed));
	const char *since = destroyed ? names_format(names, "which %s destroyed already", who)
				      : "which is destroyed, or was never initialised";
	return names_format(
	    names, "%s %s %s, %s%s", names_item_thread(names, used), using(used->op, used->object_kind),
	    object_text(names, object_of_item(names, used), OBJECT_BRIEF), since, times(names, finding));
}

const char *title_destroyed_in_use(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *by = item_with(finding, ROLE_destroyed, 0);
	const struct finding_item *used = item_with(finding, ROLE_used, 0);
	if (used)
		return title_used_after(names, finding, used, by);
	if (!by)
		return title_frame_left(names, finding);
	const char *what = object_text(names, object_of_item(names, by), OBJECT_BRIEF);
	return names_format(names, "%s %s%s %s%s", names_item_thread(names, by), destroying(by->op), what,
			    use(names, finding, by), times(names, finding));
}

const char *title_reinit_in_use(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *by = item_with(finding, ROLE_initialised, 0);
	if (!by)
		return finding_kind_words(finding->kind);
	return names_format(names, "%s initialised %s again %s%s", names_item_thread(names, by),
			    object_text(names, object_of_item(names, by), OBJECT_BRIEF),
			    use(names, finding, by), times(names, finding));
}

const char *title_cond_misuse(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *wait = item_with(finding, ROLE_waits, 0);
	const struct finding_item *holds = item_with(finding, ROLE_acquired, 0);
	const struct finding_item *other = item_with(finding, ROLE_other, 0);
	const struct finding_item *second = NULL; /* of two threads, each with a mutex of its own */
	for (uint32_t i = 0; i < finding_items(finding) && !second; i++)
		if (finding->items[i].role == ROLE_other && finding->items[i].thread)
			second = &finding->items[i];
	if (!wait)
		return finding_kind_words(finding->kind);
	const char *who = names_item_thread(names, wait);
	const char *what = object_text(names, object_of_item(names, wait), OBJECT_BRIEF);
	const struct finding_item *with = holds ? holds : other;
	const char *mutex = with ? object_text(names, object_of_item(names, with), OBJECT_BRIEF) : "a mutex";
	if (second)
		return names_format(
		    names, "%s and %s waited for %s at the same time with different mutexes, %s and %s", who,
		    names_item_thread(names, second), what, mutex,
		    object_text(names, object_of_item(names, second), OBJECT_BRIEF));
	const char *by = "nobody";
	if (holds)
		by = names_item_thread(names, holds);
	return names_format(names, "%s waited for %s with %s, which %s held%s", who, what, mutex, by,
			    times(names, finding));
}

const char *title_fork_held(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const struct finding_item *wait = item_with(finding, ROLE_waits, 0);
	const struct finding_item *holder = item_with(finding, ROLE_acquired, 0);
	if (!wait)
		return finding_kind_words(finding->kind);
	const char *who = "another thread";
	if (holder && *holder->thread_name)
		who = names_format(names, "another thread, \"%s\",", holder->thread_name);
	return names_format(names,
			    "%s of a forked child waits for %s, which %s held when it forked: nobody "
			    "will ever release it",
			    names_item_thread(names, wait),
			    object_text(names, object_of_item(names, wait), OBJECT_BRIEF), who);
}

const char *title_thread_leak(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	const char *from = place(names, ", made in", item_with(finding, ROLE_created, 0));
	if (finding->count > 1)
		return names_format(names, "%s threads ended and were never joined nor detached%s",
				    names_count(names, finding->count), from);
	return names_format(names, "%s ended and was never joined nor detached%s", subject(names, finding),
			    from);
}

const char *title_thread_twice(struct names *names, const struct finding *finding,
			       const struct finding_item *again, const struct finding_item *first)
{
	const struct finding_item *thread = item_with(finding, ROLE_opened, 0);
	const char *done = finding_given_back(again), *who = names_item_thread(names, again);
	const char *whom = thread ? names_item_thread(names, thread) : "a thread";
	if (finding->sort == MISUSE_THREAD_ITSELF)
		return names_format(names, "%s tried to join itself%s%s", who, place(names, ", in", again),
				    times(names, finding));
	if (finding->sort == MISUSE_THREAD_AT_ONCE)
		return names_format(names, "%s %s %s, which another thread was joining%s", who, done, whom,
				    times(names, finding));
	if (!first)
		return names_format(names, "%s %s %s, which had been made detached%s", who, done, whom,
				    times(names, finding));
	return names_format(names, "%s %s %s, which %s had %s already%s%s", who, done, whom,
			    first->thread == again->thread ? "it" : names_item_thread(names, first),
			    finding_given_back(first), place(names, " in", first), times(names, finding));
}

/* "96" of what is used: rounded down, so that what is not quite all is never 100. */
const char *title_stack_depth(struct names *names, const struct account *account)
{
	const struct finding *finding = account->finding;
	uint64_t unused = (uint64_t)MAX_OF(finding->offset, (int64_t)0);
	uint64_t used = finding->amount - MIN_OF(unused, finding->amount);
	if (!finding->amount)
		return finding_kind_words(finding->kind);
	return names_format(names, "%s has used %s of its %s of stack (%u %%)%s", subject(names, finding),
			    names_size(names, used), names_size(names, finding->amount),
			    (unsigned)(used * 100 / finding->amount),
			    place(names, ", deepest in", item_with(finding, ROLE_deepest, 0)));
}
