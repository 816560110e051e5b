/*
 * http_serve.c - a request of HTTP becomes an answer of HTTP.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "webui/http_fields.h"
#include "webui/http_form.h"
#include "webui/http_impl.h"
#include "webui/metrics.h"
#include "webui/session.h"

#define FORM_MAX ((size_t)1 << 20)
/* Of who has not signed in: what the forms for that need. */
#define FORM_STRANGER_MAX ((size_t)64 * 1024)
/* Of what a browser likes: a year. */
#define TASTE_SECONDS 31536000
#define ASSETS "/assets/"

/* Fields of forms that are not shown again, and wiped. */
static const char *const secrets[] = { "password", "new_password",
	"repeat_password" };
#define SECRET_COUNT (sizeof(secrets) / sizeof(secrets[0]))

const char *const http_field_names[HTTP_FIELD_COUNT] = {
	[HTTP_ACCEPT] = "Accept",
	[HTTP_ACCEPT_LANGUAGE] = "Accept-Language",
	[HTTP_CONTENT_LENGTH] = "Content-Length",
	[HTTP_CONTENT_TYPE] = "Content-Type",
	[HTTP_COOKIE] = "Cookie",
	[HTTP_CSRF_TOKEN] = "X-CSRF-Token",
	[HTTP_FETCH_DEST] = "Sec-Fetch-Dest",
	[HTTP_FETCH_SITE] = "Sec-Fetch-Site",
	[HTTP_FORWARDED_FOR] = "X-Forwarded-For",
	[HTTP_HOST] = "Host",
	[HTTP_NONE_MATCH] = "If-None-Match",
	[HTTP_ORIGIN] = "Origin",
	[HTTP_REFERER] = "Referer",
	[HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
};

/* ---- the program's side ---- */

/* Checked when the config was read. */
static struct network *
networks_of(struct web *web, const struct option_list *list)
{
	struct network *networks =
	    arena_calloc(web->arena, list->count + 1, sizeof(*networks));
	size_t i;

	for (i = 0; i < list->count; i++)
		if (network_parse(bytes_of(list->items[i]), &networks[i],
			NULL) < 0)
			abort();
	return networks;
}

struct web *
web_new(const struct conf *conf, struct api *api, const struct pages *pages,
    struct err *err)
{
	struct web *web = xcalloc(1, sizeof(*web));
	const char *origin, *prefix;

	web->conf = conf;
	web->api = api;
	web->pages = pages;
	web->arena = arena_new(0);
	origin = http_origin_of(web->arena, conf->web_url);
	if (conf->web_url[0] != '\0' && origin == NULL) {
		err_set(err, ERR_CONFIG, "web_url: has no valid host");
		web_free(web);
		return NULL;
	}
	if (origin != NULL)
		web->authority = strstr(origin, "://") + 3;
	web->secure = conf->web_tls_cert[0] != '\0' ||
	    (origin != NULL && strncmp(origin, "https:", 6) == 0);
	prefix = web->secure ? "__Host-" : "";
	web->session_cookie =
	    arena_printf(web->arena, "%ssekimori-session", prefix);
	web->visit_cookie =
	    arena_printf(web->arena, "%ssekimori-visit", prefix);
	web->notice_cookie =
	    arena_printf(web->arena, "%ssekimori-notice", prefix);
	web->language_cookie =
	    arena_printf(web->arena, "%ssekimori-language", prefix);
	web->theme_cookie =
	    arena_printf(web->arena, "%ssekimori-theme", prefix);
	web->trusted = networks_of(web, &conf->trusted_proxies);
	web->trusted_count = conf->trusted_proxies.count;
	web->watchers = networks_of(web, &conf->web_watchers);
	web->watcher_count = conf->web_watchers.count;
	web->metrics = web_metrics_new();
	return web;
}

void
web_free(struct web *web)
{
	if (web == NULL)
		return;
	metrics_free(web->metrics);
	arena_free(web->arena);
	free(web);
}

struct ip
web_client(const struct web *web, const struct http_request *request)
{
	return http_client(&request->peer, request->fields[HTTP_FORWARDED_FOR],
	    web->trusted, web->trusted_count);
}

bool
web_is_proxy(const struct web *web, const struct ip *peer)
{
	return http_is_trusted(peer, web->trusted, web->trusted_count);
}

/* ---- who asks ---- */

static void
take_language(struct visit *visit)
{
	const char *tag = visit->account.language;
	int language = -1;

	if (tag == NULL)
		tag = http_cookie_of(visit, visit->web->language_cookie);
	if (tag != NULL)
		language = language_parse(tag);
	visit->language = language >= 0
	    ? (enum language)language
	    : language_accept(visit->request->fields[HTTP_ACCEPT_LANGUAGE]);
	visit->principal.language = visit->language;
}

/* Only words of ours go on. */
static const char *
theme_of(const char *word)
{
	static const char *const words[] = { "light", "dark" };
	size_t i;

	for (i = 0; word != NULL && i < 2; i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	return NULL;
}

static void
take_principal(struct visit *visit, const struct session *session)
{
	const struct account *account = &visit->account;
	struct principal *principal = &visit->principal;

	principal->role = account->role;
	principal->user = account->name;
	principal->session = session->token;
	principal->actor =
	    arena_printf(visit->request->arena, "user:%s", account->name);
	principal->mailbox = account->mailbox;
	principal->domains = account->domains;
	principal->domain_count = account->domain_count;
	principal->must_change = account->must_change;
	visit->csrf = session->csrf;
}

/* -1: could not tell. */
static int
take_visitor(struct visit *visit, struct err *err)
{
	const char *token = http_cookie_of(visit, visit->web->session_cookie);
	struct arena *arena = visit->request->arena;
	struct session session = { 0 };
	struct ip client = web_client(visit->web, visit->request);
	char text[IP_TEXT_SIZE];
	int rc = 0;

	if (client.family != IP_NONE) {
		ip_format(&client, text);
		visit->principal.client = arena_strdup(arena, text);
	}
	visit->principal.actor = "visitor";
	if (token != NULL)
		rc = session_find(visit->web->api->store, arena, token,
		    &session, err);
	if (rc == 1)
		rc = users_get(visit->web->api->store, arena, session.user,
		    &visit->account, err);
	if (rc == 1 && !visit->account.disabled &&
	    visit->account.role != ROLE_NONE &&
	    visit->account.password != NULL &&
	    strcmp(visit->account.stamp, session.stamp) == 0)
		take_principal(visit, &session);
	else
		memset(&visit->account, 0, sizeof(visit->account));
	if (visit->principal.role == ROLE_NONE) {
		visit->csrf = http_cookie_of(visit, visit->web->visit_cookie);
		if (visit->csrf != NULL && strlen(visit->csrf) < 40)
			visit->csrf = NULL;
	}
	take_language(visit);
	visit->theme =
	    theme_of(http_cookie_of(visit, visit->web->theme_cookie));
	return rc < 0 ? -1 : 0;
}

/* ---- is the form ours? ---- */

static bool
origin_is_ours(const struct visit *visit)
{
	const char *origin = visit->request->fields[HTTP_ORIGIN];
	const char *host = visit->request->fields[HTTP_HOST];
	const char *site = visit->request->fields[HTTP_FETCH_SITE], *authority;

	if (site != NULL && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	origin = http_origin_of(visit->request->arena, origin);
	if (origin == NULL)
		return false;
	authority = strstr(origin, "://") + 3;
	if (visit->web->authority != NULL &&
	    strcmp(authority, visit->web->authority) == 0)
		return true;
	return host != NULL && str_equal_nocase(authority, host);
}

static bool
token_is_ours(const struct visit *visit)
{
	const char *token = visit->request->fields[HTTP_CSRF_TOKEN];

	if (token == NULL)
		token = json_string_value(json_object_get(visit->body, "csrf"));
	return token != NULL && visit->csrf != NULL &&
	    strlen(token) == strlen(visit->csrf) &&
	    secret_equal(token, visit->csrf, strlen(token));
}

/*
 * Every POST goes through here.  A client that sends JSON and has no session
 * has nothing that could be misused: no browser sends JSON across origins
 * without asking, and we never allow it.
 */
static bool
is_forged(const struct visit *visit)
{
	if (!origin_is_ours(visit))
		return true;
	if (visit->principal.role == ROLE_NONE &&
	    http_media_of(visit->request->fields[HTTP_CONTENT_TYPE]) ==
		MEDIA_JSON)
		return false;
	return !token_is_ours(visit);
}

/* ---- reading the request ---- */

static json_t *
parse_body(const struct http_request *request, struct err *err)
{
	const char *type = request->fields[HTTP_CONTENT_TYPE];
	enum http_media media = http_media_of(type);
	json_t *body;

	if (media == MEDIA_JSON)
		return http_json_parse(request->body, err);
	body = media == MEDIA_MULTIPART
	    ? http_multipart_parse(type, request->body, err)
	    : http_form_parse(request->body, err);
	if (body != NULL)
		page_form_fold(body);
	return body;
}

/* The address; -1 with a status. */
static int
parse_address(struct visit *visit, unsigned *status, struct err *err)
{
	const char *uri = visit->request->uri;
	size_t len = strcspn(uri, "?");

	visit->path = arena_memdup(visit->request->arena, uri, len);
	visit->query =
	    http_form_parse(bytes_of(uri[len] == '?' ? uri + len + 1 : ""),
		err);
	if (visit->query != NULL) {
		page_form_fold(visit->query);
		return 0;
	}
	visit->query = json_object();
	*status = err->kind == ERR_LIMIT ? 413 : 400;
	return -1;
}

/* What was sent, once it is known who sent it: from strangers no more is
 * looked at than signing in needs.  -1 with a status. */
static int
parse_sent(struct visit *visit, unsigned *status, struct err *err)
{
	if (visit->request->method != HTTP_POST) {
		visit->body = json_object();
		return 0;
	}
	if (visit->principal.role == ROLE_NONE &&
	    visit->request->body.len > FORM_STRANGER_MAX) {
		*status = 401;
		return err_set(err, ERR_INPUT, "please sign in");
	}
	visit->body = parse_body(visit->request, err);
	if (visit->body != NULL)
		return 0;
	*status = err->kind == ERR_LIMIT ? 413 : 400;
	return -1;
}

unsigned
web_check(const struct web *web, const struct http_request *request,
    size_t *body_max)
{
	const char *host = request->fields[HTTP_HOST];
	const char *length = request->fields[HTTP_CONTENT_LENGTH];
	enum http_media media =
	    http_media_of(request->fields[HTTP_CONTENT_TYPE]);
	uint64_t announced;

	*body_max = 0;
	if (request->method == HTTP_OTHER)
		return 405;
	if (strlen(request->uri) > HTTP_URI_MAX)
		return 414;
	if (request->header_len > HTTP_HEADER_MAX)
		return 431;
	if (request->uri[0] != '/' || request->ambiguous ||
	    !http_host_is_valid(host))
		return 400;
	if (web->authority != NULL && !str_equal_nocase(host, web->authority) &&
	    !http_host_is_address(host))
		return 421;
	/* Two lengths: whoever stands before us may have seen the other. */
	if (length != NULL && request->fields[HTTP_TRANSFER_ENCODING] != NULL)
		return 400;
	if (request->method != HTTP_POST)
		return length != NULL && strcmp(length, "0") != 0 ? 400 : 0;
	if (media == MEDIA_OTHER)
		return 415;
	*body_max = media == MEDIA_MULTIPART || media == MEDIA_JSON
	    ? web->conf->web_upload_max
	    : FORM_MAX;
	if (length != NULL &&
	    (parse_u64(bytes_of(length), 0, UINT64_MAX, &announced) < 0 ||
		announced > *body_max))
		return 413;
	/* Without a type there is no body. */
	if (media == MEDIA_NONE)
		*body_max = 0;
	return 0;
}

/* ---- assets ---- */

static void
serve_asset(struct visit *visit, const char *name)
{
	struct http_reply *reply = visit->reply;
	struct page_asset asset;

	if (!page_asset_find(name, &asset)) {
		reply->status = 404;
		http_reply_plain(visit, "There is no such file.");
		return;
	}
	/* Its name in a page changes with what is in it. */
	http_add_common(visit->web, HTTP_POLICY_FILE,
	    json_object_size(visit->query) > 0
		? "public, max-age=31536000, immutable"
		: "public, max-age=300",
	    reply);
	http_add_field(reply, "ETag", asset.etag);
	if (http_etag_matches(visit->request->fields[HTTP_NONE_MATCH],
		asset.etag)) {
		reply->status = 304;
		return;
	}
	reply->status = 200;
	reply->body = (void *)(uintptr_t)asset.data;
	reply->constant = true;
	reply->len = asset.len;
	http_add_field(reply, "Content-Type", asset.content_type);
}

/* ---- for who watches the machine ---- */

/* What a proxy that we do not know hands on is not from its machine. */
static bool
is_watcher(const struct visit *visit)
{
	const struct http_request *request = visit->request;
	struct ip client = web_client(visit->web, request);
	size_t i;

	if (request->fields[HTTP_FORWARDED_FOR] != NULL &&
	    !web_is_proxy(visit->web, &request->peer))
		return false;
	/* A unix socket, and nobody behind it. */
	if (client.family == IP_NONE)
		return true;
	for (i = 0; i < visit->web->watcher_count; i++)
		if (network_contains(&visit->web->watchers[i], &client))
			return true;
	return false;
}

static void
serve_health(struct visit *visit, struct buf *out)
{
	(void)buf_append_str(out, "ok\n");
	visit->reply->status = 200;
}

static void
serve_ready(struct visit *visit, struct buf *out)
{
	visit->reply->status = web_ready(visit->web->api, out) ? 200 : 503;
}

static void
serve_metrics(struct visit *visit, struct buf *out)
{
	visit->reply->status =
	    web_metrics_write(visit->web->api, visit->web->metrics, out) == 0
	    ? 200
	    : 500;
}

static const struct probe {
	const char *path, *type;
	void (*serve)(struct visit *visit, struct buf *out);
	bool for_all; /* it tells nothing */
} probes[] = {
	{ "/healthz", "text/plain; charset=utf-8", serve_health, true },
	{ "/readyz", "text/plain; charset=utf-8", serve_ready, false },
	{ "/metrics", WEB_METRICS_TYPE, serve_metrics, false },
};

/* false: it is none of these. */
static bool
serve_probe(struct visit *visit)
{
	const struct probe *probe = NULL;
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (strcmp(probes[i].path, visit->path) == 0)
			probe = &probes[i];
	if (probe == NULL || visit->request->method == HTTP_POST ||
	    !(probe->for_all || is_watcher(visit)))
		return false;
	buf_init(&out, WEB_METRICS_MAX);
	probe->serve(visit, &out);
	http_add_common(visit->web, HTTP_POLICY_FILE, "no-store", visit->reply);
	visit->reply->len = out.len;
	http_put_body(visit->reply, buf_steal(&out), visit->reply->len,
	    probe->type);
	return true;
}

/* ---- answering ---- */

static void
reply_content(struct visit *visit, struct response *response)
{
	if (response->sandboxed)
		http_add_common(visit->web, HTTP_POLICY_PREVIEW, "no-store",
		    visit->reply);
	else
		http_add_common(visit->web, HTTP_POLICY_FILE, "no-store",
		    visit->reply);
	if (response->filename != NULL)
		http_add_field(visit->reply, "Content-Disposition",
		    http_disposition(visit->request->arena,
			response->filename));
	http_put_body(visit->reply, response->content, response->content_len,
	    arena_strdup(visit->request->arena, response->content_type));
	response->content = NULL;
}

/* What the response says of the visitor from now on. */
static void
put_cookies(struct visit *visit, const struct response *response)
{
	if (response->session != NULL) {
		http_add_cookie(visit, visit->web->session_cookie,
		    response->session, response->session[0] != '\0' ? 0 : -1);
		/* What stood in forms before is not to count after it. */
		http_add_cookie(visit, visit->web->visit_cookie, "", -1);
	}
	if (response->language != NULL)
		http_add_cookie(visit, visit->web->language_cookie,
		    response->language, TASTE_SECONDS);
	if (response->theme != NULL)
		http_add_cookie(visit, visit->web->theme_cookie,
		    response->theme, TASTE_SECONDS);
}

/* What was typed, but nothing secret. */
static json_t *
given_of(const json_t *body)
{
	json_t *given = json_copy((json_t *)(uintptr_t)body), *value;
	const char *name;
	size_t i;
	void *next;

	json_object_del(given, "csrf");
	for (i = 0; i < SECRET_COUNT; i++)
		json_object_del(given, secrets[i]);
	/* Files are chosen again. */
	json_object_foreach_safe(given, next, name, value)
	{
		if (str_ends_nocase(name, "_base64"))
			json_object_del(given, name);
	}
	return given;
}

/* The page that the form was on, once more, with what is wrong.  false: that
 * page cannot be shown. */
static bool
reply_form_again(struct visit *visit, const struct response *failed)
{
	const char *from = http_came_from(visit), *question;
	struct response again;
	json_t *query, *form;
	bool shown;

	if (from == NULL)
		from = visit->path;
	question = strchr(from, '?');
	query = http_form_parse(bytes_of(question != NULL ? question + 1 : ""),
	    NULL);
	if (query == NULL)
		return false;
	page_form_fold(query);
	if (question != NULL)
		from = arena_memdup(visit->request->arena, from,
		    (size_t)(question - from));
	api_dispatch(visit->web->api, visit->request->arena, &visit->principal,
	    METHOD_GET, from, query, visit->body, &again);
	shown = again.status == 200 && again.template != NULL &&
	    again.content == NULL;
	if (shown) {
		form = given_of(visit->body);
		json_decref(visit->query);
		visit->query = query;
		visit->path = from;
		visit->error = failed->model;
		visit->form = form;
		http_reply_page(visit, &again);
		json_decref(form);
	} else {
		json_decref(query);
	}
	json_decref(again.model);
	free(again.content);
	return shown;
}

/* A filter that cannot be used: its page without it, where it stands as it
 * was given.  false: nothing of the address is at fault. */
static bool
reply_filter_again(struct visit *visit, const struct response *failed)
{
	const char *field = json_string_value(
	    json_object_get(json_object_get(failed->model, "error"), "field"));
	struct response again;
	json_t *query;
	bool shown;

	if (failed->status != 400 || field == NULL ||
	    json_object_get(visit->query, field) == NULL)
		return false;
	query = json_copy(visit->query);
	json_object_del(query, field);
	api_dispatch(visit->web->api, visit->request->arena, &visit->principal,
	    METHOD_GET, visit->path, query, visit->body, &again);
	shown = again.status == 200 && again.template != NULL &&
	    again.content == NULL;
	if (shown) {
		visit->error = failed->model;
		http_reply_page(visit, &again);
	}
	json_decref(query);
	json_decref(again.model);
	free(again.content);
	return shown;
}

static bool
wants_sign_in(const struct visit *visit, const struct response *response)
{
	return response->status == 401 && !visit->json &&
	    visit->request->method != HTTP_POST;
}

static bool
is_framed(const struct visit *visit)
{
	const char *destination = visit->request->fields[HTTP_FETCH_DEST];

	return destination != NULL && strcmp(destination, "iframe") == 0;
}

static void
reply_to_browser(struct visit *visit, const struct response *response)
{
	bool to_form = visit->request->method == HTTP_POST && !response->show;

	if (response->status >= 400 && is_framed(visit))
		http_reply_framed(visit, response);
	else if (to_form && response->status < 300)
		http_redirect_after(visit, response);
	else if (!(to_form ? reply_form_again(visit, response)
			   : reply_filter_again(visit, response)))
		http_reply_page(visit, response);
}

static void
reply_response(struct visit *visit, struct response *response)
{
	visit->reply->status = (unsigned)response->status;
	http_add_retry(visit, response->retry_s);
	put_cookies(visit, response);
	if (response->content != NULL)
		reply_content(visit, response);
	else if (visit->json)
		http_reply_json(visit, response);
	else if (wants_sign_in(visit, response))
		http_redirect_sign_in(visit);
	else if (response->status == 403 && visit->principal.must_change)
		http_redirect(visit, "/password");
	else if (response->location != NULL &&
	    visit->request->method != HTTP_POST)
		http_redirect(visit, response->location);
	else
		reply_to_browser(visit, response);
}

static void
dispatch(struct visit *visit)
{
	struct response response;
	enum method method =
	    visit->request->method == HTTP_POST ? METHOD_POST : METHOD_GET;

	api_dispatch(visit->web->api, visit->request->arena, &visit->principal,
	    method, visit->path, visit->query, visit->body, &response);
	reply_response(visit, &response);
	json_decref(response.model);
	free(response.content);
}

static void
reply_bad_request(struct visit *visit, unsigned status, const struct err *err)
{
	const char *kind = status == 401 ? "sign-in"
	    : status == 413              ? "limit"
					 : "input";

	http_reply_error(visit, status, kind, err->text, NULL);
}

/* What needs to be known who asks for. */
static void
serve_visitor(struct visit *visit)
{
	unsigned status = 0;
	struct err err;

	if (take_visitor(visit, &err) < 0)
		http_reply_error(visit, 503, "temp", err.text, NULL);
	else if (parse_sent(visit, &status, &err) < 0)
		reply_bad_request(visit, status, &err);
	else if (visit->request->method == HTTP_POST && is_forged(visit))
		http_reply_error(visit, 403, "csrf",
		    "this form is too old, or is not from here: go back, "
		    "load the page again and try once more",
		    "csrf");
	else if (strcmp(visit->path, "/") == 0)
		http_redirect(visit,
		    visit->principal.role != ROLE_NONE ? "/overview"
						       : "/sign-in");
	else
		dispatch(visit);
}

static void
serve(struct visit *visit)
{
	unsigned status = 0;
	struct err err;

	if (parse_address(visit, &status, &err) < 0)
		reply_bad_request(visit, status, &err);
	else if (strncmp(visit->path, ASSETS, strlen(ASSETS)) == 0)
		serve_asset(visit, visit->path + strlen(ASSETS));
	else if (!serve_probe(visit))
		serve_visitor(visit);
}

static void
begin(struct visit *visit, const struct web *web,
    const struct http_request *request, struct http_reply *reply)
{
	memset(visit, 0, sizeof(*visit));
	memset(reply, 0, sizeof(*reply));
	visit->web = (struct web *)(uintptr_t)web;
	visit->request = request;
	visit->reply = reply;
	visit->path = "";
	visit->json = http_wants_json(request->fields[HTTP_ACCEPT]) ||
	    http_media_of(request->fields[HTTP_CONTENT_TYPE]) == MEDIA_JSON;
	visit->language =
	    language_accept(request->fields[HTTP_ACCEPT_LANGUAGE]);
}

static void
wipe_secrets(json_t *body)
{
	const json_t *value;
	size_t i;

	for (i = 0; i < SECRET_COUNT; i++) {
		value = json_object_get(body, secrets[i]);
		if (json_is_string(value))
			secret_wipe((void *)(uintptr_t)json_string_value(value),
			    json_string_length(value));
	}
}

void
web_serve(struct web *web, const struct http_request *request,
    struct http_reply *reply)
{
	const int64_t start_us = clock_mono_us();
	struct visit visit;

	begin(&visit, web, request, reply);
	serve(&visit);
	web_metrics_request(web->metrics, (int)reply->status,
	    clock_mono_us() - start_us);
	wipe_secrets(visit.body);
	json_decref(visit.query);
	json_decref(visit.body);
}

void
web_refuse(const struct web *web, const struct http_request *request,
    unsigned status, const char *text, struct http_reply *reply)
{
	static const struct {
		unsigned status;
		const char *kind;
	} kinds[] = {
		{ 400, "input" },
		{ 405, "method" },
		{ 413, "limit" },
		{ 414, "limit" },
		{ 415, "input" },
		{ 421, "input" },
		{ 429, "limit" },
		{ 431, "limit" },
		{ 503, "temp" },
	};
	struct visit visit;
	const char *kind = "error";
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].status == status)
			kind = kinds[i].kind;
	begin(&visit, web, request, reply);
	visit.query = json_object();
	http_reply_error(&visit, status, kind, text, NULL);
	if (status == 405)
		http_add_field(reply, "Allow", "GET, HEAD, POST");
	json_decref(visit.query);
	web_count_refused(web, status);
}

void
web_count_refused(const struct web *web, unsigned status)
{
	web_metrics_refused(web->metrics, (int)status);
}
