/*
 * A database server of the test's own. whoholds has nothing to say about it: run with `--set children=no`.
 */
#ifndef TESTPROGS_DATABASE_H
#define TESTPROGS_DATABASE_H

/*
 * Starts `script` (shared/database-server) for `kind` with its data in `dir`. Return: the port on 127.0.0.1. Ends the
 * program with 77 where there is none, and says why.
 */
int database_start(const char *script, const char *kind, const char *dir);

/* Ends it, and waits for that. */
void database_stop(void);

#endif
