/*
 * test_taglist.c - tests of policy/taglist.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/taglist.h"

static void
test_grammar(void **state)
{
	static const struct {
		const char *label;
		struct bytes text;
		size_t count; /* 0: refused */
		const char *name, *value;
	} cases[] = {
		{ "one", BYTES_LIT("a=b"), 1, "a", "b" },
		{ "final semicolon", BYTES_LIT("a=b;"), 1, "a", "b" },
		{ "space behind it", BYTES_LIT("a=b; \t"), 1, "a", "b" },
		{ "fold behind it", BYTES_LIT("a=b;\r\n "), 1, "a", "b" },
		{ "space everywhere", BYTES_LIT("  a  = b c ;\r\n\td = e"), 2,
		    "a", "b c" },
		{ "fold in a value", BYTES_LIT("a=b\r\n c"), 1, "a",
		    "b\r\n c" },
		{ "fold before =", BYTES_LIT("a\r\n =b"), 1, "a", "b" },
		{ "empty value", BYTES_LIT("a=;b=c"), 2, "a", "" },
		{ "empty value at the end", BYTES_LIT("a="), 1, "a", "" },
		{ "= in a value", BYTES_LIT("a=b=c"), 1, "a", "b=c" },
		{ "underscore in a name", BYTES_LIT("a_1=b"), 1, "a_1", "b" },
		{ "case tells names apart", BYTES_LIT("d=x;D=y"), 2, "D", "y" },
		{ "UTF-8", BYTES_LIT("d=b\xc3\xbc"), 1, "d", "b\xc3\xbc" },
		{ "nothing", BYTES_LIT(""), 0, NULL, NULL },
		{ "white space only", BYTES_LIT(" \t"), 0, NULL, NULL },
		{ "semicolon only", BYTES_LIT(";"), 0, NULL, NULL },
		{ "two semicolons", BYTES_LIT("a=b;;c=d"), 0, NULL, NULL },
		{ "no =", BYTES_LIT("a"), 0, NULL, NULL },
		{ "no name", BYTES_LIT("=b"), 0, NULL, NULL },
		{ "digit first", BYTES_LIT("1a=b"), 0, NULL, NULL },
		{ "name in two words", BYTES_LIT("a b=c"), 0, NULL, NULL },
		{ "repeated", BYTES_LIT("a=b;c=d;a=b"), 0, NULL, NULL },
		{ "NUL in a value", BYTES_LIT("d=good\0evil"), 0, NULL, NULL },
		{ "NUL in a name", BYTES_LIT("d\0=x"), 0, NULL, NULL },
		{ "NUL at the end", BYTES_LIT("a=b;\0"), 0, NULL, NULL },
		{ "lone CR", BYTES_LIT("a=b\rc"), 0, NULL, NULL },
		{ "lone LF", BYTES_LIT("a=b\n c"), 0, NULL, NULL },
		{ "CRLF that is no fold", BYTES_LIT("a=b\r\nc"), 0, NULL,
		    NULL },
		{ "control character", BYTES_LIT("a=b\x01"), 0, NULL, NULL },
		{ "DEL", BYTES_LIT("a=b\x7f"), 0, NULL, NULL },
		{ "not UTF-8", BYTES_LIT("a=b\xfc"), 0, NULL, NULL },
		{ "over-long UTF-8", BYTES_LIT("a=b\xc0\xae"), 0, NULL, NULL },
	};
	const struct tag *tag;
	struct taglist list;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		int rc = taglist_parse(cases[i].text, &list, &err);

		if (rc != (cases[i].count > 0 ? 0 : -1))
			case_fail(cases[i].label, "wrong answer");
		if (rc < 0)
			continue;
		tag = taglist_find(&list, cases[i].name);
		if (list.count != cases[i].count || tag == NULL ||
		    !bytes_equal(tag->value, bytes_of(cases[i].value)))
			case_fail(cases[i].label, "wrong tags");
	}
}

static void
test_limit(void **state)
{
	struct taglist list;
	struct buf buf;
	struct err err;
	int i;

	(void)state;
	buf_init(&buf, 10000);
	for (i = 0; i < TAGLIST_MAX; i++)
		buf_printf(&buf, "a%d=x;", i);
	assert_int_equal(taglist_parse(buf_bytes(&buf), &list, &err), 0);
	assert_int_equal(list.count, TAGLIST_MAX);
	buf_append_str(&buf, "one=more");
	assert_int_equal(taglist_parse(buf_bytes(&buf), &list, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_free(&buf);
}

static void
test_room_is_all_between(void **state)
{
	struct bytes text = BYTES_LIT("b = \r\n x y\t; c=d");
	struct taglist list;

	(void)state;
	assert_int_equal(taglist_parse(text, &list, NULL), 0);
	assert_ptr_equal(list.tags[0].room.data, text.data + 3);
	assert_int_equal(list.tags[0].room.len, strlen(" \r\n x y\t"));
}

static void
test_items(void **state)
{
	static const struct {
		const char *label, *value, *items;
		bool has_from;
	} cases[] = {
		{ "one", "from", "from|", true },
		{ "several", "to : From:\r\n cc", "to|From|cc|", true },
		{ "part of a word", "x-from:from-x", "x-from|from-x|", false },
		{ "empty ones", ":a:", "|a||", false },
		{ "nothing", "", "|", false },
	};
	struct taglist_items items;
	struct bytes item;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&buf, 100);
		items = taglist_items_of(bytes_of(cases[i].value));
		while (taglist_next_item(&items, &item)) {
			buf_append_bytes(&buf, item);
			buf_append_char(&buf, '|');
		}
		if (strcmp(buf_str(&buf), cases[i].items) != 0)
			case_fail(cases[i].label, "got %s", buf_str(&buf));
		if (taglist_has_item(bytes_of(cases[i].value), "from") !=
		    cases[i].has_from)
			case_fail(cases[i].label, "has_item");
		buf_free(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_room_is_all_between),
		cmocka_unit_test(test_items),
	};

	return cmocka_run_group_tests_name("taglist", tests, NULL, NULL);
}
