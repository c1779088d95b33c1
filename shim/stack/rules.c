/*
 * Why the table of rules is safe without a lock.
 *
 * Who writes: any thread that learns a rule, or grows the table (one at a time: `growing`), or wipes the rules of a
 * module that went. Who reads: any thread on its way up its own stack, with no more than a load of the table's
 * address (acquire: the table was filled before it was published) and two of an entry.
 *
 * An entry is two words, and the pair is never torn in a way that matters: a key is written once and stays, and the
 * rule beside it is 0 or the one that belongs to the key. All who learn it store the same bits.
 *
 * The one thing to fear is a rule of module A that is found when module B lies at its addresses. Learning and
 * wiping are a store and a load each, of the other's word, in opposite order, all of them sequentially consistent:
 *
 *   learning   epoch is read; the rule is stored;  the epoch is read again: it moved? the rule is wiped
 *   wiping     the epoch goes up;                  keys are read, and the rules of A's are wiped
 *   growing    epoch is read; rules are copied; the table is published; the epoch moved? all of it is wiped
 *
 * That is done once dlclose has returned, and by then another thread may have loaded B. So from before the call of
 * dlclose until after the wiping (stack_unload_begin) rules are not looked up but made afresh, out of what is mapped.
 *
 * So either the learner (the grower) sees the new epoch, or the wiper sees the learner's key (the grower's table). In
 * both cases the rule goes before rules are looked up again. A rule can be found
 * for a moment longer: by somebody who has read the entry, or the table's address before it grew. He is walking up
 * a stack on which B's frames can't be, since he began before B was there.
 *
 * What is lost: a rule that is stored into a table which has just been replaced, or wiped with those of another module
 * because the epoch moved. It is learnt again.
 *
 * Tested by testprogs/unit/test_concurrent.c, also under ThreadSanitizer, and test_stack_modules.c.
 */
#include "stack/rules.h"

#include <errno.h>

#include "platform/sys.h"
#include "stack/expression.h"
#include "stack/modules.h"

struct rule_table *rule_table;

static uint32_t growing;

#define FIRST_BITS 12u /* 64 KiB: enough for a small program */
#define GROW_BITS 2u
#define PROBES 64u /* tables are half full at the most, so the last is hardly ever seen */

/* -- packing ---------------------------------------------------------------- */

static bool fits_16(uint64_t value)
{
	return (int64_t)value == (int16_t)value && (int64_t)value != RULE_NOWHERE;
}

static rule_bits pack(enum rule_kind kind, bool is_signal, int64_t bp, uint64_t high)
{
	return (uint64_t)kind | (uint64_t)is_signal << 3 | (uint64_t)(uint16_t)bp << 16 | high << 32;
}

/* CFA = register + offset, the return address below it. */
static rule_bits pack_plain(const struct cfi *cfi, uint64_t reg, uint64_t offset)
{
	const struct cfi_place *pc = &cfi->row.registers[CFI_RIP];
	const struct cfi_place *bp = &cfi->row.registers[CFI_RBP];
	if (cfi->is_signal_frame || pc->how != CFI_AT || pc->value != -8 ||
	    cfi->row.registers[CFI_RSP].how != CFI_UNSAID)
		return RULE_COMPLEX;
	if ((int64_t)offset != (int32_t)offset || offset % 8 || (reg == CFI_RSP && (int64_t)offset < 8))
		return RULE_COMPLEX;
	int64_t bp_at = 0;
	if (bp->how == CFI_AT) {
		if (!fits_16((uint64_t)bp->value) || bp->value >= -8 || bp->value % 8)
			return RULE_COMPLEX;
		bp_at = bp->value;
	} else if (bp->how != CFI_UNSAID && bp->how != CFI_SAME) {
		return RULE_COMPLEX;
	}
	enum rule_kind kind = reg == CFI_RSP ? RULE_FROM_SP : RULE_FROM_BP;
	return pack(kind, false, bp_at, (uint32_t)offset);
}

