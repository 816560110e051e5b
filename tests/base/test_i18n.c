/*
 * test_i18n.c - languages, Accept-Language, and compiled catalogues.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/i18n.h"
#include "base/mo.h"
#include "tests/unit.h"

static const struct {
	const char *label, *field;
	enum language want;
} accepts[] = {
	{ "none", NULL, LANGUAGE_EN },
	{ "empty", "", LANGUAGE_EN },
	{ "plain", "ja", LANGUAGE_JA },
	{ "region", "ja-JP", LANGUAGE_JA },
	{ "case", "JA-jp", LANGUAGE_JA },
	{ "first of equals", "en, ja", LANGUAGE_EN },
	{ "first of equals, other way", "ja,en", LANGUAGE_JA },
	{ "weights", "en;q=0.5, ja;q=0.8", LANGUAGE_JA },
	{ "three places", "en;q=0.501,ja;q=0.502", LANGUAGE_JA },
	{ "browser", "ja,en-US;q=0.9,en;q=0.8", LANGUAGE_JA },
	{ "unknown first", "fr, ja;q=0.1", LANGUAGE_JA },
	{ "not at all", "ja;q=0", LANGUAGE_EN },
	{ "not at all, long", "ja;q=0.000, en;q=0.1", LANGUAGE_EN },
	{ "any", "*", LANGUAGE_EN },
	{ "any, less", "ja;q=0.5, *;q=0.1", LANGUAGE_JA },
	{ "longer word", "jav", LANGUAGE_EN },
	{ "spaces", " ja ; q=0.3 , en ; q=0.2", LANGUAGE_JA },
	{ "rubbish", ";;;,,,=q;q=,;q=9;ja", LANGUAGE_EN },
	{ "too many", ",,,,,,,,,,,,,,,,,,,,,,,,ja", LANGUAGE_EN },
};

static void
test_accept(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(accepts); i++)
		if (language_accept(accepts[i].field) != accepts[i].want)
			case_fail(accepts[i].label, "not %s",
			    language_tag(accepts[i].want));
}

static void
test_languages(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < LANGUAGE_COUNT; i++)
		assert_int_equal(language_parse(language_tag((enum language)i)),
		    i);
	assert_int_equal(language_parse("xx"), -1);
	assert_int_equal(language_parse(""), -1);
	assert_string_equal(language_name(LANGUAGE_JA), "日本語");
}

static void
test_texts(void **state)
{
	(void)state;
	assert_string_equal(i18n_text(LANGUAGE_EN, "Quarantine"), "Quarantine");
	assert_string_equal(i18n_text(LANGUAGE_JA, "Quarantine"), "隔離");
	assert_string_equal(i18n_text(LANGUAGE_JA, "no such thing"),
	    "no such thing");
	/* The head of the catalogue is no message. */
	assert_string_equal(i18n_text(LANGUAGE_JA, ""), "");
	assert_string_equal(i18n_plural(LANGUAGE_EN, "a", "b", 1), "a");
	assert_string_equal(i18n_plural(LANGUAGE_EN, "a", "b", 0), "b");
	assert_string_equal(i18n_plural(LANGUAGE_JA, "{n} row", "{n} rows", 1),
	    "{n} 件");
	assert_string_equal(i18n_plural(LANGUAGE_JA, "{n} row", "{n} rows", 5),
	    "{n} 件");
}

/* The head says that there is one form for all numbers, as i18n.c has it. */
static void
test_one_plural_form(void **state)
{
	struct bytes mo = i18n_catalogue(LANGUAGE_JA);
	struct mo_message head;

	(void)state;
	assert_int_equal(i18n_catalogue(LANGUAGE_EN).len, 0);
	assert_true(mo_find(mo, "", &head));
	assert_non_null(strstr(head.text.data, "nplurals=1;"));
	assert_non_null(strstr(head.text.data, "charset=UTF-8"));
}

/* ---- compiled catalogues ---- */

/* A small one: "" -> "h", "a\0as" -> "x", "b" -> "y". */
static const unsigned char small[] = { 0xde, 0x12, 0x04, 0x95, 0, 0, 0, 0, 3, 0,
	0, 0, 28, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 76,
	0, 0, 0, 4, 0, 0, 0, 77, 0, 0, 0, 1, 0, 0, 0, 82, 0, 0, 0, 1, 0, 0, 0,
	84, 0, 0, 0, 1, 0, 0, 0, 86, 0, 0, 0, 1, 0, 0, 0, 88, 0, 0, 0, 0, 'a',
	0, 'a', 's', 0, 'b', 0, 'h', 0, 'x', 0, 'y', 0 };

static struct bytes
small_bytes(void)
{
	return (struct bytes){ (const char *)small, sizeof(small) };
}

static void
test_small(void **state)
{
	struct mo_message message;

	(void)state;
	assert_int_equal(mo_count(small_bytes()), 3);
	assert_true(mo_find(small_bytes(), "a", &message));
	assert_int_equal(message.id.len, 4);
	assert_string_equal(message.id.data + 2, "as");
	assert_string_equal(message.text.data, "x");
	assert_true(mo_find(small_bytes(), "b", &message));
	assert_string_equal(message.text.data, "y");
	assert_false(mo_find(small_bytes(), "c", &message));
	assert_false(mo_message(small_bytes(), 3, &message));
}

static void
swap_words(unsigned char *data, size_t n)
{
	unsigned char word[4];
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		memcpy(word, data + i, 4);
		data[i] = word[3];
		data[i + 1] = word[2];
		data[i + 2] = word[1];
		data[i + 3] = word[0];
	}
}

static void
test_other_byte_order(void **state)
{
	unsigned char copy[sizeof(small)];
	struct bytes mo = { (const char *)copy, sizeof(copy) };
	struct mo_message message;

	(void)state;
	memcpy(copy, small, sizeof(copy));
	swap_words(copy, 76);
	assert_int_equal(mo_count(mo), 3);
	assert_true(mo_find(mo, "b", &message));
	assert_string_equal(message.text.data, "y");
}

/* Each octet set to values that hurt, and each length: nothing is read
 * beyond the end (the sanitizer looks), nothing crashes. */
static void
test_broken(void **state)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct mo_message message;
	unsigned char *copy;
	struct bytes mo;
	size_t i, k;

	(void)state;
	for (i = 0; i <= sizeof(small); i++) {
		/* Of this size exactly, so that the end is the end. */
		copy = (unsigned char *)xmemdup(small, i);
		mo = (struct bytes){ (const char *)copy, i };
		(void)mo_find(mo, "b", &message);
		free(copy);
	}
	for (i = 0; i < sizeof(small); i++)
		for (k = 0; k < sizeof(values); k++) {
			copy = xmalloc(sizeof(small));
			memcpy(copy, small, sizeof(small));
			copy[i] = values[k];
			mo =
			    (struct bytes){ (const char *)copy, sizeof(small) };
			if (mo_find(mo, "b", &message))
				assert_true(
				    strlen(message.text.data) < sizeof(small));
			free(copy);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_one_plural_form),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_other_byte_order),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
