/*
 * test_address.c - tests of mail/address.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/address.h"

#define BYTES(s)                                                               \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

#define A62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A63 A62 "a"
#define A248 A62 A62 A62 A62

static void
test_parse(void **state)
{
	static const struct {
		const char *label;
		struct bytes text;
		const char *raw, *local, *domain, *key;
	} cases[] = {
		{ "null sender", BYTES("<>"), "", "", "", "" },
		{ "nothing", BYTES(""), "", "", "", "" },
		{ "plain", BYTES("<User@Example.NET>"), "User@Example.NET",
		    "User", "example.net", "user@example.net" },
		{ "no brackets", BYTES("a@b"), "a@b", "a", "b", "a@b" },
		{ "final dot", BYTES("a@b.example."), "a@b.example.", "a",
		    "b.example", "a@b.example" },
		{ "no domain", BYTES("<Postmaster>"), "Postmaster",
		    "Postmaster", "", "postmaster@" },
		{ "quoted at sign without domain is no address of that domain",
		    BYTES("<\"a@b.example\">"), "\"a@b.example\"",
		    "a@b.example", "", "a@b.example@" },
		{ "dots of mobile phones", BYTES("<.a..b.@docomo.example>"),
		    ".a..b.@docomo.example", ".a..b.", "docomo.example",
		    ".a..b.@docomo.example" },
		{ "all of atext", BYTES("<!#$%&'*+-/=?^_`{|}~@d>"),
		    "!#$%&'*+-/=?^_`{|}~@d", "!#$%&'*+-/=?^_`{|}~", "d",
		    "!#$%&'*+-/=?^_`{|}~@d" },
		{ "quotes go", BYTES("<\"A.b\"@d>"), "\"A.b\"@d", "A.b", "d",
		    "a.b@d" },
		{ "quoted pair goes", BYTES("<\"a\\b\\\"\\\\c\"@d>"),
		    "\"a\\b\\\"\\\\c\"@d", "ab\"\\c", "d", "ab\"\\c@d" },
		{ "quoted word among words", BYTES("<a.\"b c\".d@e>"),
		    "a.\"b c\".d@e", "a.b c.d", "e", "a.b c.d@e" },
		{ "backslash outside quotes", BYTES("<a\\ b@e>"), "a\\ b@e",
		    "a b", "e", "a b@e" },
		{ "at sign inside quotes", BYTES("<\"a@b\"@c>"), "\"a@b\"@c",
		    "a@b", "c", "a@b@c" },
		{ "bracket inside quotes", BYTES("<\"<a>\"@c>"), "\"<a>\"@c",
		    "<a>", "c", "<a>@c" },
		{ "source route", BYTES("<@one.example,@[192.0.2.1]:u@d>"),
		    "@one.example,@[192.0.2.1]:u@d", "u", "d", "u@d" },
		{ "IPv4 literal", BYTES("<u@[192.0.2.1]>"), "u@[192.0.2.1]",
		    "u", "[192.0.2.1]", "u@[192.0.2.1]" },
		{ "IPv6 literal has one spelling",
		    BYTES("<u@[IPV6:2001:DB8:0::1]>"), "u@[IPV6:2001:DB8:0::1]",
		    "u", "[ipv6:2001:db8::1]", "u@[ipv6:2001:db8::1]" },
		{ "underscore", BYTES("<u@_dmarc.a_b>"), "u@_dmarc.a_b", "u",
		    "_dmarc.a_b", "u@_dmarc.a_b" },
		{ "U-label",
		    BYTES("<u@B\xc3\xbc"
			  "cher.example>"),
		    "u@B\xc3\xbc"
		    "cher.example",
		    "u", "xn--bcher-kva.example", "u@xn--bcher-kva.example" },
		{ "sharp s is kept (non-transitional)",
		    BYTES("<u@fa\xc3\x9f.example>"), "u@fa\xc3\x9f.example",
		    "u", "xn--fa-hia.example", "u@xn--fa-hia.example" },
		{ "A-label in capitals", BYTES("<u@XN--BCHER-KVA.example>"),
		    "u@XN--BCHER-KVA.example", "u", "xn--bcher-kva.example",
		    "u@xn--bcher-kva.example" },
		{ "full width letters and dot",
		    BYTES("<u@\xef\xbd\x85\xef\xbc\x8e"
			  "jp\xe3\x80\x82>"),
		    "u@\xef\xbd\x85\xef\xbc\x8e"
		    "jp\xe3\x80\x82",
		    "u", "e.jp", "u@e.jp" },
		{ "underscore beside a U-label",
		    BYTES("<u@_x.b\xc3\xbc"
			  "cher.example>"),
		    "u@_x.b\xc3\xbc"
		    "cher.example",
		    "u", "_x.xn--bcher-kva.example",
		    "u@_x.xn--bcher-kva.example" },
		{ "UTF-8 local part keeps its case", BYTES("<\xc3\x9cser@d>"),
		    "\xc3\x9cser@d", "\xc3\x9cser", "d", "\xc3\x9cser@d" },
		{ "hyphens at the edge of a label", BYTES("<u@-a-.example>"),
		    "u@-a-.example", "u", "-a-.example", "u@-a-.example" },
		{ "label of 63", BYTES("<u@" A63 ".example>"),
		    "u@" A63 ".example", "u", A63 ".example",
		    "u@" A63 ".example" },
	};
	struct address address;
	struct arena *arena = arena_new(0);
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (address_parse(arena, cases[i].text, &address, &err) < 0)
			case_fail(cases[i].label, "%s", err.text);
		if (strcmp(address.raw, cases[i].raw) != 0)
			case_fail(cases[i].label, "raw '%s'", address.raw);
		if (strcmp(address.local, cases[i].local) != 0)
			case_fail(cases[i].label, "local '%s'", address.local);
		if (strcmp(address.domain, cases[i].domain) != 0)
			case_fail(cases[i].label, "domain '%s'",
			    address.domain);
		if (strcmp(address.key, cases[i].key) != 0)
			case_fail(cases[i].label, "key '%s'", address.key);
		if (address_is_null(&address) != (cases[i].key[0] == '\0'))
			case_fail(cases[i].label, "null sender?");
	}
	arena_free(arena);
}

static void
test_parse_refuses(void **state)
{
	static const struct {
		const char *label;
		struct bytes text;
	} cases[] = {
		{ "open bracket", BYTES("<a@b") },
		{ "only a bracket", BYTES("<") },
		{ "closing bracket", BYTES("a@b>") },
		{ "brackets twice", BYTES("<<a@b>>") },
		{ "behind the bracket", BYTES("<a@b> c") },
		{ "space", BYTES(" a@b") },
		{ "space in the local part", BYTES("<a b@c>") },
		{ "space in the domain", BYTES("<a@b c>") },
		{ "two at signs", BYTES("<a@b@c>") },
		{ "empty local part", BYTES("<@b>") },
		{ "empty quoted local part, the key of a whole domain",
		    BYTES("<\"\"@b>") },
		{ "only quotes", BYTES("<\"\">") },
		{ "empty domain", BYTES("<a@>") },
		{ "dot as domain", BYTES("<a@.>") },
		{ "leading dot in the domain", BYTES("<a@.b>") },
		{ "two dots in the domain", BYTES("<a@b..c>") },
		{ "two final dots", BYTES("<a@b..>") },
		{ "open quotes", BYTES("<\"a@b>") },
		{ "open quotes behind a backslash", BYTES("<\"a\\") },
		{ "backslash at the end", BYTES("<a\\>") },
		{ "quotes inside a word", BYTES("<a\"b\"@c>") },
		{ "word behind quotes", BYTES("<\"a\"b@c>") },
		{ "quotes behind quotes", BYTES("<\"a\"\"b\"@c>") },
		{ "comma", BYTES("<a,b@c>") },
		{ "comment", BYTES("<a(b)@c>") },
		{ "colon", BYTES("<a:b@c>") },
		{ "NUL in the local part", BYTES("<a\0b@c>") },
		{ "NUL in quotes", BYTES("<\"a\0b\"@c>") },
		{ "NUL in the domain", BYTES("<a@b\0.c>") },
		{ "LF in quotes", BYTES("<\"a\nb\"@c>") },
		{ "escaped CR in quotes", BYTES("<\"a\\\rb\"@c>") },
		{ "DEL", BYTES("<\"\x7f\"@c>") },
		{ "C1 control", BYTES("<a\xc2\x85@c>") },
		{ "Latin-1", BYTES("<\xfcser@c>") },
		{ "Latin-1 in the domain",
		    BYTES("<u@b\xfc"
			  "cher>") },
		{ "half a character", BYTES("<u@b\xc3>") },
		{ "surrogate", BYTES("<\xed\xa0\x80@c>") },
		{ "full width at sign in the domain",
		    BYTES("<u@a\xef\xbc\xa0"
			  "b>") },
		{ "full width slash in the domain",
		    BYTES("<u@a\xef\xbc\x8f"
			  "b>") },
		{ "emoji that IDNA2008 forbids",
		    BYTES("<u@\xf0\x9f\x92\xa9.la>") },
		{ "soft hyphen alone", BYTES("<u@\xc2\xad>") },
		{ "literal without address", BYTES("<a@[]>") },
		{ "literal not closed", BYTES("<a@[192.0.2.1>") },
		{ "literal of one bracket", BYTES("<a@[>") },
		{ "behind the literal", BYTES("<a@[192.0.2.1]x>") },
		{ "IPv6 literal without tag", BYTES("<a@[2001:db8::1]>") },
		{ "IPv4 literal with tag", BYTES("<a@[IPv6:192.0.2.1]>") },
		{ "other literal", BYTES("<a@[x-tag:y]>") },
		{ "route without mailbox", BYTES("<@a.example:>") },
		{ "route not closed", BYTES("<@a.example,@b>") },
		{ "empty hop", BYTES("<@:a@b>") },
		{ "label of 64", BYTES("<u@" A63 "a.example>") },
		{ "domain of 255",
		    BYTES("<u@" A62 "." A62 "." A62 "." A62 ".aaa>") },
		{ "local part of 257", BYTES("<" A248 "aaaaaaaaa@d>") },
		{ "domain of 2,000",
		    BYTES("<u@" A248 A248 A248 A248 A248 A248 A248 A248 ">") },
		{ "U-labels beyond 1,024",
		    BYTES("<u@\xc3\xbc" A248 A248 A248 A248 A248 ">") },
	};
	struct address address = { "r", "l", "d", "k" };
	struct arena *arena = arena_new(0);
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		err_clear(&err);
		if (address_parse(arena, cases[i].text, &address, &err) != -1)
			case_fail(cases[i].label, "taken as '%s'", address.key);
		if (err.kind != ERR_INPUT || err.text[0] == '\0')
			case_fail(cases[i].label, "no reason");
		if (address.key[0] != 'k')
			case_fail(cases[i].label, "result was written");
	}
	arena_free(arena);
}

static void
test_domain_at_start(void **state)
{
	static const struct {
		const char *label;
		const char *text, *want;
	} cases[] = {
		{ "domain", "bank.example", "bank.example" },
		{ "one label", "bank", "bank" },
		{ "nothing", "", "" },
		{ "dots", "...", "" },
		{ "full stop", "bank.example.", "bank.example" },
		{ "hyphens", "bank.example--", "bank.example" },
		{ "two dots within", "bank.example..and", "bank.example" },
		{ "two dots behind one label", "bank..example", "" },
		{ "U-label", "b\xc3\xa4nk.example", "b\xc3\xa4nk.example" },
		{ "international top level",
		    "mail.bank.\xe4\xbe\x8b\xe3\x81\x88",
		    "mail.bank.\xe4\xbe\x8b\xe3\x81\x88" },
		{ "words behind", "bank.example\xe3\x82\x88\xe3\x82\x8a",
		    "bank.example" },
		{ "no-break space", "bank.example\xc2\xa0z", "bank.example" },
		{ "no UTF-8", "bank.example\xa0", "bank.example" },
		{ "not even a domain then", "b\xa0nk.example", "" },
	};
	struct arena *arena = arena_new(0);
	struct bytes got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		got = domain_at_start(arena, bytes_of(cases[i].text));
		if (!bytes_equal(got, bytes_of(cases[i].want)))
			case_fail(cases[i].label, "'%.*s'", (int)got.len,
			    got.data);
	}
	arena_free(arena);
}

static void
test_limits_are_reached(void **state)
{
	struct arena *arena = arena_new(0);
	struct address address;
	char *long_route;

	(void)state;
	assert_int_equal(address_parse(arena, bytes_of("<" A248 "aaaaaaaa@d>"),
			     &address, NULL),
	    0);
	assert_int_equal(strlen(address.local), ADDRESS_LOCAL_MAX);
	assert_int_equal(address_parse(arena,
			     bytes_of("<u@" A62 "." A62 "." A62 "." A62 ".a>"),
			     &address, NULL),
	    0);
	assert_int_equal(strlen(address.domain), DOMAIN_MAX);

	long_route = xcalloc(1, 100001);
	memset(long_route, '@', 100000);
	assert_int_equal(address_parse(arena, bytes_of(long_route), &address,
			     NULL),
	    -1);
	free(long_route);
	arena_free(arena);
}

static void
test_append_key(void **state)
{
	static const struct {
		const char *label, *key, *want;
	} cases[] = {
		{ "plain", "a@b", "a@b" },
		{ "null sender", "", "" },
		{ "no domain", "postmaster@", "postmaster" },
		{ "space", "a b@c", "\"a b\"@c" },
		{ "at sign", "a@b@c", "\"a@b\"@c" },
		{ "quotes and backslash", "a\"\\b@c", "\"a\\\"\\\\b\"@c" },
		{ "dot at the end", "a.@c", "\"a.\"@c" },
		{ "two dots", "a..b@c", "\"a..b\"@c" },
		{ "UTF-8", "\xc3\xbc@c", "\xc3\xbc@c" },
	};
	struct arena *arena = arena_new(0);
	struct address address;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&buf, 1000);
		assert_int_equal(address_append_key(&buf, cases[i].key), 0);
		if (strcmp(buf_str(&buf), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&buf));
		if (address_parse(arena, buf_bytes(&buf), &address, NULL) < 0 ||
		    strcmp(address.key, cases[i].key) != 0)
			case_fail(cases[i].label, "does not come back");
		buf_free(&buf);
	}
	buf_init(&buf, 4);
	assert_int_equal(address_append_key(&buf, "a b@c"), -1);
	buf_free(&buf);
	arena_free(arena);
}

static void
test_make(void **state)
{
	struct arena *arena = arena_new(0);
	struct address address;
	struct err err;

	(void)state;
	assert_int_equal(address_make(arena, bytes_of("A b"),
			     bytes_of("EXAMPLE.net."), &address, &err),
	    0);
	assert_string_equal(address.raw, "\"A b\"@EXAMPLE.net.");
	assert_string_equal(address.key, "a b@example.net");
	assert_int_equal(address_make(arena, bytes_of("a"),
			     bytes_of("[192.0.2.1]"), &address, &err),
	    0);
	assert_string_equal(address.domain, "[192.0.2.1]");
	assert_int_equal(address_make(arena, bytes_of("a\n"), bytes_of("b"),
			     &address, &err),
	    -1);
	assert_int_equal(address_make(arena, bytes_of("a"), bytes_of(""),
			     &address, &err),
	    -1);
	arena_free(arena);
}

static void
test_display(void **state)
{
	static const struct {
		const char *label, *domain, *want;
	} cases[] = {
		{ "ASCII", "example.net", "example.net" },
		{ "Latin", "xn--bcher-kva.example",
		    "b\xc3\xbc"
		    "cher.example" },
		{ "Han", "xn--wgv71a119e.jp",
		    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.jp" },
		{ "Cyrillic that looks like apple", "xn--80ak6aa92e.com",
		    "xn--80ak6aa92e.com" },
		{ "kana that looks like a slash beside Latin",
		    "xn--ab-8j4a.example", "xn--ab-8j4a.example" },
		{ "not an A-label", "xn--.example", "xn--.example" },
		{ "nonsense", "xn--999999999.example",
		    "xn--999999999.example" },
	};
	struct arena *arena = arena_new(0);
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		got = domain_for_display(arena, cases[i].domain);
		if (strcmp(got, cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", got);
	}
	arena_free(arena);
}

static void
test_within(void **state)
{
	static const struct {
		const char *domain, *parent;
		bool want;
	} cases[] = {
		{ "a.example", "a.example", true },
		{ "b.a.example", "a.example", true },
		{ "ba.example", "a.example", false },
		{ "example", "a.example", false },
		{ "a.example", "", false },
		{ "", "", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (domain_is_within(cases[i].domain, cases[i].parent) !=
		    cases[i].want)
			case_fail(cases[i].domain, "within '%s'?",
			    cases[i].parent);
}

static void
test_common_labels(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} cases[] = {
		{ "example.org", "example.org", 2 },
		{ "mail.example.org", "example.org", 2 },
		{ "a.example.org", "b.example.org", 2 },
		{ "badexample.org", "example.org", 1 },
		{ "example.org", "example.net", 0 },
		{ "xorg", "org", 0 },
		{ "org", "org", 1 },
		{ "", "org", 0 },
		{ "", "", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (domain_common_labels(cases[i].a, cases[i].b) !=
			cases[i].want ||
		    domain_common_labels(cases[i].b, cases[i].a) !=
			cases[i].want)
			case_fail(cases[i].a, "with '%s'", cases[i].b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_common_labels),
		cmocka_unit_test(test_domain_at_start),
		cmocka_unit_test(test_limits_are_reached),
		cmocka_unit_test(test_append_key),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_display),
		cmocka_unit_test(test_within),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
