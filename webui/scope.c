/*
 * scope.c - whose domain, mailbox or held mail a request is about.
 *
 * A parameter that is not the principal's is refused with 403; held mail
 * that is not, with 404, as if it were not there: ids are not to be tried.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "quarantine/history.h"
#include "quarantine/quarantine.h"
#include "webui/history.h"
#include "webui/request.h"
#include "webui/scope.h"
#include "webui/users.h"

/* ---- principals ---- */

bool
principal_sees_all(const struct principal *principal)
{
	return principal->role == ROLE_OPERATOR ||
	    principal->role == ROLE_POSTMASTER;
}

bool
principal_has_domain(const struct principal *principal, const char *domain)
{
	size_t i;

	if (principal_sees_all(principal))
		return true;
	if (principal->role != ROLE_DOMAIN_ADMIN &&
	    principal->role != ROLE_RELEASER)
		return false;
	for (i = 0; i < principal->domain_count; i++)
		if (strcmp(principal->domains[i], domain) == 0)
			return true;
	return false;
}

bool
principal_has_mailbox(const struct principal *principal,
    const char *mailbox_key)
{
	const char *at = strrchr(mailbox_key, '@');

	if (principal->role == ROLE_MAIL_USER)
		return principal->mailbox != NULL &&
		    strcmp(principal->mailbox, mailbox_key) == 0;
	return at != NULL && principal_has_domain(principal, at + 1);
}

/* ---- names ---- */

static int
not_yours(struct request *request, const char *field, const char *what,
    struct err *err)
{
	return request_refuse(request, 403, field, err,
	    "%s: %s is not among what you may see", field, what);
}

static int
take_domain(struct request *request, const char *field, const char *text,
    struct err *err)
{
	struct err why;

	if (domain_normalize(request->arena, bytes_trim(bytes_of(text)),
		&request->domain, &why) < 0)
		return request_refuse(request, 400, field, err,
		    "%s: '%s' is no domain: %s", field, text, why.text);
	if (!principal_has_domain(request->principal, request->domain))
		return not_yours(request, field, request->domain, err);
	return 0;
}

/* A key as logs and held mail show it, whose local part would need quotes
 * in an address. */
static int
take_key(struct request *request, const char *text, struct address *address)
{
	const char *at = strrchr(text, '@');

	if (at == NULL || at == text)
		return -1;
	return address_make(request->arena,
	    (struct bytes){ text, (size_t)(at - text) }, bytes_of(at + 1),
	    address, NULL);
}

static int
take_mailbox(struct request *request, const char *field, const char *text,
    struct err *err)
{
	struct address address;
	struct err why;

	if (address_parse(request->arena, bytes_trim(bytes_of(text)), &address,
		&why) < 0 &&
	    take_key(request, text, &address) < 0)
		return request_refuse(request, 400, field, err,
		    "%s: '%s' is no address: %s", field, text, why.text);
	if (address.local[0] == '\0' || address.domain[0] == '\0')
		return request_refuse(request, 400, field, err,
		    "%s: must be an address such as user@example.net", field);
	if (!principal_has_mailbox(request->principal, address.key))
		return not_yours(request, field, address.key, err);
	request->mailbox = address.key;
	request->domain = address.domain;
	return 0;
}

/* ---- by scope ---- */

static int
scope_domain(struct request *request, struct err *err)
{
	const char *text;

	if (request_need_text(request, "domain", &text, err) < 0)
		return -1;
	return take_domain(request, "domain", text, err);
}

/* What is meant when nothing is said; 0 with nothing set: everything. */
static int
scope_implied(struct request *request, struct err *err)
{
	const struct principal *principal = request->principal;

	if (principal->role == ROLE_MAIL_USER && principal->mailbox != NULL)
		return take_mailbox(request, "mailbox", principal->mailbox,
		    err);
	if (principal_sees_all(principal))
		return 0;
	if (principal->domain_count == 1)
		return take_domain(request, "domain", principal->domains[0],
		    err);
	return request_refuse(request, 400, "domain", err,
	    "domain: must be given");
}

static int
scope_target(struct request *request, struct err *err)
{
	const char *mailbox, *domain, *wanted;

	if (request_text(request, "mailbox", &mailbox, err) < 0 ||
	    request_text(request, "domain", &domain, err) < 0)
		return -1;
	if (mailbox == NULL && domain == NULL)
		return scope_implied(request, err);
	if (mailbox == NULL)
		return take_domain(request, "domain", domain, err);
	if (take_mailbox(request, "mailbox", mailbox, err) < 0)
		return -1;
	if (domain == NULL)
		return 0;
	if (domain_normalize(request->arena, bytes_trim(bytes_of(domain)),
		&wanted, NULL) < 0 ||
	    strcmp(wanted, request->domain) != 0)
		return request_refuse(request, 400, "mailbox", err,
		    "mailbox: %s is not in the domain %s", request->mailbox,
		    domain);
	return 0;
}

