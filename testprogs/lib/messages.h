/* Descriptors that are sent from one process to another, or to oneself. */
#ifndef TESTPROGS_MESSAGES_H
#define TESTPROGS_MESSAGES_H

/* Sends a copy of `passed`. Ends the program where that fails. */
void message_send(int to, int passed);

/* Return: the one that came with the next message; -1: none. */
int message_receive(int from);

#endif
