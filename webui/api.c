/*
 * api.c - opening, finding the route, and what every request goes through.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dns.h"
#include "base/log.h"
#include "base/store.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/mime.h"
#include "policy/settings.h"
#include "quarantine/events.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"
#include "quarantine/reports.h"
#include "webui/api.h"
#include "webui/history.h"
#include "webui/password.h"
#include "webui/preview_desk.h"
#include "webui/scope.h"

/* Octets of a part of a path, decoded. */
#define SEGMENT_MAX 1024
#define HOST_NAME_SIZE 256

/* ---- roles ---- */

static const char *const role_words[ROLE_COUNT] = {
	[ROLE_NONE] = "none",
	[ROLE_MAIL_USER] = "mail-user",
	[ROLE_RELEASER] = "releaser",
	[ROLE_DOMAIN_ADMIN] = "domain-admin",
	[ROLE_POSTMASTER] = "postmaster",
	[ROLE_OPERATOR] = "operator",
};

const char *
role_name(enum role role)
{
	return role_words[role];
}

int
role_parse(const char *word)
{
	int i;

	for (i = ROLE_MAIL_USER; i < ROLE_COUNT; i++)
		if (strcmp(role_words[i], word) == 0)
			return i;
	return -1;
}

/* ---- opening ---- */

static int
open_store(struct api *api, struct err *err)
{
	const struct conf *conf = api->conf;
	char *private = xprintf("unix:%s/redis.sock", conf->state_dir);
	struct store_options options = {
		.url = conf->redis[0] != '\0' ? conf->redis : private,
		.password = conf->redis_password[0] != '\0'
		    ? conf->redis_password
		    : NULL,
		.timeout_ms = (unsigned)conf->redis_timeout_ms,
	};

	if (strcmp(conf->redis, "none") == 0)
		err_set(err, ERR_CONFIG,
		    "redis = none: there is nothing to show or change");
	else
		api->store = store_open(&options, err);
	free(private);
	return api->store != NULL ? 0 : -1;
}

static int
open_quarantine(struct api *api, struct err *err)
{
	const struct conf *conf = api->conf;
	const struct quarantine_options quarantine = {
		.message_max = conf->hold_message_max,
		.domain_max = conf->hold_domain_max,
		.memory_percent = (unsigned)conf->hold_memory_percent,
		.durability_required = conf->durability_required,
	};
	/* No spool, which is of one process alone: what a release cannot
	 * tell now is in the state of the entry all the same. */
	const struct events_options events = { .spool_file = NULL };
	char host[HOST_NAME_SIZE] = "localhost";
	const struct release_options release = {
		.listener = conf->release_listener,
		.timeout_s = (unsigned)conf->release_timeout,
		.helo = host,
	};

	if (gethostname(host, sizeof(host) - 1) < 0)
		log_warn("this host has no name: HELO localhost");
	api->events = events_open(api->store, &events, err);
	if (api->events == NULL)
		return -1;
	api->quarantine = quarantine_open(api->store, &quarantine);
	api->release = release_open(api->quarantine, api->events, &release);
	return 0;
}

struct api *
api_open(const struct conf *conf, struct err *err)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->conf = conf;
	pthread_mutex_init(&api->lock, NULL);
	pthread_mutex_init(&api->reports_lock, NULL);
	api->histories = histories_new(conf->state_dir);
	api->passwords = password_gate_new();
	api->previews = preview_desk_new();
	mime_open();
	api->charsets = charset_open(err);
	if (api->charsets == NULL || open_store(api, err) < 0 ||
	    open_quarantine(api, err) < 0) {
		api_close(api);
		return NULL;
	}
	return api;
}

void
api_close(struct api *api)
{
	if (api == NULL)
		return;
	if (api->release != NULL)
		release_close(api->release);
	if (api->quarantine != NULL)
		quarantine_close(api->quarantine);
	if (api->events != NULL)
		events_close(api->events);
	histories_free(api->histories);
	reports_close(api->reports);
	settings_unref(api->settings);
	if (api->dns != NULL)
		dns_close(api->dns);
	if (api->store != NULL)
		store_close(api->store);
	password_gate_free(api->passwords);
	preview_desk_free(api->previews);
	charset_close(api->charsets);
	pthread_mutex_destroy(&api->reports_lock);
	pthread_mutex_destroy(&api->lock);
	free(api);
}

json_t *
api_domain_names(struct api *api, const struct principal *principal,
    size_t most)
{
	struct settings *settings = NULL;
	json_t *names;
	size_t i, n;

	if (principal->role < ROLE_RELEASER)
		return NULL;
	pthread_mutex_lock(&api->lock);
	if (api->settings != NULL)
		settings = settings_ref(api->settings);
	pthread_mutex_unlock(&api->lock);
	if (settings == NULL)
		return NULL;
	names = json_array();
	n = settings_domain_count(settings);
	for (i = 0; i < n && json_array_size(names) <= most; i++)
		if (principal_has_domain(principal,
			settings_domain_at(settings, i)))
			json_array_append_new(names,
			    json_string(settings_domain_at(settings, i)));
	settings_unref(settings);
	if (json_array_size(names) >= 2 && json_array_size(names) <= most)
		return names;
	json_decref(names);
	return NULL;
}

/* ---- paths ---- */

/* "a%20b" to text; -1: a bad escape, a NUL, not UTF-8, too long. */
static int
decode_segment(struct bytes segment, struct buf *out)
{
	size_t i;
	int high, low;
	char c;

	buf_reset(out);
	for (i = 0; i < segment.len; i++) {
		c = segment.data[i];
		if (c == '%') {
			if (segment.len - i < 3)
				return -1;
			high = ascii_hex_value(segment.data[i + 1]);
			low = ascii_hex_value(segment.data[i + 2]);
			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f ||
		    buf_append_char(out, c) < 0)
			return -1;
	}
	return utf8_is_valid(buf_bytes(out)) ? 0 : -1;
}

