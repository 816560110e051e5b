/*
 * test_authres.c - tests of mail/authres.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/authres.h"

#define ID "mx.example.net"
#define V(s) BYTES_LIT(s)

/* ---- writer ---- */

static void
test_writer(void **state)
{
	struct authres ar;
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	authres_begin(&ar, &out, ID);
	authres_end(&ar);
	assert_string_equal(buf_str(&out), ID "; none");

	buf_reset(&out);
	authres_begin(&ar, &out, ID);
	authres_method(&ar, "spf", "pass");
	authres_property(&ar, "smtp", "mailfrom", V("a@b.example"));
	authres_method(&ar, "dkim", "fail");
	authres_comment(&ar, "2048-bit key");
	authres_reason(&ar, "body hash did not verify");
	authres_property(&ar, "header", "d", V("b.example"));
	authres_property(&ar, "header", "b", V("ab/+cd=="));
	authres_end(&ar);
	assert_string_equal(buf_str(&out),
	    ID ";\r\n"
	       "\tspf=pass smtp.mailfrom=a@b.example;\r\n"
	       "\tdkim=fail (2048-bit key) reason=\"body hash did not verify\" "
	       "header.d=b.example\r\n"
	       "\theader.b=\"ab/+cd==\"");
	assert_false(out.overflow);

	/* a full buffer is not passed over */
	buf_free(&out);
	buf_init(&out, 30);
	authres_begin(&ar, &out, ID);
	authres_method(&ar, "spf", "pass");
	authres_property(&ar, "smtp", "mailfrom", V("a@b.example"));
	authres_end(&ar);
	assert_true(out.overflow);
	buf_free(&out);
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A512 A64 A64 A64 A64 A64 A64 A64 A64

static void
test_values(void **state)
{
	static const struct {
		const char *label;
		struct bytes value;
		const char *want;
	} cases[] = {
		{ "token", V("b.example"), "b.example" },
		{ "address", V("a@b"), "a@b" },
		{ "domain only", V("@b"), "@b" },
		{ "empty", V(""), "\"\"" },
		{ "two at signs", V("a@b@c"), "\"a@b@c\"" },
		{ "space", V("a b"), "\"a b\"" },
		{ "equals sign", V("a=b@c"), "\"a=b@c\"" },
		{ "IPv6", V("2001:db8::1"), "\"2001:db8::1\"" },
		{ "address literal", V("a@[192.0.2.1]"), "\"a@[192.0.2.1]\"" },
		{ "UTF-8", V("j\xc3\xb6@d"), "\"j\xc3\xb6@d\"" },
		{ "quoted local part", V("\"a b\"@c"), "@c" },
		{ "address in a quoted local part", V("\"a@bank\"@c"), "@c" },
		{ "empty quoted local part", V("\"\"@c"), "@c" },
		{ "quoted local part, literal", V("\"a\"@[192.0.2.1]"),
		    "invalid" },
		{ "quotes do not end at the sign", V("\"a\" @c"), "invalid" },
		{ "quoted local part, no domain", V("\"a\"@"), "invalid" },
		{ "injection by semicolon", V("x; dkim=pass"), "invalid" },
		{ "injection in quotes", V("\"x; dkim=pass \"@c"), "@c" },
		{ "injection behind quotes", V("\"x\"@c; dkim=pass"),
		    "invalid" },
		{ "injection by quote", V("x\" header.d=bank \""), "invalid" },
		{ "quoted pair", V("\"a\\\"b\"@c"), "@c" },
		{ "comment", V("x (y"), "invalid" },
		{ "end of a comment", V("x) y"), "invalid" },
		{ "backslash", V("x\\"), "invalid" },
		{ "verdict for those who search", V("dkim=pass@b"), "invalid" },
		{ "verdict with a blank", V("dkim= PASS"), "invalid" },
		{ "verdict in a quoted local part", V("\"dmarc=pass\"@c"),
		    "@c" },
		{ "LF", V("a\nb"), "invalid" },
		{ "CR", V("a\rb"), "invalid" },
		{ "fold", V("a\r\n b"), "invalid" },
		{ "tab", V("a\tb"), "invalid" },
		{ "NUL", V("a\0b"), "invalid" },
		{ "DEL", V("a\x7f"), "invalid" },
		{ "Latin-1", V("\xf6"), "invalid" },
		{ "too long", V(A512 A64 A64), "invalid" },
	};
	struct authres ar;
	struct buf out;
	char *want;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 10000);
		authres_begin(&ar, &out, "i");
		authres_method(&ar, "m", "r");
		authres_property(&ar, "t", "p", cases[i].value);
		want = xprintf("i;\r\n\tm=r t.p=%s", cases[i].want);
		if (strcmp(buf_str(&out), want) != 0)
			case_fail(cases[i].label, "wrote '%s'", buf_str(&out));
		free(want);
		buf_free(&out);
	}
}

