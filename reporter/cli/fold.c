#include "reporter/cli/fold.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/units.h"

#define PROGRAM_BYTES 64

struct folded {
	uint64_t key;
	uint64_t bytes;     /* lost by those that were not told */
	uint32_t processes; /* so many */
	uint32_t findings;  /* in each */
	char program[PROGRAM_BYTES];
};

/* The place of an address in its file, which is the same in every process, wherever that has it. */
static uint64_t add_frame(uint64_t hash, const struct view *view, uint64_t address, uint32_t epoch)
{
	const struct rec_module *module = view_module(view, address, epoch);
	if (!module)
		return hash_add(hash, 0);
	hash = hash_add(hash, address - module->bias);
	for (uint32_t i = 0; i < MIN_OF(module->build_id_bytes, (uint32_t)REC_BUILD_ID_BYTES); i++)
		hash = hash_add(hash, module->build_id[i]);
	return hash_add(hash, hash_text(view_text(view, module->path)));
}

static uint64_t hash_of(const struct view *view, const struct finding *finding)
{
	uint64_t hash = hash_add(finding->kind, finding->sort);
	for (uint32_t i = 0; i < finding->item_count; i++) {
		const struct finding_item *item = &finding->items[i];
		const struct rec_stack *stack = view_stack(view, item->stack);
		hash = hash_add(hash, item->role);
		for (uint32_t frame = 0; stack && frame < stack->count; frame++)
			hash = add_frame(hash, view, stack->frames[frame], stack->epoch);
	}
	return hash;
}

static bool is_lost(const struct finding *finding)
{
	return finding->kind == FINDING_leak || finding->kind == FINDING_possible_leak;
}

bool folds_hold(struct folds *folds, const struct report *report)
{
	const char *program = view_program(report->view);
	uint64_t key = hash_add(hash_text(program), report->found_count), bytes = 0;
	/* In whatever order they come. */
	for (uint32_t i = 0; i < report->found_count; i++) {
		key += hash_of(report->view, report->found[i]);
		if (is_lost(report->found[i]))
			bytes += report->found[i]->amount + report->found[i]->indirect;
	}
	for (size_t i = 0; i < folds->count; i++) {
		if (folds->at[i].key != key)
			continue;
		folds->at[i].processes++;
		folds->at[i].bytes += bytes;
		return true;
	}
	if (folds->count == folds->room) {
		size_t room = folds->room ? folds->room * 2 : 16;
		struct folded *more = realloc(folds->at, room * sizeof *more);
		if (!more)
			return false;
		folds->at = more;
		folds->room = room;
	}
	struct folded *folded = &folds->at[folds->count++];
	*folded = (struct folded){ .key = key, .findings = report->found_count };
	snprintf(folded->program, sizeof folded->program, "%s", program);
	for (char *at = folded->program; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = '?';
	return false;
}

bool folds_write(const struct folds *folds, struct sink *sink)
{
	bool any = false;
	for (size_t i = 0; i < folds->count; i++) {
		const struct folded *folded = &folds->at[i];
		char line[PROGRAM_BYTES + 160];
		struct text text = TEXT_OF(line);
		if (!folded->processes)
			continue;
		any = true;
		text_format(&text, "whoholds: the same in %u more process%s of %s: %u finding%s each",
			    folded->processes, folded->processes == 1 ? "" : "es", folded->program,
			    folded->findings, folded->findings == 1 ? "" : "s");
		if (folded->bytes) {
			text_put(&text, ", ");
			units_put_size(&text, folded->bytes);
			text_put(&text, " lost in them");
		}
		text_byte(&text, '\n');
		sink->put(sink, line, text.used);
	}
	return any;
}

void folds_release(struct folds *folds)
{
	free(folds->at);
	*folds = (struct folds){ 0 };
}
