/*
 * handlers_domains.c - domains and the options of every level.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "policy/settings_show.h"
#include "webui/handlers.h"
#include "webui/request.h"

/* Options of a level, with what names it. */
static json_t *
level_model(const struct settings *settings, struct edit_target target)
{
	json_t *model = show_options(settings, target);

	json_object_set_new(model, "generation",
	    json_integer((json_int_t)settings_generation(settings)));
	return model;
}

/* NULL: there is no such domain. */
static json_t *
domain_model(const struct settings *settings, const char *domain)
{
	json_t *model = show_domain_summary(settings, domain), *options;

	if (model == NULL)
		return NULL;
	options = level_model(settings, (struct edit_target){ domain, NULL });
	json_object_update(model, options);
	json_decref(options);
	return model;
}

static int
no_such_domain(struct request *request, struct err *err)
{
	return request_refuse(request, 404, "domain", err,
	    "domain: there is no domain %s", request->domain);
}

static int
answer_domain(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);

	if (settings == NULL)
		return -1;
	response->model = domain_model(settings, request->domain);
	settings_unref(settings);
	return response->model != NULL ? 0 : no_such_domain(request, err);
}

/* ---- domains ---- */

int
handle_domains(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings;
	json_t *domains, *model, *options;
	const char *after, *domain, *next = NULL;
	size_t i, limit;
	int64_t number;

	if (request_text(request, "after", &after, err) < 0 ||
	    request_number(request, "limit", 1, INT64_MAX, INT64_MAX, &number,
		err) < 0)
		return -1;
	limit = (size_t)number;
	settings = request_settings(request, err);
	if (settings == NULL)
		return -1;
	domains = json_array();
	for (i = 0; i < settings_domain_count(settings); i++) {
		domain = settings_domain_at(settings, i);
		if (!principal_has_domain(request->principal, domain) ||
		    (after != NULL && strcmp(domain, after) <= 0))
			continue;
		if (json_array_size(domains) == limit) {
			next = json_string_value(
			    json_object_get(json_array_get(domains, limit - 1),
				"domain"));
			break;
		}
		model = show_domain_summary(settings, domain);
		options = show_options(settings,
		    (struct edit_target){ domain, NULL });
		json_object_set(model, "options",
		    json_object_get(options, "options"));
		json_decref(options);
		json_array_append_new(domains, model);
	}
	settings_unref(settings);
	response->model =
	    json_pack("{s:o, s:s?}", "domains", domains, "next", next);
	return 0;
}

int
handle_domain_show(struct request *request, struct response *response,
    struct err *err)
{
	return answer_domain(request, response, err);
}

int
handle_domain_add(struct request *request, struct response *response,
    struct err *err)
{
	json_t *options = request_value(request, "options");
	struct edit edit;
	bool replace;
	int rc;

	if (request_flag(request, "replace", &replace, err) < 0)
		return -1;
	if (options != NULL && !json_is_object(options))
		return request_refuse(request, 400, "options", err,
		    "options: must be names with their values");
	request_edit(request, &edit);
	edit.replace = replace;
	rc = edit_domain_add(&edit, request->domain, options, NULL, err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	response->location =
	    arena_printf(request->arena, "/domains/%s", request->domain);
	return answer_domain(request, response, err);
}

static int
set_options(struct request *request, struct edit_target target, struct err *err)
{
	struct edit edit;
	int rc;

	request_edit(request, &edit);
	rc = edit_options(&edit, target, request_value(request, "options"),
	    NULL, err);
	return request_edited(request, &edit, rc);
}

int
handle_domain_set(struct request *request, struct response *response,
    struct err *err)
{
	if (set_options(request, request_target(request), err) < 0)
		return -1;
	return answer_domain(request, response, err);
}

int
handle_domain_remove(struct request *request, struct response *response,
    struct err *err)
{
	struct edit edit;
	bool changed;
	int rc;

	request_edit(request, &edit);
	rc = edit_domain_remove(&edit, request->domain, &changed, err);
	if (request_edited(request, &edit, rc) < 0)
		return -1;
	response->location = "/domains";
	response->model = json_pack("{s:s, s:b}", "domain", request->domain,
	    "changed", changed);
	return 0;
}

/* ---- the system, a mailbox, the table ---- */

int
handle_system_show(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);

	if (settings == NULL)
		return -1;
	response->model =
	    level_model(settings, (struct edit_target){ NULL, NULL });
	settings_unref(settings);
	return 0;
}

int
handle_system_set(struct request *request, struct response *response,
    struct err *err)
{
	if (set_options(request, (struct edit_target){ NULL, NULL }, err) < 0)
		return -1;
	return handle_system_show(request, response, err);
}

int
handle_mailbox_show(struct request *request, struct response *response,
    struct err *err)
{
	struct settings *settings = request_settings(request, err);

	if (settings == NULL)
		return -1;
	if (!settings_has_domain(settings, request->domain)) {
		settings_unref(settings);
		return no_such_domain(request, err);
	}
	response->model = level_model(settings, request_target(request));
	settings_unref(settings);
	json_object_set_new(response->model, "address",
	    json_string(request_address(request)));
	return 0;
}

int
handle_recipient_set(struct request *request, struct response *response,
    struct err *err)
{
	if (set_options(request, request_target(request), err) < 0)
		return -1;
	return handle_mailbox_show(request, response, err);
}

int
handle_options(struct request *request, struct response *response,
    struct err *err)
{
	(void)request;
	(void)err;
	response->model = json_pack("{s:o}", "options", show_option_table());
	return 0;
}
