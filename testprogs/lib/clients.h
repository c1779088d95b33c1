/*
 * Clients that are being served, whose descriptors are known in ways other than by an int: to epoll alone, as text, as shorts. Their numbers
 * are high ones, since a low one may stand somewhere by chance.
 */
#ifndef TESTPROGS_CLIENTS_H
#define TESTPROGS_CLIENTS_H

#define CLIENTS_FROM 700

/* Takes all numbers below CLIENTS_FROM, until clients_serve. */
void clients_begin(void);

/* Some clients of each sort come, and stay. */
void clients_serve(void);

#endif
