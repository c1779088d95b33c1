#include "reporter/write/text_report.h"

#include <string.h>

#define LIST_MAX 12u /* names in a list */

/* -- lines ------------------------------------------------------------------ */

static void put_line(struct text_report *text, size_t indent, const char *label, const char *age)
{
	struct out *out = &text->out;
	out_indent(out, indent);
	out_put(out, label);
	if (*age) {
		out_pad(out, TEXT_AGE_COLUMN);
		out_put(out, age);
	}
	out_newline(out);
}

void text_line(struct text_report *text, size_t indent, const char *label, nsec_t age)
{
	struct names *names = &text->names;
	put_line(text, indent, label, age ? names_format(names, "for %s", names_duration(names, age)) : "");
}

static void text_faint_line(struct text_report *text, size_t indent, const char *label)
{
	out_color(&text->out, COLOR_FAINT);
	text_line(text, indent, label, 0);
	out_color(&text->out, COLOR_PLAIN);
}

const char *text_list_add(struct text_report *text, const char *list, const char *name, uint32_t index,
			  uint32_t count)
{
	if (index == 0)
		return name;
	if (index == LIST_MAX)
		return names_format(&text->names, "%s and %u more", list, count - LIST_MAX);
	if (index > LIST_MAX)
		return list;
	return names_format(&text->names, "%s%s%s", list, index + 1 == count ? " and " : ", ", name);
}

const char *text_hold_label(struct text_report *text, const char *verb, struct object *object, unsigned mode,
			    uint32_t count)
{
	/* Of what can be held in two ways. */
	bool says_mode = (mode == MODE_SHARED && !(object && object->kind == KIND_SEM)) ||
			 (mode == MODE_EXCLUSIVE && object && object->kind == KIND_RWLOCK);
	const char *times = count > 1 ? names_format(&text->names, ", taken %u times", count) : "";
	return names_format(&text->names, "%s %s%s%s", verb,
			    object_text(&text->names, object, text->verbose ? OBJECT_FULL : OBJECT_PLAIN),
			    says_mode ? (mode == MODE_SHARED ? " (shared)" : " (exclusive)") : "", times);
}

const char *text_wait_label(struct text_report *text, const char *verb, struct object *object, unsigned op,
			    const char *holder)
{
	struct names *names = &text->names;
	const char *in = op ? names_format(names, " in %s", op_name(op)) : "";
	const char *what = "";
	/* One waits for a lock, and is blocked on a descriptor. */
	bool owned = object && kind_has(object->kind, KIND_IS_OWNED);
	if (object && object->kind == KIND_THREAD)
		what = names_format(names, " for the end of %s", object_text(names, object, OBJECT_BRIEF));
	else if (object)
		what = names_format(names, " %s %s%s", owned ? "for" : "on",
				    object_text(names, object, text->verbose ? OBJECT_FULL : OBJECT_PLAIN),
				    object_state_text(names, object));
	return names_format(names, "%s%s%s%s%s", verb, in, what, holder ? ", held by " : "",
			    holder ? holder : "");
}

/* -- items ------------------------------------------------------------------ */

static const char *role_words(unsigned role, bool with_name)
{
	static const char *const words[ROLE_COUNT][2] = {
#define ROLE_WORDS(id, alone, with_name_) [ROLE_##id] = { alone, with_name_ },
#include "reporter/write/role_words.def"
	};
	return role < ROLE_COUNT && words[role][0] ? words[role][with_name] : "seen in";
}

/* `2 GiB in 1,024 blocks` where the item says how much; else "". */
static const char *mapped_text(struct names *names, const struct finding_item *item)
{
	return names_format(names, "%s in %s", names_size(names, item->amount),
			    kind_many(names, KIND_MAPPING, MAX_OF(item->count, 1), 0));
}

static const char *amount_text(struct text_report *text, const struct finding_item *item)
{
	struct names *names = &text->names;
	if (!item->amount)
		return "";
	if (item->count <= 1)
		return names_format(names, "%s ", names_size(names, item->amount));
	return names_format(names, "%s in %s blocks ", names_size(names, item->amount),
			    names_count(names, item->count));
}

/* Whether an item of that role says what lasts; else it says what happened once. */
static bool is_state(const struct finding *finding, unsigned role)
{
	if (finding->kind == FINDING_cond_misuse && role == ROLE_waits)
		return false;
	return role == ROLE_waits || role == ROLE_blocked || role == ROLE_acquired || role == ROLE_now ||
	       (role == ROLE_opened && finding->kind != FINDING_iterator_leak &&
		finding->kind != FINDING_iterator_mutation && finding->kind != FINDING_released_twice);
}

