/*
 * api.h - the route table: a request becomes a JSON model.
 *
 * The pages are the API: a handler turns a request into a model; the
 * listener renders it as JSON or through a template; the command line
 * calls the same handlers inside its own process.  api_dispatch finds the
 * route and enforces method, role and scope (whose domain, mailbox or held
 * mail the request is about) before a handler runs, in this one place.
 *
 * Routes, parameters and models: doc/api.md.  All calls are safe from any
 * thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_API_H
#define WEBUI_API_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/i18n.h"

struct account;
struct charset_set;
struct dns;
struct events;
struct histories;
struct password_gate;
struct preview_desk;
struct quarantine;
struct release;
struct reports;
struct settings;
struct store;

/* Everything the handlers need; made once by the program. */
struct api {
	const struct conf *conf; /* borrowed */
	struct store *store;
	struct quarantine *quarantine;
	struct release *release;
	struct events *events;
	struct charset_set *charsets;
	struct password_gate *passwords;
	struct preview_desk *previews;
	/* under lock */
	pthread_mutex_t lock;
	struct settings *settings; /* the newest that was needed, or NULL */
	struct dns *dns; /* NULL: not asked for yet (handlers_auth.c) */
	struct histories *histories; /* webui/history.h */
	/* under reports_lock, as it may be held for seconds */
	pthread_mutex_t reports_lock;
	struct reports *reports; /* NULL: not opened yet */
};

/* Opens nothing in the store yet.  ERR_CONFIG with redis = none. */
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

/* "mail-user", ...; -1 when there is no such word. */
const char *role_name(enum role role);
int role_parse(const char *word);

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
	enum language language; /* that the preview speaks */
	/* of a browser or an HTTP client; NULL on the command line */
	const char *user;    /* the account that signed in, or NULL */
	const char *session; /* its token, or NULL */
	const char *client;  /* the IP address, or NULL: not known */
	/* Nothing but SCOPE_SELF until the password is another one. */
	bool must_change;
};

/* What a request is about; api_dispatch asks whether it is the
 * principal's, and fills in request->domain, mailbox and entry. */
enum scope {
	SCOPE_ROLE,    /* nothing of anybody's: the role says it all */
	SCOPE_DOMAIN,  /* "domain", which must be given */
	SCOPE_TARGET,  /* "mailbox", "domain", or neither: the system, all */
	SCOPE_HOLDER,  /* "mailbox" or "domain", one of them given */
	SCOPE_ADDRESS, /* "address" */
	SCOPE_SOURCE,  /* "source": an address, or @domain */
	SCOPE_HELD,    /* ":id" of held mail */
	SCOPE_SELF,    /* who asks: the own session, password, language */
	SCOPE_USER,    /* ":name" of a user that the principal may manage */
};

struct request {
	struct api *api;
	struct arena *arena;
	const struct principal *principal;
	const struct route *route;
	enum method method;
	json_t *query;  /* object of strings: the query string */
	json_t *body;   /* object: form fields or JSON */
	json_t *params; /* object of strings: ":name" parts of the path */
	/* by the scope of the route, in key form; NULL when it has none */
	const char *domain;
	const char *mailbox;
	json_t *entry; /* SCOPE_HELD: the entry, with its domain above */
	const struct account *account; /* SCOPE_USER (webui/users.h) */
	/* of a failure: 0 by the kind of err */
	int status;
	const char *field; /* the parameter at fault, or NULL */
	size_t row;        /* of a list: which one of it, from 1; or 0 */
	json_t *errors;    /* more of them (imports), or NULL */
	json_t *checks;    /* what a check of routes found, or NULL */
	int64_t retry_s;   /* when it may be tried again, or 0 */
};

/* A response: status is an HTTP code; model belongs to the caller. */
struct response {
	int status;
	json_t *model;
	const char *template; /* name of the page template, or NULL */
	/* not JSON: a body of another type (an .eml file, CSV) */
	const char *content_type;
	const char *filename; /* in the request's arena */
	char *content;        /* heap */
	size_t content_len;
	/* The content is HTML made of a mail: the listener sends it with the
	 * policy of previews (doc/DESIGN.md) and nothing else. */
	bool sandboxed;
	/* Where a browser goes after a form that was carried out (303), and
	 * the notice it sees there (page.h); NULL: where it came from, and
	 * the notice of the template's name.  In the request's arena. */
	const char *location;
	const char *notice;
	int64_t retry_s; /* of an error: when to try again, or 0 */
	/* A browser is to see this model, even after a form. */
	bool show;
	/* Of the visitor from now on: the token of a new session ("": none),
	 * the tag of a language, the name of a theme; NULL: as it was.  In
	 * the request's arena. */
	const char *session;
	const char *language;
	const char *theme;
};

struct route {
	enum method method;
	const char *path; /* "/quarantine/:id/release" */
	unsigned roles;   /* ROLE_BIT of those who may */
	enum scope scope;
	const char *template;
	/* 0 with the model (or content) set, or -1 with *err */
	int (*handler)(struct request *request, struct response *response,
	    struct err *err);
};

/* The first that fits counts. */
extern const struct route api_routes[];
extern const size_t api_route_count;

/*
 * Find the route, check method, role and scope, run the handler.  path is
 * as it stood in the request, percent-encoded.  response->status is always
 * set; on an error the model is {"error": {"kind", "text", "field"}}.
 */
void api_dispatch(struct api *api, struct arena *arena,
    const struct principal *principal, enum method method, const char *path,
    json_t *query, json_t *body, struct response *response);

/* Opened when it is first needed; NULL. */
struct dns *api_dns(struct api *api, struct err *err);

/* Domains that the principal may choose from, as far as the newest settings
 * that were needed know them: a new array, NULL when there is no choice or
 * there are more than most. */
json_t *api_domain_names(struct api *api, const struct principal *principal,
    size_t most);

/* May this principal see this domain, this mailbox? */
bool principal_has_domain(const struct principal *principal,
    const char *domain);
bool principal_has_mailbox(const struct principal *principal,
    const char *mailbox_key);
/* All domains and the system? */
bool principal_sees_all(const struct principal *principal);

#endif
