#include "hooks/lock_misuse.h"

#include "hooks/cond.h"
#include "hooks/mutex.h"
#include "hooks/words.h"
#include "platform/mapping.h"
#include "platform/sys.h"
#include "registry/allocation.h"
#include "registry/destroyed.h"
#include "registry/order.h"
#include "registry/orphan.h"
#include "registry/others.h"
#include "registry/recording.h"
#include "stack/memory.h"
#include "start.h"

/* What a fork child got from its parent is put in order by its own handlers, which may well initialise it anew. */
static bool is_inherited(const struct rec_hold *hold)
{
	return recording->fork_parent && hold->since < recording->started_mono;
}

/* Whether libc's words agree that this is how the lock is held. `count`: by how many known ones, of readers. */
static bool is_confirmed(const struct lock_words *words, const struct other_hold *other, uint32_t count)
{
	if (words->state != WORD_TAKEN || is_inherited(&other->hold))
		return false;
	if (other->hold.kind == KIND_SPIN)
		return true; /* its word names nobody */
	if (other->hold.mode == MODE_SHARED)
		return words->readers == count;
	return words->owner && words->owner == other->tid;
}

static struct rec_misuse_part part_of_wait(const struct other_wait *other)
{
	return (struct rec_misuse_part){
		.at = other->wait.since,
		.stack = other->wait.stack,
		.thread = other->thread,
		.thread_name = other->name,
		.serial = other->wait.serial,
		.op = other->wait.op,
		.mode = other->wait.mode,
	};
}

/* -- by one who does not hold it ----------------------------------------------- */

enum holding {
	HELD_UNKNOWN, /* perhaps by the caller, in a way that nobody saw */
	HELD_BY_NOBODY,
	HELD_BY_OTHER,
};

/* Who has a lock of which the calling thread has no hold on record. */
static enum holding holding_of(enum kind kind, uint64_t handle, const struct lock_words *words,
			       struct other_hold *ret_other)
{
	const struct rec_thread *slot = thread_slot();
	const struct others_range range = others_at(kind, handle, false);

	/* Where it has had more than there was room for, this may be one of the rest. */
	if (!slot || slot->holds_lost || slot->hold_count >= REC_SLOT_HOLDS || hold_own(kind, handle))
		return HELD_UNKNOWN;
	if (words->state == WORD_FREE)
		return HELD_BY_NOBODY;
	if (others_hold(&range, ret_other) && ret_other->hold.owner != slot->id &&
	    is_confirmed(words, ret_other, words->readers ? others_count(&range) : 1))
		return HELD_BY_OTHER;
	return HELD_UNKNOWN;
}

NOINLINE void lock_misuse_unlock(enum kind kind, uint64_t handle, enum op op, const void *frame)
{
	struct lock_words words = words_of(kind, handle);
	struct other_hold other;

	if (kind == KIND_MUTEX && UNLIKELY(mutex_is_destroyed((const pthread_mutex_t *)(uintptr_t)handle))) {
		lock_misuse_use(kind, handle, op, stack_capture(frame));
		return;
	}
	/* Types that check answer EPERM, and that is all that happens. */
	if (words.checks_owner)
		return;
	enum holding holding = holding_of(kind, handle, &words, &other);
	if (holding == HELD_UNKNOWN)
		return;
	struct rec_misuse what = {
		.kind = MISUSE_not_owner_unlock,
		.object_kind = (uint8_t)kind,
		.handle = handle,
		.parts[0] = misuse_now(stack_capture(frame), op),
	};
	if (holding == HELD_BY_OTHER)
		what.parts[1] = misuse_hold(&other.hold);
	misuse_note(&what);
}

NOINLINE void lock_misuse_wait(struct hook *hook, uint64_t cond, uint64_t mutex, enum op op)
{
	struct lock_words words = words_of(KIND_MUTEX, mutex);
	struct other_hold other;

	lock_misuse_use(KIND_MUTEX, mutex, op, hook_stack(hook));
	if (words.checks_owner)
		return;
	enum holding holding = holding_of(KIND_MUTEX, mutex, &words, &other);
	if (holding == HELD_UNKNOWN)
		return;
	struct rec_misuse what = {
		.kind = MISUSE_cond_misuse,
		.object_kind = KIND_COND,
		.handle = cond,
		.parts[0] = misuse_now(hook_stack(hook), op),
	};
	struct rec_misuse_part *with = &what.parts[2];
	if (holding == HELD_BY_OTHER) {
		with = &what.parts[1];
		*with = misuse_hold(&other.hold);
	}
	with->object_kind = KIND_MUTEX;
	with->handle = mutex;
	misuse_note(&what);
}

