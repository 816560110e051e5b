/*
 * test_failure.c - tests of policy/failure.c, failure_mail.c and redact.c:
 * when a failure is reported, what strangers may see of it, and the mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/str.h"
#include "mail/envelope.h"
#include "policy/auth.h"
#include "policy/failure_mail.h"

#define KEY BYTES_LIT("0123456789abcdef0123456789abcdef")
#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"

/* ---- when ---- */

enum dkim {
	NO_DKIM,
	DKIM_PASS,      /* aligned */
	DKIM_FAIL,      /* of the author's domain */
	DKIM_ELSEWHERE, /* fails, of another domain */
	DKIM_UNTRUSTED, /* passes, but something was added */
	DKIM_TEMP,
};

static void
set_dkim(struct auth *auth, struct auth_dkim_signature *s, enum dkim what)
{
	static const enum auth_result results[] = {
		[DKIM_PASS] = AUTH_PASS,
		[DKIM_FAIL] = AUTH_FAIL,
		[DKIM_ELSEWHERE] = AUTH_PERMERROR,
		[DKIM_UNTRUSTED] = AUTH_PASS,
		[DKIM_TEMP] = AUTH_TEMPERROR,
	};

	memset(s, 0, sizeof(*s));
	s->result = results[what];
	s->domain = what == DKIM_ELSEWHERE ? "relay.test" : "mail.d.test";
	s->trusted = what == DKIM_PASS;
	auth->dkim.signatures = s;
	auth->dkim.count = what != NO_DKIM;
}

