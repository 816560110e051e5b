/*
 * test_template.c - templates: what they show, escape and refuse.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/embedded.h"
#include "base/template.h"
#include "tests/unit.h"

#define PAGE_MAX 100000

static void
write_loud(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	template_put_markup(writer, "<b>");
	template_put_value(writer, value);
	template_put_text(writer, bytes_of(argument));
	template_put_markup(writer, "</b>");
}

static void
write_same(struct template_writer *writer, const json_t *value,
    const char *argument)
{
	(void)argument;
	template_put_value(writer, value);
}

static const struct template_filter filters[] = {
	{ "loud", true, write_loud },
	{ "number", false, write_same },
	{ "path", false, write_same },
	{ "url", false, write_same },
	{ NULL, false, NULL },
};

static const struct embedded *
files_of(struct embedded files[3], const char *page, const char *part)
{
	files[0] = (struct embedded){ "page.html", (const void *)page,
		strlen(page), "" };
	files[1] = (struct embedded){ "part.html", (const void *)part,
		strlen(part), "" };
	files[2] = (struct embedded){ NULL, NULL, 0, NULL };
	return files;
}

/* ---- what is shown ---- */

static const struct {
	const char *label, *page, *part, *model, *want;
} shown[] = {
	{ "value", "a {{x}} b", "", "{\"x\": \"y\"}", "a y b" },
	{ "nothing there", "[{{x.y.z}}]", "", "{\"x\": 1}", "[]" },
	{ "numbers", "{{i}} {{r}} {{t}} {{f}} {{n}}", "",
	    "{\"i\": -3, \"r\": 1.5, \"t\": true, \"f\": false, \"n\": null}",
	    "-3 1.5 true false " },
	{ "lists and objects show nothing", "[{{l}}{{o}}]", "",
	    "{\"l\": [1], \"o\": {\"a\": 1}}", "[]" },
	{ "escaped", "{{x}}", "", "{\"x\": \"<&>\\\"'\"}",
	    "&lt;&amp;&gt;&quot;&#39;" },
	{ "escaped in attributes", "<a title=\"{{x}}\">", "",
	    "{\"x\": \"\\\" onclick=\\\"x\"}",
	    "<a title=\"&quot; onclick=&quot;x\">" },
	{ "NUL", "{{x}}", "", "{\"x\": \"a\\u0000b\"}",
	    "a\xef\xbf\xbd"
	    "b" },
	{ "text is not read again", "{{x}}", "", "{\"x\": \"{{x}}\"}",
	    "{{x}}" },
	{ "dotted", "{{a.b}}", "", "{\"a\": {\"b\": 1}}", "1" },
	{ "list", "{{#l}}{{.}},{{/l}}", "", "{\"l\": [1, \"b\"]}", "1,b," },
	{ "list of objects", "{{#l}}{{x}}{{y}} {{/l}}", "",
	    "{\"y\": 0, \"l\": [{\"x\": 1}, {\"x\": 2}]}", "10 20 " },
	{ "index", "{{#l}}{{@index}}{{/l}}", "", "{\"l\": [7, 7]}", "01" },
	{ "index within", "{{#l}}{{#o}}{{@index}}{{/o}}{{/l}}", "",
	    "{\"l\": [{\"o\": {\"a\": 1}}, {\"o\": {\"a\": 1}}]}", "01" },
	{ "length", "{{l.length}}{{#l.length}}!{{/l.length}}", "",
	    "{\"l\": [1, 2]}", "2!" },
	{ "length of nothing", "{{#l.length}}!{{/l.length}}", "", "{\"l\": []}",
	    "" },
	{ "length as a name", "{{a.length}}", "", "{\"a\": {\"length\": 9}}",
	    "9" },
	{ "object", "{{#o}}{{a}}{{/o}}", "", "{\"o\": {\"a\": 1}}", "1" },
	{ "scalar", "{{#s}}[{{.}}]{{/s}}", "", "{\"s\": \"x\"}", "[x]" },
	{ "empty is false",
	    "{{#a}}A{{/a}}{{#b}}B{{/b}}{{#c}}C{{/c}}{{#d}}D{{/d}}{{#e}}E{{/e}}",
	    "", "{\"a\": \"\", \"b\": 0, \"c\": [], \"d\": {}, \"e\": false}",
	    "" },
	{ "inverted", "{{^a}}A{{/a}}{{^b}}B{{/b}}", "", "{\"b\": 1}", "A" },
	{ "equal to a word", "{{#a=\"x|y\"}}yes{{/a}}{{^a=\"x\"}}no{{/a}}", "",
	    "{\"a\": \"y\"}", "yesno" },
	{ "a bar is no word", "{{#a=\"x|y\"}}yes{{/a}}", "", "{\"a\": \"x|y\"}",
	    "" },
	{ "equal to a value", "{{#a=b}}same{{/a}}{{^a=c}}other{{/a}}", "",
	    "{\"a\": 1, \"b\": \"1\", \"c\": 2}", "sameother" },
	{ "equal within a list", "{{#l}}{{#.=x}}*{{/.}}{{.}}{{/l}}", "",
	    "{\"l\": [\"a\", \"b\"], \"x\": \"b\"}", "a*b" },
	{ "null hides what is outside", "{{#o}}[{{x}}]{{/o}}", "",
	    "{\"x\": 1, \"o\": {\"x\": null}}", "[]" },
	{ "filter", "{{x|loud}}{{x|loud:er}}", "", "{\"x\": \"<\"}",
	    "<b>&lt;</b><b>&lt;er</b>" },
	{ "part", "{{>part x=a y=\"q\"}}", "{{x}}{{y}}{{z}}",
	    "{\"a\": 1, \"z\": 3}", "1q3" },
	{ "part with a body", "{{<part x=\"in\"}}{{x}}{{/part}}",
	    "<i>{{>body}}</i>{{x}}", "{\"x\": \"out\"}", "<i>out</i>in" },
	{ "body of nothing", "{{>part}}", "[{{>body}}]", "{}", "[]" },
	{ "message", "{{t \"Hello, {name}.\" name=a}}", "", "{\"a\": \"<x>\"}",
	    "Hello, &lt;x&gt;." },
	{ "message with a filter", "{{t \"({when})\" when=a|loud}}", "",
	    "{\"a\": 1}", "(<b>1</b>)" },
	{ "message with quotes", "{{t \"say \\\"a\\\" {b}\" b=b}}", "",
	    "{\"b\": 1}", "say &quot;a&quot; 1" },
	{ "a value is not filled in again", "{{t \"{a}{b}\" a=a b=b}}", "",
	    "{\"a\": \"{b}\", \"b\": 2}", "{b}2" },
	{ "plural", "{{n \"{n} x\" \"{n} xs\" a}} {{n \"{n} x\" \"{n} xs\" b}}",
	    "", "{\"a\": 1, \"b\": 2}", "1 x 2 xs" },
	{ "message as an argument", "{{>part x=t\"a < b\"}}", "{{x}}", "{}",
	    "a &lt; b" },
	{ "comment", "a{{! {{x }}b", "", "{\"x\": 1}", "ab" },
	{ "lines", "<p>\n\t{{#x}}\n\ty\n\t{{/x}}\n\t</p>\n", "", "{\"x\": 1}",
	    "<p>\ny\n</p>\n" },
	{ "an attribute as a whole",
	    "<input{{#x}} checked{{/x}}><a{{^x}} title=\"b\"{{/x}}>", "",
	    "{\"x\": 1}", "<input checked><a>" },
	{ "address", "<a href=\"/x/{{a|url}}\"></a><a href=\"{{a|path}}\"></a>",
	    "", "{\"a\": \"/\"}", "<a href=\"/x//\"></a><a href=\"/\"></a>" },
	{ "behind a script", "<script src=\"/a\"></script>{{x}}", "",
	    "{\"x\": 1}", "<script src=\"/a\"></script>1" },
};

