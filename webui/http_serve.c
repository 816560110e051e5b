/*
 * http_serve.c - a request of HTTP becomes an answer of HTTP.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "webui/http_fields.h"
#include "webui/http_form.h"
#include "webui/http_serve.h"
#include "webui/metrics.h"
#include "webui/session.h"
#include "webui/users.h"

/* Of a path with its query; a longer one is 414. */
#define URI_MAX 8192
#define FORM_MAX ((size_t)1 << 20)
#define NOTICE_SECONDS 60
#define NOTICE_VALUE_MAX 200
#define NOTICE_MAX 2000
/* Of what a browser likes: a year. */
#define TASTE_SECONDS 31536000
/* To choose from. */
#define CHOICES_MAX 300
#define ASSETS "/assets/"

/*
 * Pages load nothing from elsewhere, run no script but ours, and are shown
 * in nobody's frame; a preview is shown in ours and can do nothing at all.
 */
#define POLICY_PAGE                                                            \
	"default-src 'none'; style-src 'self'; script-src 'self'; "            \
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; "          \
	"form-action 'self'; frame-src 'self'; frame-ancestors 'none'; "       \
	"base-uri 'none'"
#define POLICY_PREVIEW                                                         \
	"sandbox; default-src 'none'; img-src data:; "                         \
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "     \
	"frame-ancestors 'self'"
/* Of files: they are saved, not shown. */
#define POLICY_FILE                                                            \
	"sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "   \
	"frame-ancestors 'none'"

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
	[HTTP_FETCH_SITE] = "Sec-Fetch-Site",
	[HTTP_FORWARDED_FOR] = "X-Forwarded-For",
	[HTTP_HOST] = "Host",
	[HTTP_NONE_MATCH] = "If-None-Match",
	[HTTP_ORIGIN] = "Origin",
	[HTTP_REFERER] = "Referer",
	[HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
};

/* ---- the program's side ---- */

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

/* ---- one exchange ---- */

