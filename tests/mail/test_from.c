/*
 * test_from.c - tests of mail/from.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/from.h"

static char *
keys_of(struct arena *arena, const struct from_list *list)
{
	struct buf buf;
	char *text;
	size_t i;

	buf_init(&buf, 100000);
	for (i = 0; i < list->count; i++)
		buf_printf(&buf, "%s%s", i > 0 ? " " : "",
		    list->addresses[i].key);
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

struct from_case {
	const char *label;
	struct bytes value;
	const char *keys; /* what is found, joined by spaces */
	int rc;
};

static void
run_cases(const struct from_case *cases, size_t count)
{
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct err err;
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		err_clear(&err);
		rc = from_parse(arena, cases[i].value, &list, &err);
		if (rc != cases[i].rc)
			case_fail(cases[i].label, "returned %d: %s (%s)", rc,
			    err.text, keys_of(arena, &list));
		if (strcmp(keys_of(arena, &list), cases[i].keys) != 0)
			case_fail(cases[i].label, "found '%s'",
			    keys_of(arena, &list));
		if (rc < 0 && (err.kind != ERR_INPUT || err.text[0] == '\0'))
			case_fail(cases[i].label, "no reason");
	}
	arena_free(arena);
}

#define V(s) BYTES_LIT(s)

static void
test_rfc5322(void **state)
{
	static const struct from_case cases[] = {
		{ "bare", V(" John@Example.NET"), "john@example.net", 0 },
		{ "no space", V("a@b"), "a@b", 0 },
		{ "angle", V(" <a@b>"), "a@b", 0 },
		{ "name", V(" John Doe <a@b>"), "a@b", 0 },
		{ "quoted name", V(" \"Doe, John; <x@y>\" <a@b>"), "a@b", 0 },
		{ "quotes and backslashes in the name",
		    V(" \"a \\\" <x@y>, \\\\\" <a@b>"), "a@b", 0 },
		{ "two", V(" a@b, C <c@d>"), "a@b c@d", 0 },
		{ "empty elements", V(" ,, a@b ,, c@d, "), "a@b c@d", 0 },
		{ "folded", V(" A\r\n <a@b>,\r\n\tc@d"), "a@b c@d", 0 },
		{ "folded inside", V(" <a\r\n @\r\n b>"), "a@b", 0 },
		{ "comments everywhere",
		    V(" (1) John (2) < (3) a (4) . (5) b (6) @ (7) c (8) . "
		      "(9) d (10) > (11)"),
		    "a.b@c.d", 0 },
		{ "comment with address and comma",
		    V(" (x@y, (<z@z>) \\) ) a@b"), "a@b", 0 },
		{ "comment between name and bracket", V(" John (<x@y>) <a@b>"),
		    "a@b", 0 },
		{ "quoted local part", V(" \"a b\"@c, \"d@e\"@f"),
		    "a b@c d@e@f", 0 },
		{ "quoted pair in the local part", V(" \"a\\\"\\\\\"@c"),
		    "a\"\\@c", 0 },
		{ "fold in a quoted local part", V(" <\"a\r\n b\"@c>"), "a b@c",
		    0 },
		{ "obsolete local part", V(" a.\"b c\" . d@e"), "a.b c.d@e",
		    0 },
		{ "obsolete route", V(" <@x.y,,@z.w (c):a@b>"), "a@b", 0 },
		{ "route that begins with a comma", V(" <,@x:a@b>"), "a@b", 0 },
		{ "route with address literal", V(" <@[192.0.2.1]:a@b>"), "a@b",
		    0 },
		{ "address literal", V(" a@[192.0.2.1]"), "a@[192.0.2.1]", 0 },
		{ "address literal with blanks and pairs",
		    V(" <a@[ IPv6:2001:db8\\::1\r\n ]>"),
		    "a@[ipv6:2001:db8::1]", 0 },
		{ "bare with IPv6 literal", V(" a@[IPv6:2001:DB8::1], b@c"),
		    "a@[ipv6:2001:db8::1] b@c", 0 },
		{ "group", V(" Team: a@b, C <c@d>;"), "a@b c@d", 0 },
		{ "group among others", V(" x@y, \"T:\": a@b;, c@d"),
		    "x@y a@b c@d", 0 },
		{ "empty group and an address", V(" T:;, a@b"), "a@b", 0 },
		{ "dots in the name", V(" J. R. R. T. <a@b>"), "a@b", 0 },
		{ "dots around the local part", V(" .a..b.@c"), ".a..b.@c", 0 },
		{ "encoded word", V(" =?utf-8?Q?J=C3=B6rg?= <a@b>"), "a@b", 0 },
		{ "encoded word with an address in it",
		    V(" =?utf-8?B?Ym9zc0BiYW5r?= <a@b>"), "a@b", 0 },
		{ "encoded word as local part is not decoded",
		    V(" =?utf-8?Q?x?=@b"), "=?utf-8?q?x?=@b", 0 },
		{ "UTF-8",
		    V(" J\xc3\xb6rg <j\xc3\xb6@b\xc3\xbc"
		      "cher.example>"),
		    "j\xc3\xb6@xn--bcher-kva.example", 0 },
		{ "final dot", V(" a@b."), "a@b", 0 },
		{ "tab before the name", V("\tJohn\t<a@b>\t"), "a@b", 0 },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases));
}

