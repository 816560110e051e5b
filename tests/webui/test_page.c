/*
 * test_page.c - pages: every template with samples and with hostile models,
 * every message in every language, every colour beside every other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/embedded.h"
#include "base/mo.h"
#include "base/str.h"
#include "base/strmap.h"
#include "policy/class.h"
#include "policy/policy.h"
#include "webui/page.h"
#include "webui/page_impl.h"
#include "webui/page_phrases.h"
#include "webui/page_words.h"
#include "tests/unit.h"

/* Without pictures, of a list of the usual length. */
#define PAGE_SIZE_WANTED (60 * 1000)
#define HOSTILE "zq\"'><img src=y onerror=z>{{csrf}}&lt;"
#define HOSTILE_LINK "javascript:alert(1)"

static int
open_pages(void **state)
{
	struct err err;

	*state = pages_new(&err);
	if (*state == NULL)
		print_error("%s\n", err.text);
	return *state != NULL ? 0 : -1;
}

static int
close_pages(void **state)
{
	pages_free(*state);
	return 0;
}

static json_t *
load_samples(void)
{
	json_error_t problem;
	json_t *samples =
	    json_load_file(SRCDIR "/tests/webui/pages.json", 0, &problem);

	if (samples == NULL)
		fail_msg("pages.json:%d: %s", problem.line, problem.text);
	return samples;
}

static const char *
text(const json_t *sample, const char *name)
{
	return json_string_value(json_object_get(sample, name));
}

/* The page of a sample. */
static void
render(const struct pages *pages, const json_t *sample, enum language language,
    const json_t *model, struct buf *out)
{
	const char *word = text(sample, "role");
	int role = word != NULL ? role_parse(word) : ROLE_OPERATOR;
	struct principal principal = {
		.role = role < 0 ? ROLE_NONE : (enum role)role,
		.actor = "user:test",
		.mailbox = text(sample, "mailbox"),
	};
	const struct page_view view = {
		.language = language,
		.principal = &principal,
		.user = text(sample, "user"),
		.csrf = "token",
		.path = text(sample, "path"),
		.query = json_object_get(sample, "query"),
		.domains = json_object_get(sample, "choices"),
		.notice = text(sample, "notice"),
		.notice_values = json_object_get(sample, "notice_values"),
		.error = json_object_get(sample, "error"),
		.form = json_object_get(sample, "form"),
	};
	const struct response response = {
		.status =
		    (int)json_integer_value(json_object_get(sample, "status")),
		.model = (json_t *)model,
		.template = text(sample, "template"),
	};
	struct err err;

	buf_init(out, PAGE_BYTES_MAX);
	if (page_render(pages, &view, &response, out, &err) < 0)
		case_fail(text(sample, "file"), "%s", err.text);
}

/* ---- templates ---- */

static void
test_routes_have_templates(void **state)
{
	size_t i;

	for (i = 0; i < api_route_count; i++)
		if (api_routes[i].template != NULL &&
		    !page_has_template(*state, api_routes[i].template))
			case_fail(api_routes[i].path, "no template '%s'",
			    api_routes[i].template);
}

static bool
has_sample(const json_t *samples, const char *template)
{
	const json_t *sample;
	size_t i;

	json_array_foreach(samples, i, sample)
	{
		if (strcmp(text(sample, "template"), template) == 0)
			return true;
	}
	return false;
}

/* A new page is looked at by the tests below only if it has a sample. */
static void
test_pages_have_samples(void **state)
{
	json_t *samples = load_samples();
	const struct embedded *file;
	char *name;

	(void)state;
	for (file = page_templates; file->name != NULL; file++) {
		if (strstr((const char *)file->data, "{{<layout") == NULL ||
		    strcmp(file->name, "choose-domain.html") == 0)
			continue;
		name = xmemdup(file->name, strlen(file->name) - 5);
		if (!has_sample(samples, name))
			case_fail(name, "has no sample in pages.json");
		free(name);
	}
	json_decref(samples);
}