static void
test_wanted(void **state)
{
	static const struct {
		const char *label, *ruf, *fo;
		enum auth_result dmarc;
		enum dkim dkim;
		enum auth_result spf;
		bool spf_aligned, psd;
		enum failure_kind want;
	} cases[] = {
		{ "both fail", "mailto:a@d", NULL, AUTH_FAIL, DKIM_FAIL,
		    AUTH_FAIL, false, false, FAILURE_DMARC },
		{ "no ruf", NULL, "1:d:s", AUTH_FAIL, DKIM_FAIL, AUTH_FAIL,
		    false, false, FAILURE_NONE },
		{ "a public suffix", "mailto:a@d", NULL, AUTH_FAIL, DKIM_FAIL,
		    AUTH_FAIL, false, true, FAILURE_NONE },
		{ "no default for a pass", "mailto:a@d", NULL, AUTH_PASS,
		    DKIM_PASS, AUTH_FAIL, false, false, FAILURE_NONE },
		{ "0", "mailto:a@d", "0", AUTH_PASS, DKIM_PASS, AUTH_FAIL,
		    false, false, FAILURE_NONE },
		{ "1, one fails", "mailto:a@d", "1", AUTH_PASS, DKIM_PASS,
		    AUTH_FAIL, false, false, FAILURE_DMARC },
		{ "1, the other fails", "mailto:a@d", "1", AUTH_PASS, NO_DKIM,
		    AUTH_PASS, true, false, FAILURE_DMARC },
		{ "1, all pass", "mailto:a@d", "1", AUTH_PASS, DKIM_PASS,
		    AUTH_PASS, true, false, FAILURE_NONE },
		{ "1 and 0 exclude each other", "mailto:a@d", "1:0", AUTH_PASS,
		    NO_DKIM, AUTH_PASS, true, false, FAILURE_NONE },
		{ "d", "mailto:a@d", "d", AUTH_PASS, DKIM_FAIL, AUTH_PASS, true,
		    false, FAILURE_DKIM },
		{ "d, of whomever", "mailto:a@d", "d", AUTH_PASS,
		    DKIM_ELSEWHERE, AUTH_PASS, true, false, FAILURE_DKIM },
		{ "d, something was added", "mailto:a@d", "d", AUTH_FAIL,
		    DKIM_UNTRUSTED, AUTH_FAIL, false, false, FAILURE_DKIM },
		{ "d, no signature", "mailto:a@d", "d", AUTH_FAIL, NO_DKIM,
		    AUTH_FAIL, false, false, FAILURE_NONE },
		{ "d, not known", "mailto:a@d", "d", AUTH_PASS, DKIM_TEMP,
		    AUTH_PASS, true, false, FAILURE_NONE },
		{ "s", "mailto:a@d", "s", AUTH_PASS, DKIM_PASS, AUTH_SOFTFAIL,
		    false, false, FAILURE_SPF },
		{ "s, broken", "mailto:a@d", "s", AUTH_PASS, DKIM_PASS,
		    AUTH_PERMERROR, false, false, FAILURE_SPF },
		{ "s, neutral", "mailto:a@d", "s", AUTH_PASS, DKIM_PASS,
		    AUTH_NEUTRAL, false, false, FAILURE_NONE },
		{ "s, no record", "mailto:a@d", "s", AUTH_FAIL, NO_DKIM,
		    AUTH_NONE, false, false, FAILURE_NONE },
		{ "s, not known", "mailto:a@d", "s", AUTH_FAIL, NO_DKIM,
		    AUTH_TEMPERROR, false, false, FAILURE_NONE },
		{ "the first reason", "mailto:a@d", "s:d:0", AUTH_FAIL,
		    DKIM_FAIL, AUTH_FAIL, false, false, FAILURE_DMARC },
		{ "spaces and case", "mailto:a@d", " S : D ", AUTH_PASS,
		    DKIM_FAIL, AUTH_PASS, true, false, FAILURE_DKIM },
		{ "unknown words are none", "mailto:a@d", "x:11", AUTH_FAIL,
		    NO_DKIM, AUTH_FAIL, false, false, FAILURE_DMARC },
		{ "empty", "mailto:a@d", "", AUTH_FAIL, NO_DKIM, AUTH_FAIL,
		    false, false, FAILURE_DMARC },
		{ "unknown beside known", "mailto:a@d", "x:s", AUTH_FAIL,
		    NO_DKIM, AUTH_NEUTRAL, false, false, FAILURE_NONE },
		{ "the DNS was away", "mailto:a@d", "1", AUTH_TEMPERROR,
		    DKIM_FAIL, AUTH_FAIL, false, false, FAILURE_NONE },
		{ "no policy", "mailto:a@d", "1", AUTH_NONE, DKIM_FAIL,
		    AUTH_FAIL, false, false, FAILURE_NONE },
	};
	struct auth_dkim_signature signature;
	struct auth auth;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&auth, 0, sizeof(auth));
		set_dkim(&auth, &signature, cases[i].dkim);
		auth.spf.mailfrom.checked = true;
		auth.spf.mailfrom.domain = "d.test";
		auth.spf.mailfrom.result = cases[i].spf;
		auth.dmarc.result = cases[i].dmarc;
		auth.dmarc.policy_domain = "d.test";
		auth.dmarc.organizational_domain = "d.test";
		auth.dmarc.psd = cases[i].psd;
		auth.dmarc.ruf = cases[i].ruf;
		auth.dmarc.fo = cases[i].fo;
		auth.dmarc.dkim_aligned = cases[i].dkim == DKIM_PASS;
		auth.dmarc.spf_aligned = cases[i].spf_aligned;
		if (failure_wanted(&auth) != cases[i].want)
			case_fail(cases[i].label, "%d", failure_wanted(&auth));
	}
}

static void
test_answers(void **state)
{
	static const struct {
		const char *label, *sender, *name, *value;
		bool want;
	} cases[] = {
		{ "mail", "a@d.test", "X", " y", false },
		{ "the null sender", "", "X", " y", true },
		{ "auto-replied", "a@d.test", "Auto-Submitted",
		    " auto-replied (vacation)", true },
		{ "not so", "a@d.test", "Auto-Submitted", " No", false },
		{ "not so, with more", "a@d.test", "auto-submitted", "\tno; x",
		    false },
		{ "a word that begins so", "a@d.test", "Auto-Submitted",
		    " nothing", true },
		{ "a bounce", "a@d.test", "Content-Type",
		    " multipart/report; report-type=delivery-status", true },
		{ "folded, in capitals", "a@d.test", "CONTENT-TYPE",
		    "\r\n\tMULTIPART/REPORT;\r\n boundary=x", true },
		{ "feedback", "a@d.test", "Content-Type",
		    " message/feedback-report", true },
		{ "another type", "a@d.test", "Content-Type",
		    " multipart/reporting", false },
		{ "an aggregate report", "a@d.test", "Subject",
		    " Report Domain: d.test\r\n Submitter: x Report-ID: <1>",
		    true },
		{ "about reports", "a@d.test", "Subject",
		    " Re: Report Domain: d.test Submitter: x", false },
	};
	struct arena *arena = arena_new(0);
	struct envelope envelope;
	struct header header;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&envelope, 0, sizeof(envelope));
		assert_int_equal(address_parse(arena, bytes_of(cases[i].sender),
				     &envelope.sender, &err),
		    0);
		header_init(&header, arena, 4096, 10);
		header_add(&header, bytes_of(cases[i].name),
		    bytes_of(cases[i].value), &err);
		if (failure_is_answer(&envelope, &header) != cases[i].want)
			case_fail(cases[i].label, "%d", !cases[i].want);
	}
	arena_free(arena);
}