/* Who has what is waited for; NULL: nobody in particular. */
static const char *holder_text(struct names *names, const struct finding_item *item, bool is_lock)
{
	if (is_lock)
		return item->other == item->thread ? "itself" : names_thread(names, item->other, NULL);
	return item->pid ? names_format(names, "process %d", item->pid) : NULL;
}

/* `of` is the finding: what its headline says is not said again. */
static const char *item_label(struct text_report *text, const struct finding *of,
			      const struct finding_item *item, const char *verb)
{
	struct names *names = &text->names;
	struct object *object = object_of_item(names, item);
	bool is_lock = item->other && object && object->kind != KIND_THREAD;
	switch (item->role) {
	case ROLE_now:
		if (!item->op)
			return names_format(names, "%s in", verb);
		verb = names_format(names, "%s blocked", verb);
		/* fall through */
	case ROLE_waits:
	case ROLE_blocked:
		return text_wait_label(text, verb, object, item->op, holder_text(names, item, is_lock));
	case ROLE_opened:
		if (of->kind == FINDING_iterator_leak)
			return names_format(names, "opened by %s in",
					    item->op ? op_name(item->op) : "the program");
		if (item->object_kind == KIND_THREAD)
			return item->thread == of->thread
				   ? "the thread was made in"
				   : names_format(names, "%s was made in", names_item_thread(names, item));
		if (!is_state(of, ROLE_opened))
			return names_format(
			    names, "%s %s in",
			    item->thread != of->thread
				? names_format(names, "%s had opened", names_item_thread(names, item))
				: "opened",
			    object_text(names, object, OBJECT_BRIEF));
		if (item->count > 1)
			return names_format(names, "%s %s, the oldest of them opened in", verb,
					    item_many(names, item, item->count));
		return text_hold_label(text, verb, object, item->mode, 1);
	case ROLE_acquired:
		return text_hold_label(text, verb, object, item->mode, item->count);
	case ROLE_other:
		/* Of a condition: what else it was waited for with. */
		if (!item->thread)
			return names_format(names, "with %s", object_text(names, object, OBJECT_PLAIN));
		return names_format(names, "%s waits with %s in", names_item_thread(names, item),
				    object_text(names, object, OBJECT_PLAIN));
	case ROLE_allocated:
		if (item->object_kind == KIND_MAPPING)
			return !item->amount || item->amount == of->amount
				   ? names_format(names, "mapped by %s%s in", op_name(item->op),
						  item->count > 1 ? ", the oldest of them" : "")
				   : names_format(names, "%s, mapped by %s%s in", mapped_text(names, item),
						  op_name(item->op), item->count > 1 ? ", the oldest" : "");
		/* fall through */
	case ROLE_site:
		return names_format(names, "%s%s", item->amount == of->amount ? "" : amount_text(text, item),
				    verb);
	case ROLE_pins:
		return names_format(names, "%s of its pages in use by %s block%s %s",
				    names_size(names, item->amount), names_count(names, item->count),
				    item->count == 1 ? "" : "s", verb);
	case ROLE_released_again:
		return names_format(names, "%s%s%s in",
				    item->thread != of->thread
					? names_format(names, "%s ", names_item_thread(names, item))
					: "",
				    finding_given_back(item),
				    of->item_count > 1 && item->object_kind != KIND_THREAD ? " again" : "");
	case ROLE_released:
		return names_format(names, "%shad %s it before in",
				    item->thread != of->thread
					? names_format(names, "%s ", names_item_thread(names, item))
					: "",
				    finding_given_back(item));
	case ROLE_forked:
		return verb;
	case ROLE_changed:
		return names_format(names, "%s what %s iterates over, in", verb,
				    object_text(names, object, OBJECT_BRIEF));
	default:
		return object ? names_format(
				    names, "%s %s in", verb,
				    object_text(names, object, text->verbose ? OBJECT_FULL : OBJECT_PLAIN))
			      : verb;
	}
}

/* Before the stack of a sum of many blocks, by whomever; it may be of places past those that are told one by one. */
static const char *sum_words(struct names *names, const struct finding *finding,
			     const struct finding_item *item)
{
	if (!(finding->flags & FOUND_ALIKE))
		return "allocated in";
	return names_format(names,
			    item->stack ? "allocated in %s places that begin alike, one of them"
					: "allocated in %s other places",
			    names_count(names, item->count));
}

