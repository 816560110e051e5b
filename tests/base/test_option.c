/*
 * test_option.c - tests of base/option.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/option.h"

struct sample {
	bool flag;
	uint64_t number;
	uint64_t mode;
	uint64_t size;
	uint64_t seconds;
	uint64_t percent;
	int64_t points;
	char *string;
	int word;
	struct option_list list;
	char *secret;
};

static const char *const words[] = { "one", "two", "three", NULL };

static int
check_no_x(const char *value, struct err *err)
{
	return strchr(value, 'x') == NULL
	    ? 0
	    : err_set(err, ERR_INPUT, "must not hold an x");
}

#define AT(field) .offset = offsetof(struct sample, field)

static const struct option options[] = {
	{ .name = "flag", .type = OPT_BOOL, AT(flag), .preset = "no" },
	{ .name = "number",
	    .type = OPT_NUMBER,
	    AT(number),
	    .preset = "5",
	    .least = "2",
	    .most = "70" },
	{ .name = "mode",
	    .type = OPT_MODE,
	    AT(mode),
	    .preset = "0660",
	    .most = "0666" },
	{ .name = "size",
	    .type = OPT_SIZE,
	    AT(size),
	    .preset = "64M",
	    .least = "1k" },
	{ .name = "seconds",
	    .type = OPT_SECONDS,
	    AT(seconds),
	    .preset = "30d",
	    .least = "1m",
	    .most = "90d" },
	{ .name = "percent", .type = OPT_PERCENT, AT(percent), .preset = "60" },
	{ .name = "points",
	    .type = OPT_POINTS,
	    AT(points),
	    .preset = "-0.5",
	    .least = "-10",
	    .most = "10.5" },
	{ .name = "string",
	    .type = OPT_STRING,
	    AT(string),
	    .preset = "",
	    .check = check_no_x },
	{ .name = "word",
	    .type = OPT_WORD,
	    AT(word),
	    .preset = "two",
	    .words = words },
	{ .name = "list",
	    .type = OPT_LIST,
	    AT(list),
	    .preset = "a, b",
	    .check = check_no_x },
	{ .name = "secret",
	    .type = OPT_SECRET,
	    AT(secret),
	    .preset = "",
	    .check = check_no_x },
};
#define COUNT ARRAY_LEN(options)

static void
test_set_and_format(void **state)
{
	static const struct {
		const char *name, *text;
		const char *want; /* as formatted, or the error when not ok */
		bool bad;
	} cases[] = {
		{ "flag", "yes", "yes", false },
		{ "flag", " On ", "yes", false },
		{ "flag", "FALSE", "no", false },
		{ "flag", "maybe", "flag: must be yes or no, not \"maybe\"",
		    true },
		{ "flag", "", "flag: must be yes or no, not \"\"", true },
		{ "number", "2", "2", false },
		{ "number", "70", "70", false },
		{ "number", "71", "number: must be 2 to 70, not \"71\"", true },
		{ "number", "1", "number: must be 2 to 70, not \"1\"", true },
		{ "number", "-3", "number: must be 2 to 70, not \"-3\"", true },
		{ "number", "99999999999999999999",
		    "number: must be 2 to 70, not \"99999999999999999999\"",
		    true },
		{ "mode", "600", "0600", false },
		{ "mode", "0777", "mode: must be at most 0666, not \"0777\"",
		    true },
		{ "mode", "0680", "mode: must be at most 0666, not \"0680\"",
		    true },
		{ "size", "1024", "1k", false },
		{ "size", "1536k", "1536k", false },
		{ "size", "2g", "2G", false },
		{ "size", "1000", "size: must be at least 1k, not \"1000\"",
		    true },
		{ "size", "20000000T",
		    "size: must be at least 1k, not \"20000000T\"", true },
		{ "seconds", "60", "1m", false },
		{ "seconds", "90", "90s", false },
		{ "seconds", "24h", "1d", false },
		{ "seconds", "91d", "seconds: must be 1m to 90d, not \"91d\"",
		    true },
		{ "percent", "100%", "100", false },
		{ "percent", "101", "percent: must be 0 to 100, not \"101\"",
		    true },
		{ "points", "3.25", "3.25", false },
		{ "points", "-0.005", "-0.005", false },
		{ "points", "10.500", "10.5", false },
		{ "points", "3.", "points: must be -10 to 10.5, not \"3.\"",
		    true },
		{ "points", "3.2501",
		    "points: must be -10 to 10.5, not \"3.2501\"", true },
		{ "points", "10.501",
		    "points: must be -10 to 10.5, not \"10.501\"", true },
		{ "points", "-10.001",
		    "points: must be -10 to 10.5, not \"-10.001\"", true },
		{ "string", " kept ", " kept ", false },
		{ "string", "関守", "関守", false },
		{ "string", "axe", "string: \"axe\": must not hold an x",
		    true },
		{ "string", "a\tb",
		    "string: \"a\tb\": must not hold control characters",
		    true },
		{ "string", "a\xff", "string: \"a\xef\xbf\xbd\": must be UTF-8",
		    true },
		{ "word", "THREE", "three", false },
		{ "word", "four",
		    "word: must be one, two or three, not \"four\"", true },
		{ "list", "", "", false },
		{ "list", "c,d  e ,", "c, d, e", false },
		{ "list", "c, x, d", "list: \"x\": must not hold an x", true },
		{ "secret", "hidden", "***", false },
		{ "secret", "", "", false },
		{ "secret", "x", "secret: what was given: must not hold an x",
		    true },
	};
	struct sample sample = { 0 };
	struct buf out;
	struct err err;
	size_t i;

	(void)state;
	option_defaults(options, COUNT, &sample);
	buf_init(&out, 1000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const struct option *option =
		    option_find(options, COUNT, cases[i].name);
		const char *got = err.text;

		buf_reset(&out);
		if (option_set(option, &sample, bytes_of(cases[i].text),
			&err) == 0) {
			assert_int_equal(option_format(option, &sample, &out),
			    0);
			got = buf_str(&out);
			if (cases[i].bad)
				case_fail(cases[i].text, "was taken");
		}
		if (strcmp(got, cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'", got);
	}
	buf_free(&out);
	option_free_all(options, COUNT, &sample);
}

/* A value that is refused changes nothing. */
static void
test_refused_leaves_field(void **state)
{
	const struct option *list = option_find(options, COUNT, "list");
	const char *const items[] = { "c", "d,e" };
	struct sample sample = { 0 };
	struct err err;

	(void)state;
	option_defaults(options, COUNT, &sample);
	assert_int_equal(option_set(list, &sample, BYTES_LIT("c x"), &err), -1);
	assert_int_equal(option_set_list(list, &sample, 2, items, &err), -1);
	assert_string_equal(err.text,
	    "list: \"d,e\": must be one value, without comma and space");
	assert_int_equal(sample.list.count, 2);
	assert_string_equal(sample.list.items[1], "b");
	assert_int_equal(option_set_list(list, &sample, 1, items, &err), 0);
	assert_int_equal(sample.list.count, 1);
	assert_int_equal(option_set_list(list, &sample, 0, NULL, &err), 0);
	assert_int_equal(sample.list.count, 0);
	option_free_all(options, COUNT, &sample);
}

static void
test_limits(void **state)
{
	const struct option *string = option_find(options, COUNT, "string");
	const struct option *list = option_find(options, COUNT, "list");
	struct sample sample = { 0 };
	struct buf text;
	struct err err;
	size_t i;

	(void)state;
	option_defaults(options, COUNT, &sample);
	buf_init(&text, OPTION_TEXT_MAX * 4);
	for (i = 0; i < OPTION_TEXT_MAX; i++)
		buf_append_char(&text, 'a');
	assert_int_equal(option_set(string, &sample, buf_bytes(&text), &err),
	    0);
	buf_append_char(&text, 'a');
	assert_int_equal(option_set(string, &sample, buf_bytes(&text), &err),
	    -1);
	buf_reset(&text);
	for (i = 0; i < OPTION_LIST_MAX; i++)
		buf_append_str(&text, "a ");
	assert_int_equal(option_set(list, &sample, buf_bytes(&text), &err), 0);
	buf_append_str(&text, "a");
	assert_int_equal(option_set(list, &sample, buf_bytes(&text), &err), -1);
	assert_string_equal(err.text, "list: must have at most 1000 values");
	buf_free(&text);
	option_free_all(options, COUNT, &sample);
}

static void
test_copy_is_deep(void **state)
{
	struct sample from = { 0 }, to = { 0 };

	(void)state;
	option_defaults(options, COUNT, &from);
	assert_int_equal(option_set(option_find(options, COUNT, "string"),
			     &from, BYTES_LIT("word"), NULL),
	    0);
	option_copy_all(options, COUNT, &from, &to);
	option_free_all(options, COUNT, &from);
	assert_string_equal(to.string, "word");
	assert_string_equal(to.list.items[0], "a");
	assert_int_equal(to.points, -500);
	assert_int_equal(to.word, 1);
	option_free_all(options, COUNT, &to);
}

static void
test_guess(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "secnods", "seconds" },
		{ "nunber", "number" },
		{ "lists", "list" },
		{ "colour", NULL },
		{ "", NULL },
		{ "a_name_that_is_longer_than_any_that_is_ever_guessed_at",
		    NULL },
	};
	const struct option *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		got = option_guess(options, COUNT, cases[i].name);
		if ((got == NULL) != (cases[i].want == NULL) ||
		    (got != NULL && strcmp(got->name, cases[i].want) != 0))
			case_fail(cases[i].name, "got %s",
			    got != NULL ? got->name : "nothing");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_format),
		cmocka_unit_test(test_refused_leaves_field),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_copy_is_deep),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
