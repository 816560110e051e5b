/*
 * test_table.c - tests of cli/table.c and cli/wrap.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "cli/table.h"
#include "cli/wrap.h"

static void
test_width(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{ "", 0 },
		{ "plain", 5 },
		{ "関守", 4 },
		{ "ｶﾞ", 2 },
		{ "が", 2 },
		{ "e\xcc\x81", 1 },
		{ "か\xe3\x82\x99", 2 },
		{ "①㈱髙", 5 },
		{ "Ａ１", 4 },
		{ "한글", 4 },
		{ "😀", 2 },
		{ "𠮷", 2 },
		{ "naïve", 5 },
		{ "\xff\xfe", 2 },
		{ "\xe9\x96", 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (text_width(bytes_of(cases[i].text)) != cases[i].width)
			case_fail(cases[i].text, "got %zu",
			    text_width(bytes_of(cases[i].text)));
}

static void
test_fit(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} cases[] = {
		{ "plain", 3, "pla" },
		{ "plain", 9, "plain" },
		{ "関守です", 5, "関守" },
		{ "関守です", 6, "関守で" },
		{ "関", 1, "" },
		{ "e\xcc\x81x", 1, "e\xcc\x81" },
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		len = text_fit(bytes_of(cases[i].text), cases[i].columns);
		if (len != strlen(cases[i].want) ||
		    memcmp(cases[i].text, cases[i].want, len) != 0)
			case_fail(cases[i].text, "got %.*s", (int)len,
			    cases[i].text);
	}
}

static void
test_wrap(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	wrap_text("one two three four", 2, 9, &out);
	assert_string_equal(buf_str(&out), "one two\n  three\n  four\n");
	buf_reset(&out);
	wrap_text("averylongword x", 0, 5, &out);
	assert_string_equal(buf_str(&out), "averylongword\nx\n");
	buf_free(&out);
}

static const struct table_column columns[] = {
	{ "NAME", false, false },
	{ "SIZE", true, false },
	{ "SUBJECT", false, true },
	{ "X", false, false },
};

static void
fill(struct table *table)
{
	table_row(table,
	    (const char *const[]){ "関守", "1", "お知らせのメールです", "a" });
	table_row(table, (const char *const[]){ "b", "12345", "short", NULL });
	table_row(table,
	    (const char *const[]){ "c", "", "bad\x1b[31m\xff", "z" });
}

static void
test_table(void **state)
{
	struct arena *arena = arena_new(0);
	struct table *table = table_new(arena, 4, columns);
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	fill(table);
	table_write(table, 0, &out);
	assert_string_equal(buf_str(&out),
	    "NAME   SIZE  SUBJECT               X\n"
	    "関守      1  お知らせのメールです  a\n"
	    "b     12345  short\n"
	    "c            bad\xef\xbf\xbd[31m\xef\xbf\xbd             z\n");
	/* Narrower: the flexible column gives way. */
	buf_reset(&out);
	table_write(table, 28, &out);
	assert_string_equal(buf_str(&out),
	    "NAME   SIZE  SUBJECT       X\n"
	    "関守      1  お知らせの…   a\n"
	    "b     12345  short\n"
	    "c            bad\xef\xbf\xbd[31m\xef\xbf\xbd     z\n");
	/* Much narrower: it keeps some columns. */
	buf_reset(&out);
	table_write(table, 5, &out);
	assert_string_equal(buf_str(&out),
	    "NAME   SIZE  SUBJECT   X\n"
	    "関守      1  お知ら…   a\n"
	    "b     12345  short\n"
	    "c            bad\xef\xbf\xbd[31…  z\n");
	buf_free(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