static void
test_shown(void **state)
{
	struct embedded files[3];
	struct template_set *set;
	struct template_run run = { .language = LANGUAGE_EN };
	struct buf out;
	struct err err;
	json_t *model;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(shown); i++) {
		set = template_set_new(files_of(files, shown[i].page,
					   shown[i].part),
		    filters, &err);
		if (set == NULL)
			case_fail(shown[i].label, "%s", err.text);
		model = json_loads(shown[i].model, JSON_ALLOW_NUL, NULL);
		assert_non_null(model);
		run.model = model;
		buf_init(&out, PAGE_MAX);
		if (template_render(set, "page", &run, &out, &err) < 0)
			case_fail(shown[i].label, "%s", err.text);
		if (strcmp(buf_str(&out), shown[i].want) != 0)
			case_fail(shown[i].label, "'%s', not '%s'",
			    buf_str(&out), shown[i].want);
		buf_free(&out);
		json_decref(model);
		template_set_free(set);
	}
}

/* ---- what is refused ---- */

static const struct {
	const char *label, *page, *why;
} refused[] = {
	{ "no end", "a\n{{#x}}b", "page.html:2: 'x' is not ended" },
	{ "wrong end", "{{#x}}{{/y}}", "'y' ends here, but 'x' is open" },
	{ "end of nothing", "{{/y}}", "'y' ends here, but 'nothing' is open" },
	{ "no braces", "{{x", "'}}' is missing" },
	{ "no name", "{{}}", "a name is wanted" },
	{ "raw", "{{{x}}}", "a name is wanted" },
	{ "raw by ampersand", "{{&x}}", "a name is wanted" },
	{ "no filter", "{{x|nothing}}", "there is no filter 'nothing'" },
	{ "no part", "{{>nothing}}", "there is no template 'nothing'" },
	{ "part in a tag", "<a {{>part}}>", "in text only" },
	{ "no quote", "{{t \"x}}", "a quote is missing" },
	{ "not given", "{{t \"{x}\"}}", "x is not given" },
	{ "no plural", "{{n \"x\" a}}", "the plural is missing" },
	{ "filter of an argument", "{{>part x=a|url}}", "no filter" },
	{ "section with a filter", "{{#a|url}}{{/a}}", "a section is of a" },
	{ "in a tag", "<a {{x}}>", "in text or in an attribute" },
	{ "as a tag", "<{{x}}>", "in text or in an attribute" },
	{ "without quotes", "<a title={{x}}>", "in text or in an attribute" },
	{ "single quotes", "<a title='{{x}}'>", "in text or in an attribute" },
	{ "in a script", "<script>{{x}}</script>", "in text or in an" },
	{ "in a style", "<style>{{x}}</style>", "in text or in an" },
	{ "in a comment", "<!-- {{x}} -->", "in text or in an attribute" },
	{ "message in a script", "<script>{{t \"a\"}}</script>", "in text or" },
	{ "in onclick", "<a onclick=\"{{x}}\">", "no value may stand in" },
	{ "in style=", "<a style=\"{{x}}\">", "no value may stand in 'style'" },
	{ "in ONCLICK", "<a OnClick=\"{{x}}\">", "no value may stand in" },
	{ "address", "<a href=\"{{x}}\">", "needs the filter 'path'" },
	{ "address by url", "<a href=\"{{x|url}}\">",
	    "needs the filter 'path'" },
	{ "rest of an address", "<a href=\"/{{x}}\">",
	    "needs the filter 'url'" },
	{ "form", "<form action=\"{{x}}\">", "needs the filter 'path'" },
	{ "button", "<button formaction=\"{{x}}\">", "needs the filter" },
	{ "elements in an attribute", "<a title=\"{{x|loud}}\">", "not here" },
	{ "elements in a message", "<a title=\"{{t \"{x}\" x=x|loud}}\">",
	    "not here" },
	{ "address in a message", "<a href=\"{{t \"{x}\" x=x}}\">", "needs" },
	{ "tag left open", "<a href=\"x\"", "is not ended" },
	{ "section over a quote", "<a title=\"{{#x}}\">{{/x}}", "must stand" },
	{ "section over a tag", "{{#x}}<a {{/x}}>", "must stand" },
	{ "section ends in a script", "{{#x}}<script>{{/x}}</script>",
	    "must stand" },
};

