/*
 * test_charset.c - tests of mail/charset.c and mail/charset_header.c.
 *
 * Japanese text is written as the bytes that travel; what people should
 * see is written in UTF-8.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/utf8.h"
#include "mail/charset.h"

#define V(s) BYTES_LIT(s)
#define FFFD "\xef\xbf\xbd"

/* What Windows users write: NEC row 13, IBM extensions. */
#define MS_JIS "\x1b$B-!-j|byu%F%9%H\x1b(B"
#define MS_SJIS                                                                \
	"\x87@\x87\x8a\xee\xe0\xed\x95\x83"                                    \
	"e\x83X\x83g"
#define MS_EUC "\xad\xa1\xad\xea\xfc\xe2\xf9\xf5\xa5\xc6\xa5\xb9\xa5\xc8"
#define MS_TEXT "①㈱髙﨑テスト"

#define NAME_JIS "\x1b$BF|K\\8l$N7oL>$G$9\x1b(B"
#define NAME_SJIS                                                              \
	"\x93\xfa\x96{\x8c\xea\x82\xcc\x8c\x8f\x96\xbc\x82\xc5\x82\xb7"
#define NAME_EUC                                                               \
	"\xc6\xfc\xcb\xdc\xb8\xec\xa4\xce\xb7\xef\xcc\xbe\xa4\xc7\xa4\xb9"
#define NAME_TEXT "日本語の件名です"

