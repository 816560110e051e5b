/*
 * http.h - the listener: sockets, threads and ceilings of HTTP.
 *
 * libmicrohttpd reads and writes in few threads of its own (epoll); the
 * handlers, which wait for Redis, for a listener or for a hash, run in
 * workers beside them while the connection is suspended.  What comes is
 * bounded in number, size and time: the options web_* of sekimori.conf and
 * the constants of http.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_H
#define WEBUI_HTTP_H

#include "webui/http_serve.h"

struct http;

/* Listens on all of web_listen; web and conf are borrowed.  NULL with
 * ERR_CONFIG when an address cannot be had. */
struct http *http_start(const struct conf *conf, struct web *web,
    struct err *err);
/* Reads the certificate again, if there is one: for connections from now on.
 * 1 another one, 0 the same, -1: it stays as it was. */
int http_reload(struct http *http, struct err *err);
/* Takes no new requests, finishes those under way, ends. */
void http_stop(struct http *http);

#endif
