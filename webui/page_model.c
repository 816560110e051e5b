/*
 * page_model.c - what some templates need beside the model: shapes that a
 * template cannot make of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "policy/class.h"
#include "policy/settings_show.h"
#include "webui/explain.h"
#include "webui/page_audit.h"
#include "webui/page_impl.h"
#include "webui/page_words.h"

#define LINK_SIZE_MAX 8192
#define SENTENCE_SIZE_MAX 8192

/* ---- links to other parts of a list ---- */

static int
append_encoded(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (ascii_is_alnum(*text) || strchr("-._~", *text) != NULL)
			(void)buf_append_char(out, *text);
		else
			(void)buf_printf(out, "%%%02X", (unsigned char)*text);
	}
	return out->overflow ? -1 : 0;
}

/* This page with another value of one parameter; null when too long. */
static json_t *
link_with(const struct page_view *view, const char *name, const char *value)
{
	const char *key, *sep = "?";
	struct buf out;
	json_t *item, *link = json_null();

	buf_init(&out, LINK_SIZE_MAX);
	(void)buf_append_str(&out, view->path);
	json_object_foreach((json_t *)view->query, key, item)
	{
		if (strcmp(key, name) == 0 || !json_is_string(item) ||
		    json_string_length(item) == 0)
			continue;
		(void)buf_append_str(&out, sep);
		(void)append_encoded(&out, key);
		(void)buf_append_char(&out, '=');
		(void)append_encoded(&out, json_string_value(item));
		sep = "&";
	}
	if (value != NULL) {
		(void)buf_append_str(&out, sep);
		(void)append_encoded(&out, name);
		(void)buf_append_char(&out, '=');
		(void)append_encoded(&out, value);
	}
	if (!out.overflow)
		link = json_string(buf_str(&out));
	buf_free(&out);
	return link;
}

static json_t *
paging(const struct page_view *view, const char *cursor, const json_t *model)
{
	const char *next = json_string_value(json_object_get(model, "next"));

	return json_pack("{s:{s:o, s:o}}", "pager", "next",
	    next != NULL ? link_with(view, cursor, next) : json_null(), "first",
	    json_object_get(view->query, cursor) != NULL
		? link_with(view, cursor, NULL)
		: json_null());
}

/* Newest first. */
static json_t *
by_before(const struct page_view *view, const json_t *model)
{
	return paging(view, "before", model);
}

/* Sorted. */
static json_t *
by_after(const struct page_view *view, const json_t *model)
{
	return paging(view, "after", model);
}

static json_t *
audit_in_language(const struct page_view *view, const json_t *model)
{
	json_t *extra = by_before(view, model);

	json_object_set_new(extra, "readable",
	    page_audit_entries(view->language,
		json_object_get(model, "entries")));
	return extra;
}

/* ---- options ---- */

static bool
has_level(const json_t *option, const char *level)
{
	const json_t *levels = json_object_get(option, "levels"), *item;
	size_t i;

	json_array_foreach(levels, i, item)
	{
		if (strcmp(json_string_value(item), level) == 0)
			return true;
	}
	return false;
}

/* The row of an option with what is in force at this level. */
static json_t *
option_row(const json_t *option, const json_t *model, const json_t *form)
{
	const char *name = json_string_value(json_object_get(option, "name"));
	json_t *row = json_copy((json_t *)option), *value, *given;
	const json_t *set = json_object_get(model, "options");

	value = json_object_get(json_object_get(model, "effective"), name);
	json_object_set(row, "in_force", value);
	/* What was given stands in the form again when it was refused. */
	given = json_object_get(json_object_get(form, "options"), name);
	if (given != NULL && !json_is_null(given))
		value = given;
	json_object_set(row, "value", value);
	json_object_set_new(row, "gives_up", json_boolean(json_is_null(given)));
	json_object_set(row, "level",
	    json_object_get(json_object_get(model, "levels"), name));
	json_object_set_new(row, "is_set",
	    json_boolean(json_object_get(set, name) != NULL));
	return row;
}

static json_t *
option_sections(const struct page_view *view, const json_t *model,
    const char *level)
{
	json_t *sections = json_array(), *table = show_option_table();
	json_t *section = NULL, *option;
	const char *title, *last = "";
	size_t i;

	json_array_foreach(table, i, option)
	{
		if (!has_level(option, level))
			continue;
		title = json_string_value(json_object_get(option, "section"));
		if (section == NULL || strcmp(title, last) != 0) {
			section =
			    json_pack("{s:s, s:[]}", "title", title, "options");
			json_array_append_new(sections, section);
			last = title;
		}
		json_array_append_new(json_object_get(section, "options"),
		    option_row(option, model, view->form));
	}
	json_decref(table);
	return json_pack("{s:o, s:s}", "sections", sections, "settings_of",
	    level);
}

static json_t *
options_of_system(const struct page_view *view, const json_t *model)
{
	return option_sections(view, model, "system");
}