/* -- while it is in use ---------------------------------------------------------- */

/* Whether a wait on record is one that the words know of as well. */
static bool is_waited_for(enum kind kind, uint64_t handle, const struct lock_words *words)
{
	return words->state == WORD_TAKEN || words_waiters(kind, handle);
}

#define TOLD_MOST 16u /* chosen somewhat arbitrarily: what one object, or one clean-up, has of locks */

/* The objects that were last found to be destroyed in use, in no order. Two threads at once may lose one, which is told again. */
static uint64_t told[TOLD_MOST];
static uint32_t told_next;

static void told_put(uint64_t handle)
{
	uint32_t at = __atomic_fetch_add(&told_next, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&told[at % TOLD_MOST], handle, __ATOMIC_RELAXED);
}

/* Who was told that it is destroyed in use need not be told what came of it. */
static bool is_told(uint64_t handle)
{
	for (unsigned i = 0; i < TOLD_MOST; i++)
		if (handle == __atomic_load_n(&told[i], __ATOMIC_RELAXED))
			return true;
	return false;
}

/* What is made there from now on is another object. */
static void told_forget(uint64_t from, uint64_t to)
{
	if (LIKELY(!__atomic_load_n(&told_next, __ATOMIC_RELAXED)))
		return;
	for (unsigned i = 0; i < TOLD_MOST; i++) {
		uint64_t handle = __atomic_load_n(&told[i], __ATOMIC_RELAXED);
		if (handle >= from && handle < to)
			__atomic_store_n(&told[i], 0, __ATOMIC_RELAXED);
	}
}

/* Notes that the object is about to be `what`, where somebody holds it or waits for it. */
static void note_use(struct hook *hook, enum misuse_kind misuse, enum kind kind, uint64_t handle, enum op op)
{
	const struct others_range range = others_at(kind, handle, true);
	struct other_hold holder;
	struct other_wait waiter;
	bool held = others_hold(&range, &holder);
	bool waited = others_wait(&range, &waiter);

	if (LIKELY(!held && !waited))
		return;
	struct lock_words words = words_of(kind, handle);
	held = held && is_confirmed(&words, &holder, words.readers);
	waited = waited && is_waited_for(kind, handle, &words);
	if (!held && !waited)
		return;
	struct rec_misuse what = {
		.kind = (uint8_t)misuse,
		.object_kind = (uint8_t)kind,
		.handle = handle,
		.parts[0] = misuse_now(hook_stack(hook), op),
	};
	if (held)
		what.parts[1] = misuse_hold(&holder.hold);
	if (waited)
		what.parts[2] = part_of_wait(&waiter);
	misuse_note(&what);
	if (misuse == MISUSE_destroyed_in_use)
		told_put(handle);
}

/*
 * Whether it is destroyed, and by whom. A mutex is refused, whoever has destroyed it. The others go on as if nothing
 * were, so for these it must have been seen; and not while the process ends, when destructors of static objects
 * race with threads that nobody waits for.
 */
static bool is_destroyed(enum kind kind, uint64_t handle, struct rec_misuse_part *ret_by)
{
	uint64_t state = 0;
	if (kind == KIND_MUTEX) {
		destroyed_find(kind, handle, &state, ret_by);
		return mutex_is_destroyed((const pthread_mutex_t *)(uintptr_t)handle);
	}
	if (atomic_load_explicit(&recording->flags, memory_order_relaxed) & REC_EXITING ||
	    !destroyed_find(kind, handle, &state, ret_by))
		return false;
	if (kind == KIND_COND)
		return cond_is_destroyed((const void *)(uintptr_t)handle);
	if (state && state == words_left(handle))
		return true;
	/* Somebody has written there, and what is there now may come to look the same. */
	destroyed_forget(kind, handle);
	return false;
}

NOINLINE void lock_misuse_use(enum kind kind, uint64_t handle, enum op op, stack_id stack)
{
	struct rec_misuse what = {
		.kind = MISUSE_use_after_destroy,
		.object_kind = (uint8_t)kind,
		.handle = handle,
	};
	if (!is_destroyed(kind, handle, &what.parts[1]) || is_told(handle))
		return;
	what.parts[0] = misuse_now(stack, op);
	misuse_note(&what);
}

