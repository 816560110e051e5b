/*
 * redis_server.h - a private redis-server for a test.
 *
 * In a directory under TMPDIR, on a unix socket (and a loopback port when
 * asked for); ended by its pid, and by the kernel when the test dies.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	pid_t pid; /* 0: not running */
	char *dir;
	char *socket;  /* path */
	char *url;     /* unix:path */
	unsigned port; /* 0: none */
	const char *const *args;
};

/* False: there is no redis-server on this machine; a test then skips. */
bool redis_server_is_installed(void);

/* args: further options, NULL-terminated, or NULL; kept for a restart.
 * Returns when it answers; a server that does not start ends the test. */
void redis_server_start(struct redis_server *server, bool with_port,
    const char *const *args);
/* SIGKILL: what was not written is lost. */
void redis_server_kill(struct redis_server *server);
/* In the same directory, with the same options. */
void redis_server_restart(struct redis_server *server);
/* Until a port or socket accepts; false after a minute. */
bool redis_server_wait(const struct redis_server *server);
/* Ends it and removes the directory. */
void redis_server_stop(struct redis_server *server);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
unsigned free_port(void);
/* Removes a directory of files. */
void remove_dir(const char *dir);
/* A new directory under TMPDIR; free() the name. */
char *temp_dir(void);

#endif
