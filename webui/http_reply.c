/*
 * http_reply.c - what goes back: pages, models, redirections, and the
 * fields that all of them have.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "webui/http_fields.h"
#include "webui/http_impl.h"
#include "webui/page_phrases.h"
#include "webui/session.h"

#define NOTICE_SECONDS 60
#define NOTICE_VALUE_MAX 200
#define NOTICE_MAX 2000
/* To choose from. */
#define CHOICES_MAX 300
/* When nothing else is known. */
#define RETRY_SECONDS 2

/* ---- fields and bodies ---- */

void
http_add_field(struct http_reply *reply, const char *name, const char *value)
{
	assert(reply->field_count < HTTP_REPLY_FIELDS_MAX);
	reply->fields[reply->field_count].name = name;
	reply->fields[reply->field_count].value = value;
	reply->field_count++;
}

/* What every answer has. */
void
http_add_common(const struct web *web, const char *policy, const char *cache,
    struct http_reply *reply)
{
	http_add_field(reply, "Content-Security-Policy", policy);
	http_add_field(reply, "X-Content-Type-Options", "nosniff");
	/* The path of ours is wanted back; nobody else is to see it. */
	http_add_field(reply, "Referrer-Policy", "same-origin");
	http_add_field(reply, "Cross-Origin-Opener-Policy", "same-origin");
	http_add_field(reply, "Cross-Origin-Resource-Policy", "same-origin");
	http_add_field(reply, "Permissions-Policy",
	    "camera=(), geolocation=(), microphone=()");
	http_add_field(reply, "Cache-Control", cache);
	if (web->secure)
		http_add_field(reply, "Strict-Transport-Security",
		    "max-age=31536000");
}

/* life_s 0: as long as the browser runs; below: it is taken away. */
void
http_add_cookie(struct visit *visit, const char *name, const char *value,
    int life_s)
{
	struct arena *arena = visit->request->arena;
	const char *life = "";

	if (life_s != 0)
		life = arena_printf(arena, "; Max-Age=%d",
		    life_s > 0 ? life_s : 0);
	http_add_field(visit->reply, "Set-Cookie",
	    arena_printf(arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
		name, value, life, visit->web->secure ? "; Secure" : ""));
}

const char *
http_cookie_of(const struct visit *visit, const char *name)
{
	return http_cookie(visit->request->arena,
	    visit->request->fields[HTTP_COOKIE], name);
}

void
http_put_body(struct http_reply *reply, char *take_body, size_t len,
    const char *content_type)
{
	reply->body = take_body;
	reply->len = len;
	http_add_field(reply, "Content-Type", content_type);
}

/* ---- models and pages ---- */