static size_t
count_of(const char *haystack, const char *needle)
{
	size_t n = 0;

	while ((haystack = strstr(haystack, needle)) != NULL) {
		haystack += strlen(needle);
		n++;
	}
	return n;
}

/* The policy that pages are sent with forbids what is not found here. */
static void
test_templates_keep_the_rules(void **state)
{
	static const char *const forbidden[] = { " style=", "<style", "onclick",
		"onload", "javascript:", "http://", "https://", "<base" };
	const struct embedded *file;
	const char *source;
	size_t i;

	(void)state;
	for (file = page_templates; file->name != NULL; file++) {
		source = (const char *)file->data;
		for (i = 0; i < ARRAY_LEN(forbidden); i++)
			if (strstr(source, forbidden[i]) != NULL)
				case_fail(file->name, "has '%s'", forbidden[i]);
		if (count_of(source, "method=\"post\"") !=
		    count_of(source, "{{>csrf}}"))
			case_fail(file->name, "a form without its token");
		if (count_of(source, "<form") !=
		    count_of(source, "method=\"post\"") +
			count_of(source, "method=\"get\""))
			case_fail(file->name, "a form without a method");
	}
}

static void
test_samples(void **state)
{
	json_t *samples = load_samples(), *sample;
	struct buf page;
	size_t i;
	int language;

	json_array_foreach(samples, i, sample)
	{
		for (language = 0; language < LANGUAGE_COUNT; language++) {
			render(*state, sample, (enum language)language,
			    json_object_get(sample, "model"), &page);
			if (page.len > PAGE_SIZE_WANTED)
				case_fail(text(sample, "file"), "%zu octets",
				    page.len);
			if (strstr(page.data,
				language == LANGUAGE_JA
				    ? "<html lang=\"ja\""
				    : "<html lang=\"en\"") == NULL)
				case_fail(text(sample, "file"), "no lang");
			if (count_of(page.data, "<h1") != 1)
				case_fail(text(sample, "file"),
				    "not one heading");
			if (strstr(page.data, "{{") != NULL)
				case_fail(text(sample, "file"), "braces");
			buf_free(&page);
		}
	}
	json_decref(samples);
}

/* ---- lists of mail ---- */

/* What somebody who sends mail can put into a list: each as long as a
 * header may be. */
static const struct {
	const char *label, *piece;
} lengthy[] = {
	{ "ASCII", "a" },
	{ "quotes", "\"'&<>" },
	{ "kanji", "関守" },
	{ "emoji", "👩‍👩‍👧" },
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): the subject */
	{ "Hebrew, and the other way", "\u202eשלום" },
	{ "combining", "é́́́́́́́" },
	{ "Thai", "ที่" },
	{ "words", "Re: " },
};

static json_t *
lengthy_text(const char *piece)
{
	struct buf out;
	json_t *text;

	buf_init(&out, 20000);
	while (out.len < 10000)
		buf_append_str(&out, piece);
	text = json_string(buf_str(&out));
	buf_free(&out);
	return text;
}

/* A page of 50 rows, each like the first of the sample but for the texts. */
static json_t *
lengthy_sample(const json_t *sample, const char *list, const char *piece)
{
	static const char *const fields[] = { "subject", "from", "sender",
		"mailbox" };
	json_t *copy = json_deep_copy(sample), *rows = json_array(), *row;
	json_t *model = json_object_get(copy, "model");
	size_t i;

	row = json_deep_copy(json_array_get(json_object_get(model, list), 0));
	assert_true(json_is_object(row));
	for (i = 0; i < ARRAY_LEN(fields); i++)
		json_object_set_new(row, fields[i], lengthy_text(piece));
	for (i = 0; i < 50; i++)
		json_array_append(rows, row);
	json_decref(row);
	json_object_set_new(model, list, rows);
	return copy;
}

