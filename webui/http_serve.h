/*
 * http_serve.h - a request of HTTP becomes an answer of HTTP.
 *
 * Between the listener (webui/http.h), which knows sockets, and the route
 * table (webui/api.h), which knows the work: who asks (session), whether the
 * form is ours (anti-forgery token, origin), what comes back (page, model,
 * file, redirection) and under which header.  No library of HTTP is seen
 * here.
 *
 * A struct web is immutable; all calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_SERVE_H
#define WEBUI_HTTP_SERVE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/netaddr.h"
#include "webui/api.h"
#include "webui/page.h"

struct web;

struct web *web_new(const struct conf *conf, struct api *api,
    const struct pages *pages, struct err *err);
void web_free(struct web *web);

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_OTHER
};

/* Fields of the header that anybody reads. */
enum http_field {
	HTTP_ACCEPT,
	HTTP_ACCEPT_LANGUAGE,
	HTTP_CONTENT_LENGTH,
	HTTP_CONTENT_TYPE,
	HTTP_COOKIE,
	HTTP_CSRF_TOKEN,
	HTTP_FETCH_DEST,
	HTTP_FETCH_SITE,
	HTTP_FORWARDED_FOR,
	HTTP_HOST,
	HTTP_NONE_MATCH,
	HTTP_ORIGIN,
	HTTP_REFERER,
	HTTP_TRANSFER_ENCODING,
	HTTP_FIELD_COUNT
};
extern const char *const http_field_names[HTTP_FIELD_COUNT];

struct http_request {
	struct arena *arena;
	enum http_method method;
	const char *uri;                      /* as it came */
	const char *fields[HTTP_FIELD_COUNT]; /* NULL: not there */
	size_t header_len;                    /* of all fields */
	bool ambiguous;                       /* a field that decides came
					       * twice, with other values, or
					       * any of these too often */
	unsigned repeated;                    /* fields that came again */
	struct ip peer;                       /* IP_NONE: a unix socket */
	struct bytes body;
};

#define HTTP_REPLY_FIELDS_MAX 24

struct http_reply {
	unsigned status;
	size_t field_count;
	struct http_reply_field {
		const char *name, *value; /* in the arena, or static */
	} fields[HTTP_REPLY_FIELDS_MAX];
	/* The body: heap, to be freed, unless it is constant. */
	void *body;
	bool constant;
	size_t len;
};

/* The client of a request: behind trusted proxies, not the peer. */
struct ip web_client(const struct web *web, const struct http_request *request);

/* Does this peer speak for others? */
bool web_is_proxy(const struct web *web, const struct ip *peer);

/*
 * Before the body is read: 0 and how large it may be, or the status with
 * which the request is refused.
 */
unsigned web_check(const struct web *web, const struct http_request *request,
    size_t *body_max);
/* The library of HTTP answered a request itself, with a status. */
void web_count_refused(const struct web *web, unsigned status);
/* The page or model of an error. */
void web_refuse(const struct web *web, const struct http_request *request,
    unsigned status, const char *text, struct http_reply *reply);
/* The answer to a request that was checked; may take as long as a handler
 * does. */
void web_serve(struct web *web, const struct http_request *request,
    struct http_reply *reply);

#endif