static int
scope_holder(struct request *request, struct err *err)
{
	if (scope_target(request, err) < 0)
		return -1;
	if (request->domain == NULL)
		return request_refuse(request, 400, "domain", err,
		    "domain: must be given");
	return 0;
}

static int
scope_address(struct request *request, struct err *err)
{
	const char *text;

	if (request_need_text(request, "address", &text, err) < 0)
		return -1;
	return take_mailbox(request, "address", text, err);
}

static int
scope_source(struct request *request, struct err *err)
{
	const char *text;

	if (request_need_text(request, "source", &text, err) < 0)
		return -1;
	if (text[0] == '@')
		return take_domain(request, "source", text + 1, err);
	return take_mailbox(request, "source", text, err);
}

/* ---- held mail ---- */

/* Only administrators see what is hidden. */
static bool
may_see(const struct request *request, const json_t *entry)
{
	const struct principal *principal = request->principal;
	const char *mailbox =
	    json_string_value(json_object_get(entry, "mailbox"));

	if (mailbox == NULL || !principal_has_mailbox(principal, mailbox))
		return false;
	return principal->role >= ROLE_DOMAIN_ADMIN ||
	    !json_is_true(json_object_get(entry, "hidden"));
}

/* 1 it is there and may be seen, 0, -1. */
static int
try_domain(struct request *request, const char *id, const char *domain,
    struct err *err)
{
	json_t *entry = NULL;
	int rc =
	    quarantine_get(request->api->quarantine, id, domain, &entry, err);

	if (rc < 1)
		return rc;
	if (!may_see(request, entry)) {
		json_decref(entry);
		return 0;
	}
	request->entry = entry;
	request->domain = arena_strdup(request->arena, domain);
	request->mailbox = arena_strdup(request->arena,
	    json_string_value(json_object_get(entry, "mailbox")));
	return 1;
}

static int
try_domains(struct request *request, const char *id, struct err *err)
{
	const struct principal *principal = request->principal;
	struct settings *settings;
	const char *domain;
	size_t i;
	int rc = 0;

	if (principal->role == ROLE_MAIL_USER) {
		domain = principal->mailbox != NULL
		    ? strrchr(principal->mailbox, '@')
		    : NULL;
		return domain != NULL ? try_domain(request, id, domain + 1, err)
				      : 0;
	}
	for (i = 0; i < principal->domain_count && rc == 0; i++)
		rc = try_domain(request, id, principal->domains[i], err);
	if (rc != 0 || !principal_sees_all(principal))
		return rc;
	/* The history knows at once; without it, every domain is tried. */
	domain = web_history_domain_of(request, id);
	if (domain != NULL)
		rc = try_domain(request, id, domain, err);
	if (rc != 0)
		return rc;
	settings = request_settings(request, err);
	if (settings == NULL)
		return -1;
	for (i = 0; i < settings_domain_count(settings) && rc == 0; i++)
		rc = try_domain(request, id, settings_domain_at(settings, i),
		    err);
	settings_unref(settings);
	return rc;
}

static int
scope_held(struct request *request, struct err *err)
{
	const char *id, *domain;
	int rc;

	if (request_need_text(request, "id", &id, err) < 0 ||
	    request_text(request, "domain", &domain, err) < 0)
		return -1;
	if (domain != NULL) {
		if (take_domain(request, "domain", domain, err) < 0)
			return -1;
		rc = try_domain(request, id, request->domain, err);
	} else {
		rc = try_domains(request, id, err);
	}
	if (rc == 0)
		return request_refuse(request, 404, "id", err,
		    "there is no held mail %s", id);
	return rc < 0 ? -1 : 0;
}

/* ---- users ---- */

/* One that may not be managed is as if it were not there. */
static int
scope_user(struct request *request, struct err *err)
{
	struct account *account =
	    arena_calloc(request->arena, 1, sizeof(*account));
	const char *text, *name;
	int rc = 0;

	if (request_need_text(request, "name", &text, err) < 0)
		return -1;
	if (user_name_normalize(request->arena, text, &name, NULL) == 0)
		rc = users_get(request->api->store, request->arena, name,
		    account, err);
	if (rc < 0)
		return -1;
	if (rc == 0 || !users_may_manage(request->principal, account))
		return request_refuse(request, 404, "name", err,
		    "there is no user %s", text);
	request->account = account;
	return 0;
}

int
scope_check(struct request *request, struct err *err)
{
	switch (request->route->scope) {
	case SCOPE_ROLE:
	case SCOPE_SELF:
		return 0;
	case SCOPE_USER:
		return scope_user(request, err);
	case SCOPE_DOMAIN:
		return scope_domain(request, err);
	case SCOPE_TARGET:
		return scope_target(request, err);
	case SCOPE_HOLDER:
		return scope_holder(request, err);
	case SCOPE_ADDRESS:
		return scope_address(request, err);
	case SCOPE_SOURCE:
		return scope_source(request, err);
	case SCOPE_HELD:
		return scope_held(request, err);
	}
	return err_set(err, ERR_CONFIG, "route without a scope");
}