/* Who asks, and what is known of the request so far. */
struct exchange {
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

static void
add_field(struct http_reply *reply, const char *name, const char *value)
{
	assert(reply->field_count < HTTP_REPLY_FIELDS_MAX);
	reply->fields[reply->field_count].name = name;
	reply->fields[reply->field_count].value = value;
	reply->field_count++;
}

/* What every answer has. */
static void
add_common(const struct web *web, const char *policy, const char *cache,
    struct http_reply *reply)
{
	add_field(reply, "Content-Security-Policy", policy);
	add_field(reply, "X-Content-Type-Options", "nosniff");
	/* The path of ours is wanted back; nobody else is to see it. */
	add_field(reply, "Referrer-Policy", "same-origin");
	add_field(reply, "Cross-Origin-Opener-Policy", "same-origin");
	add_field(reply, "Cross-Origin-Resource-Policy", "same-origin");
	add_field(reply, "Permissions-Policy",
	    "camera=(), geolocation=(), microphone=()");
	add_field(reply, "Cache-Control", cache);
	if (web->secure)
		add_field(reply, "Strict-Transport-Security",
		    "max-age=31536000");
}

/* life_s 0: as long as the browser runs; below: it is taken away. */
static void
add_cookie(struct exchange *ex, const char *name, const char *value, int life_s)
{
	struct arena *arena = ex->request->arena;
	const char *life = "";

	if (life_s != 0)
		life = arena_printf(arena, "; Max-Age=%d",
		    life_s > 0 ? life_s : 0);
	add_field(ex->reply, "Set-Cookie",
	    arena_printf(arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
		name, value, life, ex->web->secure ? "; Secure" : ""));
}

static const char *
cookie(const struct exchange *ex, const char *name)
{
	return http_cookie(ex->request->arena, ex->request->fields[HTTP_COOKIE],
	    name);
}

static void
put_body(struct http_reply *reply, char *take_body, size_t len,
    const char *content_type)
{
	reply->body = take_body;
	reply->len = len;
	add_field(reply, "Content-Type", content_type);
}

/* ---- models and pages ---- */

static void
reply_json(struct exchange *ex, const struct response *response)
{
	char *text =
	    json_dumps(response->model != NULL ? response->model : json_null(),
		JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		text = xstrdup("null");
	add_common(ex->web, POLICY_FILE, "no-store", ex->reply);
	put_body(ex->reply, text, strlen(text), "application/json");
	if (ex->csrf != NULL && ex->principal.role != ROLE_NONE)
		add_field(ex->reply, "X-CSRF-Token", ex->csrf);
}

/* The notice that the last redirection left, which is shown once. */
static const char *
take_notice(struct exchange *ex, json_t **values)
{
	const char *coded = cookie(ex, ex->web->notice_cookie), *name;
	struct buf text;
	json_t *notice = NULL;

	*values = NULL;
	if (coded == NULL)
		return NULL;
	add_cookie(ex, ex->web->notice_cookie, "", -1);
	buf_init(&text, 2 * NOTICE_MAX);
	if (base64url_decode(bytes_of(coded), &text) == 0)
		notice = json_loadb(buf_str(&text), text.len, 0, NULL);
	buf_free(&text);
	name = json_string_value(json_object_get(notice, "notice"));
	if (name != NULL)
		name = arena_strdup(ex->request->arena, name);
	*values = json_object_get(notice, "values");
	if (json_is_object(*values))
		json_incref(*values);
	else
		*values = NULL;
	json_decref(notice);
	return name;
}

/* A visitor who has no session gets a token for the form to sign in. */
static void
need_csrf(struct exchange *ex)
{
	if (ex->csrf != NULL)
		return;
	ex->csrf = session_token(ex->request->arena);
	add_cookie(ex, ex->web->visit_cookie, ex->csrf, 0);
}

static void
reply_plain(struct exchange *ex, const char *text)
{
	add_common(ex->web, POLICY_FILE, "no-store", ex->reply);
	put_body(ex->reply, xprintf("%s\n", text), strlen(text) + 1,
	    "text/plain; charset=utf-8");
}

static void
reply_page(struct exchange *ex, const struct response *response)
{
	json_t *choices =
	    api_domain_names(ex->web->api, &ex->principal, CHOICES_MAX);
	struct page_view view = {
		.language = ex->language,
		.theme = ex->theme,
		.principal = &ex->principal,
		.user = ex->principal.user,
		.path = ex->path,
		.query = ex->query,
		.domains = choices,
		.error = ex->error,
		.form = ex->form,
	};
	struct buf page;
	struct err err;

	need_csrf(ex);
	view.csrf = ex->csrf;
	view.notice = take_notice(ex, &view.notice_values);
	buf_init(&page, PAGE_BYTES_MAX);
	if (page_render(ex->web->pages, &view, response, &page, &err) == 0) {
		add_common(ex->web, POLICY_PAGE, "no-store", ex->reply);
		ex->reply->len = page.len;
		put_body(ex->reply, buf_steal(&page), ex->reply->len,
		    "text/html; charset=utf-8");
	} else {
		log_error("page %s: %s", ex->path, err.text);
		ex->reply->status = 500;
		reply_plain(ex, "This page cannot be shown.");
	}
	buf_free(&page);
	json_decref(view.notice_values);
	json_decref(choices);
}

static void
reply_error(struct exchange *ex, unsigned status, const char *kind,
    const char *text, const char *field)
{
	struct response response = { .status = (int)status,
		.template = "error" };

	response.model = json_pack("{s:{s:s, s:s, s:s?}}", "error", "kind",
	    kind, "text", text, "field", field);
	ex->reply->status = status;
	if (ex->json)
		reply_json(ex, &response);
	else
		reply_page(ex, &response);
	json_decref(response.model);
}

/* ---- redirections ---- */

static void
redirect(struct exchange *ex, const char *path)
{
	ex->reply->status = 303;
	add_common(ex->web, POLICY_PAGE, "no-store", ex->reply);
	/* It may be a part of the body, which does not live as long. */
	add_field(ex->reply, "Location",
	    arena_strdup(ex->request->arena, path));
}

/* The page that the form was on; NULL: not known. */
static const char *
came_from(const struct exchange *ex)
{
	const char *referer = ex->request->fields[HTTP_REFERER];
	const char *host = ex->request->fields[HTTP_HOST];
	const char *wanted =
	    json_string_value(json_object_get(ex->body, "back"));
	struct arena *arena = ex->request->arena;
	const char *origin = http_origin_of(arena, referer), *authority;

	if (wanted != NULL && http_path_is_local(wanted))
		return wanted;
	if (origin == NULL || host == NULL)
		return NULL;
	authority = strstr(origin, "://") + 3;
	if (!str_equal_nocase(authority, host) &&
	    (ex->web->authority == NULL ||
		strcmp(authority, ex->web->authority) != 0))
		return NULL;
	return http_path_of(arena, referer, origin);
}

/* Short values of the model, for the words of the notice. */
static json_t *
notice_values(const json_t *model)
{
	json_t *values = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)model, name, value)
	{
		if (strcmp(name, "csrf") == 0)
			continue;
		if (json_is_number(value) || json_is_boolean(value) ||
		    (json_is_string(value) &&
			json_string_length(value) <= NOTICE_VALUE_MAX))
			json_object_set(values, name, value);
	}
	return values;
}