static void
test_to_utf8(void **state)
{
	static const struct {
		const char *label, *charset;
		struct bytes in;
		const char *want;
	} cases[] = {
		{ "UTF-8", "utf-8", V("aあ"), "aあ" },
		{ "UTF-8 broken", "UTF-8", V("a\xe3\x81 \xff"),
		    "a" FFFD FFFD " " FFFD },
		{ "surrogates", "UTF-8", V("\xed\xa0\x80"), FFFD FFFD FFFD },
		{ "line ends and controls stay", "UTF-8", V("a\r\n\tb\x01"),
		    "a\r\n\tb\x01" },
		{ "ISO-2022-JP of Windows", "ISO-2022-JP", V(MS_JIS), MS_TEXT },
		{ "Shift_JIS of Windows", "Shift_JIS", V(MS_SJIS), MS_TEXT },
		{ "EUC-JP of Windows", "EUC-JP", V(MS_EUC), MS_TEXT },
		{ "capitals and names of old", "X-SJIS", V(NAME_SJIS),
		    NAME_TEXT },
		{ "backslash as second octet", "Shift_JIS",
		    V("\x95\\\x8e\xa6\x83\\"), "表示ソ" },
		{ "half-width kana by escape", "iso-2022-jp",
		    V("\x1b(IJ]68\x1b(B!"), "ﾊﾝｶｸ!" },
		{ "half-width kana by shift", "iso-2022-jp", V("\x0eJ]68\x0f!"),
		    "ﾊﾝｶｸ!" },
		{ "half-width kana as octets", "iso-2022-jp",
		    V("\xca\xdd\xb6\xb8!"), "ﾊﾝｶｸ!" },
		{ "half-width kana in EUC-JP", "euc-jp",
		    V("\x8e\xca\x8e\xdd\x8e\xb6\x8e\xb8"), "ﾊﾝｶｸ" },
		{ "half-width kana in Shift_JIS", "shift_jis",
		    V("\xca\xdd\xb6\xb8"), "ﾊﾝｶｸ" },
		{ "JIS X 0212 in ISO-2022-JP-1", "iso-2022-jp-1",
		    V("\x1b$(D0!\x1b$B$\"\x1b(B"), "丂あ" },
		{ "JIS X 0212 in EUC-JP", "euc-jp", V("\x8f\xb0\xa1\xa4\xa2"),
		    "丂あ" },
		{ "old escape of 1978", "iso-2022-jp", V("\x1b$@$\"\x1b(J"),
		    "あ" },
		{ "line end goes back to ASCII", "iso-2022-jp",
		    V("\x1b$B$\"\nabc"), "あ\nabc" },
		{ "no way back at the end", "iso-2022-jp", V("\x1b$B$\""),
		    "あ" },
		{ "half a character at the end", "iso-2022-jp", V("\x1b$B$\"$"),
		    "あ" FFFD },
		{ "octet inside double bytes", "iso-2022-jp",
		    V("\x1b$B$\"\xff$\"\x1b(B"), "あ" FFFD "あ" },
		{ "escape of no set", "iso-2022-jp", V("a\x1b[0mb"),
		    "a\x1b[0mb" },
		{ "escape of no set among others", "iso-2022-jp",
		    V("\x1b$B$\"\x1b[\x1b(B"), "あ" FFFD FFFD },
		{ "half a character in Shift_JIS", "shift_jis", V("a\x82"),
		    "a" FFFD },
		{ "half a character before a bracket", "shift_jis",
		    V("\x82<b>"), FFFD "<b>" },
		{ "Latin-1 means Windows-1252", "ISO-8859-1", V("\x80 J\xf6rg"),
		    "€ Jörg" },
		{ "GB2312 means GB18030", "gb2312", V("\xc4\xe3\xba\xc3"),
		    "你好" },
		{ "Big5", "big5", V("\xa7\x41\xa6\x6e"), "你好" },
		{ "Korean", "ks_c_5601-1987", V("\xb0\xa1\xb3\xaa"), "가나" },
		{ "KOI8-R", "koi8-r", V("\xf0\xd2\xc9"), "При" },
		{ "UTF-16BE", "utf-16be", V("\0a\x30\x42"), "aあ" },
		{ "UTF-16BE surrogate alone", "utf-16be", V("\xd8\0\0a"),
		    FFFD "a" },
		{ "UTF-7", "utf-7", V("+MEI-a"), "あa" },

		{ "label says UTF-8, is Shift_JIS", "utf-8", V(NAME_SJIS),
		    NAME_TEXT },
		{ "label says ISO-2022-JP, is UTF-8", "iso-2022-jp",
		    V(NAME_TEXT), NAME_TEXT },
		{ "label says Latin-1, is ISO-2022-JP", "iso-8859-1",
		    V(NAME_JIS), NAME_TEXT },
		{ "label says UTF-8, is ISO-2022-JP", "utf-8", V(NAME_JIS),
		    NAME_TEXT },
		{ "no label, Shift_JIS", NULL, V(NAME_SJIS), NAME_TEXT },
		{ "no label, EUC-JP", "", V(NAME_EUC), NAME_TEXT },
		{ "us-ascii, is UTF-8", "us-ascii", V(NAME_TEXT), NAME_TEXT },
		{ "us-ascii, is Windows-1252", "us-ascii", V("J\xf6rg"),
		    "Jörg" },
		{ "unknown label", "x-nobody", V(NAME_JIS), NAME_TEXT },
		{ "label that iconv would take for a file", "../../../tmp/evil",
		    V("a"), "a" },
		{ "label with options", "utf-8//TRANSLIT", V("ä"), "ä" },
	};
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 10000);
		if (charset_to_utf8(cases[i].charset, cases[i].in, &out) != 0)
			case_fail(cases[i].label, "full");
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&out));
		buf_free(&out);
	}
}

static void
test_guess(void **state)
{
	static const struct {
		const char *label;
		struct bytes in;
		const char *want;
	} cases[] = {
		{ "ASCII", V("abc"), "abc" },
		{ "ISO-2022-JP", V("Re: " MS_JIS), "Re: " MS_TEXT },
		{ "UTF-8", V("Re: " MS_TEXT), "Re: " MS_TEXT },
		{ "Shift_JIS", V("Re: " MS_SJIS), "Re: " MS_TEXT },
		{ "EUC-JP", V("Re: " MS_EUC), "Re: " MS_TEXT },
		{ "Shift_JIS, longer", V(NAME_SJIS NAME_SJIS),
		    NAME_TEXT NAME_TEXT },
		{ "EUC-JP, longer", V(NAME_EUC NAME_EUC), NAME_TEXT NAME_TEXT },
		{ "Shift_JIS, two kanji", V("\x93\xfa\x96{"), "日本" },
		{ "EUC-JP, two kanji", V("\xc6\xfc\xcb\xdc"), "日本" },
		{ "half-width kana in Shift_JIS", V("\xc3\xbd\xc4"), "ﾃｽﾄ" },
		{ "Latin", V("Caf\xe9 au lait, d\xe9j\xe0 vu"),
		    "Café au lait, déjà vu" },
	};
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 10000);
		assert_int_equal(charset_guess_to_utf8(cases[i].in, &out), 0);
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&out));
		buf_free(&out);
	}
}

