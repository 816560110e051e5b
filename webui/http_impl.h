/*
 * http_impl.h - one visit (a request and its answer), for http_serve.c and http_reply.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_IMPL_H
#define WEBUI_HTTP_IMPL_H

#include "webui/http_serve.h"
#include "webui/users.h"

/* Of a path with its query; a longer one is 414. */
#define HTTP_URI_MAX 8192
/* Of all fields of a header; a larger one is 431. */
#define HTTP_HEADER_MAX (64u * 1024)

/*
 * Pages load nothing from elsewhere, run no script but ours, and are shown
 * in nobody's frame; a preview is shown in ours and can do nothing at all.
 */
#define HTTP_POLICY_PAGE                                                       \
	"default-src 'none'; style-src 'self'; script-src 'self'; "            \
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; "          \
	"form-action 'self'; frame-src 'self'; frame-ancestors 'none'; "       \
	"base-uri 'none'"
#define HTTP_POLICY_PREVIEW                                                    \
	"sandbox; default-src 'none'; img-src data:; "                         \
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "     \
	"frame-ancestors 'self'"
/* Of files: they are saved, not shown. */
#define HTTP_POLICY_FILE                                                       \
	"sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "   \
	"frame-ancestors 'none'"

/* The program's side: what all visits share. */
struct web {
	const struct conf *conf;
	struct api *api;
	const struct pages *pages;
	struct arena *arena;
	bool secure;           /* browsers speak HTTPS to us */
	const char *authority; /* of web_url; NULL: any */
	size_t trusted_count, watcher_count;
	struct network *trusted, *watchers;
	struct metrics *metrics;
	/* cookies: with the prefix that binds them to HTTPS and this host */
	const char *session_cookie, *visit_cookie;
	const char *notice_cookie, *language_cookie, *theme_cookie;
};

/* Who asks, and what is known of the request so far. */
struct visit {
	struct web *web;
	const struct http_request *request;
	struct http_reply *reply;
	const char *path;
	json_t *query, *body;
	bool json; /* the answer is the model */
	struct principal principal;
	struct account account;
	const char *csrf;
	enum language language;
	const char *theme;
	/* A form that was not carried out: the error, and what was given. */
	const json_t *error, *form;
};

/* ---- http_reply.c: what goes back ---- */

/* value: static, or in the request's arena. */
void http_add_field(struct http_reply *reply, const char *name,
    const char *value);
/* What every answer has. */
void http_add_common(const struct web *web, const char *policy,
    const char *cache, struct http_reply *reply);
/* life_s 0: as long as the browser runs; below: it is taken away. */
void http_add_cookie(struct visit *visit, const char *name, const char *value,
    int life_s);
void http_put_body(struct http_reply *reply, char *take_body, size_t len,
    const char *content_type);
/* What the browser has of this name; NULL. */
const char *http_cookie_of(const struct visit *visit, const char *name);

void http_reply_plain(struct visit *visit, const char *text);
void http_reply_json(struct visit *visit, const struct response *response);
void http_reply_page(struct visit *visit, const struct response *response);
/* What went wrong, for a frame of a page of ours. */
void http_reply_framed(struct visit *visit, const struct response *response);
/* With 429 and 503: when to come again; seconds 0: soon. */
void http_add_retry(struct visit *visit, int64_t seconds);
/* As a page or as JSON. */
void http_reply_error(struct visit *visit, unsigned status, const char *kind,
    const char *text, const char *field);

/* The page that the form was on; NULL: not known. */
const char *http_came_from(const struct visit *visit);
void http_redirect(struct visit *visit, const char *path);
/* After a form that was carried out, with the notice of it. */
void http_redirect_after(struct visit *visit, const struct response *response);
/* To the page to sign in, and back from there. */
void http_redirect_sign_in(struct visit *visit);

#endif