void lock_misuse_destroyed(struct hook *hook, enum kind kind, uint64_t handle, enum op op)
{
	const struct rec_misuse_part by = misuse_now(hook_stack(hook), op);
	destroyed_note(kind, handle, kind == KIND_RWLOCK ? words_left(handle) : 0, &by);
}

/* Somebody sleeps in memory that is about to go: nobody can wake it there any more. */
static void note_sleeper(const struct others_range *range, enum op op, const void *frame)
{
	struct other_wait waiter;
	if (!others_wait(range, &waiter))
		return;
	enum kind kind = (enum kind)waiter.wait.kind;
	uint64_t handle = waiter.wait.handle;
	struct lock_words words = words_of(kind, handle);
	if (is_told(handle) || !is_waited_for(kind, handle, &words))
		return;
	struct rec_misuse what = {
		.kind = MISUSE_destroyed_in_use,
		.object_kind = (uint8_t)kind,
		.handle = handle,
		.parts = { misuse_now(stack_capture(frame), op), { 0 }, part_of_wait(&waiter) },
	};
	misuse_note(&what);
}

NOINLINE void lock_misuse_memory(uint64_t from, uint64_t bytes, enum op op, const void *frame)
{
	const struct others_range range = { .from = from, .to = from + bytes, .own_too = true };
	struct other_hold holder;
	bool noted = false;

	for (unsigned most = REC_SLOT_HOLDS; most && others_hold(&range, &holder); most--) {
		enum kind kind = (enum kind)holder.hold.kind;
		uint64_t handle = holder.hold.handle;
		struct lock_words words = words_of(kind, handle);
		struct rec_misuse what = {
			.kind = MISUSE_destroyed_in_use,
			.object_kind = (uint8_t)kind,
			.handle = handle,
		};
		if (is_confirmed(&words, &holder, words.readers) && !is_told(handle)) {
			noted = true;
			what.parts[0] = misuse_now(stack_capture(frame), op);
			what.parts[1] = misuse_hold(&holder.hold);
			misuse_note(&what);
		}
		hold_forget(kind, handle);
	}
	if (!noted)
		note_sleeper(&range, op, frame);
	told_forget(from, from + bytes);
}

/* Whether what is at `lock` can be read, and is the process's own and in no other place. */
static bool is_private(uint64_t lock)
{
	return !sys_sandboxed && memory_readable(lock & ~(uint64_t)7) && mapping_is_private(lock);
}

static bool is_certain_hold(const struct other_hold *holder)
{
	struct lock_words words = words_of((enum kind)holder->hold.kind, holder->hold.handle);
	return !words.shared && is_confirmed(&words, holder, words.readers);
}

static bool is_certain_wait(const struct other_wait *waiter)
{
	enum kind kind = (enum kind)waiter->wait.kind;
	struct lock_words words = words_of(kind, waiter->wait.handle);
	return !words.shared && is_waited_for(kind, waiter->wait.handle, &words);
}

NOINLINE static void look_at_unmapping(struct hook *hook, struct lock_unmapping *unmapping,
				       const struct others_range *range, enum op op)
{
	struct other_hold holder;
	struct other_wait waiter;
	struct rec_misuse *what = &unmapping->what;

	*what = (struct rec_misuse){ .kind = MISUSE_destroyed_in_use };
	if (others_hold(range, &holder) && !is_told(holder.hold.handle) && is_private(holder.hold.handle) &&
	    is_certain_hold(&holder)) {
		what->object_kind = holder.hold.kind;
		what->handle = holder.hold.handle;
		what->parts[1] = misuse_hold(&holder.hold);
	} else if (others_wait(range, &waiter) && !is_told(waiter.wait.handle) &&
		   is_private(waiter.wait.handle) && is_certain_wait(&waiter)) {
		what->object_kind = waiter.wait.kind;
		what->handle = waiter.wait.handle;
		what->parts[2] = part_of_wait(&waiter);
	} else {
		return;
	}
	what->parts[0] = misuse_now(hook_stack(hook), op);
	unmapping->certain = true;
}

void lock_unmap_begin(struct hook *hook, struct lock_unmapping *unmapping, uint64_t from, uint64_t bytes,
		      enum op op)
{
	struct others_range range = { .from = from, .to = from + bytes, .own_too = true };

