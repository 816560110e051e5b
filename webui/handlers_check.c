/*
 * handlers_check.c - does the server of a route answer?
 *
 * It is asked as the MTA would ask it: connection, greeting, EHLO.  What
 * comes back of it is the line of its greeting and nothing else, and only
 * the ports that the routes name are connected to; who may ask this may
 * also send mail there by saving the route.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/dns.h"
#include "mail/smtp.h"
#include "policy/edit_rows.h"
#include "policy/settings_show.h"
#include "webui/handlers.h"
#include "webui/request.h"

/* For all servers together, and for a step with one of them. */
#define CHECK_MS 10000
#define STEP_MS 5000
#define TEXT_MAX 200

struct check {
	struct request *request;
	int64_t until_ms;
};

static json_t *
result(const json_t *route, bool ok, bool starttls, const char *text)
{
	size_t len = strnlen(text, TEXT_MAX);
	json_t *cut;

	while ((cut = json_stringn(text, len)) == NULL && len > 0)
		len--; /* within a character */
	return json_pack("{s:O, s:O, s:b, s:b, s:o}", "host",
	    json_object_get(route, "host"), "port",
	    json_object_get(route, "port"), "ok", ok, "starttls", starttls,
	    "text", cut);
}

/* The name to connect to: with lookup_mx the best of its MX.  NULL. */
static const char *
server_of(struct check *check, const json_t *route, struct err *err)
{
	const char *host = json_string_value(json_object_get(route, "host"));
	struct arena *arena = check->request->arena;
	const struct dns_answer *answer;
	const struct dns_record *best = NULL;
	struct dns_set *set;
	struct dns *dns;
	size_t i;

	if (!json_is_true(json_object_get(route, "lookup_mx")))
		return host;
	dns = api_dns(check->request->api, err);
	if (dns == NULL)
		return NULL;
	set = dns_set_new(dns);
	while ((answer = dns_ask(set, host, DNS_MX)) == NULL)
		(void)dns_set_wait(set, check->until_ms);
	for (i = 0; i < answer->count; i++)
		if (best == NULL ||
		    answer->records[i].preference < best->preference)
			best = &answer->records[i];
	if (best != NULL)
		host = arena_strdup(arena, best->name);
	else if (answer->status != DNS_NODATA) { /* RFC 5321 section 5.1 */
		err_set(err, ERR_INPUT, "its MX: %s",
		    dns_status_name(answer->status));
		host = NULL;
	}
	dns_set_free(set);
	return host;
}

static json_t *
check_server(struct check *check, const json_t *route)
{
	int64_t left = check->until_ms - clock_mono_ms();
	struct smtp_options options = {
		.tls = SMTP_TLS_NEVER,
		.timeout_ms = (unsigned)(left < STEP_MS ? left : STEP_MS),
	};
	struct smtp *smtp;
	struct err err;
	json_t *model;

	if (left <= 0)
		return result(route, false, false, "there was no time for it");
	options.host = server_of(check, route, &err);
	if (options.host == NULL)
		return result(route, false, false, err.text);
	options.port =
	    arena_printf(check->request->arena, "%" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(route, "port")));
	smtp = smtp_open(&options, &err);
	if (smtp == NULL)
		return result(route, false, false, err.text);
	model = result(route, true, smtp_offers_tls(smtp), smtp_greeting(smtp));
	smtp_close(smtp);
	return model;
}

json_t *
check_routes(struct request *request, const json_t *routes, size_t *answering)
{
	struct check check = { request, clock_mono_ms() + CHECK_MS };
	json_t *checks = json_array(), *route, *one;
	size_t i;

	*answering = 0;
	json_array_foreach(routes, i, route)
	{
		one = check_server(&check, route);
		*answering += json_is_true(json_object_get(one, "ok"));
		json_array_append_new(checks, one);
	}
	return checks;
}

/* Those given, or without any those that are stored; NULL. */
static json_t *
take_routes(struct request *request, struct err *err)
{
	json_t *given = request_value(request, "routes"), *routes;
	struct settings *settings;
	struct edit edit;

	if (given == NULL) {
		settings = request_settings(request, err);
		if (settings == NULL)
			return NULL;
		routes = show_routes(settings, request->domain);
		settings_unref(settings);
		return routes;
	}
	request_edit(request, &edit);
	routes = edit_check_routes(&edit, request->arena, given, err);
	(void)request_edited(request, &edit, routes != NULL ? 0 : -1);
	return routes;
}

int
handle_routes_check(struct request *request, struct response *response,
    struct err *err)
{
	json_t *routes = take_routes(request, err);
	size_t answering;

	if (routes == NULL)
		return -1;
	response->model =
	    json_pack("{s:s, s:o, s:o}", "domain", request->domain, "checks",
		check_routes(request, routes, &answering), "routes", routes);
	response->show = true;
	return 0;
}
