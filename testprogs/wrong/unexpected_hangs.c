/*
 * The runner's own test: what it hangs of is not what is expected, which will never come. Nobody waits for that.
 *
 * HANGS: yes
 * TIMEOUT: 3600
 * KINDS: long-hold
 * EXPECT: no report says this
 */
#include <pthread.h>

int main(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&lock);
	return 0;
}
