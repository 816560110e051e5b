/*
 * page.c - turns models into pages.
 *
 * A page is the template of a route around the model of its handler.  What
 * every page shows beside that (who is signed in, what they may do, the
 * navigation) is the object of globals made here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/embedded.h"
#include "base/str.h"
#include "base/template.h"
#include "policy/policy.h"
#include "policy/survey.h"
#include "webui/explain.h"
#include "webui/page_impl.h"
#include "webui/page_words.h"
#include "webui/preview.h"

#define NOTICE_SIZE_MAX 1000

struct pages {
	struct template_set *templates;
};

struct pages *
pages_new(struct err *err)
{
	struct template_set *templates =
	    template_set_new(page_templates, page_filters, err);
	struct pages *pages;

	if (templates == NULL)
		return NULL;
	pages = xcalloc(1, sizeof(*pages));
	pages->templates = templates;
	return pages;
}

void
pages_free(struct pages *pages)
{
	if (pages == NULL)
		return;
	template_set_free(pages->templates);
	free(pages);
}

bool
page_has_template(const struct pages *pages, const char *name)
{
	return template_set_has(pages->templates, name);
}

/* ---- files ---- */

static const struct {
	const char *end, *type;
} content_types[] = {
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
};

bool
page_asset_find(const char *name, struct page_asset *asset)
{
	const struct embedded *file = page_files;
	size_t i;

	while (file->name != NULL && strcmp(file->name, name) != 0)
		file++;
	if (file->name == NULL)
		return false;
	*asset = (struct page_asset){ .name = file->name,
		.content_type = "application/octet-stream",
		.etag = file->tag,
		.data = file->data,
		.len = file->len };
	for (i = 0; i < sizeof(content_types) / sizeof(content_types[0]); i++)
		if (str_ends_nocase(name, content_types[i].end))
			asset->content_type = content_types[i].type;
	return true;
}

/* {"page_css": "1a2b-3c", ...}: the tag without its quotes. */
static json_t *
asset_versions(void)
{
	json_t *versions = json_object();
	const struct embedded *file;
	char *key, *dot;

	for (file = page_files; file->name != NULL; file++) {
		key = xstrdup(file->name);
		while ((dot = strchr(key, '.')) != NULL)
			*dot = '_';
		json_object_set_new(versions, key,
		    json_stringn(file->tag + 1, strlen(file->tag) - 2));
		free(key);
	}
	return versions;
}

/* ---- who may do what ---- */

/* What templates ask for as may.NAME: does the role have this route? */
static const struct {
	const char *name;
	enum method method;
	const char *path;
} abilities[] = {
	{ "act", METHOD_POST, "/quarantine/act" },
	{ "add_domain", METHOD_POST, "/domains" },
	{ "add_user", METHOD_POST, "/users" },
	{ "aliases", METHOD_GET, "/aliases" },
	{ "allow", METHOD_POST, "/quarantine/:id/allow" },
	{ "audit", METHOD_GET, "/audit" },
	{ "auth", METHOD_GET, "/auth" },
	{ "check_route", METHOD_POST, "/routes/:domain/check" },
	{ "domains", METHOD_GET, "/domains" },
	{ "export_domains", METHOD_GET, "/domains/export" },
	{ "import_domains", METHOD_POST, "/domains/import" },
	{ "import_routes", METHOD_POST, "/routes/import" },
	{ "lists", METHOD_GET, "/lists" },
	{ "log", METHOD_GET, "/log" },
	{ "overview", METHOD_GET, "/overview" },
	{ "part", METHOD_GET, "/quarantine/:id/parts/:number" },
	{ "password", METHOD_GET, "/password" },
	{ "preferences", METHOD_POST, "/preferences" },
	{ "preview", METHOD_GET, "/quarantine/:id/preview" },
	{ "quarantine", METHOD_GET, "/quarantine" },
	{ "raw", METHOD_GET, "/quarantine/:id/raw" },
	{ "recipients", METHOD_GET, "/recipients" },
	{ "remove", METHOD_POST, "/quarantine/:id/remove" },
	{ "remove_domain", METHOD_POST, "/domains/:domain/remove" },
	{ "reports", METHOD_GET, "/reports" },
	{ "reports_sent", METHOD_GET, "/reports/sent" },
	{ "resolve", METHOD_GET, "/resolve" },
	{ "routes", METHOD_GET, "/routes" },
	{ "set_domain", METHOD_POST, "/domains/:domain" },
	{ "set_recipient", METHOD_POST, "/recipients/set" },
	{ "set_routes", METHOD_POST, "/routes/:domain" },
	{ "sign_out", METHOD_POST, "/sign-out" },
	{ "system", METHOD_GET, "/system" },
	{ "upload_report", METHOD_POST, "/reports/upload" },
	{ "users", METHOD_GET, "/users" },
};

