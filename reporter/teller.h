/*
 * Tells what was found where no command watches the process: by the whoholds
 * command beside the library, started as a child that the program's wait() can't
 * see; where there is none, with module and offset, by the writers in the library.
 *
 * Context: reporter, or hook at the end of a process.
 */
#ifndef WH_REPORTER_TELLER_H
#define WH_REPORTER_TELLER_H

#include "base/types.h"
#include "reporter/write/report.h"

/*
 * Notes what standard error is. Reports go to what it is at their time (a daemon's log, say), but not to a file that is
 * something else by then, and nowhere where it was closed at the start. Context: init.
 */
void teller_start(void);

/* Whether a command is there that renders this process's alerts (its pid and start time still match). */
bool teller_watched(void);

/* Findings from number `since` + 1 on; all of them with `since` 0. */
void teller_tell(uint32_t since, enum trigger trigger);

/* What the option `action` asks for beside the report, where one of those findings is not that another is over. */
void teller_act(uint32_t since);

/*
 * From now on the reporter thread comes back from telling and acting as soon as *word is not 0; what it has begun goes on
 * without it. Context: hook.
 */
void teller_leave(const uint32_t *word);

/* Reaps what was left so, where it has ended. Context: reporter. */
void teller_tidy(void);

/* In a fork child: such children are the parent's. Context: hook. */
void teller_fork_child(void);

#endif