static json_t *
options_of_domain(const struct page_view *view, const json_t *model)
{
	return option_sections(view, model, "domain");
}

static json_t *
options_of_mailbox(const struct page_view *view, const json_t *model)
{
	return option_sections(view, model, "mailbox");
}

/* ---- routes ---- */

#define EMPTY_ROUTES 2

/* Each row knows which of its fields is at fault, if one is. */
static void
mark_row(const struct page_view *view, json_t *rows)
{
	const json_t *error = json_object_get(view->error, "error"), *row;
	json_t *given = json_object_get(error, "row"), *copy;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		copy = json_copy((json_t *)(uintptr_t)row);
		if (json_is_integer(given) &&
		    (size_t)json_integer_value(given) == i)
			json_object_set(copy, "fault",
			    json_object_get(error, "field"));
		else
			json_object_set_new(copy, "fault", json_null());
		json_array_set_new(rows, i, copy);
	}
}

/* Those that are there (or were given), and room for more; and what came of
 * a check that stood against saving them. */
static json_t *
route_rows(const struct page_view *view, const json_t *model)
{
	const json_t *rows = json_object_get(view->form, "routes");
	const json_t *checks = json_object_get(view->error, "checks");
	json_t *all, *extra;
	size_t i;

	if (!json_is_array(rows))
		rows = json_object_get(model, "routes");
	all = json_is_array(rows) ? json_copy((json_t *)rows) : json_array();
	for (i = 0; i < EMPTY_ROUTES; i++)
		json_array_append_new(all, json_object());
	mark_row(view, all);
	extra = json_pack("{s:o}", "slots", all);
	if (json_is_array(checks))
		json_object_set(extra, "checks", (json_t *)(uintptr_t)checks);
	return extra;
}

/* ---- overview ---- */

struct share {
	const char *word;
	json_int_t count;
};

static int
compare_shares(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->word, y->word);
}

/* {"phish": 3, ...} as rows, the largest first, with their share. */
static json_t *
shares(const json_t *counts, json_int_t *total)
{
	size_t n = json_object_size(counts), i = 0;
	struct share *list = xcalloc(n + 1, sizeof(*list));
	json_t *rows = json_array(), *count;
	const char *word;

	*total = 0;
	json_object_foreach((json_t *)counts, word, count)
	{
		list[i].word = word;
		list[i].count = json_integer_value(count);
		*total += list[i++].count;
	}
	qsort(list, n, sizeof(*list), compare_shares);
	for (i = 0; i < n; i++)
		json_array_append_new(rows,
		    json_pack("{s:s, s:I, s:I}", "word", list[i].word, "count",
			list[i].count, "percent",
			*total > 0 ? list[i].count * 100 / *total : 0));
	free(list);
	return rows;
}

static json_t *
overview_shares(const struct page_view *view, const json_t *model)
{
	const json_t *mail = json_object_get(model, "mail");
	json_int_t total, by_class;
	json_t *classes, *statuses;

	(void)view;
	if (!json_is_object(mail))
		return NULL;
	classes = shares(json_object_get(mail, "class"), &by_class);
	statuses = shares(json_object_get(mail, "status"), &total);
	return json_pack("{s:o, s:o, s:I}", "classes", classes, "statuses",
	    statuses, "total", total);
}

/* ---- domains, users ---- */

/* How many settings each has of its own. */
static json_t *
domain_counts(const struct page_view *view, const json_t *model)
{
	json_t *domains = json_array(), *domain, *copy;
	json_t *extra = by_after(view, model);
	size_t i;

	json_array_foreach(json_object_get(model, "domains"), i, domain)
	{
		copy = json_copy(domain);
		json_object_set_new(copy, "own",
		    json_integer((json_int_t)json_object_size(
			json_object_get(domain, "options"))));
		json_array_append_new(domains, copy);
	}
	json_object_set_new(extra, "domain_rows", domains);
	return extra;
}

/* Names with commas between; what is no list as it is. */
static json_t *
joined(const json_t *names)
{
	struct buf text;
	json_t *name, *result;
	size_t i;

	if (!json_is_array(names))
		return names != NULL ? json_incref((json_t *)(uintptr_t)names)
				     : json_null();
	/* All of them: what is missing here would be taken away when the
	 * form is saved. */
	buf_init(&text, SIZE_MAX);
	json_array_foreach(names, i, name)
	{
		(void)buf_append_str(&text, i > 0 ? ", " : "");
		(void)buf_append_str(&text, json_string_value(name));
	}
	result = json_string(buf_str(&text));
	buf_free(&text);
	return result != NULL ? result : json_null();
}

