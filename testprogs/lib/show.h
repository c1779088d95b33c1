/*
 * What a test program tells the runner about itself, so that expectations can
 * name exact addresses and threads: "addr NAME 0x...", "tid NAME 4711", "ready".
 * Goes to standard output at once, unbuffered.
 */
#ifndef TESTPROGS_SHOW_H
#define TESTPROGS_SHOW_H

#include <pthread.h>

void show_addr(const char *name, const void *address);

/* Also names the calling thread. */
void show_thread(const char *name);

/* "ready NAME": a point that the runner can wait for. */
void show_ready(const char *name);

/* pthread_create with default attributes that ends the program where it fails. */
pthread_t thread_start(void *(*routine)(void *), void *argument);

/* Sleeps, uninterrupted. */
void sleep_ms(unsigned ms);

#endif