/* No RFC 5322, but no doubt either. */
static void
test_common_forms(void **state)
{
	static const struct from_case cases[] = {
		{ "comma in the name", V(" Doe, John <j@d>"), "j@d", 0 },
		{ "brackets in the name", V(" [Bugs: 12] John <j@d>"), "j@d",
		    0 },
		{ "at sign in the name", V(" Tea @ Four <j@d>"), "j@d", 0 },
		{ "handle in the name", V(" @john <j@d>"), "j@d", 0 },
		{ "closing parenthesis", V(" John :-) <j@d>"), "j@d", 0 },
		{ "colon in the name", V(" Shop: News <j@d>"), "j@d", 0 },
		{ "group not closed", V(" T: a@b, c@d"), "a@b c@d", 0 },
		{ "backslash in the name", V(" A\\B <j@d>"), "j@d", 0 },
		{ "address as name", V(" J@d.example <j@d.example>"),
		    "j@d.example j@d.example", 0 },
		{ "comma and at sign in an encoded word",
		    V(" =?utf-8?Q?Doe,_John_=28x@y=29?= <j@d>"), "j@d", 0 },
		{ "address in an encoded word is a name",
		    V(" =?utf-8?Q?boss@bank.example?= <j@d>"), "j@d", 0 },
		{ "raw ISO-2022-JP with all the specials",
		    V(" \x1b$B$\"$,$<$>$($:$;$\\$@@,\x1b(B <j@d>"), "j@d", 0 },
		{ "raw half-width kana", V(" \x1b(I1<2>,\x1b(J <j@d>"), "j@d",
		    0 },
		{ "raw Shift_JIS with backslash and at sign as second byte",
		    V(" \x95\x5c\x83\x5c\x83\x40 <j@d>"), "j@d", 0 },
		{ "raw Latin-1", V(" J\xf6rg <j@d>"), "j@d", 0 },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases));
}

