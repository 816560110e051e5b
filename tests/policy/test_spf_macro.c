/*
 * test_spf_macro.c - tests of policy/spf_macro.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "policy/spf_macro.h"

#define V4 "192.0.2.3"

/* The sender, client and names of RFC 7208 section 7.4. */
static struct spf_macros
example(const char *client)
{
	struct spf_macros macros = {
		.local = "strong-bad",
		.sender = "email.example.com",
		.domain = "email.example.com",
		.helo = "mx.example.org",
		.validated = "mx.example.org",
		.receiver = "receiver.example",
		.now_s = 1700000000,
	};

	assert_int_equal(ip_parse(bytes_of(client), &macros.ip), 0);
	return macros;
}

static void
test_expand(void **state)
{
	static const struct {
		const char *client, *text, *want;
	} cases[] = {
		/* section 7.4 */
		{ V4, "%{s}", "strong-bad@email.example.com" },
		{ V4, "%{o}", "email.example.com" },
		{ V4, "%{d}", "email.example.com" },
		{ V4, "%{d4}", "email.example.com" },
		{ V4, "%{d3}", "email.example.com" },
		{ V4, "%{d2}", "example.com" },
		{ V4, "%{d1}", "com" },
		{ V4, "%{dr}", "com.example.email" },
		{ V4, "%{d2r}", "example.email" },
		{ V4, "%{l}", "strong-bad" },
		{ V4, "%{l-}", "strong.bad" },
		{ V4, "%{lr}", "strong-bad" },
		{ V4, "%{lr-}", "bad.strong" },
		{ V4, "%{l1r-}", "strong" },
		{ V4, "%{ir}.%{v}._spf.%{d2}",
		    "3.2.0.192.in-addr._spf.example.com" },
		{ V4, "%{lr-}.lp._spf.%{d2}",
		    "bad.strong.lp._spf.example.com" },
		{ V4, "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ V4, "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		    "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ V4, "%{d2}.trusted-domains.example.net",
		    "example.com.trusted-domains.example.net" },
		{ "2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
		    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0."
		    "1.0.0.2.ip6._spf.example.com" },
		/* the rest of the language */
		{ V4, "", "" },
		{ V4, "%%%_%-", "% %20" },
		{ V4, "%{c} %{r} %{t} %{p} %{h}",
		    "192.0.2.3 receiver.example 1700000000 mx.example.org "
		    "mx.example.org" },
		{ "2001:DB8:0::CB01", "%{c}", "2001:db8::cb01" },
		{ "::ffff:192.0.2.3", "%{i}", "192.0.2.3" },
		{ V4, "%{S}", "strong-bad%40email.example.com" },
		{ V4, "%{DR}", "com.example.email" },
		{ V4, "%{i2}", "2.3" },
		{ V4, "%{i999999999999999999999}", "192.0.2.3" },
		{ V4, "%{d2.-+,/_=}", "example.com" },
		{ V4, "%{l0001-}", "bad" },
		{ V4, "%{s-.}", "strong.bad@email.example.com" },
	};
	struct spf_macros macros;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		macros = example(cases[i].client);
		buf_init(&buf, SPF_EXPANSION_MAX);
		if (spf_macro_check(bytes_of(cases[i].text), SPF_SYNTAX_EXPLAIN,
			NULL) < 0)
			case_fail(cases[i].text, "refused");
		if (spf_macro_expand(&macros, bytes_of(cases[i].text), &buf) <
		    0)
			case_fail(cases[i].text, "not expanded");
		if (strcmp(buf_str(&buf), cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'", buf_str(&buf));
		buf_free(&buf);
	}
}

/* What a client says is data, whatever it looks like. */
static void
test_values_are_not_expanded_again(void **state)
{
	static const struct {
		const char *text, *local, *helo, *want;
	} cases[] = {
		{ "%{h}", "x", "%{d}", "%{d}" },
		{ "%{l}", "%{h}", "x", "%{h}" },
		{ "%{L}", "a%b/c d", "x", "a%25b%2Fc%20d" },
		{ "%{H}", "x", "%%%%", "%25%25%25%25" },
		{ "%{l}", "..a..", "x", "..a.." },
		{ "%{lr}", "a..b.", "x", ".b..a" },
		{ "%{l1}", "a.", "x", "" },
		{ "%{h2}", "x", "", "" },
		{ "%{H}", "x", "\xc3\xa4", "%C3%A4" },
	};
	struct spf_macros macros = example("192.0.2.3");
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		macros.local = cases[i].local;
		macros.helo = cases[i].helo;
		buf_init(&buf, SPF_EXPANSION_MAX);
		assert_int_equal(spf_macro_expand(&macros,
				     bytes_of(cases[i].text), &buf),
		    0);
		if (strcmp(buf_str(&buf), cases[i].want) != 0)
			case_fail(cases[i].text, "got '%s'", buf_str(&buf));
		buf_free(&buf);
	}
}

