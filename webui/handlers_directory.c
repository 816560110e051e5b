/*
 * handlers_directory.c - routes, recipients, aliases, and where mail for an
 * address goes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "mail/address.h"
#include "policy/edit_rows.h"
#include "policy/settings_show.h"
#include "webui/handlers.h"
#include "webui/request.h"

static int
no_such_domain(struct request *request, struct err *err)
{
	return request_refuse(request, 404, "domain", err,
	    "domain: there is no domain %s", request->domain);
}

/* "after" and "limit"; without a limit all. */
static int
take_part(struct request *request, const char **after, size_t *limit,
    struct err *err)
{
	int64_t number;

	if (request_text(request, "after", after, err) < 0 ||
	    request_number(request, "limit", 1, INT32_MAX, 0, &number, err) < 0)
		return -1;
	*limit = (size_t)number;
	return 0;
}

/* ---- routes ---- */

static json_t *
routes_model(const struct settings *settings, const char *domain)
{
	return json_pack("{s:s, s:o}", "domain", domain, "routes",
	    show_routes(settings, domain));
}

int
handle_routes(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);
	json_t *all;
	const char *domain;
	size_t i;

	if (settings == NULL)
		return -1;
	all = json_array();
	for (i = 0; i < settings_domain_count(settings); i++) {
		domain = settings_domain_at(settings, i);
		if (principal_has_domain(request->principal, domain))
			json_array_append_new(all,
			    routes_model(settings, domain));
	}
	settings_unref(settings);
	response->model = json_pack("{s:o}", "routes", all);
	return 0;
}

int
handle_routes_show(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);

	if (settings == NULL)
		return -1;
	if (settings_has_domain(settings, request->domain))
		response->model = routes_model(settings, request->domain);
	settings_unref(settings);
	return response->model != NULL ? 0 : no_such_domain(request, err);
}

/* Saved when one of the servers answers; else the one who asks may save it
 * without the check. */
static int
check_answer(struct request *request, struct edit *edit, struct err *err)
{
	json_t *routes = edit_check_routes(edit, request->arena,
	    request_value(request, "routes"), err);
	size_t answering, n = json_array_size(routes);

	if (routes == NULL)
		return -1;
	request->checks = check_routes(request, routes, &answering);
	json_decref(routes);
	if (n > 0 && answering == 0)
		return edit_refuse(edit, EDIT_IN_USE, "routes", err,
		    "routes: none of the servers answers; they can be saved "
		    "without the check");
	edit->dry_run = false;
	return edit_routes(edit, request->domain,
	    request_value(request, "routes"), NULL, err);
}

int
handle_routes_set(struct request *request, struct response *response,
    struct err *err)
{
	struct edit edit;
	bool check;
	int rc;

	if (request_flag(request, "check", &check, err) < 0)
		return -1;
	request_edit(request, &edit);
	edit.dry_run = check;
	rc = edit_routes(&edit, request->domain,
	    request_value(request, "routes"), NULL, err);
	if (rc == 0 && check)
		rc = check_answer(request, &edit, err);
	if (request_edited(request, &edit, rc) < 0 ||
	    handle_routes_show(request, response, err) < 0)
		return -1;
	if (request->checks != NULL)
		json_object_set(response->model, "checks", request->checks);
	return 0;
}

/* ---- recipients ---- */

int
handle_recipients(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings;
	const char *after;
	size_t limit;

	if (take_part(request, &after, &limit, err) < 0)
		return -1;
	settings = request_settings(request, err);
	if (settings == NULL)
		return -1;
	if (settings_has_domain(settings, request->domain))
		response->model = show_recipients(request->api->store, settings,
		    request->domain, after, limit, err);
	else
		no_such_domain(request, err);
	settings_unref(settings);
	return response->model != NULL ? 0 : -1;
}

int
handle_recipient_add(struct request *request, struct response *response,
    struct err *err)
{
	json_t *options = request_value(request, "options");
	const char *comment;
	struct edit edit;
	bool replace;
	int rc;

	if (request_flag(request, "replace", &replace, err) < 0 ||
	    request_text(request, "comment", &comment, err) < 0)
		return -1;
	if (options != NULL && !json_is_object(options))
		return request_refuse(request, 400, "options", err,
		    "options: must be names with their values");
	request_edit(request, &edit);
	edit.replace = replace;
	rc = edit_recipient_add(&edit, request_address(request), options,
	    comment, NULL, err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	return handle_mailbox_show(request, response, err);
}

int
handle_recipient_remove(struct request *request, struct response *response,
    struct err *err)
{
	struct edit edit;
	bool changed;
	int rc;

