/*
 * endpoint.h - where a server listens, as the config writes it.
 *
 *	unix:/path, local:/path
 *	inet:HOST:PORT, inet:PORT@HOST, inet6:PORT@HOST
 *	HOST:PORT
 *
 * PORT@HOST is the order of libmilter.  HOST is an IP address (IPv6 in
 * brackets), `localhost`, or `*` for all addresses; names are not looked
 * up, as a server must come up without the DNS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"

struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_storage storage;
		struct sockaddr_un sun;
	} addr;
	socklen_t size;
	bool wildcard; /* listens on all addresses */
};

/* ERR_CONFIG says what is wrong with text. */
int endpoint_parse(const char *text, struct endpoint *endpoint,
    struct err *err);

/*
 * A listening socket: close-on-exec, non-blocking.  A unix socket that
 * nobody listens on any more is removed first, and gets mode.
 */
int endpoint_listen(const struct endpoint *endpoint, unsigned mode,
    struct err *err);

/* ERR_CONFIG when somebody answers at a unix socket; a file that nobody
 * answers at, left from a process that died, is removed. */
int endpoint_clear(const struct endpoint *endpoint, struct err *err);

/* Connects (blocking; all addresses: the loopback one).  -1 with errno. */
int endpoint_connect(const struct endpoint *endpoint);

/*
 * The listening socket of this process at the endpoint, which a library
 * keeps to itself; -1 when there is none.
 */
int endpoint_find_listener(const struct endpoint *endpoint);

/* Removes the file of a unix socket. */
void endpoint_remove(const struct endpoint *endpoint);

#endif