/* Where a place says "in memory at base + something": that something. */
static bool at_base(const struct cfi_place *place, const struct registers *none, uint8_t base,
		    int64_t *ret_offset)
{
	struct expression_value value;
	/* The CFA, pushed before the expression, is not known here; those that use it come out wrong and are refused. */
	if (place->how != CFI_AT_EXPRESSION || !expression_run(place, none, NULL, NULL, &value))
		return false;
	if (value.kind != EXPRESSION_SUM || value.reg != base || !fits_16(value.add))
		return false;
	*ret_offset = (int64_t)value.add;
	return true;
}

/* The CFA is a word in memory: signal frames, and functions that realign their stack. */
static rule_bits pack_loaded(const struct cfi *cfi, const struct registers *none,
			     const struct expression_value *cfa)
{
	const struct cfi_place *places = cfi->row.registers;
	int64_t bp = RULE_NOWHERE, pc = RULE_NOWHERE, sp;
	if ((cfa->reg != CFI_RSP && cfa->reg != CFI_RBP) || cfa->add || !fits_16(cfa->inner))
		return RULE_COMPLEX;
	if (!(places[CFI_RIP].how == CFI_AT && places[CFI_RIP].value == -8) &&
	    !at_base(&places[CFI_RIP], none, cfa->reg, &pc))
		return RULE_COMPLEX;
	if (places[CFI_RBP].how != CFI_UNSAID && places[CFI_RBP].how != CFI_SAME &&
	    !at_base(&places[CFI_RBP], none, cfa->reg, &bp))
		return RULE_COMPLEX;
	/* Where the stack pointer is said to be somewhere, it must be the CFA. */
	if (places[CFI_RSP].how != CFI_UNSAID &&
	    !(at_base(&places[CFI_RSP], none, cfa->reg, &sp) && sp == (int64_t)cfa->inner))
		return RULE_COMPLEX;
	enum rule_kind kind = cfa->reg == CFI_RSP ? RULE_LOADED_SP : RULE_LOADED_BP;
	return pack(kind, cfi->is_signal_frame, bp, (uint16_t)cfa->inner | (uint32_t)(uint16_t)pc << 16);
}

static rule_bits make(struct cfi *cfi, uint64_t pc, bool exact)
{
	int error = cfi_find(cfi, pc, exact);
	if (error == -ENODATA && cfi_is_bottom(cfi, pc))
		return RULE_OUTERMOST;
	if (error)
		return RULE_MISSING;
	const struct cfi_row *row = &cfi->row;
	switch (row->registers[CFI_RIP].how) {
	case CFI_UNDEFINED:
		return RULE_OUTERMOST;
	case CFI_UNSAID:
	case CFI_SAME:
		return RULE_MISSING; /* it would be its own caller */
	}
	if (row->cfa.how == CFI_IS && (row->cfa.reg == CFI_RSP || row->cfa.reg == CFI_RBP))
		return pack_plain(cfi, row->cfa.reg, (uint64_t)row->cfa.value);
	if (row->cfa.how != CFI_IS_EXPRESSION)
		return row->cfa.how == CFI_UNSAID ? RULE_MISSING : RULE_COMPLEX;
	/* The pc is the one register whose value is known wherever this rule applies. PLT stubs make use of it. */
	struct registers registers = { .known = 1u << CFI_RIP };
	registers.values[CFI_RIP] = pc;
	struct expression_value cfa;
	if (!expression_run(&row->cfa, &registers, NULL, NULL, &cfa))
		return RULE_COMPLEX;
	if (cfa.kind == EXPRESSION_SUM && (cfa.reg == CFI_RSP || cfa.reg == CFI_RBP))
		return pack_plain(cfi, cfa.reg, cfa.add);
	return cfa.kind == EXPRESSION_LOADED ? pack_loaded(cfi, &registers, &cfa) : RULE_COMPLEX;
}

/* -- the table -------------------------------------------------------------- */

static struct rule_table *make_table(unsigned bits)
{
	struct rule_table *table = sys_pages_lazy(sizeof *table + (sizeof(struct rule_entry) << bits));
	if (table) {
		table->bits = bits;
		table->bytes_mask = ((UINT64_C(1) << bits) - 1) * sizeof(struct rule_entry);
	}
	return table;
}

static uint64_t entries_of(const struct rule_table *table)
{
	return UINT64_C(1) << table->bits;
}

static uint64_t used_of(const struct rule_table *table)
{
	return __atomic_load_n(&table->used, __ATOMIC_RELAXED);
}

