/*
 * test_text.c - tests of mail/text: quotes and flowed paragraphs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/text.h"

static bool
write_line(void *context, unsigned quotes, struct bytes text)
{
	struct buf *out = context;

	buf_printf(out, "%u[%.*s]", quotes, (int)text.len, text.data);
	return true;
}

static const struct {
	const char *label;
	bool flowed, delsp;
	const char *text, *want;
} cases[] = {
	{ "nothing", false, false, "", "" },
	{ "line ends", false, false, "a\r\nb\n\rc", "0[a]0[b]0[]0[c]" },
	{ "quotes", false, false, "> a\n>> b\n> > c\n>d\n >e\n",
	    "1[a]2[b]2[c]1[d]0[ >e]" },
	{ "spaces stay", false, false, "  a \n", "0[  a ]" },
	{ "flowed", true, false, "a \nb \nc\nd\n", "0[a b c]0[d]" },
	{ "flowed quotes", true, false, "> a \n> b\n>> c \n> d\n",
	    "1[a b]2[c ]1[d]" },
	{ "DelSp", true, true, "\xe6\x97\xa5 \n\xe6\x9c\xac\n",
	    "0[\xe6\x97\xa5\xe6\x9c\xac]" },
	{ "space-stuffed", true, false, " >a\n From b\n", "0[>a]0[From b]" },
	{ "signature", true, false, "a \n-- \nb\n", "0[a ]0[-- ]0[b]" },
	{ "empty lines", true, false, "a \n\nb\n", "0[a ]0[b]" },
	{ "open at the end", true, false, "a ", "0[a ]" },
	{ "deep", false, false, ">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>x", "20[x]" },
};

static void
test_lines(void **state)
{
	struct text_form form;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 1000);
		form = (struct text_form){ cases[i].flowed, cases[i].delsp };
		text_each_line(bytes_of(cases[i].text), &form, write_line,
		    &out);
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].label, "%s", buf_str(&out));
		buf_free(&out);
	}
}

static bool
count_octets(void *context, unsigned quotes, struct bytes text)
{
	(void)quotes;
	assert_true(text.len <= TEXT_LINE_MAX);
	*(size_t *)context += text.len;
	return true;
}

/* A paragraph over its ceiling is not lost. */
static void
test_long_paragraph(void **state)
{
	struct text_form form = { true, false };
	size_t count = 0, i;
	struct buf text;

	(void)state;
	buf_init(&text, SIZE_MAX);
	for (i = 0; i < 50000; i++)
		buf_append_str(&text, "word \n");
	text_each_line(buf_bytes(&text), &form, count_octets, &count);
	assert_int_equal(count, 50000 * 5);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_paragraph),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
