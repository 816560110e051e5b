/*
 * api.h - the route table: a request becomes a JSON model.
 *
 * The pages are the API: a handler turns a request into a model; the
 * listener renders it as JSON or through a template; the command line
 * calls the same handlers inside its own process.  api_dispatch enforces
 * method, role and scope before a handler runs, in this one place.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_API_H
#define WEBUI_API_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"

struct events;
struct history;
struct quarantine;
struct release;
struct settings;
struct store;

/* Everything the handlers need; made once by the program. */
struct api {
	const struct conf *conf;
	struct store *store;
	struct quarantine *quarantine;
	struct release *release;
	struct events *events;
	/* may be NULL: log search then says so */
	struct history *history;
};

struct api *api_open(const struct conf *conf, struct err *err);
void api_close(struct api *api);

enum role {
	ROLE_NONE, /* not signed in */
	ROLE_MAIL_USER,
	ROLE_RELEASER,
	ROLE_DOMAIN_ADMIN,
	ROLE_POSTMASTER,
	ROLE_OPERATOR,
	ROLE_COUNT
};
#define ROLE_BIT(role) (1u << (role))

enum method {
	METHOD_GET,
	METHOD_POST
};

/* Who asks. */
struct principal {
	enum role role;
	const char *actor;          /* for the audit: "cli:root", "user:NAME" */
	const char *mailbox;        /* of a mail user: key */
	const char *const *domains; /* of domain admins and releasers */
	size_t domain_count;
};

struct request {
	struct api *api;
	struct arena *arena;
	const struct principal *principal;
	enum method method;
	const char *path;
	struct settings *settings; /* snapshot for this request */
	json_t *query;             /* object of strings: the query string */
	json_t *body;              /* object: form fields or JSON */
	json_t *params; /* object of strings: ":name" parts of the path */
};

/* A response: status is an HTTP code; model belongs to the caller. */
struct response {
	int status;
	json_t *model;
	const char *template; /* name of the page template, or NULL */
	/* not JSON: a body of another type (an .eml file, CSV) */
	const char *content_type;
	const char *filename;
	char *content; /* heap */
	size_t content_len;
};

struct route {
	enum method method;
	const char *path; /* "/quarantine/:id/release" */
	unsigned roles;   /* ROLE_BIT of those who may */
	/* 0, or -1 with *err: kinds become 400, 404, 409, 503 */
	int (*handler)(struct request *request, struct response *response,
	    struct err *err);
};

extern const struct route api_routes[];
extern const size_t api_route_count;

/* Find the route, check method and role, load the snapshot, run the
 * handler.  response->status is always set; on an error the model is
 * {"error": {"kind", "text", "field"}}. */
void api_dispatch(struct api *api, struct arena *arena,
    const struct principal *principal, enum method method, const char *path,
    json_t *query, json_t *body, struct response *response);

/* May this principal see this domain, this mailbox?  Handlers ask before
 * they touch either. */
bool principal_has_domain(const struct principal *principal,
    const char *domain);
bool principal_has_mailbox(const struct principal *principal,
    const char *mailbox_key);

#endif