void text_item(struct text_report *text, const struct account *account, const struct finding_item *item,
	       thread_id of, size_t indent)
{
	struct names *names = &text->names;
	bool with_name = item->thread && item->thread != of;
	const char *verb = role_words(item->role, with_name);
	if (item->role == ROLE_created && !with_name && account->finding->count > 1)
		verb = "the threads were made in";
	if (item->role == ROLE_arena) {
		text_line(text, indent,
			  names_format(names, "%s: %s in memory, %s in %s live block%s",
				       item->serial ? "an arena of threads" : "the main arena",
				       names_size(names, item->amount), names_size(names, item->used),
				       names_count(names, item->count), item->count == 1 ? "" : "s"),
			  0);
		return;
	}
	if (item->source == STACK_UNKNOWN_RUNNING) {
		text_line(text, indent,
			  names_format(names, "%s running: its stack can't be read without interrupting it",
				       with_name
					   ? names_format(names, "%s is", names_item_thread(names, item))
					   : "now"),
			  0);
		return;
	}
	if (account->finding->kind == FINDING_iteration_slow)
		verb = "opened in";
	else if (account->finding->kind == FINDING_orphan_thread && item->role == ROLE_allocated)
		verb = "what is waited for was allocated in";
	else if (item->role == ROLE_site || (item->role == ROLE_allocated && item->amount))
		verb = sum_words(names, account->finding, item);
	else if (with_name)
		verb = names_format(names, "%s %s", names_item_thread(names, item), verb);
	const char *label = item_label(text, account->finding, item, verb);
	if (item->source == STACK_LOOKED_UP)
		label = names_format(names, "%s (looked up from outside)", label);
	nsec_t age = account_item_age(account, item);
	if (age && !is_state(account->finding, item->role))
		put_line(text, indent, label, names_format(names, "%s ago", names_duration(names, age)));
	else
		text_line(text, indent, label, age);
	if (item->role == ROLE_acquired && item->thread)
		text_hold_stack(text, item->stack, item->since, indent + 4);
	else if (item->stack || item->thread)
		text_stack(text, item->stack, indent + 4);
	if (item->role == ROLE_waits || item->role == ROLE_blocked)
		text_signalled(text, object_of_item(names, item), indent);
}

/* -- the whole -------------------------------------------------------------- */

/* The option whose limit tripped. */
static const char *limit_option(unsigned kind)
{
	switch (kind) {
	case FINDING_stuck_holder:
		return "blocked";
	case FINDING_long_hold:
		return "held";
	case FINDING_iterator_open:
		return "iterating";
	case FINDING_blocked:
		return "idle_blocked";
	case FINDING_iteration_slow:
		return "iteration_slow";
	case FINDING_growth:
		return "growth";
	case FINDING_rss_growth:
		return "rss_growth";
	case FINDING_fragmentation:
		return "fragmentation";
	default:
		return NULL;
	}
}

/* As somebody would set it: 10 s, not 10.0 s. */
static const char *limit_text(struct names *names, nsec_t limit)
{
	if (limit % NSEC_PER_SEC == 0 && limit < 100 * NSEC_PER_SEC)
		return names_format(names, "%lu s", limit / NSEC_PER_SEC);
	return names_duration(names, limit);
}

static bool has_waiters(const struct finding *finding)
{
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].role == ROLE_waits)
			return true;
	return false;
}

static void put_remarks(struct text_report *text, const struct account *account)
{
	struct names *names = &text->names;
	const struct finding *finding = account->finding;
	const char *option = limit_option(finding->kind);
	if (finding->kind == FINDING_iterator_open && has_waiters(finding))
		option = "held";
	if (finding->kind == FINDING_leak && (finding->flags & FOUND_CYCLE))
		text_line(text, TEXT_INDENT,
			  "the blocks point to one another, and nothing else points to them", 0);
	if (finding->indirect && finding->kind != FINDING_fragmentation)
		text_line(text, TEXT_INDENT,
			  names_format(names, "with them %s more are %s, which nothing else points to",
				       names_size(names, finding->indirect),
				       finding->flags & FOUND_INTERIOR ? "kept" : "lost"),
			  0);
	if (finding->kind == FINDING_orphan_thread && finding->amount)
		text_line(text, TEXT_INDENT,
			  names_format(names, "%s of memory are lost with %s: nothing else leads to them",
				       names_size(names, finding->amount),
				       finding->count > 1 ? "them" : "it"),
			  0);
	if (finding->kind == FINDING_rss_growth && finding->sort == MAPPINGS_UNRECORDED)
		text_faint_line(text, TEXT_INDENT,
				"with the option mappings=on the places are told that map memory");
	if (finding->flags & FOUND_STARVED_WRITER)
		text_line(text, TEXT_INDENT,
			  "held for reading only: a writer waits until every reader has released it", 0);
	if (finding->flags & FOUND_NESTED_MONITOR)
		text_line(
		    text, TEXT_INDENT,
		    "waits to be woken with a lock held: whoever would wake it may need that lock first "
		    "(nested monitors)",
		    0);
	if (finding->flags & FOUND_ASLEEP)
		text_line(
		    text, TEXT_INDENT,
		    "every thread of the process waits for another one, and no signal will do anything: "
		    "this lasts for ever",
		    0);
	if (finding->flags & FOUND_FOR_LIFE)
		text_line(text, TEXT_INDENT,
			  "taken once, soon after the start, and never waited for: most likely this is meant",
			  0);
	if (option && finding->limit)
		text_faint_line(
		    text, TEXT_INDENT,
		    names_format(names, "limit %s (option %s)", limit_text(names, finding->limit), option));
	if (finding->flags & FOUND_DEGRADED)
		text_faint_line(text, TEXT_INDENT,
				"judged with less than everything in sight: see the notes below");
	if (text->verbose)
		text_faint_line(
		    text, TEXT_INDENT,
		    names_format(names, "id %s, suppress with: %s", account->id, account->suppression));
}