static struct rule_entry *entry_at(struct rule_table *table, uint64_t offset)
{
	return (struct rule_entry *)((char *)table->entries + (offset & table->bytes_mask));
}

NOINLINE rule_bits rules_find_further(const struct rule_table *table, uint64_t key, uint64_t at)
{
	for (unsigned i = 0; i < PROBES; i++) {
		const struct rule_entry *entry = entry_at((struct rule_table *)table, at + i * sizeof *entry);
		uint64_t there = __atomic_load_n(&entry->key, __ATOMIC_RELAXED);
		if (there == key)
			return __atomic_load_n(&entry->rule, __ATOMIC_RELAXED);
		if (!there)
			break;
	}
	return RULE_NONE;
}

static struct rule_entry *entry_for(struct rule_table *table, uint64_t key)
{
	uint64_t at = rule_start(table, key);
	for (unsigned i = 0; i < PROBES; i++) {
		struct rule_entry *entry = entry_at(table, at + i * sizeof *entry);
		uint64_t there = __atomic_load_n(&entry->key, __ATOMIC_RELAXED);
		if (!there && __atomic_compare_exchange_n(&entry->key, &there, key, false, __ATOMIC_SEQ_CST,
							  __ATOMIC_SEQ_CST)) {
			__atomic_fetch_add(&table->used, 1, __ATOMIC_RELAXED);
			return entry;
		}
		if (there == key)
			return entry;
	}
	return NULL;
}

/* One thread makes the larger table; others go on with what there is. */
static void grow(struct rule_table *old)
{
	uint32_t free = 0;
	if (!__atomic_compare_exchange_n(&growing, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (__atomic_load_n(&rule_table, __ATOMIC_ACQUIRE) == old) {
		struct rule_table *table = make_table(old ? old->bits + GROW_BITS : FIRST_BITS);
		uint32_t epoch = modules_epoch();
		for (uint64_t i = 0; table && old && i < entries_of(old); i++) {
			rule_bits rule = __atomic_load_n(&old->entries[i].rule, __ATOMIC_RELAXED);
			struct rule_entry *entry = rule ? entry_for(table, old->entries[i].key) : NULL;
			if (entry)
				entry->rule = rule;
		}
		if (table)
			__atomic_store_n(&rule_table, table, __ATOMIC_SEQ_CST);
		/* A module that went away meanwhile may have been wiped from the old table alone. */
		if (table && old && modules_epoch() != epoch)
			for (uint64_t i = 0; i < entries_of(table); i++)
				__atomic_store_n(&table->entries[i].rule, RULE_NONE, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&growing, 0, __ATOMIC_RELEASE);
}

rule_bits rules_learn(struct cfi *cfi, uint64_t pc, bool exact)
{
	uint32_t epoch = modules_epoch();
	rule_bits rule = make(cfi, pc, exact);
	/* Nothing is kept of addresses in no module: code made at run time comes and goes unannounced. */
	if (rule == RULE_MISSING && !cfi->module.end)
		return rule;
	struct rule_table *table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
	if (!table || used_of(table) > entries_of(table) / 2) {
		grow(table);
		table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
	}
	struct rule_entry *entry = table && used_of(table) < entries_of(table) - entries_of(table) / 4
				       ? entry_for(table, rule_key(pc, exact))
				       : NULL;
	if (entry) {
		__atomic_store_n(&entry->rule, rule, __ATOMIC_SEQ_CST);
		if (modules_epoch() != epoch)
			__atomic_store_n(&entry->rule, RULE_NONE, __ATOMIC_RELAXED);
	}
	return rule;
}

void rules_forget(uint64_t start, uint64_t end)
{
	struct rule_table *table = __atomic_load_n(&rule_table, __ATOMIC_SEQ_CST);
	if (!table)
		return;
	for (uint64_t i = 0; i < entries_of(table); i++) {
		uint64_t pc = __atomic_load_n(&table->entries[i].key, __ATOMIC_SEQ_CST) >> 1;
		/* A return address may lie just behind the module's end. */
		if (pc && pc - start <= end - start)
			__atomic_store_n(&table->entries[i].rule, RULE_NONE, __ATOMIC_RELAXED);
	}
}

void rules_fork_child(void)
{
	growing = 0; /* whoever grew the table is not in this process */
}
