/* What libasker.so brings. */
#ifndef WH_TESTPROGS_ASKER_H
#define WH_TESTPROGS_ASKER_H

/* Whether it was refused what it asked for. */
int asker_refused(void);

#endif