static void
test_texts(void **state)
{
	static const struct {
		const char *label, *text, *want;
	} cases[] = {
		{ "plain", "p=reject t=y", "p=reject t=y" },
		{ "syntax", "a) ; spf=pass (\"\\", "a] , spf:pass ['/" },
		{ "verdict with blanks", "dkim= \tpass", "dkim: ?pass" },
		{ "control and octets", "a\r\nb\x7f\xc3\xb6", "a??b???" },
		{ "long", A512, NULL },
	};
	struct authres ar;
	struct buf out;
	char *want;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&out, 10000);
		authres_begin(&ar, &out, "i");
		authres_method(&ar, "m", "r");
		authres_comment(&ar, cases[i].text);
		authres_reason(&ar, cases[i].text);
		if (cases[i].want != NULL) {
			want = xprintf("i;\r\n\tm=r (%s) reason=\"%s\"",
			    cases[i].want, cases[i].want);
			if (strcmp(buf_str(&out), want) != 0)
				case_fail(cases[i].label, "wrote '%s'",
				    buf_str(&out));
			free(want);
		} else {
			assert_non_null(strstr(buf_str(&out), "aaa...)\r\n"));
			assert_true(out.len < 2 * AUTHRES_TEXT_MAX + 60);
		}
		buf_free(&out);
	}
}

/* Lines stay within 998 octets (RFC 5322), most within 78. */
static void
test_line_length(void **state)
{
	struct authres ar;
	struct buf out;
	struct bytes line;
	const char *p;
	int i;

	(void)state;
	buf_init(&out, 100000);
	authres_begin(&ar, &out, ID);
	for (i = 0; i < 20; i++) {
		authres_method(&ar, "dkim", "pass");
		authres_property(&ar, "header", "d", V("some.example.net"));
		authres_property(&ar, "header", "i", V("@some.example.net"));
		authres_property(&ar, "header", "s", V("selector20261122"));
		authres_property(&ar, "header", "b", V("abcdefgh"));
		if (i == 5)
			authres_property(&ar, "smtp", "mailfrom",
			    V(A512 A64 "@b"));
	}
	for (p = buf_str(&out); *p != '\0'; p += line.len + 2) {
		const char *end = strstr(p, "\r\n");

		line = (struct bytes){ p,
			end != NULL ? (size_t)(end - p) : strlen(p) };
		assert_true(line.len < 998);
		if (memchr(line.data, '@', line.len) == NULL)
			assert_true(line.len <= 78);
		if (end == NULL)
			break;
		assert_int_equal(end[2], '\t');
	}
	buf_free(&out);
}

/* ---- whose is it? ---- */

