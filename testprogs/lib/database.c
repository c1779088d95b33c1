#include "lib/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t server;
static int hold_open; /* its standard input */

int database_start(const char *script, const char *kind, const char *dir)
{
	int in[2], out[2];
	char line[300] = "";
	size_t used = 0;

	if (pipe(in) != 0 || pipe(out) != 0)
		exit(1);
	server = fork();
	if (server == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl(script, script, kind, dir, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	hold_open = in[1];
	for (ssize_t got; used + 1 < sizeof line && !strchr(line, '\n'); used += (size_t)got) {
		got = read(out[0], line + used, sizeof line - 1 - used);
		if (got <= 0)
			break;
	}
	close(out[0]);
	int port = 0;
	if (sscanf(line, "port %d", &port) == 1)
		return port;
	database_stop();
	printf("%s\n", line[0] ? line : "no server");
	exit(77);
}

void database_stop(void)
{
	close(hold_open);
	waitpid(server, NULL, 0);
}
