/*
 * Rules by return address: how to get from the frame that a call returns to into
 * that of its caller, packed into 64 bits. A rule never changes while its module is mapped, so
 * it is taken out of .eh_frame once and kept.
 *
 * The table is open-addressed, 16 bytes an entry: a key (return address times
 * two, plus 1 where the address is exact: that of an interrupted instruction) and
 * its rule.
 *
 *   - A key, once written by compare-and-swap, stays; so a probe that meets an empty key
 *     may stop. The rule is 0 until it is known, and again once its module is gone.
 *   - Readers take no lock: they see a key with its rule, or with 0, and learn the
 *     rule themselves then. All who learn the same rule store the same bits.
 *   - The table grows by a new one that is filled and then published. The old one stays mapped for
 *     those who are reading it; what is stored there meanwhile is learnt again.
 *   - A module goes away: the epoch is raised first, then its rules are wiped. Who
 *     learnt a rule stores it, then looks at the epoch again and wipes it if that has
 *     moved: either he sees the new epoch or the wipe sees his rule.
 */
#ifndef WH_STACK_RULES_H
#define WH_STACK_RULES_H

#include "base/context.h"
#include "stack/cfi.h"

enum rule_kind {
	RULE_NONE,      /* not known yet */
	RULE_FROM_SP,   /* CFA = sp + rule_cfa(): return address in the word below, see rule_bp() */
	RULE_FROM_BP,   /* CFA = frame pointer + rule_cfa() */
	RULE_LOADED_SP, /* CFA, return address and frame pointer in memory at sp + something */
	RULE_LOADED_BP, /* the same from the frame pointer (a realigned stack) */
	RULE_OUTERMOST, /* nobody called it */
	RULE_MISSING,   /* no unwind information, or none that makes sense */
	RULE_COMPLEX,   /* needs other registers or more arithmetic: unwind_full */
};

/*
 * bits  0.. 2  kind
 * bit       3  RULE_LOADED_*: signal frame, the caller's pc is exact
 * bits 16..31  where the caller's frame pointer is, relative to the CFA; 0: it is unchanged
 *              RULE_LOADED_*: relative to the base; RULE_NOWHERE: it is unchanged
 * bits 32..63  offset of the CFA
 *              RULE_LOADED_*: 32..47 where the CFA is, 48..63 where the return address is
 *              (RULE_NOWHERE: below the CFA), relative to the base
 */
typedef uint64_t rule_bits;

#define RULE_NOWHERE INT16_MIN

static inline enum rule_kind rule_kind(rule_bits rule)
{
	return (enum rule_kind)(rule & 7);
}

static inline bool rule_is_signal(rule_bits rule)
{
	return rule & 8;
}

static inline int64_t rule_bp(rule_bits rule)
{
	return (int16_t)(rule >> 16);
}

static inline int64_t rule_cfa(rule_bits rule)
{
	return (int32_t)(rule >> 32);
}

static inline int64_t rule_loaded_cfa(rule_bits rule)
{
	return (int16_t)(rule >> 32);
}

static inline int64_t rule_loaded_pc(rule_bits rule)
{
	return (int16_t)(rule >> 48);
}

struct rule_entry {
	uint64_t key;
	rule_bits rule;
};

struct rule_table {
	uint64_t bytes_mask; /* the offset of an entry from `entries`, in bytes */
	uint32_t bits;       /* log2 of the number of entries */
	uint32_t used;
	struct rule_entry entries[];
};

extern HIDDEN struct rule_table *rule_table;

static inline uint64_t rule_key(uint64_t pc, bool exact)
{
	return pc << 1 | exact;
}

/*
 * Where the search for a key begins. No multiplication: this is on the critical path of a walk. Return addresses
 * are four bytes apart at least, and those of one function are near each other in the table, too.
 */
static inline uint64_t rule_start(const struct rule_table *table, uint64_t key)
{
	return ((key << 1) ^ (key >> 13)) & table->bytes_mask;
}

/* The same search, where the first place was somebody else's. */
rule_bits rules_find_further(const struct rule_table *table, uint64_t key, uint64_t at);

/* The rule for the place `pc` in the table as it was loaded a moment ago; 0: not known. Context: hook. */
static inline rule_bits rules_find_in(const struct rule_table *table, uint64_t pc, bool exact)
{
	uint64_t key = rule_key(pc, exact);
	uint64_t at = rule_start(table, key);
	const struct rule_entry *entry = (const void *)((const char *)table->entries + at);
	if (LIKELY(__atomic_load_n(&entry->key, __ATOMIC_RELAXED) == key))
		return __atomic_load_n(&entry->rule, __ATOMIC_RELAXED);
	return rules_find_further(table, key, at);
}

static inline rule_bits rules_find(uint64_t pc, bool exact)
{
	const struct rule_table *table = __atomic_load_n(&rule_table, __ATOMIC_ACQUIRE);
	return table ? rules_find_in(table, pc, exact) : RULE_NONE;
}

/*
 * Takes the rule out of the unwind tables and keeps it. Never RULE_NONE. `cfi` is
 * room to work in. Context: hook.
 */
rule_bits rules_learn(struct cfi *cfi, uint64_t pc, bool exact);

/* Wipes what is known of addresses from `start` to below `end`. Context: hook. */
void rules_forget(uint64_t start, uint64_t end);

/* Rules hold in a fork child as they did: it has the same memory. Context: hook. */
void rules_fork_child(void);

#endif
