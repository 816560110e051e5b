/*
 * test_subject.c - tests of mail/subject.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/charset.h"
#include "mail/subject.h"

#define V(s) BYTES_LIT(s)

static void
test_mark(void **state)
{
	static const struct {
		const char *label, *mark;
		struct bytes value, want;
		const char *shown;
	} cases[] = {
		{ "plain", "[SPAM]", V(" Hello"), V(" [SPAM] Hello"),
		    "[SPAM] Hello" },
		{ "no leading space", "[SPAM]", V("Hello"), V("[SPAM] Hello"),
		    "[SPAM] Hello" },
		{ "tab and folds stay", "[SPAM]", V("\tHello\r\n\tworld "),
		    V("\t[SPAM] Hello\r\n\tworld "), "[SPAM] Hello world" },
		{ "empty", "[SPAM]", V(""), V(" [SPAM]"), "[SPAM]" },
		{ "blank", "[SPAM]", V(" "), V(" [SPAM]"), "[SPAM]" },
		{ "fold first", "[SPAM]", V("\r\n Hello"),
		    V("[SPAM] \r\n Hello"), "[SPAM] Hello" },
		{ "before an encoded word", "[SPAM]", V(" =?utf-8?B?5pel?="),
		    V(" [SPAM] =?utf-8?B?5pel?="), "[SPAM] 日" },
		{ "encoded mark", "迷惑", V(" Hello"),
		    V(" =?UTF-8?B?6L+35oOR?= Hello"), "迷惑 Hello" },
		{ "encoded mark before an encoded word", "迷惑",
		    V(" =?utf-8?B?5pel?="),
		    V(" =?UTF-8?B?6L+35oORIA==?= =?utf-8?B?5pel?="),
		    "迷惑 日" },
		{ "raw Shift_JIS stays", "[SPAM]", V(" \x93\xfa\x96{"),
		    V(" [SPAM] \x93\xfa\x96{"), "[SPAM] 日本" },
		{ "raw ISO-2022-JP stays", "迷惑", V(" \x1b$BF|K\\\x1b(B"),
		    V(" =?UTF-8?B?6L+35oOR?= \x1b$BF|K\\\x1b(B"), "迷惑 日本" },
		{ "NUL stays", "[SPAM]", V(" a\0b"), V(" [SPAM] a\0b"),
		    "[SPAM] a\xef\xbf\xbd"
		    "b" },
		{ "longer word", "SPAM", V(" SPAMMING"), V(" SPAM SPAMMING"),
		    "SPAM SPAMMING" },
		{ "longer word, Japanese", "迷惑", V(" 迷惑者"),
		    V(" =?UTF-8?B?6L+35oOR?= 迷惑者"), "迷惑 迷惑者" },
		{ "mark further on does not count", "[SPAM]", V(" Re: [SPAM]"),
		    V(" [SPAM] Re: [SPAM]"), "[SPAM] Re: [SPAM]" },
	};
	static const struct {
		const char *label, *mark;
		struct bytes value;
	} already[] = {
		{ "plain", "[SPAM]", V(" [SPAM] Hello") },
		{ "alone", "[SPAM]", V("[SPAM]") },
		{ "with more space", "[SPAM]", V("\r\n  [SPAM]  Hello") },
		{ "encoded by another", "[SPAM]",
		    V(" =?iso-2022-jp?Q?[SPAM]_Hello?=") },
		{ "Japanese", "迷惑", V(" =?UTF-8?B?6L+35oOR?= Hello") },
		{ "Japanese in another charset", "迷惑",
		    V(" =?Shift_JIS?B?lsCYZg==?=") },
	};
	struct arena *arena = arena_new(0);
	struct bytes marked, again;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (!subject_mark(arena, cases[i].value, cases[i].mark,
			&marked))
			case_fail(cases[i].label, "taken as marked");
		if (!bytes_equal(marked, cases[i].want))
			case_fail(cases[i].label, "got '%.*s'", (int)marked.len,
			    marked.data);
		if (strcmp(charset_header_text(arena, marked, 1000),
			cases[i].shown) != 0)
			case_fail(cases[i].label, "shown as '%s'",
			    charset_header_text(arena, marked, 1000));
		if (subject_mark(arena, marked, cases[i].mark, &again) ||
		    !bytes_equal(marked, again))
			case_fail(cases[i].label, "marked twice");
	}
	for (i = 0; i < ARRAY_LEN(already); i++)
		if (subject_mark(arena, already[i].value, already[i].mark,
			&marked))
			case_fail(already[i].label, "marked again");
	arena_free(arena);
}

static void
test_long_line_is_folded(void **state)
{
	struct arena *arena = arena_new(0);
	char value[999] = " ";
	struct bytes marked;

	(void)state;
	memset(value + 1, 'x', sizeof(value) - 2);
	value[sizeof(value) - 1] = '\0';
	assert_true(subject_mark(arena, bytes_of(value), "[SPAM]", &marked));
	assert_memory_equal(marked.data, " [SPAM]\r\n xxx", 13);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_long_line_is_folded),
	};

	return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