/* ---- redaction ---- */

/* The hash of a local part, as it stands in the results: made once by the
 * code itself, for a key of the tests. */
static const char *
hash_of(const struct redaction *redaction, const char *local)
{
	const char *text = redact_text(redaction,
	    bytes_of(arena_printf(redaction->arena, "\"%s\"@x.test", local)));

	return arena_memdup(redaction->arena, text, strlen(text) - 7);
}

/* Every {local} becomes its hash. */
static const char *
expand(const struct redaction *redaction, const char *text)
{
	struct cursor c = cursor_of(bytes_of(text));
	struct bytes piece;
	const char *result;
	struct buf out;

	buf_init(&out, 65536);
	while (!cursor_at_end(&c)) {
		buf_append_bytes(&out, cursor_until(&c, "{"));
		if (!cursor_char(&c, '{'))
			break;
		piece = cursor_until(&c, "}");
		(void)cursor_char(&c, '}');
		buf_append_str(&out,
		    hash_of(redaction,
			arena_memdup(redaction->arena, piece.data, piece.len)));
	}
	result = arena_strdup(redaction->arena, buf_str(&out));
	buf_free(&out);
	return result;
}

static const char *const recipients[] = { "taro", "hana.ko", "a" };

static struct redaction
redaction_of(struct arena *arena)
{
	return (struct redaction){ .arena = arena,
		.key = KEY,
		.keep = "d.test",
		.local_count = ARRAY_LEN(recipients),
		.locals = recipients };
}