static void
test_claims(void **state)
{
	static const struct {
		const char *label;
		struct bytes value;
		bool want;
	} cases[] = {
		{ "ours", V(" mx.example.net; dkim=pass"), true },
		{ "no space", V("mx.example.net;dkim=pass"), true },
		{ "capitals", V(" MX.Example.NET; none"), true },
		{ "version", V(" mx.example.net 1; none"), true },
		{ "odd version", V(" mx.example.net v2 x; none"), true },
		{ "version without space", V(" mx.example.net/1; none"), true },
		{ "dots behind", V(" mx.example.net..; dkim=pass"), true },
		{ "no-break space behind",
		    V(" mx.example.net\xc2\xa0x 1; dkim=pass"), true },
		{ "Latin-1 behind", V(" mx.example.net\xa0x; dkim=pass"),
		    true },
		{ "final dot", V(" mx.example.net.; none"), true },
		{ "nothing behind", V(" mx.example.net"), true },
		{ "quoted", V(" \"mx.example.net\"; none"), true },
		{ "quoted pair", V(" \"mx.ex\\ample.net\"; none"), true },
		{ "comment before", V(" (x) mx.example.net; none"), true },
		{ "comment behind", V(" mx.example.net (x); none"), true },
		{ "semicolon in a comment", V(" (a;b) mx.example.net; none"),
		    true },
		{ "semicolon in quotes", V(" \";\" mx.example.net; none"),
		    true },
		{ "comment ended by an escaped parenthesis",
		    V(" (a\\) mx.example.net; none"), true },
		{ "nested comment not closed", V(" (a(b) mx.example.net; none"),
		    true },
		{ "comment inside", V(" mx.(x)example.net; none"), true },
		{ "comment with escaped end inside",
		    V(" mx.(\\))example.net; none"), true },
		{ "fold before", V("\r\n\tmx.example.net; none"), true },
		{ "fold inside", V(" mx.\r\n example.net; none"), true },
		{ "space inside", V(" mx. example. net; none"), true },
		{ "control character inside",
		    V(" mx.\x01"
		      "example.net; none"),
		    true },
		{ "octet inside",
		    V(" mx.\xff"
		      "example.net; none"),
		    true },
		{ "NUL inside", V(" mx.\0example.net; none"), true },
		{ "all at once",
		    V(" (;)\"M\\X\".\r\n (\\)x)e\xff"
		      "xample.net . ; none"),
		    true },
		{ "full width",
		    V(" mx.\xef\xbd\x85"
		      "xample.net; none"),
		    true },
		{ "soft hyphen",
		    V(" mx.ex\xc2\xad"
		      "ample.net; none"),
		    true },
		{ "ideographic full stop",
		    V(" mx\xe3\x80\x82"
		      "example.net;"),
		    true },
		{ "encoded word", V(" =?utf-8?q?mx=2Eexample=2Enet?=; none"),
		    true },
		{ "no id", V(" ; dkim=pass"), true },
		{ "empty", V(""), true },
		{ "only a comment", V(" (mx); dkim=pass"), true },
		{ "result where the id should be", V(" dkim=pass header.d=x;"),
		    true },
		{ "as Microsoft writes",
		    V(" dkim=none (message not signed)\r\n header.d=none;"
		      "dmarc=none"),
		    true },
		{ "behind a lone CR",
		    V(" a.example; none\rAuthentication-Results: "
		      "mx.example.net; dkim=pass"),
		    true },
		{ "behind a lone LF", V(" a.example; none\nX: y"), true },
		{ "NUL behind", V(" a.example; none\0"), true },
		{ "named in a comment before the first semicolon",
		    V(" a.example (for mx.example.net); none"), true },
		{ "with an address", V(" a@mx.example.net; none"), true },

		{ "another host", V(" mx.example.org; dkim=pass"), false },
		{ "the domain above", V(" example.net; dkim=pass"), false },
		{ "a host below", V(" a.mx.example.net; dkim=pass"), false },
		{ "a longer name", V(" mx.example.network; none"), false },
		{ "a longer label", V(" fmx.example.net; none"), false },
		{ "followed by another label", V(" mx.example.net.jp; none"),
		    false },
		{ "our name behind the first semicolon",
		    V(" a.example; iprev=pass policy.iprev=192.0.2.1 "
		      "(mx.example.net)"),
		    false },
		{ "another with comment", V(" (x) a.example (y); none"),
		    false },
		{ "another IDN",
		    V(" b\xc3\xbc"
		      "cher.example; none"),
		    false },
	};
	static const struct {
		const char *label, *id;
		struct bytes value;
		bool want;
	} ids[] = {
		{ "U-label of an A-label", "xn--bcher-kva.example",
		    V(" b\xc3\xbc"
		      "cher.example; none"),
		    true },
		{ "A-label of a U-label",
		    "b\xc3\xbc"
		    "cher.example",
		    V(" XN--BCHER-KVA.example; none"), true },
		{ "U-label in capitals",
		    "b\xc3\xbc"
		    "cher.example",
		    V(" B\xc3\x9c"
		      "CHER.example; none"),
		    true },
		{ "not a domain", "Our Gateway", V(" \"our gateway\"; none"),
		    true },
		{ "not a domain, no space", "Our Gateway",
		    V(" OurGateway; none"), true },
		{ "not a domain, another", "Our Gateway",
		    V(" Your Gateway; none"), false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (authres_claims(cases[i].value, ID) != cases[i].want)
			case_fail(cases[i].label, "claims?");
	for (i = 0; i < ARRAY_LEN(ids); i++)
		if (authres_claims(ids[i].value, ids[i].id) != ids[i].want)
			case_fail(ids[i].label, "claims?");
}

/* What is too long or too costly to be looked through is a claim. */
static void
test_claims_hostile(void **state)
{
	static const char *const pieces[] = { "\xc3\xbc ", "(", "\"", "\\", "a",
		"mx.example.ne", " " };
	struct buf buf;
	size_t i;
	int n;

	(void)state;
	buf_init(&buf, SIZE_MAX);
	for (i = 0; i < ARRAY_LEN(pieces); i++) {
		buf_reset(&buf);
		for (n = 0; n < 100000; n++)
			buf_append_str(&buf, pieces[i]);
		assert_true(authres_claims(buf_bytes(&buf), ID));
	}
	buf_free(&buf);
	assert_true(
	    authres_claims(V("\xc3\xbc \xc3\xbc \xc3\xbc \xc3\xbc; none"), ID));
}

/* ---- parser ---- */

static char *
dump(const struct authres_parsed *parsed)
{
	const struct authres_result *result;
	struct buf buf;
	size_t i, j;

	buf_init(&buf, SIZE_MAX);
	buf_printf(&buf, "%s", parsed->authserv_id);
	for (i = 0; i < parsed->count; i++) {
		result = &parsed->results[i];
		buf_printf(&buf, "|%s=%s", result->method, result->result);
		if (result->reason != NULL)
			buf_printf(&buf, " reason=%s", result->reason);
		for (j = 0; j < result->property_count; j++)
			buf_printf(&buf, " %s.%s=%s",
			    result->properties[j].ptype,
			    result->properties[j].property,
			    result->properties[j].value);
	}
	return buf_steal(&buf);
}

static void
test_parser(void **state)
{
	static const struct {
		const char *label;
		struct bytes value;
		const char *want;
	} cases[] = {
		{ "none", V(" a.example; none"), "a.example" },
		{ "none with comments", V(" a (x) 1 (y) ; (z) none (w)"), "a" },
		{ "one", V(" a; spf=pass smtp.mailfrom=b@c"),
		    "a|spf=pass smtp.mailfrom=b@c" },
		{ "several", V(" a;\r\n spf=pass smtp.helo=b;\r\n\tdkim=fail"),
		    "a|spf=pass smtp.helo=b|dkim=fail" },
		{ "reason", V(" a; dkim=fail reason=\"bad; \\\"sig\" x.y=z"),
		    "a|dkim=fail reason=bad; \"sig x.y=z" },
		{ "blanks and comments",
		    V(" a ; DKIM / 1 (v) = (c) Pass (d(e\\)) ) header (f) . "
		      "(g) d (h) = (i) \"x y\" (j)"),
		    "a|dkim=pass header.d=x y" },
		{ "quoted local part",
		    V(" a; spf=pass smtp.mailfrom=\"b;c\"@d"),
		    "a|spf=pass smtp.mailfrom=b;c@d" },
		{ "quoted id", V(" \"a b\"; none"), "a b" },
		{ "unquoted base64", V(" a; dkim=pass header.b=ab/+c=="),
		    "a|dkim=pass header.b=ab/+c==" },
		{ "no ptype, as Microsoft writes",
		    V(" a; dmarc=pass action=none header.from=b"),
		    "a|dmarc=pass .action=none header.from=b" },
		{ "semicolon at the end", V(" a; spf=pass; "), "a|spf=pass" },
		{ "a method called none", V(" a; none=pass"), "a|none=pass" },
	};
	struct arena *arena = arena_new(0);
	struct authres_parsed parsed;
	struct err err;
	char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (authres_parse(arena, cases[i].value, &parsed, &err) < 0)
			case_fail(cases[i].label, "%s", err.text);
		got = dump(&parsed);
		if (strcmp(got, cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", got);
		free(got);
	}
	arena_free(arena);
}

static void
test_parser_refuses(void **state)
{
	static const struct {
		const char *label;
		struct bytes value;
	} cases[] = {
		{ "empty", V("") },
		{ "no id", V(" ; spf=pass") },
		{ "no semicolon", V(" a") },
		{ "nothing behind it", V(" a;") },
		{ "no result", V(" a; spf") },
		{ "empty result", V(" a; spf=") },
		{ "open quotes", V(" a; spf=pass x.y=\"z") },
		{ "open comment", V(" a; spf=pass (x") },
		{ "property without value sign", V(" a; spf=pass x.y") },
		{ "none and more", V(" a; none; spf=pass") },
		{ "NUL", V(" a; spf=pass x.y=a\0b") },
		{ "NUL in quotes", V(" a; spf=pass x.y=\"a\0b\"") },
	};
	struct arena *arena = arena_new(0);
	struct authres_parsed parsed;
	struct err err;
	struct buf buf;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (authres_parse(arena, cases[i].value, &parsed, &err) != -1 ||
		    err.kind != ERR_INPUT)
			case_fail(cases[i].label, "taken");
	buf_init(&buf, SIZE_MAX);
	buf_append_str(&buf, "a");
	for (n = 0; n <= AUTHRES_RESULT_MAX; n++)
		buf_append_str(&buf, ";x=y");
	assert_int_equal(authres_parse(arena, buf_bytes(&buf), &parsed, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_reset(&buf);
	buf_append_str(&buf, "a;x=y");
	for (n = 0; n <= AUTHRES_PROPERTY_MAX; n++)
		buf_append_str(&buf, " a.b=c");
	assert_int_equal(authres_parse(arena, buf_bytes(&buf), &parsed, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_free(&buf);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_claims_hostile),
		cmocka_unit_test(test_parser),
		cmocka_unit_test(test_parser_refuses),
	};

	return cmocka_run_group_tests_name("authres", tests, NULL, NULL);
}
