#include "reporter/write/accounts.h"

#include <errno.h>

#include "base/hash.h"
#include "reporter/write/identity.h"

nsec_t account_age(const struct account *account)
{
	nsec_t since = account->finding->since;
	return since && account->until > since ? account->until - since : 0;
}

nsec_t account_item_age(const struct account *account, const struct finding_item *item)
{
	return item->since && account->until > item->since ? account->until - item->since : 0;
}

bool finding_is_ring_wait(const struct finding *finding, const struct finding_item *item)
{
	if (item->role != ROLE_waits || (item->flags & ITEM_SUBJECT))
		return item->role == ROLE_waits;
	for (uint32_t i = 0; i < finding_items(finding); i++)
		if (finding->items[i].role == ROLE_waits && (finding->items[i].flags & ITEM_SUBJECT))
			return false;
	return true;
}

/*
 * Takes another record of the same incident in. The fuller one is told, and of equal ones the later;
 * a record of the end knows when the end was, but not always what went before.
 */
static void account_take(struct account *account, const struct finding *finding)
{
	if (finding->flags & FOUND_OVER)
		account->over = finding->over ? finding->over : finding->at;
	if (!account->finding || finding_items(finding) >= finding_items(account->finding))
		account->finding = finding;
	account->until = account->over ? account->over : account->finding->at;
}

/* The account of the same incident; a finding without a key is an incident of its own. */
static struct account *account_of(struct accounts *accounts, struct account **slots, size_t room,
				  const struct finding *finding)
{
	if (!finding->key)
		return &accounts->all[accounts->count++];
	size_t at = hash_add(hash_mix(finding->key), finding->kind) & (room - 1);
	for (; slots[at]; at = (at + 1) & (room - 1))
		if (slots[at]->finding->key == finding->key && slots[at]->finding->kind == finding->kind)
			return slots[at];
	slots[at] = &accounts->all[accounts->count++];
	return slots[at];
}

static void count_account(struct accounts *accounts, const struct account *account)
{
	if (account->finding->kind < FINDING_COUNT)
		accounts->by_kind[account->finding->kind]++;
	if (account->over)
		accounts->resolved++;
	if (account->severity == SEVERITY_ERROR)
		accounts->errors++;
	else if (account->severity == SEVERITY_WARNING)
		accounts->warnings++;
	else
		accounts->infos++;
}

/* Errors, warnings, information; in each what lasts before what is over, in the order in which they were found. */
static int sort_accounts(struct names *names, struct accounts *accounts)
{
	struct account *sorted = arena_array(names->arena, (size_t)accounts->count + 1, sizeof(*sorted));
	uint32_t at = 0;
	if (!sorted)
		return -ENOMEM;
	for (int severity = SEVERITY_ERROR; severity >= SEVERITY_INFO; severity--)
		for (int over = 0; over < 2; over++)
			for (uint32_t i = 0; i < accounts->count; i++)
				if ((int)accounts->all[i].severity == severity &&
				    !accounts->all[i].over == !over)
					sorted[at++] = accounts->all[i];
	accounts->all = sorted;
	return 0;
}

int accounts_make(struct names *names, struct accounts *ret_accounts)
{
	const struct report *report = names->report;
	struct accounts accounts = { 0 };
	size_t room = 64;
	while (room < (size_t)report->found_count * 2)
		room *= 2;
	struct account **slots = arena_array(names->arena, room, sizeof(*slots));
	accounts.all = arena_array(names->arena, (size_t)report->found_count + 1, sizeof(*accounts.all));
	if (!slots || !accounts.all)
		return -ENOMEM;
	for (uint32_t i = 0; i < report->found_count; i++)
		account_take(account_of(&accounts, slots, room, report->found[i]), report->found[i]);
	for (uint32_t i = 0; i < accounts.count; i++) {
		struct account *account = &accounts.all[i];
		unsigned severity = account->finding->severity;
		account->severity = severity <= SEVERITY_ERROR ? (enum severity)severity : SEVERITY_ERROR;
		account->id = finding_id(names, account->finding);
		account->title = account_title(names, account);
		account->suppression = finding_suppression(names, account->finding);
		count_account(&accounts, account);
	}
	int error = sort_accounts(names, &accounts);
	if (!error)
		*ret_accounts = accounts;
	return error;
}
