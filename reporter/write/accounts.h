/*
 * An account: one finding as it is told, with its id and whether it is over. What
 * a process's log says of one incident (found, found again in fuller form, over)
 * is one account; the accounts of a report stand in the order of telling, the most
 * serious first, then the oldest.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_ACCOUNTS_H
#define WH_WRITE_ACCOUNTS_H

#include "reporter/write/names.h"

struct account {
	const struct finding *finding; /* the fullest form */
	nsec_t over;                   /* when the trouble ended; 0: it lasts, or was never a state */
	nsec_t until;                  /* up to when its age is told: `over`, else when it was found */
	enum severity severity;
	const char *id;
	const char *title; /* a sentence without the kind and without a full stop */
	const char *suppression;
};

struct accounts {
	struct account *all;
	uint32_t count;
	uint32_t errors, warnings, infos; /* count in all */
	uint32_t resolved;                /* those of them that are over */
	uint32_t by_kind[FINDING_COUNT];
};

/* Return: 0 or -ENOMEM. */
int accounts_make(struct names *names, struct accounts *ret_accounts);

/* How long the trouble of a finding has lasted, and an item of it; 0: unknown. */
nsec_t account_age(const struct account *account);
nsec_t account_item_age(const struct account *account, const struct finding_item *item);

/*
 * Whether an item of a deadlock is the wait of a thread of the ring: of those that stand behind the
 * ring and wait for it there may be items too. Context: signal.
 */
bool finding_is_ring_wait(const struct finding *finding, const struct finding_item *item);

/* title.c: the sentence. Never NULL. */
const char *account_title(struct names *names, const struct account *account);

#endif