static void
leave_notice(struct exchange *ex, const struct response *response)
{
	const char *name =
	    response->notice != NULL ? response->notice : response->template;
	json_t *notice;
	struct buf coded;
	char *text;

	if (name == NULL)
		return;
	notice = json_pack("{s:s, s:o}", "notice", name, "values",
	    notice_values(response->model));
	text = json_dumps(notice, JSON_COMPACT);
	if (text == NULL || strlen(text) > NOTICE_MAX) {
		free(text);
		json_object_del(notice, "values");
		text = json_dumps(notice, JSON_COMPACT);
	}
	json_decref(notice);
	buf_init(&coded, 2 * NOTICE_MAX);
	if (text != NULL && base64url_encode(bytes_of(text), &coded) == 0)
		add_cookie(ex, ex->web->notice_cookie,
		    arena_strdup(ex->request->arena, buf_str(&coded)),
		    NOTICE_SECONDS);
	buf_free(&coded);
	free(text);
}

static void
redirect_after(struct exchange *ex, const struct response *response)
{
	const char *path = response->location;

	if (path == NULL || !http_path_is_local(path))
		path = came_from(ex);
	leave_notice(ex, response);
	redirect(ex, path != NULL ? path : "/overview");
}

/* To the page to sign in, and back from there. */
static void
redirect_sign_in(struct exchange *ex)
{
	struct arena *arena = ex->request->arena;
	const char *uri = ex->request->uri, *p;
	struct buf path;

	buf_init(&path, 3 * URI_MAX);
	(void)buf_append_str(&path, "/sign-in");
	if (strcmp(uri, "/") != 0 && http_path_is_local(uri)) {
		(void)buf_append_str(&path, "?next=");
		for (p = uri; *p != '\0'; p++) {
			if (ascii_is_alnum(*p) || strchr("/-._~", *p) != NULL)
				(void)buf_append_char(&path, *p);
			else
				(void)buf_printf(&path, "%%%02X",
				    (unsigned)(unsigned char)*p);
		}
	}
	redirect(ex, arena_strdup(arena, buf_str(&path)));
	buf_free(&path);
}

/* ---- who asks ---- */

