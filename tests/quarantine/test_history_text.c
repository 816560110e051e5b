/*
 * test_history_text.c - tests of quarantine/history_text.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "quarantine/history_text.h"

static void
test_fold(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "Hello, World", "hello, world" },
		{ "ＡＢＣ１２３！", "abc123!" },
		{ "全角　空白\tund\nZeile", "全角 空白 und zeile" },
		{ "ÄÖÜß Straße", "äöüß straße" },
		{ "×÷", "×÷" },
		{ "ŁÓDŹ ĐŠ", "łódź đš" },
		{ "ΑΘΗΝΑΣ ΣΟΦΟΣ", "αθηνασ σοφοσ" },
		{ "ς", "σ" },
		{ "МОСКВА ЁЖ ЇЖАК", "москва ёж їжак" },
		{ "ｶﾞｷﾞﾊﾟﾎﾟｳﾞﾂﾞ", "ガギパポヴヅ" },
		{ "ｱｲｳ｡｢ｰ｣", "アイウ。「ー」" },
		{ "か\xe3\x82\x99き\xe3\x82\x99と\xe3\x82\x99", "がぎど" },
		{ "は\xe3\x82\x9aは\xe3\x82\x99", "ぱば" },
		{ "ア゛", "ア\xe3\x82\x99" }, /* there is no such kana */
		{ "た゛な゛", "だな\xe3\x82\x99" },
		{ "請求書", "請求書" },
		{ "한국어", "한국어" },
		{ "a\xff"
		  "b\xe3\x81",
		    "a\xef\xbf\xbd"
		    "b\xef\xbf\xbd\xef\xbf\xbd" },
	};
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 1000);
		assert_int_equal(history_fold(bytes_of(cases[i].text), &out),
		    0);
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'", buf_str(&out));
		buf_free(&out);
	}
}

static void
test_fold_ceiling(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	assert_int_equal(history_fold(BYTES_LIT("abcd"), &out), -1);
	buf_free(&out);
}

struct grams {
	const char *text;
	struct buf out;
};

static int
each_gram(void *context, struct bytes gram, size_t start, size_t end)
{
	struct grams *grams = context;

	buf_printf(&grams->out, "%s%.*s", grams->out.len > 0 ? "|" : "",
	    (int)gram.len, gram.data);
	assert_true(start < end && end <= strlen(grams->text));
	return 0;
}

static void
test_grams(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "ab", "" },
		{ "abc", "abc" },
		{ "aBcD", "abc|bcd" },
		{ "請", "" },
		{ "請求", "請求" },
		{ "請求書", "請求|求書" },
		{ "請求abc", "請求|求a|abc" },
		{ "ab請求", "ab請|b請求|請求" },
		{ "ａb 請", "ab |b 請" },
		{ "ｶﾞｲ", "ガイ" },
	};
	struct grams grams;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		grams.text = cases[i].text;
		buf_init(&grams.out, 1000);
		history_grams(bytes_of(cases[i].text), each_gram, &grams);
		if (strcmp(buf_str(&grams.out), cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'",
			    buf_str(&grams.out));
		if (history_has_grams(bytes_of(cases[i].text)) !=
		    (cases[i].want[0] != '\0'))
			case_fail(cases[i].text, "has_grams disagrees");
		buf_free(&grams.out);
	}
}

static int
stop_at_once(void *context, struct bytes gram, size_t start, size_t end)
{
	(void)context;
	(void)gram;
	(void)start;
	(void)end;
	return 7;
}

static void
test_grams_stop(void **state)
{
	(void)state;
	assert_int_equal(history_grams(BYTES_LIT("abcdef"), stop_at_once, NULL),
	    7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_ceiling),
		cmocka_unit_test(test_grams),
		cmocka_unit_test(test_grams_stop),
	};

	return cmocka_run_group_tests_name("history_text", tests, NULL, NULL);
}
