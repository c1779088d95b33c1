#include "platform/tsd.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "base/context.h"
#include "platform/real.h"
#include "platform/sys.h"

/*
 * The last of those that setting never allocates for: the program has the same first keys as without us, which
 * some count on, and in each round ours comes after them.
 */
#define KEY_WANTED 31u

static pthread_key_t key;
static bool made;
static void (*on_end)(void);

/*
 * Once the key is the program's, a value of ours must not get into it: who is setting one counts himself here, and
 * whoever gives the key up waits for them.
 */
static bool given_up;
static uint32_t setting;

static bool set_begin(void)
{
	__atomic_add_fetch(&setting, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&given_up, __ATOMIC_SEQ_CST))
		return true;
	__atomic_sub_fetch(&setting, 1, __ATOMIC_SEQ_CST);
	return false;
}

static void set_end(void)
{
	__atomic_sub_fetch(&setting, 1, __ATOMIC_SEQ_CST);
}

/* The value counts the rounds that are still to come. */
static void key_destructor(void *value)
{
	uintptr_t rounds = (uintptr_t)value;
	if (rounds > 1 && set_begin()) {
		pthread_setspecific(key, (void *)(rounds - 1));
		set_end();
	} else {
		on_end();
	}
}

void tsd_init(void (*ends)(void))
{
	pthread_key_t keys[KEY_WANTED + 1];
	uint32_t count = 0;

	on_end = ends;
	while (count < COUNT_OF(keys) && real.pthread_key_create(&keys[count], key_destructor) == 0)
		if (keys[count++] >= KEY_WANTED)
			break;
	made = count > 0;
	for (uint32_t i = 0; i + 1 < count; i++)
		pthread_key_delete(keys[i]);
	if (made)
		key = keys[count - 1];
}

bool tsd_works(void)
{
	return made && !__atomic_load_n(&given_up, __ATOMIC_ACQUIRE);
}

void tsd_arm(void)
{
	if (!made || !set_begin())
		return;
	int kept_errno = errno;
	pthread_setspecific(key, (void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
	errno = kept_errno;
	set_end();
}

/* Setting takes nanoseconds, unless its thread gets no processor, or is the one that a handler of ours interrupts. */
#define PATIENCE 1000u
#define PATIENCE_STEP (NSEC_PER_MSEC / 10)

bool tsd_give_up(void)
{
	if (!made || __atomic_exchange_n(&given_up, true, __ATOMIC_SEQ_CST))
		return false;
	for (uint32_t i = 0; __atomic_load_n(&setting, __ATOMIC_SEQ_CST); i++) {
		if (i == PATIENCE)
			return false;
		sys_sleep(PATIENCE_STEP);
	}
	pthread_key_delete(key);
	return true;
}

void tsd_fork_child(void)
{
	__atomic_store_n(&setting, 0, __ATOMIC_RELAXED);
}