static void
take_language(struct exchange *ex)
{
	const char *tag = ex->account.language;
	int language = -1;

	if (tag == NULL)
		tag = cookie(ex, ex->web->language_cookie);
	if (tag != NULL)
		language = language_parse(tag);
	ex->language = language >= 0
	    ? (enum language)language
	    : language_accept(ex->request->fields[HTTP_ACCEPT_LANGUAGE]);
	ex->principal.language = ex->language;
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
take_principal(struct exchange *ex, const struct session *session)
{
	const struct account *account = &ex->account;
	struct principal *principal = &ex->principal;

	principal->role = account->role;
	principal->user = account->name;
	principal->session = session->token;
	principal->actor =
	    arena_printf(ex->request->arena, "user:%s", account->name);
	principal->mailbox = account->mailbox;
	principal->domains = account->domains;
	principal->domain_count = account->domain_count;
	principal->must_change = account->must_change;
	ex->csrf = session->csrf;
}

/* -1: could not tell. */
static int
take_visitor(struct exchange *ex, struct err *err)
{
	const char *token = cookie(ex, ex->web->session_cookie);
	struct arena *arena = ex->request->arena;
	struct session session = { 0 };
	struct ip client = web_client(ex->web, ex->request);
	char text[IP_TEXT_SIZE];
	int rc = 0;

	if (client.family != IP_NONE) {
		ip_format(&client, text);
		ex->principal.client = arena_strdup(arena, text);
	}
	ex->principal.actor = "visitor";
	if (token != NULL)
		rc = session_find(ex->web->api->store, arena, token, &session,
		    err);
	if (rc == 1)
		rc = users_get(ex->web->api->store, arena, session.user,
		    &ex->account, err);
	if (rc == 1 && !ex->account.disabled && ex->account.role != ROLE_NONE &&
	    ex->account.password != NULL &&
	    strcmp(ex->account.stamp, session.stamp) == 0)
		take_principal(ex, &session);
	else
		memset(&ex->account, 0, sizeof(ex->account));
	if (ex->principal.role == ROLE_NONE) {
		ex->csrf = cookie(ex, ex->web->visit_cookie);
		if (ex->csrf != NULL && strlen(ex->csrf) < 40)
			ex->csrf = NULL;
	}
	take_language(ex);
	ex->theme = theme_of(cookie(ex, ex->web->theme_cookie));
	return rc < 0 ? -1 : 0;
}

/* ---- is the form ours? ---- */

static bool
origin_is_ours(const struct exchange *ex)
{
	const char *origin = ex->request->fields[HTTP_ORIGIN];
	const char *host = ex->request->fields[HTTP_HOST];
	const char *site = ex->request->fields[HTTP_FETCH_SITE], *authority;

	if (site != NULL && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	origin = http_origin_of(ex->request->arena, origin);
	if (origin == NULL)
		return false;
	authority = strstr(origin, "://") + 3;
	if (ex->web->authority != NULL &&
	    strcmp(authority, ex->web->authority) == 0)
		return true;
	return host != NULL && str_equal_nocase(authority, host);
}

static bool
token_is_ours(const struct exchange *ex)
{
	const char *token = ex->request->fields[HTTP_CSRF_TOKEN];

	if (token == NULL)
		token = json_string_value(json_object_get(ex->body, "csrf"));
	return token != NULL && ex->csrf != NULL &&
	    strlen(token) == strlen(ex->csrf) &&
	    secret_equal(token, ex->csrf, strlen(token));
}

/*
 * Every POST goes through here.  A client that sends JSON and has no session
 * has nothing that could be misused: no browser sends JSON across origins
 * without asking, and we never allow it.
 */
static bool
is_forged(const struct exchange *ex)
{
	if (!origin_is_ours(ex))
		return true;
	if (ex->principal.role == ROLE_NONE &&
	    http_media_of(ex->request->fields[HTTP_CONTENT_TYPE]) == MEDIA_JSON)
		return false;
	return !token_is_ours(ex);
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

/* -1 with a status. */
static int
parse_request(struct exchange *ex, unsigned *status, struct err *err)
{
	const char *uri = ex->request->uri;
	size_t len = strcspn(uri, "?");

	ex->path = arena_memdup(ex->request->arena, uri, len);
	ex->query =
	    http_form_parse(bytes_of(uri[len] == '?' ? uri + len + 1 : ""),
		err);
	ex->body = ex->request->method == HTTP_POST
	    ? parse_body(ex->request, err)
	    : json_object();
	if (ex->query != NULL)
		page_form_fold(ex->query);
	if (ex->query != NULL && ex->body != NULL)
		return 0;
	if (ex->query == NULL)
		ex->query = json_object();
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
	if (strlen(request->uri) > URI_MAX)
		return 414;
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
serve_asset(struct exchange *ex, const char *name)
{
	struct http_reply *reply = ex->reply;
	struct page_asset asset;

	if (!page_asset_find(name, &asset)) {
		reply->status = 404;
		reply_plain(ex, "There is no such file.");
		return;
	}
	/* Its name in a page changes with what is in it. */
	add_common(ex->web, POLICY_FILE,
	    json_object_size(ex->query) > 0
		? "public, max-age=31536000, immutable"
		: "public, max-age=300",
	    reply);
	add_field(reply, "ETag", asset.etag);
	if (http_etag_matches(ex->request->fields[HTTP_NONE_MATCH],
		asset.etag)) {
		reply->status = 304;
		return;
	}
	reply->status = 200;
	reply->body = (void *)(uintptr_t)asset.data;
	reply->constant = true;
	reply->len = asset.len;
	add_field(reply, "Content-Type", asset.content_type);
}

/* ---- for who watches the machine ---- */

/* What a proxy that we do not know hands on is not from its machine. */
static bool
is_watcher(const struct exchange *ex)
{
	const struct http_request *request = ex->request;
	struct ip client = web_client(ex->web, request);
	size_t i;

	if (request->fields[HTTP_FORWARDED_FOR] != NULL &&
	    !web_is_proxy(ex->web, &request->peer))
		return false;
	/* A unix socket, and nobody behind it. */
	if (client.family == IP_NONE)
		return true;
	for (i = 0; i < ex->web->watcher_count; i++)
		if (network_contains(&ex->web->watchers[i], &client))
			return true;
	return false;
}

static void
serve_health(struct exchange *ex, struct buf *out)
{
	(void)buf_append_str(out, "ok\n");
	ex->reply->status = 200;
}

static void
serve_ready(struct exchange *ex, struct buf *out)
{
	ex->reply->status = web_ready(ex->web->api, out) ? 200 : 503;
}

static void
serve_metrics(struct exchange *ex, struct buf *out)
{
	ex->reply->status =
	    web_metrics_write(ex->web->api, ex->web->metrics, out) == 0 ? 200
									: 500;
}

static const struct probe {
	const char *path, *type;
	void (*serve)(struct exchange *ex, struct buf *out);
	bool for_all; /* it tells nothing */
} probes[] = {
	{ "/healthz", "text/plain; charset=utf-8", serve_health, true },
	{ "/readyz", "text/plain; charset=utf-8", serve_ready, false },
	{ "/metrics", WEB_METRICS_TYPE, serve_metrics, false },
};

/* false: it is none of these. */
static bool
serve_probe(struct exchange *ex)
{
	const struct probe *probe = NULL;
	struct buf out;
	size_t i;

	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (strcmp(probes[i].path, ex->path) == 0)
			probe = &probes[i];
	if (probe == NULL || ex->request->method == HTTP_POST ||
	    !(probe->for_all || is_watcher(ex)))
		return false;
	buf_init(&out, WEB_METRICS_MAX);
	probe->serve(ex, &out);
	add_common(ex->web, POLICY_FILE, "no-store", ex->reply);
	ex->reply->len = out.len;
	put_body(ex->reply, buf_steal(&out), ex->reply->len, probe->type);
	return true;
}

/* ---- answering ---- */

static void
reply_content(struct exchange *ex, struct response *response)
{
	if (response->sandboxed)
		add_common(ex->web, POLICY_PREVIEW, "no-store", ex->reply);
	else
		add_common(ex->web, POLICY_FILE, "no-store", ex->reply);
	if (response->filename != NULL)
		add_field(ex->reply, "Content-Disposition",
		    http_disposition(ex->request->arena, response->filename));
	put_body(ex->reply, response->content, response->content_len,
	    arena_strdup(ex->request->arena, response->content_type));
	response->content = NULL;
}

/* What the response says of the visitor from now on. */
static void
put_cookies(struct exchange *ex, const struct response *response)
{
	if (response->session != NULL) {
		add_cookie(ex, ex->web->session_cookie, response->session,
		    response->session[0] != '\0' ? 0 : -1);
		/* What stood in forms before is not to count after it. */
		add_cookie(ex, ex->web->visit_cookie, "", -1);
	}
	if (response->language != NULL)
		add_cookie(ex, ex->web->language_cookie, response->language,
		    TASTE_SECONDS);
	if (response->theme != NULL)
		add_cookie(ex, ex->web->theme_cookie, response->theme,
		    TASTE_SECONDS);
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
reply_form_again(struct exchange *ex, const struct response *failed)
{
	const char *from = came_from(ex), *question;
	struct response again;
	json_t *query, *form;
	bool shown;

	if (from == NULL)
		from = ex->path;
	question = strchr(from, '?');
	query = http_form_parse(bytes_of(question != NULL ? question + 1 : ""),
	    NULL);
	if (query == NULL)
		return false;
	page_form_fold(query);
	if (question != NULL)
		from = arena_memdup(ex->request->arena, from,
		    (size_t)(question - from));
	api_dispatch(ex->web->api, ex->request->arena, &ex->principal,
	    METHOD_GET, from, query, ex->body, &again);
	shown = again.status == 200 && again.template != NULL &&
	    again.content == NULL;
	if (shown) {
		form = given_of(ex->body);
		json_decref(ex->query);
		ex->query = query;
		ex->path = from;
		ex->error = failed->model;
		ex->form = form;
		reply_page(ex, &again);
		json_decref(form);
	} else {
		json_decref(query);
	}
	json_decref(again.model);
	free(again.content);
	return shown;
}

static bool
wants_sign_in(const struct exchange *ex, const struct response *response)
{
	return response->status == 401 && !ex->json &&
	    ex->request->method != HTTP_POST;
}

static void
reply_to_browser(struct exchange *ex, const struct response *response)
{
	bool to_form = ex->request->method == HTTP_POST && !response->show;

	if (to_form && response->status < 300)
		redirect_after(ex, response);
	else if (!to_form || !reply_form_again(ex, response))
		reply_page(ex, response);
}

static void
reply_response(struct exchange *ex, struct response *response)
{
	ex->reply->status = (unsigned)response->status;
	put_cookies(ex, response);
	if (response->content != NULL)
		reply_content(ex, response);
	else if (ex->json)
		reply_json(ex, response);
	else if (wants_sign_in(ex, response))
		redirect_sign_in(ex);
	else if (response->status == 403 && ex->principal.must_change)
		redirect(ex, "/password");
	else if (response->location != NULL && ex->request->method != HTTP_POST)
		redirect(ex, response->location);
	else
		reply_to_browser(ex, response);
}

static void
dispatch(struct exchange *ex)
{
	struct response response;
	enum method method =
	    ex->request->method == HTTP_POST ? METHOD_POST : METHOD_GET;

	api_dispatch(ex->web->api, ex->request->arena, &ex->principal, method,
	    ex->path, ex->query, ex->body, &response);
	reply_response(ex, &response);
	json_decref(response.model);
	free(response.content);
}

static void
serve(struct exchange *ex)
{
	unsigned status = 0;
	struct err err;

	if (parse_request(ex, &status, &err) < 0)
		reply_error(ex, status, status == 413 ? "limit" : "input",
		    err.text, NULL);
	else if (strncmp(ex->path, ASSETS, strlen(ASSETS)) == 0)
		serve_asset(ex, ex->path + strlen(ASSETS));
	else if (serve_probe(ex))
		return;
	else if (take_visitor(ex, &err) < 0)
		reply_error(ex, 503, "temp", err.text, NULL);
	else if (ex->request->method == HTTP_POST && is_forged(ex))
		reply_error(ex, 403, "csrf",
		    "this form is too old, or is not from here: go back, "
		    "load the page again and try once more",
		    "csrf");
	else if (strcmp(ex->path, "/") == 0)
		redirect(ex,
		    ex->principal.role != ROLE_NONE ? "/overview" : "/sign-in");
	else
		dispatch(ex);
}

static void
begin(struct exchange *ex, const struct web *web,
    const struct http_request *request, struct http_reply *reply)
{
	memset(ex, 0, sizeof(*ex));
	memset(reply, 0, sizeof(*reply));
	ex->web = (struct web *)(uintptr_t)web;
	ex->request = request;
	ex->reply = reply;
	ex->path = "";
	ex->json = http_wants_json(request->fields[HTTP_ACCEPT]) ||
	    http_media_of(request->fields[HTTP_CONTENT_TYPE]) == MEDIA_JSON;
	ex->language = language_accept(request->fields[HTTP_ACCEPT_LANGUAGE]);
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
	struct exchange ex;

	begin(&ex, web, request, reply);
	serve(&ex);
	web_metrics_request(web->metrics, (int)reply->status,
	    clock_mono_us() - start_us);
	wipe_secrets(ex.body);
	json_decref(ex.query);
	json_decref(ex.body);
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
		{ 503, "temp" },
	};
	struct exchange ex;
	const char *kind = "error";
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].status == status)
			kind = kinds[i].kind;
	begin(&ex, web, request, reply);
	ex.query = json_object();
	reply_error(&ex, status, kind, text, NULL);
	if (status == 405)
		add_field(reply, "Allow", "GET, HEAD, POST");
	json_decref(ex.query);
}
