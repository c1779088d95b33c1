/*
 * What identifies a finding from run to run and from build to build: its id
 * ("leak-3f2a9c0e"), and the suppression line that fits it ("leak:load_row").
 *
 * The id is the kind and a hash, 32 bits wide, of the names of the functions in the
 * stacks that make the finding what it is (identity.def): of the program's own
 * frames, without parameters and clone suffixes, neighbours of the same name (a
 * recursion) counted once, a function without a name counted as its module's file
 * name. Stacks are a set: neither their order nor their number matters, so that a
 * deadlock is the same from whichever end it was found.
 *
 * Context: reporter. Memory is the report's arena.
 */
#ifndef WH_WRITE_IDENTITY_H
#define WH_WRITE_IDENTITY_H

#include "reporter/write/names.h"

/* Goes up when ids change their meaning: a baseline of another version matches nothing. */
#define IDENTITY_VERSION 1u

/* Never NULL. */
const char *finding_id(struct names *names, const struct finding *finding);

/* The line that would suppress the finding and as little else as possible. Never NULL. */
const char *finding_suppression(struct names *names, const struct finding *finding);

/* The item that title and suppression are about: the subject's, else the first with a stack; NULL: no items. */
const struct finding_item *finding_main_item(const struct finding *finding);

#endif