static void
test_text(void **state)
{
	static const struct {
		const char *label, *text, *want;
		bool tags;
	} cases[] = {
		{ "nothing to hide", "from [192.0.2.1] by mx", NULL, false },
		{ "an address", "for <bob@our.test>; x",
		    "for <{bob}@our.test>; x", false },
		{ "two", "a@b.test,c@d.example", "{a}@b.test,{c}@d.example",
		    false },
		{ "theirs", "x@d.test y@sub.D.test z@notd.test",
		    "x@d.test y@sub.D.test {z}@notd.test", false },
		{ "case", "TARO@OUR.test", "{taro}@OUR.test", false },
		{ "quoted", "\"bob b\"@our.test", "{bob b}@our.test", false },
		{ "a literal", "bob@[192.0.2.1]", "{bob}@[192.0.2.1]", false },
		{ "no literal", "bob@[x, eve@our.test]",
		    "{bob}@[x, {eve}@our.test]", false },
		{ "without a domain", "bob@ x", "{bob}@ x", false },
		{ "without a local part", "@our.test", "@our.test", false },
		{ "only a sign", "@", "@", false },
		{ "several signs", "a@b@c.test", "{a}@{b}@c.test", false },
		{ "a word", "Dear Taro, taro-san!", "Dear {taro}, {taro}-san!",
		    false },
		{ "a word in Japanese",
		    "\xe4\xbc\x9a\xe5\x93\xa1taro\xe6\xa7\x98",
		    "\xe4\xbc\x9a\xe5\x93\xa1{taro}\xe6\xa7\x98", false },
		{ "a word behind an address in Japanese",
		    "bob@our.test\xe3\x81\x8b\xe3\x82\x89taro\xe6\xa7\x98",
		    "{bob}@our.test\xe3\x81\x8b\xe3\x82\x89{taro}\xe6\xa7\x98",
		    false },
		{ "no word", "tarot xtaro", NULL, false },
		{ "with a dot", "user hana.ko here", "user {hana.ko} here",
		    false },
		{ "too short for a word", "a b c", NULL, false },
		{ "too short, an address", "a@our.test", "{a}@our.test",
		    false },
		{ "VERP", "<bounce+taro=our.test@d.test>",
		    "<bounce+{taro}=our.test@d.test>", false },
		{ "VERP of others", "<bounce+taro=our.test@e.test>",
		    "<{bounce+taro=our.test}@e.test>", false },
		{ "escaped", "?e=taro%40our.test", "?e={taro}%40our.test",
		    false },
		{ "tags", "smtp.mailfrom=bob@our.test",
		    "smtp.mailfrom={bob}@our.test", true },
		{ "tags, VERP", "smtp.mailfrom=b+x=our.test@e.test",
		    "smtp.mailfrom={b+x=our.test}@e.test", true },
		{ "tags, VERP without a tag", "of b+x=our.test@e.test is",
		    "of {b+x=our.test}@e.test is", true },
		{ "not tags", "i=bob@our.test", "{i=bob}@our.test", false },
		{ "links", "see http://x.test/ HTTPS://y xhttp://z",
		    "see hxxp://x.test/ hxxpS://y xhttp://z", false },
		{ "a link in Japanese", "\xe8\xa6\x8bhttp://x.test/",
		    "\xe8\xa6\x8bhxxp://x.test/", false },
		{ "control characters", "a\rb\nc\x01", NULL, false },
	};
	struct arena *arena = arena_new(0);
	struct redaction redaction = redaction_of(arena);
	const char *got, *want;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases) - 1; i++) {
		got = (cases[i].tags ? redact_tags : redact_text)(&redaction,
		    bytes_of(cases[i].text));
		want = expand(&redaction,
		    cases[i].want != NULL ? cases[i].want : cases[i].text);
		if (strcmp(got, want) != 0)
			case_fail(cases[i].label, "%s, not %s", got, want);
	}
	got = redact_text(&redaction, bytes_of(cases[i].text));
	assert_string_equal(got,
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd"
	    "c\xef\xbf\xbd");
	assert_int_equal(strlen(hash_of(&redaction, "taro")), REDACTED_LEN);
	assert_string_not_equal(hash_of(&redaction, "taro"),
	    hash_of(&redaction, "tarx"));
	/* Another key, another hash. */
	want = hash_of(&redaction, "taro");
	redaction.key = BYTES_LIT("another key");
	assert_string_not_equal(hash_of(&redaction, "taro"), want);
	arena_free(arena);
}

static void
test_header(void **state)
{
	static const struct {
		const char *name, *value;
		const char *want; /* NULL: left out */
	} fields[] = {
		{ "Received",
		    " from x (HELO taro-pc)\r\n by mx for <taro@our.test>",
		    "from x (HELO {taro}-pc) by mx for <{taro}@our.test>" },
		{ "received",
		    " from y (Authenticated sender: bob (x)) (TLS1.3) by z",
		    "from y (redacted) (TLS1.3) by z" },
		{ "Received", " from z (auth=bob", "from z" },
		{ "Received", " from z (auth=bob\\) eve) (user=bob) by y",
		    "from z (redacted) (redacted) by y" },
		{ "DKIM-Signature", " v=1; d=d.test; i=bob@e.test; b=ab+cd/e=",
		    "v=1; d=d.test; i={bob}@e.test; b=ab+cd/e=" },
		{ "DKIM-Signature",
		    " v=1; d=e.test; z =From:x@e.test|\r\n To:Bob=20<bob=40"
		    "our.test>|X-Secret:eve; b=ab",
		    "v=1; d=e.test; b=ab" },
		{ "ARC-Message-Signature", " i=1;z=Bcc:eve=40our.test", "i=1" },
		{ "Bcc", " taro@our.test", NULL },
		{ "X-Secret", " taro", NULL },
		{ "List-Unsubscribe", " <https://x/?taro>", NULL },
		{ "To",
		    " \"Yamada Taro\" <taro@our.test>,\r\n undisclosed:;"
		    " bob@our.test",
		    "{taro}@our.test, {bob}@our.test" },
		{ "Cc", " undisclosed-recipients:;", "[redacted]" },
		{ "From", " =?UTF-8?B?VGFybw==?= <boss@d.test>",
		    "{taro} <boss@d.test>" },
		{ "Subject", " =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?= taro",
		    "\xe6\x97\xa5\xe6\x9c\xac {taro}" },
		{ "Content-Type", " application/pdf; name=\"taro.pdf\"",
		    "application/pdf" },
	};
	struct arena *arena = arena_new(0);
	struct redaction redaction = redaction_of(arena);
	struct redacted_header out;
	struct header header;
	struct err err;
	size_t i, n = 0;

	(void)state;
	header_init(&header, arena, 65536, 100);
	for (i = 0; i < ARRAY_LEN(fields); i++)
		header_add(&header, bytes_of(fields[i].name),
		    bytes_of(fields[i].value), &err);
	redact_header(&redaction, &header, 65536, &out);
	for (i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].want == NULL)
			continue;
		if (n >= out.count ||
		    !str_equal_nocase(out.fields[n].name, fields[i].name) ||
		    strcmp(out.fields[n].value,
			expand(&redaction, fields[i].want)) != 0)
			case_fail(fields[i].value, "%s",
			    n < out.count ? out.fields[n].value : "missing");
		n++;
	}
	assert_int_equal(out.count, n);
	assert_int_equal(out.left_out, 3);
	arena_free(arena);
}

