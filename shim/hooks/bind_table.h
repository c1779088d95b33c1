/*
 * The functions that are bound by name, and what each of them acquires and releases; built once, from
 * hooks/library_pairs.def and config files, and only read afterwards (save for counters).
 */
#ifndef WH_HOOKS_BIND_TABLE_H
#define WH_HOOKS_BIND_TABLE_H

#include "base/context.h"
#include "pairs.h"

#define BIND_ACTIONS_MOST 2048u

/* One line about a function; 0 ends the list of its lines. */
struct bind_action {
	const struct pair_line *line;
	uint16_t pair; /* number, for bind_pair_text */
	uint16_t next; /* number of the next action + 1 */
	uint8_t kind;  /* enum kind */
	bool configured;
	bool
	    keeps; /* its handle is an object that was there before: acquired again it is held since the first time */
};

struct bind_function {
	const char *name;
	uint64_t hash;
	uint16_t first;                         /* number of its first action + 1 */
	bool acquires, releases, releases_when; /* releases_when: the result says whether it did */
	bool configured;                        /* a config file names it */
	bool method;                            /* also the words of the module that defines it are bound */
	bool dlsym;                             /* not in a pair: what it answers is looked at */
	uint32_t words;                         /* that were bound to it */
};

/* Adds the built-in pairs, with those of descriptors.def if they are wanted, and dlsym. Context: init, all of these. */
void bind_table_start(bool with_descriptors);
/* Adds what was read from config files, which stays where it is. Return: false: there were too many. */
bool bind_table_add(const struct pairs *pairs);

/* The function of that name; NULL: none. Quick for names that don't begin like one. Context: hook. */
struct bind_function *bind_table_find(const char *name);

extern HIDDEN struct bind_action bind_actions[BIND_ACTIONS_MOST];

static inline const struct bind_action *bind_action_at(uint16_t number_and_one)
{
	return number_and_one ? &bind_actions[number_and_one - 1] : NULL;
}

/* What the pair is called, as a text of the recording; made anew for a new recording. Context: hook. */
extern HIDDEN text_id bind_pair_texts[];
text_id bind_pair_text_new(uint16_t pair);

static inline text_id bind_pair_text(uint16_t pair)
{
	text_id text = __atomic_load_n(&bind_pair_texts[pair], __ATOMIC_RELAXED);
	return LIKELY(text) ? text : bind_pair_text_new(pair);
}

void bind_table_name(void);

/* Each function, for bind_end. Context: hook. */
void bind_table_each(void (*each)(struct bind_function *function, void *data), void *data);

#endif