static void
check_lengthy(const struct pages *pages, const json_t *sample, const char *list)
{
	json_t *full;
	struct buf page;
	size_t i;
	int language;

	for (i = 0; i < ARRAY_LEN(lengthy); i++) {
		full = lengthy_sample(sample, list, lengthy[i].piece);
		for (language = 0; language < LANGUAGE_COUNT; language++) {
			render(pages, full, (enum language)language,
			    json_object_get(full, "model"), &page);
			if (page.len > PAGE_SIZE_WANTED)
				case_fail(lengthy[i].label, "%s: %zu octets",
				    text(sample, "file"), page.len);
			if (strstr(page.data, "…") == NULL)
				case_fail(lengthy[i].label, "no sign of it");
			buf_free(&page);
		}
		json_decref(full);
	}
}

static void
test_lengthy(void **state)
{
	json_t *samples = load_samples(), *sample;
	size_t i, found = 0;

	json_array_foreach(samples, i, sample)
	{
		if (strcmp(text(sample, "file"), "quarantine") == 0)
			check_lengthy(*state, sample, "entries");
		else if (strcmp(text(sample, "file"), "log") == 0)
			check_lengthy(*state, sample, "rows");
		else
			continue;
		found++;
	}
	assert_int_equal(found, 2);
	json_decref(samples);
}

/* ---- fields at fault ---- */

/* Those of a form that people fill in can be marked, by their names. */
static void
check_marks(const char *label, const char *form, const char *end,
    const char *mark)
{
	static const char *const plain[] = { "type=\"hidden\"",
		"type=\"checkbox\"", "type=\"radio\"", " hidden>" };
	const char *tag, *close;
	char *text;
	size_t i;

	for (tag = form; (tag = strchr(tag, '<')) != NULL && tag < end;
	     tag = close) {
		close = tag + 1;
		if (strncmp(tag, "<input ", 7) != 0 &&
		    strncmp(tag, "<select ", 8) != 0 &&
		    strncmp(tag, "<textarea ", 10) != 0)
			continue;
		close = tag + strcspn(tag, ">");
		text = xmemdup(tag, (size_t)(close - tag) + 1);
		for (i = 0; i < ARRAY_LEN(plain); i++)
			if (strstr(text, plain[i]) != NULL)
				break;
		if (i == ARRAY_LEN(plain) && strstr(text, mark) == NULL)
			case_fail(label, "cannot be marked (%s): %s", mark,
			    text);
		free(text);
	}
}

static void
test_fields_can_be_marked(void **state)
{
	/* Who chooses among what there is cannot choose wrongly. */
	static const char *const choices[] = { "layout.html",
		"domain-picker.html", "choose-domain.html", "auth.html",
		"style.html" };
	const struct embedded *file;
	const char *form, *end;
	size_t i;

	(void)state;
	for (file = page_templates; file->name != NULL; file++) {
		for (i = 0; i < ARRAY_LEN(choices); i++)
			if (strcmp(file->name, choices[i]) == 0)
				break;
		if (i < ARRAY_LEN(choices))
			continue;
		form = (const char *)file->data;
		while ((form = strstr(form, "<form method=\"")) != NULL) {
			end = strstr(form, "</form>");
			assert_non_null(end);
			check_marks(file->name, form, end,
			    strncmp(form, "<form method=\"post\"", 19) == 0
				? "{{#fault="
				: "{{#filter_fault=");
			form = end;
		}
	}
}

/* ---- hostile models ---- */

static bool
is_known_word(const char *word)
{
	const struct page_word_list *list;

	for (list = page_word_lists; list->kind != NULL; list++)
		if (page_word_find(list->kind, word) != NULL)
			return true;
	return false;
}

/* The model with every text in it replaced; words that templates compare
 * with may stay, so that their branches are seen. */
static json_t *
poisoned(const json_t *value, const char *poison, bool keep_words)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return keep_words && is_known_word(json_string_value(value))
		    ? json_string(json_string_value(value))
		    : json_string(poison);
	case JSON_ARRAY:
		copy = json_array();
		json_array_foreach(value, i, item) json_array_append_new(copy,
		    poisoned(item, poison, keep_words));
		return copy;
	case JSON_OBJECT:
		copy = json_object();
		json_object_foreach((json_t *)value, key, item)
		    json_object_set_new(copy, key,
			poisoned(item, poison, keep_words));
		return copy;
	default:
		return json_deep_copy(value);
	}
}