	request_edit(request, &edit);
	rc = edit_recipient_remove(&edit, request_address(request), &changed,
	    err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	response->location = arena_printf(request->arena,
	    "/recipients?domain=%s", request->domain);
	response->model = json_pack("{s:s, s:b}", "address",
	    request_address(request), "changed", changed);
	return 0;
}

/* ---- aliases ---- */

int
handle_aliases(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings;
	const char *after;
	size_t limit;

	if (take_part(request, &after, &limit, err) < 0)
		return -1;
	settings = request_settings(request, err);
	if (settings == NULL)
		return -1;
	if (settings_has_domain(settings, request->domain))
		response->model = show_aliases(request->api->store,
		    request->domain, after, limit, err);
	else
		no_such_domain(request, err);
	settings_unref(settings);
	return response->model != NULL ? 0 : -1;
}

static const char *
source_of(const struct request *request)
{
	return request->mailbox != NULL
	    ? request_address(request)
	    : arena_printf(request->arena, "@%s", request->domain);
}

int
handle_alias_add(struct request *request, struct response *response,
    struct err *err)
{
	const char *source = source_of(request), *comment;
	struct edit edit;
	json_t *targets;
	bool replace;
	int rc;

	if (request_flag(request, "replace", &replace, err) < 0 ||
	    request_text(request, "comment", &comment, err) < 0)
		return -1;
	targets = request_list(request, "targets", err);
	if (targets == NULL)
		return -1;
	request_edit(request, &edit);
	edit.replace = replace;
	rc = edit_alias_add(&edit, source, targets, comment, NULL, err);
	if (request_edited(request, &edit, rc) < 0) {
		json_decref(targets);
		return -1;
	}
	response->model =
	    json_pack("{s:s, s:o}", "source", source, "targets", targets);
	return 0;
}

int
handle_alias_remove(struct request *request, struct response *response,
    struct err *err)
{
	const char *source = source_of(request);
	struct edit edit;
	bool changed;
	int rc;

	request_edit(request, &edit);
	rc = edit_alias_remove(&edit, source, &changed, err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	response->model =
	    json_pack("{s:s, s:b}", "source", source, "changed", changed);
	return 0;
}

/* ---- where mail goes ---- */

static const char *const answer_words[] = {
	[DIRECTORY_FOUND] = "found",
	[DIRECTORY_UNKNOWN] = "unknown",
	[DIRECTORY_NOT_OURS] = "not-ours",
	[DIRECTORY_BROKEN] = "broken",
};

/* An alias may lead into a domain of somebody else here, whose servers are
 * not the business of who asks. */
static json_t *
mailbox_model(struct request *request, const struct settings *settings,
    const char *mailbox)
{
	const char *domain = strrchr(mailbox, '@') + 1;

	return json_pack("{s:s, s:s, s:b, s:o}", "mailbox",
	    show_address(request->arena, mailbox), "domain", domain, "ours",
	    settings_has_domain(settings, domain), "routes",
	    principal_has_domain(request->principal, domain)
		? show_routes(settings, domain)
		: json_array());
}

int
handle_resolve(struct request *request, struct response *response,
    struct err *err)
{
	const char *delimiter = request->api->conf->recipient_delimiter;
	struct settings *settings = request_settings(request, err);
	struct directory_result result = { .count = 0 };
	enum directory_answer answer;
	struct address address;
	json_t *mailboxes;
	size_t i;

	if (settings == NULL)
		return -1;
	memset(&address, 0, sizeof(address));
	address.key = request->mailbox;
	address.raw = request->mailbox;
	address.domain = request->domain;
	answer = directory_resolve(settings, request->arena, &address,
	    delimiter, &result);
	mailboxes = json_array();
	for (i = 0; answer == DIRECTORY_FOUND && i < result.count; i++)
		json_array_append_new(mailboxes,
		    mailbox_model(request, settings, result.mailboxes[i]));
	response->model = json_pack("{s:s, s:s, s:b, s:s?, s:o, s:o}",
	    "address", request_address(request), "answer", answer_words[answer],
	    "aliased", answer == DIRECTORY_FOUND && result.aliased, "problem",
	    result.problem, "mailboxes", mailboxes, "routes",
	    show_routes(settings, request->domain));
	settings_unref(settings);
	return 0;
}