/* What stands in the fields of the form: what was given, else what is. */
static json_t *
user_fields(const struct page_view *view, const json_t *model)
{
	static const char *const fields[] = { "role", "mailbox", "language" };
	json_t *given = json_object();
	const json_t *from = view->form != NULL ? view->form : model;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		json_object_set(given, fields[i],
		    json_object_get(from, fields[i]));
	json_object_set_new(given, "domains",
	    joined(json_object_get(from, "domains")));
	if (view->form != NULL)
		json_object_set(given, "disabled",
		    json_object_get(from, "disabled"));
	else
		json_object_set_new(given, "disabled",
		    json_string(json_is_true(json_object_get(model, "disabled"))
			    ? "yes"
			    : "no"));
	return json_pack("{s:o}", "given", given);
}

/* ---- the log ---- */

/* Is one of the conditions in use that are folded away? */
static json_t *
log_extra(const struct page_view *view, const json_t *model)
{
	static const char *const fields[] = { "until", "client", "message_id",
		"id" };
	json_t *extra = by_before(view, model);
	bool more = json_object_get(view->query, "since") != NULL &&
	    json_object_get(view->query, "within") == NULL;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		more |= json_object_get(view->query, fields[i]) != NULL;
	json_object_set_new(extra, "more_conditions", json_boolean(more));
	return extra;
}

/* ---- what a domain publishes ---- */

/* The message with %1 and %2 filled in. */
static json_t *
finding_text(const char *message, const json_t *args)
{
	const json_t *arg;
	json_t *text;
	struct buf out;

	buf_init(&out, LINK_SIZE_MAX);
	for (; *message != '\0'; message++) {
		if (message[0] != '%' ||
		    (message[1] != '1' && message[1] != '2')) {
			(void)buf_append_char(&out, *message);
			continue;
		}
		message++;
		arg = json_array_get(args, *message == '1' ? 0 : 1);
		if (json_is_string(arg))
			(void)buf_append_str(&out, json_string_value(arg));
	}
	text = json_string(buf_str(&out));
	buf_free(&out);
	return text != NULL ? text : json_null();
}

static json_t *
findings_in_language(const struct page_view *view, const json_t *model)
{
	json_t *findings = json_array(), *finding, *copy;
	const char *template;
	size_t i;

	json_array_foreach(json_object_get(model, "findings"), i, finding)
	{
		copy = json_copy(finding);
		template =
		    json_string_value(json_object_get(finding, "template"));
		if (template != NULL)
			json_object_set_new(copy, "text",
			    finding_text(i18n_text(view->language, template),
				json_object_get(finding, "args")));
		json_array_append_new(findings, copy);
	}
	return json_pack("{s:o}", "found", findings);
}

/* ---- why a mail is held ---- */

static json_t *
why_in_language(const struct page_view *view, const json_t *model)
{
	json_t *because = json_array(), *sentence, *points;
	struct buf text;
	size_t i;

	buf_init(&text, SENTENCE_SIZE_MAX);
	json_array_foreach(json_object_get(model, "why"), i, sentence)
	{
		buf_reset(&text);
		if (explain_text(view->language, sentence, &text) < 0)
			continue;
		points = json_object_get(sentence, "points");
		json_array_append_new(because,
		    json_pack("{s:o, s:O?}", "text",
			json_stringn(buf_str(&text), text.len), "points",
			json_is_null(points) ? NULL : points));
	}
	buf_free(&text);
	return json_pack("{s:o}", "because", because);
}

/* The page that shows all parts. */
static json_t *
all_words(const char *kind)
{
	const struct page_word *word = page_words_of(kind);
	json_t *words = json_array();

	for (; word->word != NULL; word++)
		json_array_append_new(words, json_string(word->word));
	return words;
}

static json_t *
style_parts(const struct page_view *view, const json_t *model)
{
	(void)view;
	(void)model;
	return json_pack("{s:o, s:o, s:[ssssssssssssssssssss]}", "badges",
	    all_words("status"), "class_badges", all_words("class"), "icons",
	    "overview", "quarantine", "log", "lists", "domains", "recipients",
	    "aliases", "routes", "auth", "reports", "users", "system", "audit",
	    "release", "remove", "allow", "block", "download", "upload", "add");
}

/* ---- the table ---- */

static const struct {
	const char *template;
	json_t *(*make)(const struct page_view *view, const json_t *model);
} makers[] = {
	{ "aliases", by_after },
	{ "audit", audit_in_language },
	{ "auth", findings_in_language },
	{ "domain", options_of_domain },
	{ "domains", domain_counts },
	{ "held", why_in_language },
	{ "lists", by_after },
	{ "log", log_extra },
	{ "overview", overview_shares },
	{ "quarantine", by_before },
	{ "recipient", options_of_mailbox },
	{ "recipients", by_after },
	{ "route", route_rows },
	{ "style", style_parts },
	{ "system", options_of_system },
	{ "user", user_fields },
};

json_t *
page_extra(const struct page_view *view, const char *template,
    const json_t *model)
{
	size_t i;

	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strcmp(makers[i].template, template) == 0)
			return makers[i].make(view, model);
	return NULL;
}