/* Readers disagree who the author is: all are listed. */
static void
test_all_who_may_be_the_author(void **state)
{
	static const struct from_case cases[] = {
		{ "address as name", V(" boss@bank.example <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "full stop behind it", V(" boss@bank.example. <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "dots behind it", V(" boss@bank.example... <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "hyphen behind it", V(" boss@bank.example- <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "no-break space behind it",
		    V(" boss@bank.example\xc2\xa0<x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "ideographic comma behind it",
		    V(" boss@bank.example\xe3\x80\x81 <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "words behind it without a space",
		    V(" boss@bank.example\xe3\x82\x88\xe3\x82\x8a <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "no UTF-8 behind it", V(" boss@bank.example\xa0 <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "address in the name", V(" The boss@bank.example! <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "address behind an encoded word",
		    V(" =?utf-8?Q?a?=boss@bank.example <x@evil>"),
		    "=?utf-8?q?a?=boss@bank.example x@evil", 0 },
		{ "address inside raw ISO-2022-JP",
		    V(" \x1b$B <boss@bank.example>, \x1b(B <x@evil>"),
		    "boss@bank.example x@evil", 0 },
		{ "two in a name", V(" a@b.example c@d.example <e@f>"),
		    "a@b.example c@d.example e@f", 0 },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases));
}

static void
test_malformed(void **state)
{
	static const struct from_case cases[] = {
		{ "empty", V(""), "", -1 },
		{ "blank", V(" \r\n "), "", -1 },
		{ "only a comma", V(" ,"), "", -1 },
		{ "only a comment", V(" (a@b)"), "", -1 },
		{ "only a name", V(" root"), "", -1 },
		{ "only a quoted name", V(" \"a@b\""), "", -1 },
		{ "empty brackets", V(" John <>"), "", -1 },
		{ "no domain", V(" John <john>"), "", -1 },
		{ "no local part", V(" <@b>"), "", -1 },
		{ "empty quoted local part", V(" <\"\"@b>"), "", -1 },
		{ "empty domain", V(" a@"), "", -1 },
		{ "empty group", V(" Undisclosed:;"), "", -1 },
		{ "group without name", V(" :a@b;"), "", -1 },
		{ "group in a group", V(" T: U: a@b;;"), "", -1 },
		{ "semicolon without group", V(" a@b; c@d"), "a@b", -1 },
		{ "behind a group", V(" T: a@b; c@d"), "a@b", -1 },
		{ "open brackets", V(" <a@b"), "a@b", -1 },
		{ "brackets twice", V(" <<a@b>>"), "", -1 },
		{ "closing bracket", V(" a@b>"), "", -1 },
		{ "two brackets", V(" <a@b> <c@d>"), "a@b", -1 },
		{ "word behind brackets", V(" <a@b> x"), "a@b", -1 },
		{ "two bare addresses", V(" a@b c@d"), "", -1 },
		{ "name before a bare address", V(" John a@b"), "", -1 },
		{ "two at signs", V(" a@b@c"), "", -1 },
		{ "two at signs in brackets", V(" <a@b@c>"), "", -1 },
		{ "open quotes", V(" \"John <a@b>"), "", -1 },
		{ "open comment", V(" (John <a@b>"), "", -1 },
		{ "comment ended by an escaped parenthesis", V(" (x \\) <a@b>"),
		    "", -1 },
		{ "open literal", V(" <a@[192.0.2.1>"), "", -1 },
		{ "quoted name that reads as an address, alone",
		    V(" \"boss@bank\", <x@evil>"), "", -1 },
		{ "encoded word alone, may be an address",
		    V(" =?utf-8?Q?boss=40bank?=, <x@evil>"), "", -1 },
		{ "comment alone that reads as an address",
		    V(" (boss@bank), Doe (boss@bank), <x@evil>"), "", -1 },
		{ "encoded word as domain", V(" <a@=?utf-8?Q?bank.example?=>"),
		    "", -1 },
		{ "backslash before the at sign", V(" a\\@b@c"), "", -1 },
		{ "route without brackets", V(" @x:a@b"), "", -1 },
		{ "route not closed", V(" <@x,@y a@b>"), "", -1 },
		{ "NUL", V(" a@b\0.c"), "", -1 },
		{ "NUL in a comment", V(" (\0) a@b"), "", -1 },
		{ "lone CR", V(" a@b\r<c@d>"), "", -1 },
		{ "lone CR at the end", V(" a@b\r"), "", -1 },
		{ "LF without fold", V(" a@b\nTo: c"), "", -1 },
		{ "Latin-1 in the address", V(" j\xf6@d"), "", -1 },
		{ "Latin-1 in the domain", V(" j@\xf6.d"), "", -1 },
		{ "control character in quotes", V(" \"a\x01\"@d"), "", -1 },
		{ "first good, then bad", V(" a@b, c@d@e, f@g"), "a@b", -1 },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases));
}

/* As MTAs write it in bounces; not the same as malformed. */
static void
test_anonymous(void **state)
{
	static const struct {
		const char *label, *value;
		bool want;
	} cases[] = {
		{ "empty brackets", " <>", true },
		{ "name and empty brackets", " MAILER-DAEMON <>", true },
		{ "no domain", " Mail System <MAILER-DAEMON>", true },
		{ "only a name", " MAILER-DAEMON", true },
		{ "quoted name", " \"Mail System\"", true },
		{ "nothing", " ", false },
		{ "only a comment", " (a)", false },
		{ "name that reads as an address", " \"a@b\"", false },
		{ "beside an address", " <root>, <a@b>", false },
		{ "malformed", " a@b@c", false },
	};
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (from_parse(arena, bytes_of(cases[i].value), &list, &err) !=
			-1 ||
		    err.kind != ERR_INPUT)
			case_fail(cases[i].label, "taken");
		if (list.anonymous != cases[i].want)
			case_fail(cases[i].label, "anonymous?");
	}
	arena_free(arena);
}

static void
test_names(void **state)
{
	static const struct {
		const char *label, *value;
		const char *names[3];
	} cases[] = {
		{ "none", " a@b", { "" } },
		{ "plain", " John  Doe <a@b>", { "John  Doe" } },
		{ "quoted", " \"J. \\\"D\" <a@b>", { "\"J. \\\"D\"" } },
		{ "comma", " Doe, John <a@b>", { "Doe, John" } },
		{ "behind", " a@b (John Doe)", { "(John Doe)" } },
		{ "parenthesis in the local part", " \"a(\"@b (J)", { "(J)" } },
		{ "several", " A <a@b>, c@d, E <e@f>", { "A", "", "E" } },
		{ "in a group", " T: A <a@b>, B <c@d>;", { "A", "B" } },
	};
	struct arena *arena = arena_new(0);
	struct from_list list;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(from_parse(arena, bytes_of(cases[i].value),
				     &list, NULL),
		    0);
		for (j = 0; j < list.count; j++)
			if (!bytes_equal(list.names[j],
				bytes_of(cases[i].names[j])))
				case_fail(cases[i].label, "name %zu is '%.*s'",
				    j, (int)list.names[j].len,
				    list.names[j].data);
	}
	arena_free(arena);
}

static void
repeat(struct buf *buf, const char *text, size_t n)
{
	buf_init(buf, SIZE_MAX);
	while (n-- > 0)
		buf_append_str(buf, text);
}

static void
test_limits(void **state)
{
	static const struct {
		const char *label, *text;
		size_t most, over; /* how often text may stand */
		const char *behind;
	} cases[] = {
		{ "addresses", "a@b,", 64, 65, "" },
		{ "depth of comments", "(", 32, 33, "" },
		{ "bytes", "         ,", 6552, 6554, "a@b" },
	};
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct err err;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		repeat(&buf, cases[i].text, cases[i].most);
		buf_append_str(&buf, cases[i].behind);
		err_clear(&err);
		from_parse(arena, buf_bytes(&buf), &list, &err);
		if (err.kind == ERR_LIMIT)
			case_fail(cases[i].label, "limit too early");
		buf_free(&buf);
		repeat(&buf, cases[i].text, cases[i].over);
		buf_append_str(&buf, cases[i].behind);
		if (from_parse(arena, buf_bytes(&buf), &list, &err) != -1 ||
		    err.kind != ERR_LIMIT)
			case_fail(cases[i].label, "no limit");
		assert_in_range(list.count, 0, FROM_ADDRESS_MAX);
		buf_free(&buf);
	}
	arena_free(arena);
}

/* Texts that a parser which looks ahead again and again would take minutes
 * for; the test would be noticed by its length. */
static void
test_hostile_is_quick(void **state)
{
	static const char *const pieces[] = { "=?a?q?", "=?", "\x1b$", "[", "(",
		"\"", "a@", "@", ".", "x.@", "<", "\\", "\x1b(I", "a@b.c",
		"\xc3\xbc@\xc3\xbc.\xc3\xbc " };
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pieces); i++) {
		repeat(&buf, pieces[i],
		    (FROM_VALUE_MAX - 10) / strlen(pieces[i]));
		buf_append_str(&buf, "<a@b>");
		from_parse(arena, buf_bytes(&buf), &list, NULL);
		buf_free(&buf);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5322),
		cmocka_unit_test(test_common_forms),
		cmocka_unit_test(test_all_who_may_be_the_author),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_is_quick),
	};

	return cmocka_run_group_tests_name("from", tests, NULL, NULL);
}