/* A tag of ours never follows a quote that closes nothing: so a raw one of
 * the poison is seen by what stands behind it. */
static void
check_harmless(const char *label, const char *page)
{
	static const char *const signs[] = { "zq\"", "'>", "<img src=y",
		"href=\"javascript:", "src=\"javascript:",
		"action=\"javascript:", "href=\"//", "src=\"//",
		"action=\"//" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(signs); i++)
		if (strstr(page, signs[i]) != NULL)
			case_fail(label, "raw '%s': %.200s", signs[i],
			    strstr(page, signs[i]));
}

static void
check_poisoned(const struct pages *pages, const json_t *sample,
    const char *poison, bool keep_words)
{
	static const char *const parts[] = { "query", "choices", "error",
		"form", "notice_values" };
	json_t *bad = json_copy((json_t *)sample), *model;
	struct buf page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(parts); i++)
		if (json_object_get(sample, parts[i]) != NULL)
			json_object_set_new(bad, parts[i],
			    poisoned(json_object_get(sample, parts[i]), poison,
				false));
	if (text(sample, "user") != NULL)
		json_object_set_new(bad, "user", json_string(poison));
	model = poisoned(json_object_get(sample, "model"), poison, keep_words);
	render(pages, bad, LANGUAGE_EN, model, &page);
	check_harmless(text(sample, "file"), page.data);
	buf_free(&page);
	json_decref(model);
	json_decref(bad);
}

static void
test_hostile(void **state)
{
	json_t *samples = load_samples(), *sample;
	size_t i;

	json_array_foreach(samples, i, sample)
	{
		check_poisoned(*state, sample, HOSTILE, false);
		check_poisoned(*state, sample, HOSTILE, true);
		check_poisoned(*state, sample, HOSTILE_LINK, true);
		check_poisoned(*state, sample, "//evil.example/", true);
	}
	json_decref(samples);
}

/* A notice comes from a cookie: only names of the table are shown. */
static void
test_notices(void **state)
{
	json_t *sample = json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "file",
	    "notice", "template", "removed", "path", "/", "notice", HOSTILE,
	    "notice_values", "done", HOSTILE);
	json_t *model = json_object();
	struct buf page;

	render(*state, sample, LANGUAGE_EN, model, &page);
	assert_null(strstr(page.data, "role=\"status\""));
	buf_free(&page);
	json_object_set_new(sample, "notice", json_string("acted"));
	render(*state, sample, LANGUAGE_EN, model, &page);
	check_harmless("notice", page.data);
	assert_non_null(strstr(page.data, "Done: zq&quot;"));
	buf_free(&page);
	json_decref(model);
	json_decref(sample);
}

/* ---- filters ---- */

static const struct {
	const char *label, *path;
	bool kept;
} paths[] = {
	{ "ours", "/quarantine?x=1", true },
	{ "other host", "//evil.example", false },
	{ "other host with a backslash", "/\\evil.example", false },
	{ "scheme", "javascript:alert(1)", false },
	{ "relative", "x", false },
	{ "tab", "/\t/evil.example", false },
	{ "newline", "/\n/evil.example", false },
	{ "empty", "", false },
};

static void
test_paths(void **state)
{
	json_t *sample, *model;
	struct buf page;
	size_t i;

	for (i = 0; i < ARRAY_LEN(paths); i++) {
		sample = json_pack("{s:s, s:s, s:s, s:[s]}", "file",
		    paths[i].label, "template", "choose-domain", "path",
		    paths[i].path, "choices", "a b&c");
		model = json_object();
		render(*state, sample, LANGUAGE_EN, model, &page);
		if ((strstr(page.data, "action=\"/quarantine?x=1\"") != NULL) !=
		    paths[i].kept)
			case_fail(paths[i].label, "kept or not");
		assert_non_null(strstr(page.data, "?domain=a%20b%26c\""));
		buf_free(&page);
		json_decref(model);
		json_decref(sample);
	}
}

/* ---- words ---- */

