/*
 * socketmap_server.h - answers netstrings with netstrings, on a thread of
 * its own.
 *
 * Answers come from memory, so one thread serves everybody.  Input is
 * hostile: a request has a ceiling, a client that does not read its answer
 * is not read from, one that stays silent is dropped, and beyond
 * connections_max new ones are closed at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_SOCKETMAP_SERVER_H
#define MILTER_SOCKETMAP_SERVER_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct socketmap_server;

struct socketmap_server_options {
	const char *listen;
	unsigned socket_mode;
	size_t connections_max;
	unsigned idle_s; /* a client that says nothing is dropped after */
	/* Appends the reply; -1 when it did not fit.  Called on the
	 * server's thread. */
	int (*answer)(void *context, struct bytes request, struct buf *reply);
	void *context;
};

struct socketmap_server *
socketmap_server_start(const struct socketmap_server_options *options,
    struct err *err);
void socketmap_server_stop(struct socketmap_server *server);

#endif