static bool
may_use(enum role role, enum method method, const char *path)
{
	size_t i;

	for (i = 0; i < api_route_count; i++)
		if (api_routes[i].method == method &&
		    strcmp(api_routes[i].path, path) == 0)
			return (api_routes[i].roles & ROLE_BIT(role)) != 0;
	return false;
}

static json_t *
may_model(enum role role)
{
	json_t *may = json_object();
	size_t i;

	for (i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++)
		json_object_set_new(may, abilities[i].name,
		    json_boolean(
			may_use(role, abilities[i].method, abilities[i].path)));
	return may;
}

/* ---- navigation ---- */

/* In the order of the menu.  Pages of a domain carry the one that the
 * reader is looking at. */
static const struct {
	const char *path, *icon, *label;
	bool of_domain;
} menu[] = {
	{ "/overview", "overview", N_("Overview"), false },
	{ "/quarantine", "quarantine", N_("Quarantine"), true },
	{ "/log", "log", N_("Log search"), true },
	{ "/lists", "lists", N_("Lists"), true },
	{ "/domains", "domains", N_("Domains"), false },
	{ "/recipients", "recipients", N_("Recipients"), true },
	{ "/aliases", "aliases", N_("Aliases"), true },
	{ "/routes", "routes", N_("Routes"), false },
	{ "/auth", "auth", N_("Sender records"), true },
	{ "/reports", "reports", N_("DMARC reports"), true },
	{ "/users", "users", N_("Users"), false },
	{ "/system", "system", N_("System settings"), false },
	{ "/audit", "audit", N_("Changes"), true },
};

static bool
is_below(const char *path, const char *menu_path)
{
	size_t len = strlen(menu_path);

	return strncmp(path, menu_path, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

static json_t *
menu_model(const struct page_view *view)
{
	enum role role = view->principal->role;
	json_t *items = json_array();
	size_t i;

	for (i = 0; i < sizeof(menu) / sizeof(menu[0]); i++)
		if (role != ROLE_NONE &&
		    may_use(role, METHOD_GET, menu[i].path))
			json_array_append_new(items,
			    json_pack("{s:s, s:s, s:s, s:b, s:b}", "path",
				menu[i].path, "icon", menu[i].icon, "label",
				i18n_text(view->language, menu[i].label),
				"of_domain", menu[i].of_domain, "current",
				is_below(view->path, menu[i].path)));
	return items;
}

/* ---- notices ---- */

/* The message with the values filled in. */
static json_t *
fill_in(const char *message, const json_t *values)
{
	const char *start = message, *end;
	json_t *text, *value;
	struct buf out;
	char *name;

	buf_init(&out, NOTICE_SIZE_MAX);
	while (*message != '\0') {
		end = *message == '{' ? strchr(message, '}') : NULL;
		if (end == NULL) {
			message++;
			continue;
		}
		(void)buf_append(&out, start, (size_t)(message - start));
		name = xmemdup(message + 1, (size_t)(end - message - 1));
		value = json_object_get(values, name);
		if (json_is_integer(value))
			(void)buf_printf(&out, "%" JSON_INTEGER_FORMAT,
			    json_integer_value(value));
		else if (json_is_string(value))
			(void)buf_append_str(&out, json_string_value(value));
		free(name);
		start = message = end + 1;
	}
	(void)buf_append_str(&out, start);
	text = json_string(buf_str(&out));
	buf_free(&out);
	return text != NULL ? text : json_string("");
}

/* What a message names must be known, or it is another message. */
static json_t *
notice_model(const struct page_view *view)
{
	const struct page_word *word = view->notice != NULL
	    ? page_word_find("notice", view->notice)
	    : NULL;

	if (word == NULL)
		return json_null();
	return json_pack("{s:s, s:o}", "tone", word->tone, "text",
	    fill_in(i18n_text(view->language, word->label),
		view->notice_values));
}

/* ---- globals ---- */

static json_t *
languages_model(const struct page_view *view)
{
	json_t *languages = json_array();
	int i;

	for (i = 0; i < LANGUAGE_COUNT; i++)
		json_array_append_new(languages,
		    json_pack("{s:s, s:s, s:b}", "tag",
			language_tag((enum language)i), "name",
			language_name((enum language)i), "current",
			i == (int)view->language));
	return languages;
}

static json_t *
borrowed(const json_t *value)
{
	return value != NULL ? json_incref((json_t *)value) : json_null();
}

/* The domain that the reader looks at, for links to others of its pages. */
static const char *
current_domain(const struct page_view *view, const json_t *model)
{
	const char *domain =
	    json_string_value(json_object_get(model, "domain"));

	if (domain == NULL)
		domain =
		    json_string_value(json_object_get(view->query, "domain"));
	if (domain == NULL && view->principal->domain_count == 1)
		domain = view->principal->domains[0];
	return domain;
}

/* What the layout shows, apart from the names of models. */
static json_t *
page_model(const struct page_view *view)
{
	enum role role = view->principal->role;
	json_t *page =
	    json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s}", "language",
		language_tag(view->language), "theme", view->theme, "user",
		view->user, "role", role != ROLE_NONE ? role_name(role) : NULL,
		"csrf", view->csrf, "path", view->path);

	json_object_set_new(page, "languages", languages_model(view));
	json_object_set_new(page, "assets", asset_versions());
	json_object_set_new(page, "menu", menu_model(view));
	json_object_set_new(page, "notice", notice_model(view));
	json_object_set_new(page, "problem",
	    borrowed(json_object_get(view->error, "error")));
	json_object_set_new(page, "problems",
	    borrowed(json_object_get(view->error, "errors")));
	return page;
}

