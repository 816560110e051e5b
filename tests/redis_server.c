/*
 * redis_server.c - a private redis-server for a test.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/redis_server.h"

#define ARGS_MAX 64
#define START_TRIES 6000
#define TRY_MS 10

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
nap(void)
{
	const struct timespec ts = { .tv_nsec = TRY_MS * 1000000 };

	nanosleep(&ts, NULL);
}

bool
redis_server_is_installed(void)
{
	return access("/usr/bin/redis-server", X_OK) == 0 ||
	    access("/usr/local/bin/redis-server", X_OK) == 0;
}

char *
temp_dir(void)
{
	const char *base = getenv("TMPDIR");
	char *dir =
	    xprintf("%s/sekimori-test-XXXXXX", base != NULL ? base : "/tmp");

	if (mkdtemp(dir) == NULL)
		die("mkdtemp");
	return dir;
}

void
remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		char *path;
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		path = xprintf("%s/%s", dir, entry->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			remove_dir(path);
		else
			unlink(path);
		free(path);
	}
	closedir(d);
	rmdir(dir);
}

static bool
can_bind(unsigned port)
{
	const struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

	if (fd < 0)
		die("free_port");
	rc = bind(fd, (const struct sockaddr *)&sin, sizeof(sin));
	close(fd);
	return rc == 0;
}

/* With the one of a Cluster's bus, 10,000 above; both below the ports that
 * the kernel hands out by itself (32768 and more). */
unsigned
free_port(void)
{
	uint16_t draw;
	unsigned port;
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (getrandom(&draw, sizeof(draw), 0) < 0)
			die("free_port");
		port = 10240 + draw % 12000;
		if (can_bind(port) && can_bind(port + 10000))
			return port;
	}
	die("free_port");
	return 0;
}

static void
exec_server(const struct redis_server *server)
{
	const char *argv[ARGS_MAX];
	char port[8];
	int fd, n = 0, i;

	snprintf(port, sizeof(port), "%u", server->port);
	argv[n++] = "redis-server";
	argv[n++] = "--port";
	argv[n++] = port;
	argv[n++] = "--bind";
	argv[n++] = "127.0.0.1";
	argv[n++] = "--unixsocket";
	argv[n++] = server->socket;
	argv[n++] = "--dir";
	argv[n++] = server->dir;
	argv[n++] = "--save";
	argv[n++] = "";
	argv[n++] = "--daemonize";
	argv[n++] = "no";
	for (i = 0; server->args != NULL && server->args[i] != NULL; i++)
		argv[n++] = server->args[i];
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(server->dir) < 0)
		_exit(126);
	fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Answers PING: loaded, too. */
static bool
answers(const struct redis_server *server)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval second = { .tv_sec = 1 };
	char reply[16] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool good;

	memcpy(sun.sun_path, server->socket, strlen(server->socket));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	good = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
	    recv(fd, reply, sizeof(reply) - 1, 0) > 0 &&
	    strncmp(reply, "-LOADING", 8) != 0;
	close(fd);
	return good;
}

bool
redis_server_wait(const struct redis_server *server)
{
	int i;

	for (i = 0; i < START_TRIES; i++) {
		if (answers(server))
			return true;
		nap();
	}
	return false;
}

void
redis_server_restart(struct redis_server *server)
{
	server->pid = fork();
	if (server->pid < 0)
		die("fork");
	if (server->pid == 0)
		exec_server(server);
	if (!redis_server_wait(server)) {
		fprintf(stderr, "redis-server does not start in %s\n",
		    server->dir);
		exit(1);
	}
}

void
redis_server_start(struct redis_server *server, bool with_port,
    const char *const *args)
{
	server->dir = temp_dir();
	server->socket = xprintf("%s/s", server->dir);
	server->url = xprintf("unix:%s", server->socket);
	server->port = with_port ? free_port() : 0;
	server->args = args;
	redis_server_restart(server);
}

void
redis_server_kill(struct redis_server *server)
{
	if (server->pid == 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

void
redis_server_stop(struct redis_server *server)
{
	if (server->dir == NULL)
		return;
	redis_server_kill(server);
	remove_dir(server->dir);
	free(server->dir);
	free(server->socket);
	free(server->url);
	server->dir = NULL;
}
