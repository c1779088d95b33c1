/*
 * The same without what is wrong, from several threads and in a forked child, which frees what its parent has made.
 *
 * RUN: whoholds run --set check=heap --set check_kept=2MiB %prog
 * KINDS: none
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SESSIONS 4000
#define SINCE 20000

static void *work(void *unused)
{
	(void)unused;
	for (int i = 0; i < SINCE; i++) {
		size_t size = (size_t)(i % 13 == 0 ? 40000 : i % 1000);
		char *volatile piece = malloc(size);
		memset(piece, i, size);
		piece = realloc(piece, size + 30);
		free(piece);
		free(aligned_alloc(64, 192));
	}
	return NULL;
}

int main(void)
{
	static char *sessions[SESSIONS];
	for (int i = 0; i < SESSIONS; i++)
		sessions[i] = calloc(1, 200);
	work(NULL);
	pid_t child = fork();
	for (int i = 0; i < SESSIONS; i++)
		free(sessions[i]);
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	int status = 0;
	if (child > 0 && (waitpid(child, &status, 0) != child || status != 0))
		return 1;
	return 0;
}