static void
test_ceiling(void **state)
{
	struct buf out;
	size_t max;
	static const char *const charsets[] = { "utf-8", "shift_jis",
		"iso-2022-jp", "euc-jp", NULL };
	static const struct bytes texts[] = { V(NAME_TEXT), V(NAME_SJIS),
		V(NAME_JIS), V(NAME_EUC), V(NAME_TEXT) };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(charsets); i++)
		for (max = 0; max <= strlen(NAME_TEXT); max++) {
			buf_init(&out, max);
			assert_int_equal(charset_to_utf8(charsets[i], texts[i],
					     &out),
			    max < strlen(NAME_TEXT) ? -1 : 0);
			assert_true(utf8_is_valid(buf_bytes(&out)));
			assert_int_equal(out.len, max / 3 * 3);
			assert_memory_equal(buf_str(&out), NAME_TEXT, out.len);
			buf_free(&out);
		}
}

struct header_case {
	const char *label;
	struct bytes value;
	const char *want;
};

static void
run_header_cases(const char *(*decode)(struct arena *arena, struct bytes value,
		     size_t max),
    const struct header_case *cases, size_t count)
{
	struct arena *arena = arena_new(0);
	const char *got;
	size_t i;

	for (i = 0; i < count; i++) {
		got = decode(arena, cases[i].value, 1000);
		if (strcmp(got, cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", got);
	}
	arena_free(arena);
}

static void
test_header_text(void **state)
{
	static const struct header_case cases[] = {
		{ "plain", V(" Hello  world "), "Hello world" },
		{ "folded", V(" Hello\r\n\tworld"), "Hello world" },
		{ "empty", V(""), "" },
		{ "B", V(" =?UTF-8?B?5pel5pys?="), "日本" },
		{ "Q", V(" =?utf-8?Q?J=C3=B6rg_x?="), "Jörg x" },
		{ "small letters", V("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?="),
		    "日本" },
		{ "language", V("=?utf-8*ja?B?5pel5pys?="), "日本" },
		{ "between text", V("Re: =?utf-8?B?5pel?= x"), "Re: 日 x" },
		{ "space between words goes",
		    V("=?utf-8?B?5pel?= \r\n =?utf-8?B?5pys?="), "日本" },
		{ "space between word and text stays",
		    V("=?utf-8?B?5pel?= x =?utf-8?B?5pys?="), "日 x 本" },
		{ "different charsets",
		    V("=?utf-8?B?5pel?= =?shift_jis?B?lns=?="), "日本" },
		{ "encodings mixed",
		    V("=?utf-8?B?5pel?= =?UTF-8?Q?=E6=9C=AC?="), "日本" },
		{ "character cut in two, UTF-8",
		    V("=?utf-8?B?5pel5g==?=\r\n =?utf-8?B?nKw=?="), "日本" },
		{ "character cut in two, Shift_JIS",
		    V("=?Shift_JIS?B?k/qW?= =?shift_jis?B?ew==?="), "日本" },
		{ "character cut in two, Q",
		    V("=?utf-8?Q?=E6=97?= =?utf-8?Q?=A5?="), "日" },
		{ "ISO-2022-JP without escapes in the second",
		    V("=?iso-2022-jp?B?GyRCRnw=?= "
		      "=?iso-2022-jp?B?S1wbKEI=?="),
		    "日本" },
		{ "no space before", V("Re:=?utf-8?B?5pel?="), "Re:日" },
		{ "no space behind", V("=?utf-8?B?5pel?=x"), "日x" },
		{ "no space between", V("=?utf-8?B?5pel?==?utf-8?B?5pys?="),
		    "日本" },
		{ "no padding", V("=?shift_jis?B?lns?="), "本" },
		{ "padding in the middle", V("=?shift_jis?B?k/o=lns=?="),
		    "日本" },
		{ "fold inside a word", V("=?utf-8?B?5pel\r\n 5pys?="),
		    "日本" },
		{ "space inside Q", V("=?utf-8?Q?a b=C3=B6?="), "a bö" },
		{ "Q without escape is text", V("=?utf-8?Q?a=zz=4?="),
		    "a=zz=4" },
		{ "question mark inside Q", V("=?utf-8?Q?what?_yes?="),
		    "what? yes" },
		{ "cut off at the end", V("=?utf-8?B?5pel5pys5p"),
		    "日本" FFFD },
		{ "Q without end before a word",
		    V("=?utf-8?Q?abc =?utf-8?Q?def?="), "abc def" },
		{ "Q, three words with one end, and one more",
		    V("=?utf-8?Q?a =?utf-8?Q?b_=?utf-8?Q?c?= x "
		      "=?utf-8?Q?d?= =?utf-8?Q?e"),
		    "a b c x d =?utf-8?Q?e" },
		{ "Q without end", V("=?utf-8?Q?abc"), "=?utf-8?Q?abc" },
		{ "inside quotes", V("\"=?utf-8?B?5pel?=\" <a@b>"),
		    "\"日\" <a@b>" },
		{ "windows characters",
		    V("=?ISO-2022-JP?B?GyRCLSEtanxieXUbKEI=?="), "①㈱髙﨑" },
		{ "label is wrong", V("=?iso-2022-jp?B?k/qWew==?="), "日本" },
		{ "label is wrong, UTF-8", V("=?iso-2022-jp?B?5pel5pys?="),
		    "日本" },
		{ "half-width kana in eight bits",
		    V("=?iso-2022-jp?Q?=C4=B1?="), "ﾄｱ" },
		{ "unknown charset", V("=?x-unknown?B?k/qWew==?="), "日本" },
		{ "not a word", V("=?= =?a =?a?x?b?= a=?b"),
		    "=?= =?a =?a?x?b?= a=?b" },
		{ "raw ISO-2022-JP", V(" " NAME_JIS), NAME_TEXT },
		{ "raw ISO-2022-JP, folded", V(" " NAME_JIS "\r\n " NAME_JIS),
		    NAME_TEXT " " NAME_TEXT },
		{ "raw Shift_JIS", V(" " NAME_SJIS), NAME_TEXT },
		{ "raw EUC-JP", V(" " NAME_EUC), NAME_TEXT },
		{ "raw UTF-8", V(" " NAME_TEXT), NAME_TEXT },
		{ "raw and encoded", V(" " NAME_SJIS " =?utf-8?B?5pel?="),
		    NAME_TEXT " 日" },
		{ "NUL and controls", V("a\0b\x07"), "a" FFFD "b" FFFD },
		{ "encoded controls", V("=?utf-8?Q?a=00=0A=0D=1Bb?="),
		    "a" FFFD FFFD FFFD FFFD "b" },
		{ "text turned around", V("=?utf-8?Q?a=E2=80=AEgpj.exe?="),
		    "a" FFFD "gpj.exe" },
		{ "ideographic spaces stay", V("a　b"), "a　b" },
	};

	(void)state;
	run_header_cases(charset_header_text, cases, ARRAY_LEN(cases));
}

static void
test_phrase_text(void **state)
{
	static const struct header_case cases[] = {
		{ "plain", V(" John <a@b>"), "John <a@b>" },
		{ "quotes go", V(" \"Doe, J.\" <a@b>"), "Doe, J. <a@b>" },
		{ "quoted pairs", V(" \"a \\\"b\\\" \\\\c\" <a@b>"),
		    "a \"b\" \\c <a@b>" },
		{ "word inside quotes", V(" \"=?utf-8?B?5pel?=\" <a@b>"),
		    "日 <a@b>" },
		{ "quotes inside a word stay",
		    V(" =?utf-8?Q?=22x=22_=5C?= <a@b>"), "\"x\" \\ <a@b>" },
		{ "raw Shift_JIS with backslashes",
		    V(" \"\x95\\\x8e\xa6\x83\\\" <a@b>"), "表示ソ <a@b>" },
		{ "raw ISO-2022-JP with quotes in it",
		    V(" \x1b$B$\"$\\$\"\x1b(B <a@b>"), "あぼあ <a@b>" },
		{ "backslash at the end", V(" a\\"), "a\\" },
	};

	(void)state;
	run_header_cases(charset_phrase_text, cases, ARRAY_LEN(cases));
}

static void
test_header_ceiling(void **state)
{
	struct arena *arena = arena_new(0);
	const char *text;
	size_t max;

	(void)state;
	for (max = 0; max < 40; max++) {
		text =
		    charset_header_text(arena, V(NAME_SJIS " " NAME_SJIS), max);
		assert_true(strlen(text) <= max);
		assert_true(strlen(text) + 4 > max);
		assert_true(utf8_is_valid(bytes_of(text)));
		assert_memory_equal(text, NAME_TEXT " " NAME_TEXT,
		    strlen(text));
	}
	arena_free(arena);
}

/* What would take minutes if each place were looked from to the end. */
static void
test_header_hostile(void **state)
{
	static const char *const pieces[] = { "=?a?q? ", "=?a?q?", "=?",
		"=?a?b?=", "=?a?b?QQ?= ", "=?iso-2022-jp?b?Gw==?=", "\x1b",
		"\x1b$(D0!\x1b$B$\"", "\x82", "\x8f\xb0\xa1", "\"\\", "=" };
	struct arena *arena = arena_new(0);
	const char *text;
	struct buf buf;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pieces); i++) {
		buf_init(&buf, SIZE_MAX);
		for (n = 0; n < 300000 / strlen(pieces[i]); n++)
			buf_append_str(&buf, pieces[i]);
		text = charset_phrase_text(arena, buf_bytes(&buf), 1000);
		assert_true(utf8_is_valid(bytes_of(text)));
		buf_free(&buf);
	}
	arena_free(arena);
}

