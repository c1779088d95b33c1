/*
 * A program that defines functions of libc itself, and passes the calls on; and that looks libc's own up by their handle, so that
 * some of the calls are seen and some are not.
 *
 * RUN: whoholds run %prog
 * KINDS: none
 * EXPECT-STDOUT: 107 locked
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef int function(pthread_mutex_t *mutex);

static atomic_int locked;

static function *next_of(const char *name)
{
	function *found;
	*(void **)&found = dlsym(RTLD_NEXT, name);
	return found;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static function *next;
	if (!next)
		next = next_of("pthread_mutex_lock");
	locked++;
	return next(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	static function *next;
	if (!next)
		next = next_of("pthread_mutex_unlock");
	return next(mutex);
}

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	function *lock, *unlock;
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	if (!libc) {
		puts("libc has another name here");
		return 77;
	}
	*(void **)&lock = dlsym(libc, "pthread_mutex_lock");
	*(void **)&unlock = dlsym(libc, "pthread_mutex_unlock");
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_lock(&b);
		pthread_mutex_unlock(&b);
		pthread_mutex_unlock(&a);
	}
	for (int i = 0; i < 7; i++) {
		lock(&a);
		pthread_mutex_unlock(&a);
		pthread_mutex_lock(&a);
		unlock(&a);
	}
	printf("%d locked\n", locked);
	dlclose(libc);
	return 0;
}