static void
need_word(const char *kind, const char *word)
{
	if (word[0] != '\0' && page_word_find(kind, word) == NULL)
		case_fail(kind, "has no '%s' (webui/page_words.c)", word);
}

static void
test_words_are_complete(void **state)
{
	const char *const *word;
	size_t i;
	int n;

	(void)state;
	for (n = 0; n < CLASS_COUNT; n++)
		need_word("class", main_class_name((enum main_class)n));
	for (n = 0; n < SUB_COUNT; n++)
		need_word("sub", sub_class_name((enum sub_class)n));
	for (n = 0; n < STATUS_COUNT; n++)
		need_word("status", status_name((enum status)n));
	for (n = 0; n < ACTION_COUNT; n++)
		need_word("action", action_name((enum action)n));
	for (n = ROLE_MAIL_USER; n < ROLE_COUNT; n++)
		need_word("role", role_name((enum role)n));
	for (i = 0; i < policy_option_count; i++) {
		need_word("option", policy_options[i].name);
		need_word("section", policy_options[i].section);
		word = policy_options[i].words;
		for (; word != NULL && *word != NULL; word++)
			need_word("value", *word);
	}
}

/* ---- messages and their translations ---- */

struct seen {
	struct strmap map; /* by copies */
	struct arena *arena;
	enum language language;
	size_t missing;
};

static bool
has_placeholder(const char *message, const char *name, size_t len)
{
	for (; (message = strchr(message, *name)) != NULL; message++)
		if (strncmp(message, name, len) == 0)
			return true;
	return false;
}

/* "{name}" and "%1" of a are in b. */
static bool
same_placeholders(const char *a, const char *b)
{
	size_t len;

	for (; *a != '\0'; a++) {
		if (a[0] == '%' && ascii_is_digit(a[1]))
			len = 2;
		else if (a[0] == '{' && strchr(a, '}') != NULL)
			len = (size_t)(strchr(a, '}') - a) + 1;
		else
			continue;
		if (!has_placeholder(b, a, len))
			return false;
	}
	return true;
}

static void
see_message(void *context, const char *where, const char *msgid,
    const char *plural)
{
	struct seen *seen = context;
	struct mo_message found;

	if (msgid[0] == '\0')
		return;
	*strmap_put(&seen->map, bytes_of(arena_strdup(seen->arena, msgid))) =
	    seen;
	if (!mo_find(i18n_catalogue(seen->language), msgid, &found) ||
	    found.text.len == 0) {
		print_error("po/%s.po: no translation of \"%s\" (%s)\n",
		    language_tag(seen->language), msgid, where);
		seen->missing++;
		return;
	}
	if (!same_placeholders(plural != NULL ? plural : msgid,
		found.text.data) ||
	    !same_placeholders(found.text.data,
		plural != NULL ? plural : msgid)) {
		print_error("po/%s.po: other placeholders: \"%s\"\n",
		    language_tag(seen->language), msgid);
		seen->missing++;
	}
}

/* Those that are fuzzy or not used any more are not in what msgfmt makes. */
static void
test_translations(void **state)
{
	struct seen seen = { .language = LANGUAGE_JA };
	struct mo_message message;
	struct bytes mo = i18n_catalogue(LANGUAGE_JA);
	uint32_t i;

	strmap_init(&seen.map);
	seen.arena = arena_new(0);
	page_each_message(*state, see_message, &seen);
	for (i = 0; i < mo_count(mo); i++) {
		assert_true(mo_message(mo, i, &message));
		if (message.id.len > 0 &&
		    strmap_get(&seen.map, bytes_of(message.id.data)) == NULL) {
			print_error("po/ja.po: not used: \"%s\"\n",
			    message.id.data);
			seen.missing++;
		}
	}
	strmap_free(&seen.map);
	arena_free(seen.arena);
	if (seen.missing > 0)
		fail_msg("%zu messages; `make update-po` helps", seen.missing);
}

/* ---- errors ---- */