/* Threads of which the same is to be said: made in one place, blocked in one place. */
static bool said_alike(const struct finding_item *a, const struct finding_item *b)
{
	return (a->role == ROLE_created || a->role == ROLE_blocked) && a->role == b->role && a->stack &&
	       a->stack == b->stack && a->op == b->op && a->handle == b->handle;
}

/* Things that a thread has opened in one place: only how many there are makes a difference to a reader. */
static bool opened_alike(const struct finding *finding, const struct finding_item *a,
			 const struct finding_item *b)
{
	return a->role == ROLE_opened && b->role == ROLE_opened && is_state(finding, ROLE_opened) &&
	       a->stack && a->stack == b->stack && a->thread == b->thread &&
	       a->object_kind == b->object_kind && a->count <= 1 && b->count <= 1;
}

/* Tells of `first` and all that are opened_alike. Return: false: it is the only one, and is not told. */
static bool put_opened(struct text_report *text, const struct account *account,
		       const struct finding_item *first)
{
	const struct finding *finding = account->finding;
	struct finding_item oldest = *first;
	uint32_t count = 0;
	for (uint32_t i = 0; i < finding_items(finding) && !text->verbose; i++) {
		const struct finding_item *item = &finding->items[i];
		if (!opened_alike(finding, first, item))
			continue;
		count++;
		if (item->name != first->name)
			oldest.flags |= ITEM_OF_SEVERAL_NAMES;
		if (item->since && item->since < oldest.since)
			oldest.since = item->since;
	}
	oldest.count = count;
	if (count > 1)
		text_item(text, account, &oldest, finding->thread, TEXT_INDENT);
	return count > 1;
}

static void put_items(struct text_report *text, const struct account *account)
{
	const struct finding *finding = account->finding;
	uint32_t items = finding_items(finding);
	for (uint32_t i = 0; i < items; i++) {
		const struct finding_item *item = &finding->items[i];
		bool told = text_is_waiter(finding, item) || item->role == ROLE_kept;
		for (uint32_t j = 0; j < i && !told; j++)
			told = said_alike(item, &finding->items[j]) ||
			       (!text->verbose && opened_alike(finding, item, &finding->items[j]));
		if (told || put_opened(text, account, item))
			continue;
		text_item(text, account, item, finding->thread, TEXT_INDENT);
		const char *list = NULL;
		uint32_t others = 0, at = 0;
		for (uint32_t j = i + 1; j < items; j++)
			others += said_alike(item, &finding->items[j]);
		for (uint32_t j = i + 1; j < items && at < others; j++)
			if (said_alike(item, &finding->items[j]))
				list = text_list_add(text, list,
						     names_item_thread(&text->names, &finding->items[j]),
						     at++, others);
		if (list)
			text_line(text, TEXT_INDENT, names_format(&text->names, "likewise %s", list), 0);
	}
}

void text_finding(struct text_report *text, const struct account *account)
{
	const struct finding *finding = account->finding;
	if (finding->kind == FINDING_deadlock) {
		text_deadlock(text, account);
	} else if (finding->kind == FINDING_lock_order) {
		text_order(text, account);
	} else {
		put_items(text, account);
		text_growth(text, account);
		text_waiters(text, account);
	}
	put_remarks(text, account);
}