/* What is too much is left out, and said to be. */
static void
test_header_limits(void **state)
{
	struct arena *arena = arena_new(0);
	struct redaction redaction = redaction_of(arena);
	struct redacted_header out;
	struct header header;
	struct err err;
	size_t i, octets = 0;
	char *value;

	(void)state;
	header_init(&header, arena, 1UL << 24, 2000);
	value = arena_alloc(arena, 9001);
	memset(value, 'x', 9000);
	for (i = 5; i < 9000; i += 10)
		value[i] = ' ';
	value[9000] = '\0';
	header_add(&header, BYTES_LIT("Subject"), bytes_of(value), &err);
	redact_header(&redaction, &header, FAILURE_HEADER_MAX, &out);
	assert_int_equal(out.count, 1);
	assert_true(strlen(out.fields[0].value) <= REDACT_VALUE_MAX + 6);
	assert_non_null(strstr(out.fields[0].value, " [...]"));
	for (i = 0; i < 1000; i++)
		header_add(&header, BYTES_LIT("Received"),
		    BYTES_LIT(" from somewhere, for <a@b.test>"), &err);
	redact_header(&redaction, &header, FAILURE_HEADER_MAX, &out);
	assert_int_equal(out.count, REDACT_FIELDS_MAX);
	assert_int_equal(out.left_out, 1001 - REDACT_FIELDS_MAX);
	redact_header(&redaction, &header, 500, &out);
	for (i = 0; i < out.count; i++)
		octets +=
		    strlen(out.fields[i].name) + strlen(out.fields[i].value);
	assert_true(octets <= 500);
	assert_int_equal(out.left_out, 1001 - out.count);
	arena_free(arena);
}

/* ---- the mail ---- */

static struct failure
sample(void)
{
	return (struct failure){ .id = ID,
		.arrival_ms = 1795219200000,
		.what = "signature",
		.policy_domain = "d.test",
		.from_domain = "mail.d.test",
		.ruf = "mailto:a@d.test",
		.authserv_id = "mx.our.test",
		.results = "mx.our.test; dmarc=fail header.from=mail.d.test",
		.alignment = "dkim, spf",
		.delivery = "reject",
		.source_ip = "192.0.2.1",
		.mail_from = "x@d.test",
		.dkim_domain = "d.test",
		.dkim_identity = "@d.test",
		.dkim_selector = "s1",
		.spf_domain = "d.test",
		.spf_record = "v=spf1 exists:%{i}.\"q\\ -all",
		.recipient_count = 1,
		.recipients = { "0123456789ab@our.test" },
		.header = { .count = 2,
		    .fields = { { "From", "x@d.test" },
			{ "Subject", "\xe6\x97\xa5\xe6\x9c\xac" } },
		    .left_out = 7 } };
}