static void
test_refused(void **state)
{
	struct embedded files[3];
	struct template_set *set;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(refused); i++) {
		err_clear(&err);
		set = template_set_new(files_of(files, refused[i].page, ""),
		    filters, &err);
		if (set != NULL)
			case_fail(refused[i].label, "was taken");
		if (strstr(err.text, refused[i].why) == NULL)
			case_fail(refused[i].label, "'%s', not '%s'", err.text,
			    refused[i].why);
	}
}

/* ---- ceilings ---- */

static int
render(const char *page, const char *part, const json_t *model, size_t max,
    struct err *err)
{
	struct template_run run = { .language = LANGUAGE_EN, .model = model };
	struct embedded files[3];
	struct template_set *set =
	    template_set_new(files_of(files, page, part), filters, err);
	struct buf out;
	int rc;

	assert_non_null(set);
	buf_init(&out, max);
	err_clear(err);
	rc = template_render(set, "page", &run, &out, err);
	buf_free(&out);
	template_set_free(set);
	return rc;
}

static void
test_ceilings(void **state)
{
	struct err err;
	json_t *model = json_object(), *list = json_array();
	struct embedded files[3];
	struct buf deep;
	int i;

	(void)state;
	assert_int_equal(render("{{>part}}", "{{>part}}", model, PAGE_MAX,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(render("0123456789", "", model, 9, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(render("0123456789", "", model, 10, &err), 0);
	/* 1,500 within 1,500 are over two million. */
	for (i = 0; i < 1500; i++)
		json_array_append_new(list, json_true());
	json_object_set_new(model, "l", list);
	assert_int_equal(render("{{#l}}{{#l}}{{! }}{{x}}{{/l}}{{/l}}", "",
			     model, PAGE_MAX, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "pieces"));
	json_decref(model);
	buf_init(&deep, PAGE_MAX);
	for (i = 0; i <= TEMPLATE_NESTING_MAX; i++)
		assert_int_equal(buf_append_str(&deep, "{{#x}}"), 0);
	assert_null(template_set_new(files_of(files, buf_str(&deep), ""),
	    filters, &err));
	assert_non_null(strstr(err.text, "within each other"));
	buf_free(&deep);
}

/* ---- languages ---- */

static void
test_languages(void **state)
{
	struct template_run run = { .language = LANGUAGE_JA };
	struct embedded files[3];
	struct template_set *set = template_set_new(
	    files_of(files, "{{t \"Quarantine\"}} {{t \"no such thing\"}}", ""),
	    filters, NULL);
	struct buf out;

	(void)state;
	assert_non_null(set);
	run.model = json_object();
	buf_init(&out, PAGE_MAX);
	assert_int_equal(template_render(set, "page", &run, &out, NULL), 0);
	assert_string_equal(buf_str(&out), "隔離 no such thing");
	assert_int_equal(template_render(set, "none", &run, &out, NULL), -1);
	buf_free(&out);
	json_decref((json_t *)run.model);
	template_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