static const struct {
	const char *label, *text, *en, *ja;
} errors[] = {
	{ "fixed", "please sign in", "please sign in",
	    "サインインが必要です。" },
	{ "field", "domain: must be given", "Domain: must be given",
	    "ドメインを入力してください。" },
	{ "field that is an option", "retention: must be given",
	    "Keep held mail for: must be given",
	    "隔離メールの保存期間を入力してください。" },
	{ "field that nobody knows", "nothing: must be given",
	    "nothing: must be given", "nothingを入力してください。" },
	{ "holes", "limit: must be a number from 1 to 1000",
	    "limit: must be a number from 1 to 1000",
	    "limitは 1 から 1000 までの数で指定してください。" },
	{ "a hole at the end", "there is no held mail a b",
	    "there is no held mail a b", "隔離メール a b はありません。" },
	{ "an empty hole", "there is no held mail ", "there is no held mail ",
	    "there is no held mail " },
	{ "a hole is not read again", "there is no held mail {name}",
	    "there is no held mail {name}",
	    "隔離メール {name} はありません。" },
	{ "not known", "redis: connection refused", "redis: connection refused",
	    "redis: connection refused" },
	{ "a part is not enough", "please sign in now", "please sign in now",
	    "please sign in now" },
	{ "empty", "", "", "" },
};

static void
test_errors(void **state)
{
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < ARRAY_LEN(errors); i++) {
		buf_reset(&out);
		phrase_translate(LANGUAGE_EN, errors[i].text, &out);
		if (strcmp(buf_str(&out), errors[i].en) != 0)
			case_fail(errors[i].label, "'%s'", buf_str(&out));
		buf_reset(&out);
		phrase_translate(LANGUAGE_JA, errors[i].text, &out);
		if (strcmp(buf_str(&out), errors[i].ja) != 0)
			case_fail(errors[i].label, "'%s'", buf_str(&out));
	}
	buf_free(&out);
}

/* ---- forms ---- */

static const struct {
	const char *label, *fields, *want;
} folds[] = {
	{ "plain", "{\"a\": \"b\"}", "{\"a\": \"b\"}" },
	{ "empty ones go", "{\"a\": \"\", \"b\": \"c\"}", "{\"b\": \"c\"}" },
	{ "options", "{\"options.x\": \"1\", \"options.y\": \"2\"}",
	    "{\"options\": {\"x\": \"1\", \"y\": \"2\"}}" },
	{ "an empty option stays", "{\"options.x\": \"\"}",
	    "{\"options\": {\"x\": \"\"}}" },
	{ "as shown",
	    "{\"options.x\": \"1\", \"as_shown.x\": \"1\", \"options.y\": "
	    "\"2\","
	    " \"as_shown.y\": \"1\"}",
	    "{\"options\": {\"y\": \"2\"}}" },
	{ "inherit",
	    "{\"options.x\": \"1\", \"as_shown.x\": \"1\", \"inherit.x\": "
	    "\"yes\"}",
	    "{\"options\": {\"x\": null}}" },
	{ "inherit alone", "{\"inherit.x\": \"yes\"}",
	    "{\"options\": {\"x\": null}}" },
	{ "routes",
	    "{\"routes.1.host\": \"b\", \"routes.0.host\": \"a\","
	    " \"routes.0.port\": \"25\", \"routes.2.port\": \"26\","
	    " \"routes.1.port\": \"\"}",
	    "{\"routes\": [{\"host\": \"a\", \"port\": \"25\"}, {\"host\": "
	    "\"b\"}]}" },
	{ "no routes", "{\"routes.0.host\": \"\"}", "{\"routes\": []}" },
	{ "route out of range", "{\"routes.100.host\": \"a\"}",
	    "{\"routes\": []}" },
	{ "route without a number", "{\"routes.x.host\": \"a\"}",
	    "{\"routes\": []}" },
	{ "arrays are left alone", "{\"ids\": [\"a\", \"\"]}",
	    "{\"ids\": [\"a\", \"\"]}" },
	{ "number stays", "{\"since\": \"1795330800000\"}",
	    "{\"since\": \"1795330800000\"}" },
	{ "no day stays", "{\"since\": \"2026-13-01\"}",
	    "{\"since\": \"2026-13-01\"}" },
	{ "day", "{\"since\": \"2026-11-22\"}",
	    "{\"since\": \"1795305600000\"}" },
	{ "to the end of the day", "{\"until\": \"2026-11-22\"}",
	    "{\"until\": \"1795391999999\"}" },
	{ "minute", "{\"since\": \"2026-11-22T01:02\"}",
	    "{\"since\": \"1795309320000\"}" },
	{ "within rubbish", "{\"within\": \"x\"}", "{\"within\": \"x\"}" },
};

