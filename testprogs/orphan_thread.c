/*
 * Nobody can ever wake these threads: three workers whose queue was forgotten, one that waits for a semaphore, another for
 * a barrier, and one whose queue only another orphan knows. The program goes on without them.
 * Hard because: the threads' own stacks have pointers to what they wait for, so nothing is lost by reachability.
 *
 * RUN: whoholds run --set leaks=1s %prog
 * TIMEOUT: 60
 * KINDS: orphan-thread
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 3) | has_frame("blocked"; "take_job"; {{line queue}})
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 3) | has_frame("created"; "start_pool"; {{line pool}})
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 3) | has_frame("allocated"; "start_pool"; {{line made}})
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 1 and .bytes >= 10000) | has_frame("blocked"; "wait_for_answer"; {{line sem}})
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 1) | has_frame("blocked"; "meet"; {{line barrier}})
 * EXPECT-JSON: finding("orphan-thread") | select(.count == 1) | has_frame("blocked"; "follow"; {{line chain}})
 * EXPECT: 3 threads have been blocked
 * EXPECT: in take_job, and nothing alive can ever wake them
 * EXPECT: 4 findings were reported above
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/lose.h"
#include "lib/show.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	int jobs;
};

struct request {
	sem_t answered;
	char *buffer;
};

static __attribute__((noinline)) void take_job(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->jobs)
		pthread_cond_wait(&queue->filled, &queue->lock); /* line: queue */
	pthread_mutex_unlock(&queue->lock);
}

static void *worker(void *queue)
{
	take_job(queue);
	return NULL;
}

static __attribute__((noinline)) void start_pool(void)
{
	struct queue *queue = calloc(1, sizeof *queue); /* line: made */
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, worker, queue); /* line: pool */
		pthread_detach(thread);
	}
}

static __attribute__((noinline)) void wait_for_answer(struct request *request)
{
	sem_wait(&request->answered); /* line: sem */
}

static void *requester(void *unused)
{
	struct request *request = calloc(1, sizeof *request);
	sem_init(&request->answered, 0, 0);
	request->buffer = malloc(10000);
	wait_for_answer(request);
	free(request->buffer);
	free(request);
	return unused;
}

static __attribute__((noinline)) void meet(pthread_barrier_t *barrier)
{
	pthread_barrier_wait(barrier); /* line: barrier */
}

static __attribute__((noinline)) void follow(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->jobs)
		pthread_cond_wait(&queue->filled, &queue->lock); /* line: chain */
	pthread_mutex_unlock(&queue->lock);
}

static void *follower(void *queue)
{
	follow(queue);
	return NULL;
}

/* It waits for those that nobody else knows either, with the queue of its follower at hand. */
static void *leader(void *own)
{
	struct queue *queue = calloc(1, sizeof *queue);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->filled, NULL);
	pthread_detach(thread_start(follower, queue));
	meet(own);
	pthread_cond_broadcast(&queue->filled);
	return NULL;
}

static __attribute__((noinline)) void start_others(void)
{
	pthread_barrier_t *barrier = malloc(sizeof *barrier);
	pthread_barrier_init(barrier, NULL, 2);
	pthread_detach(thread_start(requester, NULL));
	pthread_detach(thread_start(leader, barrier));
}

int main(int argc, char **argv)
{
	start_pool();
	start_others();
	wipe_stack();
	sleep_ms(argc > 1 ? (unsigned)atoi(argv[1]) : 12000);
	_exit(0);
}