static void
test_encode(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "empty", "", "" },
		{ "ASCII", "[SPAM] ", "[SPAM] " },
		{ "Japanese", "【迷惑】", "=?UTF-8?B?44CQ6L+35oOR44CR?=" },
		{ "ASCII that looks encoded", "a =?b", "=?UTF-8?B?YSA9P2I=?=" },
		{ "line end", "a\r\nb", "=?UTF-8?B?Ye+/ve+/vWI=?=" },
		{ "long",
		    "あいうえおあいうえおあいうえおあいうえおあいうえおあいうえ"
		    "お",
		    "=?UTF-8?B?44GC44GE44GG44GI44GK44GC44GE44GG44GI44GK44GC44GE"
		    "?=\r\n =?UTF-8?B?44GG44GI44GK44GC44GE44GG44GI44GK44GC44GE4"
		    "4GG44GI44GK44GC44GE?=\r\n =?UTF-8?B?44GG44GI44GK?=" },
	};
	struct arena *arena = arena_new(0);
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 1000);
		assert_int_equal(charset_encode_header(bytes_of(cases[i].text),
				     &out),
		    0);
		if (strcmp(buf_str(&out), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&out));
		buf_free(&out);
	}
	buf_init(&out, 1000);
	assert_int_equal(charset_encode_header(V(MS_TEXT MS_TEXT MS_TEXT),
			     &out),
	    0);
	assert_string_equal(charset_header_text(arena, buf_bytes(&out), 1000),
	    MS_TEXT MS_TEXT MS_TEXT);
	buf_free(&out);
	buf_init(&out, 20);
	assert_int_equal(charset_encode_header(V(MS_TEXT), &out), -1);
	buf_free(&out);
	arena_free(arena);
}

static void
test_open(void **state)
{
	struct charset_set *set;
	struct err err;

	(void)state;
	set = charset_open(&err);
	assert_non_null(set);
	charset_close(set);
	charset_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_utf8),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_header_text),
		cmocka_unit_test(test_phrase_text),
		cmocka_unit_test(test_header_ceiling),
		cmocka_unit_test(test_header_hostile),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