	unmapping->from = from;
	unmapping->to = range.to;
	unmapping->certain = false;
	unmapping->used = range.to > from && others_any(&range);
	if (UNLIKELY(unmapping->used))
		look_at_unmapping(hook, unmapping, &range, op);
}

void lock_unmap_done(const struct lock_unmapping *unmapping)
{
	struct others_range range = { .from = unmapping->from, .to = unmapping->to, .own_too = true };
	struct other_hold holder;

	order_forget_range(unmapping->from, unmapping->to);
	if (LIKELY(!unmapping->used))
		return;
	if (unmapping->certain)
		misuse_note(&unmapping->what);
	for (unsigned most = REC_SLOT_HOLDS; most && others_hold(&range, &holder); most--)
		hold_forget((enum kind)holder.hold.kind, holder.hold.handle);
}

/* Whether the lock is still held, or waited for, as it was: the module's destructors have run since. */
static bool is_still_used(const struct rec_misuse *what)
{
	const struct others_range range = others_at(what->object_kind, what->handle, true);
	struct other_hold holder;
	struct other_wait waiter;

	if (what->parts[1].thread)
		return others_hold(&range, &holder) && holder.hold.owner == what->parts[1].thread &&
		       holder.hold.serial == what->parts[1].serial;
	/* Who waits for these has to look at them again, whatever has woken him. */
	return (what->object_kind == KIND_MUTEX || what->object_kind == KIND_RWLOCK) &&
	       others_wait(&range, &waiter) && waiter.thread == what->parts[2].thread &&
	       waiter.wait.serial == what->parts[2].serial;
}

void lock_unload_done(struct lock_unmapping *unmapping)
{
	unmapping->certain = unmapping->certain && is_still_used(&unmapping->what);
	lock_unmap_done(unmapping);
}

NOINLINE void lock_misuse_destroy(struct hook *hook, enum kind kind, uint64_t handle, enum op op)
{
	if (UNLIKELY(destroyed_maybe(handle)) ||
	    (kind == KIND_MUTEX && mutex_is_destroyed((const pthread_mutex_t *)(uintptr_t)handle)))
		lock_misuse_use(kind, handle, op, hook_stack(hook));
	/* One that waits for a condition may have been woken and be about to leave, which is right: libc waits for it. */
	if (kind != KIND_COND)
		note_use(hook, MISUSE_destroyed_in_use, kind, handle, op);
}

NOINLINE void lock_misuse_init(struct hook *hook, enum kind kind, uint64_t handle, enum op op)
{
	note_use(hook, MISUSE_reinit_in_use, kind, handle, op);
	destroyed_forget(kind, handle);
	told_forget(handle, handle + 1);
	allocation_mark_lock(handle);
}

/* -- after a fork ---------------------------------------------------------------- */

/*
 * Whether the lock, which is taken, was so by threads of the parent alone. Where its word names an owner, that one is in
 * no process that matters; where it counts readers, all that are not known in this process are known from the
 * parent; a spin lock's word says nothing, but somebody in the parent had it and nobody here. The last two are certain
 * where no other thread of this process may be just about to take it.
 */
static bool is_orphaned(enum kind kind, uint64_t handle, const struct lock_words *words)
{
	const struct others_range range = others_at(kind, handle, true);
	if (words->owner)
		return sys_call3(SYS_tgkill, sys_pid(), words->owner, 0) == -ESRCH;
	if (thread_live_count() != 1)
		return false;
	uint32_t orphans = orphan_holders(kind, handle), here = others_count(&range);
	if (words->readers)
		return orphans && words->readers == here + orphans;
	return kind == KIND_SPIN && orphans && !here;
}

NOINLINE void lock_misuse_forked(struct hook *hook, enum kind kind, uint64_t handle, enum op op)
{
	struct lock_words words = words_of(kind, handle);

	/* One between processes is the other's, who will release it. */
	if (words.state != WORD_TAKEN || words.shared || sys_sandboxed || !is_orphaned(kind, handle, &words))
		return;
	struct rec_misuse what = {
		.kind = MISUSE_fork_held,
		.object_kind = (uint8_t)kind,
		.handle = handle,
		.parts[0] = misuse_now(hook_stack(hook), op),
		.parts[1] = orphan_part(kind, handle, words.owner),
		.parts[2] = orphan_forked(),
	};
	misuse_note(&what);
	reporter_want();
}