static char *
write_text(const struct failure *failure, uint64_t incidents)
{
	static const char *const to[] = { "a@d.test", "b@d.test" };
	const struct failure_mail mail = { .failure = failure,
		.incidents = incidents,
		.from = "dmarc@our.test",
		.submitter = "our.test",
		.to_count = 2,
		.to = to,
		.now_s = 1795219260 };
	struct err err = { 0 };
	struct buf out;

	buf_init(&out, FAILURE_MAIL_MAX);
	if (failure_mail_write(&mail, &out, &err) < 0)
		fail_msg("%s", err.text);
	return buf_steal(&out);
}

static void
want_lines(const char *text, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		if (strstr(text, *lines) == NULL)
			case_fail(*lines, "%s", text);
}

static void
test_mail(void **state)
{
	static const char *const lines[] = {
		"\r\nFrom: dmarc@our.test\r\nTo: a@d.test,\r\n b@d.test\r\n",
		"\r\nMessage-ID: <failure." ID "@our.test>\r\n",
		"\r\nAuto-Submitted: auto-generated\r\n",
		"\r\nContent-Type: multipart/report; "
		"report-type=feedback-report;\r\n",
		"; 7 fields are left out",
		"\r\nContent-Type: message/feedback-report\r\n\r\n"
		"Feedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: ",
		"\r\nAuth-Failure: signature\r\n",
		"\r\nIdentity-Alignment: dkim, spf\r\n",
		"\r\nDelivery-Result: reject\r\n",
		"\r\nDKIM-Domain: d.test\r\nDKIM-Identity: @d.test\r\n"
		"DKIM-Selector: s1\r\n",
		"\r\nSPF-DNS: txt : d.test : \"v=spf1 "
		"exists:%{i}.\\\"q\\\\ -all\"\r\n",
		"\r\nOriginal-Envelope-Id: " ID "\r\n",
		"\r\nOriginal-Mail-From: <x@d.test>\r\n",
		"\r\nOriginal-Rcpt-To: <0123456789ab@our.test>\r\n",
		"\r\nArrival-Date: Sat, 21 Nov 2026 ",
		"\r\nReporting-MTA: dns; mx.our.test\r\n",
		"\r\nSource-IP: 192.0.2.1\r\n",
		"\r\nReported-Domain: mail.d.test\r\n",
		"\r\nContent-Type: text/rfc822-headers\r\n\r\n"
		"From: x@d.test\r\nSubject: =?UTF-8?B?5pel5pys?=\r\n",
		NULL,
	};
	static const char *const more[] = { "\r\nIncidents: 12\r\n",
		"for 12 mails that failed", NULL };
	struct failure failure = sample();
	char *text = write_text(&failure, 1);

	(void)state;
	want_lines(text, lines);
	assert_null(strstr(text, "Incidents"));
	free(text);
	text = write_text(&failure, 12);
	want_lines(text, more);
	free(text);
	/* What there is nothing to say of is not there. */
	failure.dkim_domain = failure.dkim_identity = failure.dkim_selector =
	    failure.spf_domain = failure.spf_record = failure.results =
		failure.delivery = "";
	text = write_text(&failure, 1);
	assert_null(strstr(text, "DKIM-"));
	assert_null(strstr(text, "SPF-DNS"));
	assert_null(strstr(text, "Delivery-Result"));
	assert_null(strstr(text, "Authentication-Results"));
	free(text);
}

