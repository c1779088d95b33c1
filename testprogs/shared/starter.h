/* What libstarter.so brings: it starts a thread while it is being loaded, and waits for it. */
#ifndef WH_TESTPROGS_STARTER_H
#define WH_TESTPROGS_STARTER_H

#ifdef __cplusplus
extern "C" {
#endif

/* How many blocks that thread got from operators of C++, and gave back. */
int starter_blocks(void);

/* What else that thread calls, where the program has it. */
void starter_calls(void) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
