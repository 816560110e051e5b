/*
 * test_grapheme.c - where a text may be cut.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/grapheme.h"
#include "tests/unit.h"

#define ACUTE "\xcc\x81"
#define ACUTES_4 ACUTE ACUTE ACUTE ACUTE
#define ZWJ "\xe2\x80\x8d"
#define WOMAN "\xf0\x9f\x91\xa9"
#define GIRL "\xf0\x9f\x91\xa7"
#define TONE "\xf0\x9f\x8f\xbd"
#define RI_J "\xf0\x9f\x87\xaf"
#define RI_P "\xf0\x9f\x87\xb5"

static const struct {
	const char *label, *text;
	size_t len;
} cases[] = {
	{ "empty", "", 0 },
	{ "ASCII", "ab", 1 },
	{ "kana", "\xe3\x81\x82\xe3\x81\x84", 3 },
	{ "an accent", "e" ACUTE "x", 3 },
	{ "a voiced mark of its own", "\xe3\x81\x8b\xe3\x82\x99x", 6 },
	{ "a half-width voiced mark", "\xef\xbd\xb6\xef\xbe\x9ex", 6 },
	{ "an accent alone", ACUTE "a", 2 },
	{ "a family", WOMAN ZWJ GIRL "x", 11 },
	{ "a skin tone", WOMAN TONE WOMAN, 8 },
	{ "a flag", RI_J RI_P "x", 8 },
	{ "two flags", RI_J RI_P RI_J RI_P, 8 },
	{ "half a flag", RI_J "x", 4 },
	{ "a variation", "\xe2\x9d\xa4\xef\xb8\x8fx", 6 },
	{ "Hangul in parts", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8x", 9 },
	{ "Thai", "\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88x", 9 },
	{ "Hebrew", "\xd7\xa9\xd6\xb8x", 4 },
	{ "a tower is cut", "e" ACUTES_4 ACUTES_4 ACUTES_4 ACUTES_4 ACUTES_4,
	    1 + 15 * 2 },
	{ "not UTF-8", "\xff\xff", 1 },
	{ "not UTF-8 behind a letter", "a\xff", 1 },
	{ "cut in a character", "a\xcc", 1 },
	{ "the last code point", "\xf4\x8f\xbf\xbf", 4 },
};

static void
test_len(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		len = grapheme_len(bytes_of(cases[i].text));
		if (len != cases[i].len)
			case_fail(cases[i].label, "%zu", len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_len),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
