/*
 * Blocks that are lost, and threads that keep theirs: what the programs about the leak scan have in common.
 */
#ifndef TESTPROGS_LOSE_H
#define TESTPROGS_LOSE_H

/* Loses five blocks of 1000 bytes, at one place: {{line lib/lose.c lost}}. */
void lose(void);

/* Wipes what functions that have returned left on the stack, as far as 8 KiB below the caller. */
void wipe_stack(void);

/* A thread's routine: sleeps for ever, and has a block of 2000 bytes that only its stack leads to. */
void *sleep_on(void *unused);

#endif
