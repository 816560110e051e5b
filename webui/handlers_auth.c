/*
 * handlers_auth.c - what a domain publishes for its mail, surveyed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/dns_conf.h"
#include "policy/survey.h"
#include "webui/handlers.h"
#include "webui/request.h"

/* Of all questions together; a reader waits for it. */
#define SURVEY_MS 15000

struct dns *
api_dns(struct api *api, struct err *err)
{
	pthread_mutex_lock(&api->lock);
	if (api->dns == NULL)
		api->dns = dns_conf_open(api->conf, NULL, err);
	pthread_mutex_unlock(&api->lock);
	return api->dns;
}

/* A selector is labels of a name (RFC 6376 section 3.1). */
static bool
is_selector(const char *text)
{
	return text[0] != '\0' && strlen(text) <= DNS_NAME_MAX &&
	    strspn(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.") == strlen(text);
}

static int
take_selectors(struct request *request, const json_t *list,
    struct survey_selector *selectors, size_t *count, struct err *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);

		if (name == NULL || !is_selector(name))
			return request_refuse(request, 400, "selector", err,
			    "selector: must be names such as s1");
		if (*count == SURVEY_SELECTORS_MAX)
			return request_refuse(request, 400, "selector", err,
			    "selector: at most %d", SURVEY_SELECTORS_MAX);
		selectors[(*count)++].name = arena_strdup(request->arena, name);
	}
	return 0;
}

int
handle_auth(struct request *request, struct response *response, struct err *err)
{
	struct survey_selector selectors[SURVEY_SELECTORS_MAX] = { 0 };
	struct survey_request survey = {
		.domain = request->domain,
		.selectors = selectors,
		.until_ms = clock_mono_ms() + SURVEY_MS,
	};
	struct dns *dns;
	json_t *list;
	int rc = 0;

	if (request_value(request, "selector") != NULL) {
		list = request_list(request, "selector", err);
		if (list == NULL)
			return -1;
		rc = take_selectors(request, list, selectors,
		    &survey.selector_count, err);
		json_decref(list);
	}
	survey_add_own_keys(request->arena, request->api->conf->dkim_dir,
	    request->domain, selectors, &survey.selector_count);
	dns = rc == 0 ? api_dns(request->api, err) : NULL;
	if (dns == NULL)
		return -1;
	response->model = survey_domain(dns, &survey);
	return 0;
}