void
http_reply_json(struct visit *visit, const struct response *response)
{
	char *text =
	    json_dumps(response->model != NULL ? response->model : json_null(),
		JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		text = xstrdup("null");
	http_add_common(visit->web, HTTP_POLICY_FILE, "no-store", visit->reply);
	http_put_body(visit->reply, text, strlen(text), "application/json");
	if (visit->csrf != NULL && visit->principal.role != ROLE_NONE)
		http_add_field(visit->reply, "X-CSRF-Token", visit->csrf);
}

/* The notice that the last redirection left, which is shown once. */
static const char *
take_notice(struct visit *visit, json_t **values)
{
	const char *coded = http_cookie_of(visit, visit->web->notice_cookie),
		   *name;
	struct buf text;
	json_t *notice = NULL;

	*values = NULL;
	if (coded == NULL)
		return NULL;
	http_add_cookie(visit, visit->web->notice_cookie, "", -1);
	buf_init(&text, 2 * NOTICE_MAX);
	if (base64url_decode(bytes_of(coded), &text) == 0)
		notice = json_loadb(buf_str(&text), text.len, 0, NULL);
	buf_free(&text);
	name = json_string_value(json_object_get(notice, "notice"));
	if (name != NULL)
		name = arena_strdup(visit->request->arena, name);
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
need_csrf(struct visit *visit)
{
	if (visit->csrf != NULL)
		return;
	visit->csrf = session_token(visit->request->arena);
	http_add_cookie(visit, visit->web->visit_cookie, visit->csrf, 0);
}

void
http_reply_plain(struct visit *visit, const char *text)
{
	http_add_common(visit->web, HTTP_POLICY_FILE, "no-store", visit->reply);
	http_put_body(visit->reply, xprintf("%s\n", text), strlen(text) + 1,
	    "text/plain; charset=utf-8");
}

void
http_reply_page(struct visit *visit, const struct response *response)
{
	json_t *choices =
	    api_domain_names(visit->web->api, &visit->principal, CHOICES_MAX);
	struct page_view view = {
		.language = visit->language,
		.theme = visit->theme,
		.principal = &visit->principal,
		.user = visit->principal.user,
		.path = visit->path,
		.query = visit->query,
		.domains = choices,
		.error = visit->error,
		.form = visit->form,
	};
	struct buf page;
	struct err err;

	need_csrf(visit);
	view.csrf = visit->csrf;
	view.notice = take_notice(visit, &view.notice_values);
	buf_init(&page, PAGE_BYTES_MAX);
	if (page_render(visit->web->pages, &view, response, &page, &err) == 0) {
		http_add_common(visit->web, HTTP_POLICY_PAGE, "no-store",
		    visit->reply);
		visit->reply->len = page.len;
		http_put_body(visit->reply, buf_steal(&page), visit->reply->len,
		    "text/html; charset=utf-8");
	} else {
		log_error("page %s: %s", visit->path, err.text);
		visit->reply->status = 500;
		http_reply_plain(visit, "This page cannot be shown.");
	}
	buf_free(&page);
	json_decref(view.notice_values);
	json_decref(choices);
}

/* A page of ours forbids to be framed; a line of text can do no harm. */
void
http_reply_framed(struct visit *visit, const struct response *response)
{
	const json_t *error = json_object_get(response->model, "error");
	const char *text = json_string_value(json_object_get(error, "text"));
	struct buf said;

	buf_init(&said, PHRASE_SIZE_MAX);
	(void)phrase_translate(visit->language, text != NULL ? text : "",
	    &said);
	(void)buf_append_char(&said, '\n');
	http_add_common(visit->web, HTTP_POLICY_PREVIEW, "no-store",
	    visit->reply);
	visit->reply->len = said.len;
	http_put_body(visit->reply, buf_steal(&said), visit->reply->len,
	    "text/plain; charset=utf-8");
}

void
http_add_retry(struct visit *visit, int64_t seconds)
{
	if (visit->reply->status != 429 && visit->reply->status != 503)
		return;
	http_add_field(visit->reply, "Retry-After",
	    arena_printf(visit->request->arena, "%" PRId64,
		seconds > 0 ? seconds : RETRY_SECONDS));
}

void
http_reply_error(struct visit *visit, unsigned status, const char *kind,
    const char *text, const char *field)
{
	struct response response = { .status = (int)status,
		.template = "error" };

	response.model = json_pack("{s:{s:s, s:s, s:s?}}", "error", "kind",
	    kind, "text", text, "field", field);
	visit->reply->status = status;
	http_add_retry(visit, 0);
	if (visit->json)
		http_reply_json(visit, &response);
	else
		http_reply_page(visit, &response);
	json_decref(response.model);
}

/* ---- redirections ---- */

void
http_redirect(struct visit *visit, const char *path)
{
	visit->reply->status = 303;
	http_add_common(visit->web, HTTP_POLICY_PAGE, "no-store", visit->reply);
	/* It may be a part of the body, which does not live as long. */
	http_add_field(visit->reply, "Location",
	    arena_strdup(visit->request->arena, path));
}

/* The page that the form was on; NULL: not known. */
const char *
http_came_from(const struct visit *visit)
{
	const char *referer = visit->request->fields[HTTP_REFERER];
	const char *host = visit->request->fields[HTTP_HOST];
	const char *wanted =
	    json_string_value(json_object_get(visit->body, "back"));
	struct arena *arena = visit->request->arena;
	const char *origin = http_origin_of(arena, referer), *authority;

	if (wanted != NULL && http_path_is_local(wanted))
		return wanted;
	if (origin == NULL || host == NULL)
		return NULL;
	authority = strstr(origin, "://") + 3;
	if (!str_equal_nocase(authority, host) &&
	    (visit->web->authority == NULL ||
		strcmp(authority, visit->web->authority) != 0))
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
leave_notice(struct visit *visit, const struct response *response)
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
		http_add_cookie(visit, visit->web->notice_cookie,
		    arena_strdup(visit->request->arena, buf_str(&coded)),
		    NOTICE_SECONDS);
	buf_free(&coded);
	free(text);
}

void
http_redirect_after(struct visit *visit, const struct response *response)
{
	const char *path = response->location;

	if (path == NULL || !http_path_is_local(path))
		path = http_came_from(visit);
	leave_notice(visit, response);
	http_redirect(visit, path != NULL ? path : "/overview");
}

/* To the page to sign in, and back from there. */
void
http_redirect_sign_in(struct visit *visit)
{
	struct arena *arena = visit->request->arena;
	const char *uri = visit->request->uri, *p;
	struct buf path;

	buf_init(&path, 3 * HTTP_URI_MAX);
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
	http_redirect(visit, arena_strdup(arena, buf_str(&path)));
	buf_free(&path);
}
