/*
 * Of thousands of groups nobody reads those with the least in them. They are folded where their stacks begin alike, under the stack of
 * the largest, so that they are told, and suppressed, by a place as all others are.
 *
 * Context: reporter.
 */
#ifndef WH_REPORTER_SCAN_GROUP_REST_H
#define WH_REPORTER_SCAN_GROUP_REST_H

#include "registry/view.h"
#include "reporter/scan/group.h"

#define GROUPS_TOLD 1000u /* at the most */

/*
 * Makes GROUPS_TOLD or fewer of `groups`, `count` of them, the largest first. What finds no other place
 * counts with the last, which has no site then. Return: how many there are.
 */
uint64_t group_rest_fold(const struct view *view, struct group *groups, uint64_t count);

#endif