/* The next part of a path, without slashes; false at its end. */
static bool
next_segment(const char **path, struct bytes *segment)
{
	while (**path == '/')
		(*path)++;
	if (**path == '\0')
		return false;
	segment->data = *path;
	segment->len = strcspn(*path, "/");
	*path += segment->len;
	return true;
}

/* Does path fit the pattern?  The ":name" parts go into params. */
static bool
path_fits(const char *pattern, const char *path, json_t *params)
{
	struct bytes want, got;
	bool fits = true;
	struct buf text;
	char *name;

	buf_init(&text, SEGMENT_MAX);
	json_object_clear(params);
	while (fits && next_segment(&pattern, &want)) {
		if (!next_segment(&path, &got) ||
		    decode_segment(got, &text) < 0) {
			fits = false;
		} else if (want.data[0] == ':') {
			name = xmemdup(want.data + 1, want.len - 1);
			json_object_set_new(params, name,
			    json_stringn(buf_str(&text), text.len));
			free(name);
		} else {
			fits = bytes_equal(want, buf_bytes(&text));
		}
	}
	buf_free(&text);
	return fits && !next_segment(&path, &got);
}

/* 0, or the status that says why there is none. */
static int
find_route(struct request *request, const char *path)
{
	int status = 404;
	size_t i;

	for (i = 0; i < api_route_count; i++) {
		if (!path_fits(api_routes[i].path, path, request->params))
			continue;
		if (api_routes[i].method != request->method) {
			status = 405;
			continue;
		}
		request->route = &api_routes[i];
		return 0;
	}
	return status;
}

/* ---- answers ---- */

/* Statuses and the words of doc/api.md for them. */
static const struct {
	int status;
	const char *kind;
} kinds[] = {
	{ 400, "input" },
	{ 401, "sign-in" },
	{ 403, "forbidden" },
	{ 404, "not-found" },
	{ 405, "method" },
	{ 409, "conflict" },
	{ 413, "limit" },
	{ 429, "limit" },
	{ 500, "config" },
	{ 503, "temp" },
};

static const char *
kind_of(int status)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].status == status)
			return kinds[i].kind;
	return "error";
}

static int
status_of(const struct request *request, const struct err *err)
{
	static const int by_kind[] = {
		[ERR_NONE] = 500,
		[ERR_TEMP] = 503,
		[ERR_INPUT] = 400,
		[ERR_LIMIT] = 413,
		[ERR_CONFIG] = 500,
	};

	/* A status set for bad input does not speak of a store away. */
	if (request->status != 0 && err->kind == ERR_INPUT)
		return request->status;
	return by_kind[err->kind];
}

static json_t *
clean_string(const char *text)
{
	struct buf clean;
	json_t *json;

	buf_init(&clean, 4 * ERR_TEXT_MAX);
	(void)utf8_append_clean(&clean, bytes_of(text));
	json = json_string(buf_str(&clean));
	buf_free(&clean);
	return json;
}

static void
answer_error(struct response *response, int status, const char *text,
    const char *field)
{
	json_decref(response->model);
	free(response->content);
	memset(response, 0, sizeof(*response));
	response->status = status;
	response->template = "error";
	response->model = json_pack("{s:{s:s, s:o, s:s?}}", "error", "kind",
	    kind_of(status), "text", clean_string(text), "field", field);
}

/* What the handler knows beside: the row of a list, more errors, checks. */
static void
add_details(const struct request *request, json_t *model)
{
	if (request->row > 0)
		json_object_set_new(json_object_get(model, "error"), "row",
		    json_integer((json_int_t)request->row - 1));
	if (request->errors != NULL)
		json_object_set(model, "errors", request->errors);
	if (request->checks != NULL)
		json_object_set(model, "checks", request->checks);
}

static void
run_handler(struct request *request, struct response *response)
{
	const struct route *route = request->route;
	struct err err;

	err_clear(&err);
	if (scope_check(request, &err) == 0 &&
	    route->handler(request, response, &err) == 0) {
		if (response->status == 0)
			response->status = 200;
		response->template = route->template;
	} else {
		answer_error(response, status_of(request, &err), err.text,
		    request->field);
		add_details(request, response->model);
		response->retry_s = request->retry_s;
	}
	json_decref(request->errors);
	json_decref(request->checks);
	json_decref(request->entry);
}

void
api_dispatch(struct api *api, struct arena *arena,
    const struct principal *principal, enum method method, const char *path,
    json_t *query, json_t *body, struct response *response)
{
	struct request request = {
		.api = api,
		.arena = arena,
		.principal = principal,
		.method = method,
		.query = query,
		.body = body,
		.params = json_object(),
	};
	int status = find_route(&request, path);

	memset(response, 0, sizeof(*response));
	if (status == 404)
		answer_error(response, status, "there is nothing here", NULL);
	else if (status == 405)
		answer_error(response, status,
		    "this can be read or changed, but not in this way", NULL);
	else if (principal->role == ROLE_NONE &&
	    !(request.route->roles & ROLE_BIT(ROLE_NONE)))
		answer_error(response, 401, "please sign in", NULL);
	else if (!(request.route->roles & ROLE_BIT(principal->role)))
		answer_error(response, 403, "this is not for your role", NULL);
	else if (principal->must_change && request.route->scope != SCOPE_SELF)
		answer_error(response, 403,
		    "your password must be changed first", "password");
	else
		run_handler(&request, response);
	json_decref(request.params);
}