/*
 * Which field is at fault: "fault" of the form that was sent, "filter_fault"
 * of the address that was asked for.  Templates mark it.
 */
static void
add_fault(const struct page_view *view, json_t *globals)
{
	const char *field = json_string_value(
	    json_object_get(json_object_get(view->error, "error"), "field"));
	bool sent = view->form != NULL;

	json_object_set_new(globals, "fault",
	    sent && field != NULL ? json_string(field) : json_null());
	json_object_set_new(globals, "filter_fault",
	    !sent && field != NULL ? json_string(field) : json_null());
}

static json_t *
globals_model(const struct page_view *view, const json_t *model)
{
	json_t *globals =
	    json_pack("{s:s?, s:s?}", "at_domain", current_domain(view, model),
		"at_mailbox", view->principal->mailbox);

	json_object_set_new(globals, "page", page_model(view));
	json_object_set_new(globals, "may", may_model(view->principal->role));
	json_object_set_new(globals, "query", borrowed(view->query));
	json_object_set_new(globals, "choices", borrowed(view->domains));
	json_object_set_new(globals, "form", borrowed(view->form));
	add_fault(view, globals);
	return globals;
}

/* ---- pages ---- */

/* A page about domains that was asked for without saying which. */
static bool
wants_domain(const struct page_view *view, const struct response *response)
{
	const json_t *error = json_object_get(response->model, "error");
	const char *field = json_string_value(json_object_get(error, "field"));

	return response->status == 400 && field != NULL &&
	    strcmp(field, "domain") == 0 &&
	    json_object_get(view->query, "domain") == NULL &&
	    json_object_get(view->query, "mailbox") == NULL;
}

int
page_render(const struct pages *pages, const struct page_view *view,
    const struct response *response, struct buf *out, struct err *err)
{
	struct page_context context = { .now_ms = clock_wall_ms() };
	const char *name =
	    response->template != NULL ? response->template : "error";
	json_t *globals, *extra;
	struct template_run run = { .language = view->language,
		.model = response->model,
		.context = &context };
	int rc;

	if (strcmp(name, "error") == 0 && wants_domain(view, response))
		name = "choose-domain";
	globals = globals_model(view, response->model);
	extra = page_extra(view, name, response->model);
	if (extra != NULL)
		json_object_update(globals, extra);
	run.globals = globals;
	rc = template_render(pages->templates, name, &run, out, err);
	json_decref(extra);
	json_decref(globals);
	return rc;
}

/* ---- messages ---- */

static void
see_survey(void (*see)(void *context, const char *where, const char *msgid,
	       const char *plural),
    void *context)
{
	json_t *words = survey_words(), *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		see(context, "survey",
		    json_string_value(json_object_get(word, "text")), NULL);
		see(context, "survey",
		    json_string_value(json_object_get(word, "advice")), NULL);
	}
	json_decref(words);
}

void
page_each_message(const struct pages *pages,
    void (*see)(void *context, const char *where, const char *msgid,
	const char *plural),
    void *context)
{
	const struct page_word_list *list;
	const struct page_word *word;
	size_t i;

	template_each_message(pages->templates, see, context);
	page_filter_messages(see, context);
	for (list = page_word_lists; list->kind != NULL; list++)
		for (word = list->words; word->word != NULL; word++)
			see(context, list->kind, word->label, NULL);
	for (i = 0; i < sizeof(menu) / sizeof(menu[0]); i++)
		see(context, "menu", menu[i].label, NULL);
	for (i = 0; i < policy_option_count; i++)
		see(context, "option", policy_options[i].help, NULL);
	see_survey(see, context);
	explain_each_message(see, context);
	preview_each_message(see, context);
}