static void
test_folds(void **state)
{
	json_t *fields, *want;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(folds); i++) {
		fields = json_loads(folds[i].fields, 0, NULL);
		want = json_loads(folds[i].want, 0, NULL);
		assert_true(fields != NULL && want != NULL);
		page_form_fold(fields);
		got = json_dumps(fields, 0);
		if (!json_equal(fields, want))
			case_fail(folds[i].label, "%s, not %s", got,
			    folds[i].want);
		free(got);
		json_decref(fields);
		json_decref(want);
	}
}

/* What a form does not show is gone when it is saved. */
static void
test_all_domains_of_a_user(void **state)
{
	const struct page_view view = { .language = LANGUAGE_EN };
	json_t *domains = json_array(), *model, *extra;
	const char *shown;
	struct buf want;
	int i;

	(void)state;
	buf_init(&want, SIZE_MAX);
	for (i = 0; i < 1000; i++) {
		json_array_append_new(domains,
		    json_sprintf("%04d.a-domain-with-a-name-that-is-long-"
				 "enough.example",
			i));
		(void)buf_printf(&want, "%s%s", i > 0 ? ", " : "",
		    json_string_value(json_array_get(domains, (size_t)i)));
	}
	model = json_pack("{s:o}", "domains", domains);
	extra = page_extra(&view, "user", model);
	shown = json_string_value(
	    json_object_get(json_object_get(extra, "given"), "domains"));
	assert_string_equal(shown, buf_str(&want));
	json_decref(extra);
	json_decref(model);
	buf_free(&want);
}

static void
test_within(void **state)
{
	json_t *fields = json_pack("{s:s}", "within", "24h");

	(void)state;
	page_form_fold(fields);
	assert_int_equal(strlen(json_string_value(
			     json_object_get(fields, "since"))),
	    13);
	json_decref(fields);
}

/* ---- files ---- */

static void
test_assets(void **state)
{
	struct page_asset asset;

	(void)state;
	assert_true(page_asset_find("page.css", &asset));
	assert_string_equal(asset.content_type, "text/css; charset=utf-8");
	assert_true(asset.etag[0] == '"');
	assert_true(page_asset_find("page.js", &asset));
	assert_true(page_asset_find("logo.svg", &asset));
	assert_false(page_asset_find("", &asset));
	assert_false(page_asset_find("../page.css", &asset));
}

/* ---- colours ---- */

#define COLOURS_MAX 40

struct colour {
	char name[24];
	double luminance;
};

struct palette {
	size_t count;
	struct colour colours[COLOURS_MAX];
};

/* WCAG 2.2, "relative luminance". */
static double
luminance_of(const char *hex)
{
	static const double weights[] = { 0.2126, 0.7152, 0.0722 };
	double sum = 0, c;
	size_t i;

	for (i = 0; i < 3; i++) {
		c = (ascii_hex_value(hex[2 * i]) * 16 +
			ascii_hex_value(hex[2 * i + 1])) /
		    255.0;
		c = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
		sum += weights[i] * c;
	}
	return sum;
}

/* The variables of the block that begins behind `begins`. */
static struct palette
read_palette(const char *css, const char *begins)
{
	struct palette palette = { 0 };
	struct cursor c;
	struct bytes name;
	const char *start = strstr(css, begins);

	if (start == NULL)
		fail_msg("page.css: no %s", begins);
	start = strchr(start, '{');
	c = cursor_of((struct bytes){ start, strcspn(start, "}") });
	while (!cursor_at_end(&c)) {
		(void)cursor_until(&c, "-");
		if (!cursor_literal(&c, "--")) {
			(void)cursor_char(&c, '-');
			continue;
		}
		name = cursor_until(&c, ":");
		(void)cursor_char(&c, ':');
		(void)cursor_space(&c);
		if (cursor_char(&c, '#')) {
			struct colour *colour =
			    &palette.colours[palette.count++];

			assert_true(palette.count <= COLOURS_MAX &&
			    name.len < sizeof(colour->name));
			memcpy(colour->name, name.data, name.len);
			colour->luminance = luminance_of(c.p);
		}
		(void)cursor_until(&c, ";");
	}
	return palette;
}