static void
test_check(void **state)
{
	static const struct {
		const char *text;
		enum spf_syntax syntax;
		bool want;
	} cases[] = {
		{ "%{d}", SPF_SYNTAX_DOMAIN, true },
		{ "%{d}.example.com", SPF_SYNTAX_DOMAIN, true },
		{ "a.%{d}", SPF_SYNTAX_DOMAIN, true },
		{ "%{d}com", SPF_SYNTAX_DOMAIN, false },
		{ "%{d}.com", SPF_SYNTAX_DOMAIN, true },
		{ "%{d}.", SPF_SYNTAX_DOMAIN, false },
		{ "foo%%", SPF_SYNTAX_DOMAIN, true },
		{ "a.xn--p1ai", SPF_SYNTAX_DOMAIN, true },
		{ "a.1-2", SPF_SYNTAX_DOMAIN, true },
		{ "a.b c.example", SPF_SYNTAX_DOMAIN, false },
		{ "", SPF_SYNTAX_DOMAIN, false },
		{ "", SPF_SYNTAX_STRING, true },
		{ "anything", SPF_SYNTAX_STRING, true },
		{ "a b", SPF_SYNTAX_STRING, false },
		{ "a b", SPF_SYNTAX_EXPLAIN, true },
		{ "%{c}", SPF_SYNTAX_EXPLAIN, true },
		{ "%{C}", SPF_SYNTAX_STRING, false },
		{ "%{d0}", SPF_SYNTAX_STRING, false },
		{ "%{d00}", SPF_SYNTAX_STRING, false },
		{ "%{d1r2}", SPF_SYNTAX_STRING, false },
		{ "%{dr1}", SPF_SYNTAX_STRING, false },
		{ "%{d*}", SPF_SYNTAX_STRING, false },
		{ "%{}", SPF_SYNTAX_STRING, false },
		{ "%{", SPF_SYNTAX_STRING, false },
		{ "%", SPF_SYNTAX_STRING, false },
		{ "%{x}", SPF_SYNTAX_EXPLAIN, false },
		{ "%{1}", SPF_SYNTAX_STRING, false },
		{ "caf\xc3\xa9", SPF_SYNTAX_EXPLAIN, false },
		{ "tab\there", SPF_SYNTAX_EXPLAIN, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if ((spf_macro_check(bytes_of(cases[i].text), cases[i].syntax,
			 NULL) == 0) != cases[i].want)
			case_fail(cases[i].text, "wrong answer");
	assert_int_equal(spf_macro_check(BYTES_LIT("a\0.example"),
			     SPF_SYNTAX_DOMAIN, NULL),
	    -1);
}

static void
test_uses(void **state)
{
	(void)state;
	assert_true(spf_macro_uses(BYTES_LIT("a.%{p}.b"), "p"));
	assert_true(spf_macro_uses(BYTES_LIT("%{P}"), "p"));
	assert_true(spf_macro_uses(BYTES_LIT("%{d2r}.%{l-}"), "sl"));
	assert_false(spf_macro_uses(BYTES_LIT("%%{p}"), "p"));
	assert_false(spf_macro_uses(BYTES_LIT("p.%_%-"), "p"));
	assert_false(spf_macro_uses(BYTES_LIT(""), "p"));
}

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10

static void
test_names(void **state)
{
	static const struct {
		const char *spec;
		const char *want; /* NULL: no such name */
	} cases[] = {
		{ "Example.COM.", "example.com" },
		{ "a b%_c.example.com", "a b c.example.com" },
		{ "x.%{h}", "x.mx.example.org" },
		{ "a..example.com", NULL },
		{ ".example.com", NULL },
		{ "a.example..", NULL },
		{ L60 "abc.example.com", L60 "abc.example.com" },
		{ L60 "abcd.example.com", NULL },
		/* 4 * 64 + 3 octets: the first label goes */
		{ L60 "123." L60 "123." L60 "123." L60 "123.com",
		    L60 "123." L60 "123." L60 "123.com" },
		/* 3 * 64 + 61 octets: just fits */
		{ L60 "123." L60 "123." L60 "123." L60 "1",
		    L60 "123." L60 "123." L60 "123." L60 "1" },
	};
	struct spf_macros macros = example("192.0.2.3");
	char out[SPF_NAME_SIZE];
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rc = spf_macro_name(&macros, bytes_of(cases[i].spec), out);
		if (rc != (cases[i].want != NULL))
			case_fail(cases[i].spec, "says %d", rc);
		if (rc == 1 && strcmp(out, cases[i].want) != 0)
			case_fail(cases[i].spec, "got '%s'", out);
	}
}

static void
test_name_text(void **state)
{
	char out[SPF_NAME_TEXT_SIZE];

	(void)state;
	spf_name_text("a b\\\"\xff.example.com", out);
	assert_string_equal(out, "a\\032b\\092\\034\\255.example.com");
}

/* An expansion that grows beyond all bounds is an error, not a cut name. */
static void
test_ceiling(void **state)
{
	struct spf_macros macros = example("192.0.2.3");
	char helo[1100], name[SPF_NAME_SIZE];
	struct buf spec, out;
	int i;

	(void)state;
	memset(helo, 'a', sizeof(helo));
	helo[sizeof(helo) - 1] = '\0';
	macros.helo = helo;
	buf_init(&out, SPF_EXPANSION_MAX);
	assert_int_equal(spf_macro_expand(&macros, BYTES_LIT("%{h}"), &out),
	    -1);
	helo[1000] = '\0';
	buf_init(&spec, 10000);
	for (i = 0; i < 100; i++)
		buf_append_str(&spec, "%{h}.");
	assert_int_equal(spf_macro_name(&macros, buf_bytes(&spec), name), 0);
	buf_free(&spec);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_values_are_not_expanded_again),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_uses),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_text),
		cmocka_unit_test(test_ceiling),
	};

	return cmocka_run_group_tests_name("spf_macro", tests, NULL, NULL);
}