/* Whatever a description holds, nothing ends a line or begins a part. */
static void
test_hostile(void **state)
{
	static const char evil[] =
	    "x\r\nBcc: v@victim.test\r\n\r\n--=_sekimori_failure\r\n"
	    "Content-Type: text/html\r\n\r\n\x01\x7f\xff\xe3\x81\x82";
	struct failure failure = sample();
	const char *line, *at;
	char *text, *longer = xmalloc(5001);
	size_t parts = 0;

	(void)state;
	memset(longer, 'y', 5000);
	longer[5000] = '\0';
	failure.what = failure.results = failure.alignment = evil;
	failure.delivery = failure.mail_from = failure.dkim_domain = evil;
	failure.dkim_identity = failure.spf_domain = evil;
	failure.spf_record = failure.recipients[0] = evil;
	failure.authserv_id = evil;
	failure.dkim_selector = longer;
	failure.header.count = 6;
	failure.header.fields[0] = (struct redacted_field){ "From", evil };
	failure.header.fields[1] = (struct redacted_field){ "To", longer };
	failure.header.fields[2] =
	    (struct redacted_field){ "--=_sekimori_failure", "" };
	failure.header.fields[3] =
	    (struct redacted_field){ "X: y\r\nBcc", "z" };
	failure.header.fields[4] = (struct redacted_field){ "", "z" };
	failure.header.fields[5] = (struct redacted_field){ "Date", "" };
	text = write_text(&failure, 1);
	for (line = text; *line != '\0'; line = at + 2) {
		at = strstr(line, "\r\n");
		assert_non_null(at);
		assert_true(at - line <= 998);
		assert_int_not_equal(strncmp(line, "Bcc", 3), 0);
		parts += strncmp(line, "--=_sekimori_failure", 20) == 0;
	}
	assert_int_equal(parts, 4);
	for (at = text; *at != '\0'; at++)
		assert_true(
		    (*at >= 0x20 && *at < 0x7f) || *at == '\r' || *at == '\n');
	assert_null(strstr(text, "z\r\n"));
	free(text);
	free(longer);
}

/* ---- JSON ---- */

static void
test_json(void **state)
{
	struct arena *arena = arena_new(0);
	struct failure failure = sample(), read;
	json_t *json = failure_to_json(&failure);
	char *text = json_dumps(json, JSON_COMPACT);
	char *before = write_text(&failure, 1), *after;
	struct err err;

	(void)state;
	assert_int_equal(failure_from_json(arena, bytes_of(text), &read, &err),
	    0);
	after = write_text(&read, 1);
	assert_string_equal(before, after);
	assert_string_equal(failure_condition(arena, &failure),
	    failure_condition(arena, &read));
	read.source_ip = "192.0.2.2";
	assert_string_not_equal(failure_condition(arena, &failure),
	    failure_condition(arena, &read));
	free(before);
	free(after);
	free(text);
	json_decref(json);
	arena_free(arena);
}

static void
test_json_refused(void **state)
{
	static const char good[] =
	    "{\"id\":\"" ID "\",\"policy_domain\":\"d.test\","
	    "\"from_domain\":\"d.test\",\"source_ip\":\"192.0.2.1\"}";
	static const struct {
		const char *label, *text;
	} cases[] = {
		{ "nothing", "" },
		{ "no object", "[]" },
		{ "empty", "{}" },
		{ "cut", "{\"id\":" },
		{ "no id",
		    "{\"id\":\"x\",\"policy_domain\":\"d.test\","
		    "\"from_domain\":\"d.test\","
		    "\"source_ip\":\"192.0.2.1\"}" },
		{ "no domain",
		    "{\"id\":\"" ID "\",\"policy_domain\":\"d test\","
		    "\"from_domain\":\"d.test\","
		    "\"source_ip\":\"192.0.2.1\"}" },
		{ "a line end in the author's",
		    "{\"id\":\"" ID "\",\"policy_domain\":\"d.test\","
		    "\"from_domain\":\"d.test\\r\\nBcc: x\","
		    "\"source_ip\":\"192.0.2.1\"}" },
		{ "no client",
		    "{\"id\":\"" ID "\",\"policy_domain\":\"d.test\","
		    "\"from_domain\":\"d.test\",\"source_ip\":\"x\"}" },
	};
	struct arena *arena = arena_new(0);
	struct failure read;
	struct err err;
	char *huge;
	size_t i;

	(void)state;
	assert_int_equal(failure_from_json(arena, bytes_of(good), &read, &err),
	    0);
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (failure_from_json(arena, bytes_of(cases[i].text), &read,
			&err) == 0)
			case_fail(cases[i].label, "taken");
	huge = xmalloc(FAILURE_TEXT_MAX + 1);
	memset(huge, ' ', FAILURE_TEXT_MAX + 1);
	memcpy(huge, good, sizeof(good) - 1);
	assert_int_equal(failure_from_json(arena,
			     (struct bytes){ huge, FAILURE_TEXT_MAX }, &read,
			     &err),
	    0);
	assert_int_equal(failure_from_json(arena,
			     (struct bytes){ huge, FAILURE_TEXT_MAX + 1 },
			     &read, &err),
	    -1);
	free(huge);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_limits),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