static double
find_colour(const struct palette *palette, const char *name)
{
	size_t i;

	for (i = 0; i < palette->count; i++)
		if (strcmp(palette->colours[i].name, name) == 0)
			return palette->colours[i].luminance;
	fail_msg("page.css: no colour --%s", name);
	return 0;
}

/* What stands on what: 4.5 for text, 3 for edges of fields and the focus
 * (success criteria 1.4.3 and 1.4.11). */
static const struct {
	const char *front, *back;
	double least;
} pairs[] = {
	{ "ink", "ground", 4.5 },
	{ "ink", "surface", 4.5 },
	{ "ink", "raised", 4.5 },
	{ "ink", "plain-soft", 4.5 },
	{ "ink", "bad-soft", 4.5 },
	{ "muted", "ground", 4.5 },
	{ "muted", "surface", 4.5 },
	{ "muted", "raised", 4.5 },
	{ "accent", "ground", 4.5 },
	{ "accent", "surface", 4.5 },
	{ "accent", "raised", 4.5 },
	{ "accent", "accent-soft", 4.5 },
	{ "accent-ink", "accent", 4.5 },
	{ "danger-ink", "danger", 4.5 },
	{ "good", "good-soft", 4.5 },
	{ "warn", "warn-soft", 4.5 },
	{ "bad", "bad-soft", 4.5 },
	{ "bad", "surface", 4.5 },
	{ "info", "info-soft", 4.5 },
	{ "plain", "plain-soft", 4.5 },
	{ "edge", "surface", 3 },
	{ "edge", "ground", 3 },
	{ "edge", "raised", 3 },
	{ "accent", "plain-soft", 3 },
	{ "focus", "surface", 3 },
	{ "focus", "ground", 3 },
	{ "focus", "raised", 3 },
};

static void
check_contrast(const char *which, const struct palette *palette)
{
	double a, b, ratio;
	size_t i;

	for (i = 0; i < ARRAY_LEN(pairs); i++) {
		a = find_colour(palette, pairs[i].front);
		b = find_colour(palette, pairs[i].back);
		ratio = (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);
		if (ratio < pairs[i].least)
			case_fail(which, "--%s on --%s: %.2f, not %.1f",
			    pairs[i].front, pairs[i].back, ratio,
			    pairs[i].least);
	}
}

static void
test_contrast(void **state)
{
	struct page_asset asset;
	struct palette light, dark, chosen;
	const char *css;

	(void)state;
	assert_true(page_asset_find("page.css", &asset));
	css = (const char *)asset.data;
	light = read_palette(css, ":root {");
	dark = read_palette(css, ":root:not([data-theme=\"light\"])");
	chosen = read_palette(css, ":root[data-theme=\"dark\"]");
	check_contrast("light", &light);
	check_contrast("dark", &dark);
	/* The same whether the system or the reader says dark. */
	assert_int_equal(dark.count, light.count);
	assert_int_equal(dark.count, chosen.count);
	assert_memory_equal(&dark, &chosen, sizeof(dark));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes_have_templates),
		cmocka_unit_test(test_pages_have_samples),
		cmocka_unit_test(test_templates_keep_the_rules),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_lengthy),
		cmocka_unit_test(test_fields_can_be_marked),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_words_are_complete),
		cmocka_unit_test(test_translations),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_all_domains_of_a_user),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_assets),
		cmocka_unit_test(test_contrast),
	};

	/* Times of forms are local ones. */
	if (setenv("TZ", "UTC", 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, open_pages, close_pages);
}
