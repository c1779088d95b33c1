/*
 * Three connections, of which one that is asked for is waited for. One whose result has not been read to its end and cleared can't
 * be used for anything else, so it is not put back: whoever includes it defines count_of().
 */
#ifndef TESTPROGS_POSTGRES_POOL_H
#define TESTPROGS_POSTGRES_POOL_H

#include "lib/postgres_client.h"
#include "whoholds.h"

#define CONNECTIONS 3

static struct pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	PGconn *free[CONNECTIONS];
	int count;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .returned = PTHREAD_COND_INITIALIZER };

static int count_of(const char *what);

static PGconn *pool_get(void)
{
	pthread_mutex_lock(&pool.lock);
	if (!pool.count) {
		wh_wait_begin(&pool, "a connection of the pool");
		while (!pool.count)
			pthread_cond_wait(&pool.returned, &pool.lock);
		wh_wait_end(&pool);
	}
	PGconn *db = pool.free[--pool.count];
	wh_acquired_from(&pool, "connection", db, NULL);
	pthread_mutex_unlock(&pool.lock);
	return db;
}

static void pool_put(PGconn *db)
{
	pthread_mutex_lock(&pool.lock);
	wh_released("connection", db);
	pool.free[pool.count++] = db;
	pthread_cond_signal(&pool.returned);
	pthread_mutex_unlock(&pool.lock);
}

static PGresult *ask(PGconn *db, const char *what)
{
	char command[200];
	snprintf(command, sizeof command, "SELECT count(*) FROM accounts WHERE %s", what);
	return PQexec(db, command);
}

static void *counts(void *unused)
{
	show_thread("counts");
	for (int i = 0; i < 2 * CONNECTIONS; i++) {
		count_of("money > 5");
		count_of("there is no such thing");
	}
	return unused;
}

static void pool_fill(char **argv)
{
	postgres_start(argv);
	while (pool.count < CONNECTIONS)
		pool.free[pool.count++] = connect_db();
}

#endif
