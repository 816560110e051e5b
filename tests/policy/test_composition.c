/*
 * test_composition.c - SPF, DKIM, ARC and DMARC played against each other
 * and against what a mail reader shows.
 *
 * The attacker owns evil.example: its SPF, its DKIM key, its client.  What
 * he wants is a mail that readers take for one of bank.example, which has
 * p=reject, and that is not caught.  All checks are the real ones.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "mail/authres.h"
#include "mail/message.h"
#include "tests/policy/mail_lab.h"

#define EVIL_IP "198.51.100.66"
#define BANK_IP "192.0.2.1"
#define BODY "Please pay.\r\n"

static struct lab *lab;

static int
setup(void **state)
{
	static const char *const zone[] = {
		"bank.example A 192.0.2.1",
		"bank.example TXT v=spf1 ip4:192.0.2.1 -all",
		"_dmarc.bank.example TXT v=DMARC1; p=reject",
		"evil.example A 198.51.100.66",
		"evil.example TXT v=spf1 ip4:198.51.100.66 -all",
		"_dmarc.evil.example TXT v=DMARC1; p=none",
	};
	size_t i;

	(void)state;
	lab = lab_new();
	for (i = 0; i < ARRAY_LEN(zone); i++)
		fake_dns_line(lab->dns, zone[i]);
	lab_publish(lab, "s._domainkey.evil.example", "v=DKIM1; k=ed25519;",
	    lab->ed);
	lab_publish(lab, "s._domainkey.bank.example", "v=DKIM1; k=rsa;",
	    lab->rsa);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_free(lab);
	return 0;
}

static const struct auth *
scan(struct bytes raw)
{
	return lab_scan(lab, raw, 1000);
}

/* ---- is it caught? ---- */

enum catch {
	CATCH_DMARC, /* fails, and the bank's p=reject counts */
	CATCH_MALFORMED,
	CATCH_NAME,  /* the bank's address in a display name is told */
	CATCH_OTHER, /* the bank as another sender is told */
};

static bool
is_caught(const struct auth_dmarc *dmarc, enum catch how)
{
	switch (how) {
	case CATCH_DMARC:
		return dmarc->result == AUTH_FAIL &&
		    dmarc->policy == DMARC_REJECT &&
		    strcmp(dmarc->policy_domain, "bank.example") == 0;
	case CATCH_MALFORMED:
		return dmarc->malformed;
	case CATCH_NAME:
		return dmarc->name_domain != NULL &&
		    strcmp(dmarc->name_domain, "bank.example") == 0;
	case CATCH_OTHER:
		return dmarc->other_count == 1 &&
		    strcmp(dmarc->others[0], "bank.example") == 0;
	}
	return false;
}

/* The attacker proves as much of evil.example as he can. */
static struct bytes
evil_mail(struct bytes header)
{
	return lab_sign(lab,
	    lab_join(lab, header, bytes_of("Subject: bill\r\n\r\n" BODY)),
	    "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=evil.example; s=s; "
	    "h=from:subject",
	    lab->ed);
}

/* ---- the envelope ---- */

static void
test_envelope(void **state)
{
	static const struct {
		const char *label, *helo, *sender;
	} cases[] = {
		{ "own sender", "evil.example", "x@evil.example" },
		{ "the bank as sender", "evil.example", "x@bank.example" },
		{ "a name below the bank that does not exist", "evil.example",
		    "x@none.bank.example" },
		{ "null sender, own HELO", "evil.example", "" },
		{ "null sender, the bank as HELO", "bank.example", "" },
		{ "null sender, HELO below the bank", "none.bank.example", "" },
		{ "null sender, no HELO", "", "" },
		{ "null sender, literal HELO", "[198.51.100.66]", "" },
		{ "null sender, HELO with a parenthesis",
		    "bank.example(.evil.example", "" },
		{ "null sender, HELO with a semicolon",
		    "bank.example;.evil.example", "" },
		{ "null sender, HELO with a backslash",
		    "bank.example\\.evil.example", "" },
		{ "null sender, HELO of one label", "localhost", "" },
		{ "the bank in the local part", "evil.example",
		    "\"x@bank.example\"@evil.example" },
		{ "a route by the bank", "evil.example",
		    "<@bank.example:x@evil.example>" },
	};
	const struct auth *auth;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		lab_envelope(lab, EVIL_IP, cases[i].helo, cases[i].sender);
		auth = scan(evil_mail(bytes_of("From: ceo@bank.example\r\n")));
		if (!is_caught(&auth->dmarc, CATCH_DMARC))
			case_fail(cases[i].label, "dmarc %s (%s)",
			    auth_result_name(auth->dmarc.result),
			    auth->dmarc.problem);
		if (auth->dmarc.spf_aligned || auth->dmarc.dkim_aligned)
			case_fail(cases[i].label, "aligned");
	}
}

/* ---- the author ---- */

static void
test_author(void **state)
{
	static const struct {
		const char *label;
		struct bytes header;
		enum catch how;
	} cases[] = {
		{ "plain", BYTES_LIT("From: ceo@bank.example\r\n"),
		    CATCH_DMARC },
		{ "in capitals", BYTES_LIT("FROM: CEO@BANK.EXAMPLE\r\n"),
		    CATCH_DMARC },
		{ "final dot", BYTES_LIT("From: ceo@bank.example.\r\n"),
		    CATCH_DMARC },
		{ "below the bank", BYTES_LIT("From: ceo@pay.bank.example\r\n"),
		    CATCH_DMARC },
		{ "folded", BYTES_LIT("From:\r\n\tceo@bank.example\r\n"),
		    CATCH_DMARC },
		{ "with a name",
		    BYTES_LIT("From: \"a@evil.example\" "
			      "<ceo@bank.example>\r\n"),
		    CATCH_DMARC },
		{ "two fields, own first",
		    BYTES_LIT("From: a@evil.example\r\n"
			      "From: ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "two fields, own last",
		    BYTES_LIT("From: ceo@bank.example\r\n"
			      "From: a@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "two fields are judged, too",
		    BYTES_LIT("From: ceo@bank.example\r\n"
			      "From: a@evil.example\r\n"),
		    CATCH_DMARC },
		{ "space before the colon",
		    BYTES_LIT("From : ceo@bank.example\r\n"), CATCH_DMARC },
		{ "tab before the colon, and another",
		    BYTES_LIT("From\t: ceo@bank.example\r\n"
			      "From: a@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "no field", BYTES_LIT("Sender: ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "Sender beside it",
		    BYTES_LIT("Sender: a@evil.example\r\n"
			      "From: ceo@bank.example\r\n"),
		    CATCH_DMARC },
		{ "Resent-From beside it",
		    BYTES_LIT("Resent-From: a@evil.example\r\n"
			      "Resent-Sender: a@evil.example\r\n"
			      "From: ceo@bank.example\r\n"),
		    CATCH_DMARC },
		{ "list, own first",
		    BYTES_LIT("From: a@evil.example, ceo@bank.example\r\n"),
		    CATCH_DMARC },
		{ "list, own last",
		    BYTES_LIT("From: ceo@bank.example, a@evil.example\r\n"),
		    CATCH_DMARC },
		{ "list of five",
		    BYTES_LIT("From: a@1.example, a@2.example, a@3.example, "
			      "a@evil.example, ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "bare address, then comma",
		    BYTES_LIT("From: ceo@bank.example, <a@evil.example>\r\n"),
		    CATCH_DMARC },
		{ "address for a name",
		    BYTES_LIT("From: ceo@bank.example <a@evil.example>\r\n"),
		    CATCH_DMARC },
		{ "address in angles for a name",
		    BYTES_LIT("From: <ceo@bank.example> "
			      "<a@evil.example>\r\n"),
		    CATCH_MALFORMED },
		{ "group", BYTES_LIT("From: Bank: ceo@bank.example;\r\n"),
		    CATCH_DMARC },
		{ "address for a group",
		    BYTES_LIT("From: ceo@bank.example: a@evil.example;\r\n"),
		    CATCH_MALFORMED },
		{ "route",
		    BYTES_LIT("From: <@evil.example:ceo@bank.example>\r\n"),
		    CATCH_DMARC },
		{ "quoted local part",
		    BYTES_LIT("From: \"a@evil.example\"@bank.example\r\n"),
		    CATCH_DMARC },
		{ "quoted pair",
		    BYTES_LIT("From: \"a\\@evil.example\"@bank.example\r\n"),
		    CATCH_DMARC },
		{ "comment in the address",
		    BYTES_LIT("From: ceo@bank(@evil.example).example\r\n"),
		    CATCH_DMARC },
		{ "angle not closed", BYTES_LIT("From: <ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "comment not closed", BYTES_LIT("From: a@evil.example (\r\n"),
		    CATCH_MALFORMED },
		{ "NUL behind the address",
		    BYTES_LIT("From: ceo@bank.example\0@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "NUL before the real one",
		    BYTES_LIT("From: ceo@bank.example\0 "
			      "<a@evil.example>\r\n"),
		    CATCH_MALFORMED },
		{ "two at signs",
		    BYTES_LIT("From: ceo@bank.example@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "encoded address",
		    BYTES_LIT("From: =?utf-8?q?ceo=40bank.example?=\r\n"),
		    CATCH_MALFORMED },
		{ "address in a quoted name",
		    BYTES_LIT("From: \"ceo@bank.example\" "
			      "<a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in an encoded name",
		    BYTES_LIT("From: =?utf-8?q?ceo=40bank.example?= "
			      "<a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a comment",
		    BYTES_LIT("From: a@evil.example (ceo@bank.example)\r\n"),
		    CATCH_NAME },
		{ "address in a name, blanks around its at sign",
		    BYTES_LIT("From: \"ceo @ bank.example\" "
			      "<a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a name, full width",
		    BYTES_LIT("From: ceo\xef\xbc\xa0"
			      "bank\xef\xbc\x8e"
			      "example <a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a name, with a character that is not shown",
		    BYTES_LIT("From: \"ceo@\xe2\x80\x8b"
			      "bank.example\" <a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a name, written from right to left",
		    BYTES_LIT("From: \"\xe2\x80\xae"
			      "elpmaxe.knab@oec\" <a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a name, turned twice",
		    BYTES_LIT("From: \"ceo@\xe2\x80\xad"
			      "bank.example\" <a@evil.example>\r\n"),
		    CATCH_NAME },
		{ "address in a name, and nobody behind it",
		    BYTES_LIT("From: \"ceo@bank.example\" <>\r\n"),
		    CATCH_MALFORMED },
		{ "encoded, and a name without domain behind it",
		    BYTES_LIT("From: =?utf-8?q?ceo=40bank.example?= "
			      "<MAILER-DAEMON>\r\n"),
		    CATCH_MALFORMED },
		{ "address for a local part",
		    BYTES_LIT("From: \"ceo@bank.example\"@evil.example\r\n"),
		    CATCH_NAME },
		{ "quotes that end early for some",
		    BYTES_LIT("From: \"a@evil.example\\\" "
			      "<ceo@bank.example>\"@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "two addresses, the comma escaped",
		    BYTES_LIT("From: <ceo@bank.example>\\,"
			      "<a@evil.example>\r\n"),
		    CATCH_MALFORMED },
		{ "address behind the one in angles",
		    BYTES_LIT("From: <a@evil.example>ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "encoded with its angles, then comma",
		    BYTES_LIT("From: =?utf-8?b?PGNlb0BiYW5rLmV4YW1wbGU+?=,"
			      "<a@evil.example>\r\n"),
		    CATCH_MALFORMED },
		{ "the line of another field, folded",
		    BYTES_LIT("From: a@evil.example\r\n"
			      " From: ceo@bank.example\r\n"),
		    CATCH_MALFORMED },
		{ "folded name, and Sender",
		    BYTES_LIT("Sender: ceo@bank.example\r\n"
			      "From\r\n : a@evil.example\r\n"),
		    CATCH_MALFORMED },
		{ "the bank for Sender",
		    BYTES_LIT("From: a@evil.example\r\n"
			      "Sender: Bank <ceo@bank.example>\r\n"),
		    CATCH_OTHER },
		{ "the bank for Resent-From",
		    BYTES_LIT("Resent-From: ceo@bank.example\r\n"
			      "From: a@evil.example\r\n"),
		    CATCH_OTHER },
		{ "the bank for Resent-Sender, below ours",
		    BYTES_LIT("Resent-Sender: a@evil.example\r\n"
			      "Resent-Sender: ceo@bank.example\r\n"
			      "From: a@evil.example\r\n"),
		    CATCH_OTHER },
	};
	const struct auth *auth;
	size_t i;

	(void)state;
	lab_envelope(lab, EVIL_IP, "evil.example", "a@evil.example");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		auth = scan(evil_mail(cases[i].header));
		if (!is_caught(&auth->dmarc, cases[i].how))
			case_fail(cases[i].label,
			    "dmarc %s for %s%s (%s), name %s",
			    auth_result_name(auth->dmarc.result),
			    auth->dmarc.from_domain,
			    auth->dmarc.malformed ? ", malformed" : "",
			    auth->dmarc.problem, auth->dmarc.name_domain);
		if (cases[i].how != CATCH_NAME && cases[i].how != CATCH_OTHER &&
		    auth->dmarc.result == AUTH_PASS)
			case_fail(cases[i].label, "passes");
	}
}

/* ---- a genuine signature of the bank ---- */

#define BANK_MAIL                                                              \
	"From: ceo@bank.example\r\n"                                           \
	"Subject: your statement\r\n"                                          \
	"Content-Type: text/plain\r\n"                                         \
	"\r\n"                                                                 \
	"All is well.\r\n"
#define BANK_TAGS                                                              \
	"v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=s; "          \
	"h=from:subject:content-type"

static void
test_genuine(void **state)
{
	const struct auth *auth;

	(void)state;
	lab_envelope(lab, BANK_IP, "bank.example", "x@bank.example");
	auth = scan(bytes_of(BANK_MAIL));
	assert_int_equal(auth->dmarc.result, AUTH_PASS);
	assert_true(auth->dmarc.spf_aligned);
	/* Forwarded: the signature alone. */
	lab_envelope(lab, EVIL_IP, "evil.example", "a@evil.example");
	auth = scan(lab_sign(lab, bytes_of(BANK_MAIL), BANK_TAGS, lab->rsa));
	assert_int_equal(auth->dmarc.result, AUTH_PASS);
	assert_true(auth->dmarc.dkim_aligned);
	assert_false(auth->dmarc.spf_aligned);
}

/* What the last scan says in its Authentication-Results. */
static const char *
results_text(void)
{
	const char *text;
	struct buf out;

	buf_init(&out, 10000);
	scan_authres(lab->scan, &out);
	assert_false(out.overflow);
	text = arena_strdup(lab->arena, buf_str(&out));
	buf_free(&out);
	return text;
}

/* All of it, with the properties of RFC 8601. */
static void
test_results(void **state)
{
	const char *text, *want, *b, *quote;

	(void)state;
	lab_envelope(lab, EVIL_IP, "bank.example", "a@evil.example");
	(void)scan(lab_replace(lab,
	    lab_sign(lab, bytes_of(BANK_MAIL), BANK_TAGS, lab->rsa),
	    BYTES_LIT("From: ceo"), BYTES_LIT("Subject: urgent\r\nFrom: ceo")));
	text = results_text();
	/* The key is a new one each time; a slash is not of a token. */
	b = lab->scan->auth.dkim.signatures[0].b_prefix;
	quote = strchr(b, '/') != NULL ? "\"" : "";
	want = lab_text(lab,
	    "mx.example.org;\r\n"
	    "\tiprev=permerror policy.iprev=198.51.100.66;\r\n"
	    "\tspf=pass smtp.mailfrom=a@evil.example;\r\n"
	    "\tspf=fail smtp.helo=bank.example;\r\n"
	    "\tdkim=policy (2048-bit key) "
	    "reason=\"more Subject fields than were signed\"\r\n"
	    "\theader.d=bank.example header.s=s header.a=rsa-sha256 "
	    "header.b=%s%s%s;\r\n"
	    "\tdmarc=fail (p=reject) header.from=bank.example",
	    quote, b, quote)
		   .data;
	assert_string_equal(text, want);
	/* A HELO name that passes lends the sender nothing. */
	lab_envelope(lab, EVIL_IP, "evil.example", "ceo@bank.example");
	(void)scan(bytes_of(BANK_MAIL));
	text = results_text();
	assert_int_equal(lab->scan->auth.spf.helo.result, AUTH_PASS);
	assert_non_null(strstr(text, "spf=fail smtp.mailfrom"));
	assert_null(strstr(text, "spf=pass"));
}

static void
test_changed_on_the_way(void **state)
{
	static const struct {
		const char *label;
		const char *tags; /* more of the signature's */
		struct bytes old, new;
	} cases[] = {
		{ "second Subject above", "", BYTES_LIT("From: ceo"),
		    BYTES_LIT("Subject: urgent\r\nFrom: ceo") },
		{ "second Content-Type above", "", BYTES_LIT("From: ceo"),
		    BYTES_LIT("Content-Type: text/html\r\nFrom: ceo") },
		{ "text behind l=", "; l=14", BYTES_LIT("well.\r\n"),
		    BYTES_LIT("well.\r\nSend money to 42.\r\n") },
		{ "everything behind l=0", "; l=0", BYTES_LIT("All is well."),
		    BYTES_LIT("Send money to 42.") },
		{ "NUL in the domain", "", BYTES_LIT("d=bank.example"),
		    BYTES_LIT("d=bank.example\0.evil.example") },
		{ "NUL in the selector", "", BYTES_LIT("s=s;"),
		    BYTES_LIT("s=s\0.x;") },
		{ "NUL and text in the Subject", "", BYTES_LIT("statement"),
		    BYTES_LIT("statement\0: pay now") },
		{ "domain of another case and meaning", "",
		    BYTES_LIT("d=bank.example"),
		    BYTES_LIT("D=bank.example; d=evil.example") },
		{ "domain twice", "", BYTES_LIT("d=bank.example"),
		    BYTES_LIT("d=evil.example; d=bank.example") },
		{ "h= cut", "", BYTES_LIT(":subject:content-type"),
		    BYTES_LIT("") },
		{ "text put into the body", "", BYTES_LIT("All is"),
		    BYTES_LIT("All is not") },
	};
	const struct auth *auth;
	struct bytes raw;
	size_t i;

	(void)state;
	lab_envelope(lab, EVIL_IP, "evil.example", "a@evil.example");
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		raw = lab_sign(lab, bytes_of(BANK_MAIL),
		    lab_text(lab, BANK_TAGS "%s", cases[i].tags).data,
		    lab->rsa);
		raw = lab_replace(lab, raw, cases[i].old, cases[i].new);
		auth = scan(raw);
		if (!is_caught(&auth->dmarc, CATCH_DMARC))
			case_fail(cases[i].label, "dmarc %s; dkim %s (%s)",
			    auth_result_name(auth->dmarc.result),
			    auth_result_name(auth->dkim.signatures[0].result),
			    auth->dkim.signatures[0].problem);
		/* Nor does who reads only our results take it for signed. */
		if (strstr(results_text(), "dkim=pass") != NULL)
			case_fail(cases[i].label, "%s", results_text());
	}
}

/* What SPF and iprev may ask in the worst case. */
#define QUESTIONS_OF_OTHERS 131

/* Whatever a mail makes us ask, DMARC's own questions are answered: all
 * that DKIM, ARC and DMARC can ask leaves room for the rest. */
static void
test_questions_cannot_be_used_up(void **state)
{
	struct buf raw;
	int i;

	(void)state;
	lab_envelope(lab, EVIL_IP, "evil.example", "a@evil.example");
	buf_init(&raw, 1 << 20);
	for (i = 1; i <= 50; i++)
		buf_printf(&raw,
		    "ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=e%d.example; s=s; "
		    "b=AAAA\r\n"
		    "ARC-Message-Signature: i=%d; a=rsa-sha256; d=f%d.example;"
		    " s=s; h=from; bh=AAAA; b=AAAA\r\n"
		    "ARC-Authentication-Results: i=%d; x\r\n",
		    i, i == 1 ? "none" : "pass", i, i, i, i);
	for (i = 0; i < 90; i++)
		buf_printf(&raw,
		    "DKIM-Signature: v=1; a=rsa-sha256; d=g%d.bank.example; "
		    "s=s; h=from; bh=AAAA; b=AAAA\r\n",
		    i);
	buf_append_str(&raw,
	    "From: ceo@a.b.c.d.e.f.g.h.bank.example\r\n\r\nbody\r\n");
	assert_false(raw.overflow);
	fake_dns_delay(lab->dns);
	assert_true(is_caught(&scan(buf_bytes(&raw))->dmarc, CATCH_DMARC));
	assert_in_range(fake_dns_questions(lab->dns), 100,
	    DNS_SET_MAX - QUESTIONS_OF_OTHERS);
	buf_free(&raw);
}

/* A transaction that never got to its header is judged as one without. */
static void
test_no_message(void **state)
{
	struct scan *nothing;

	(void)state;
	lab_envelope(lab, EVIL_IP, "evil.example", "a@evil.example");
	nothing = scan_new(lab->arena, lab->dns, &lab->envelope, NULL, "mx");
	scan_reach(nothing, SCAN_MAIL);
	scan_finish(nothing, INT64_MAX);
	assert_int_equal(nothing->auth.dkim.result, AUTH_NONE);
	assert_int_equal(nothing->auth.arc.result, AUTH_NONE);
	assert_int_equal(nothing->auth.dmarc.result, AUTH_NONE);
	scan_fini(nothing);
	/* One that is given up in the middle. */
	nothing = scan_new(lab->arena, lab->dns, &lab->envelope, NULL, "mx");
	(void)scan(lab_sign(lab, bytes_of(BANK_MAIL), BANK_TAGS, lab->rsa));
	scan_reach(nothing, SCAN_MAIL);
	nothing->message = lab->message;
	scan_reach(nothing, SCAN_HEADERS);
	scan_body(nothing, BYTES_LIT("half a body"));
	scan_fini(nothing);
}

/* ---- our own results ---- */

/* Has a result with this method, result and property? */
static bool
says(const struct authres_parsed *parsed, const char *method,
    const char *result, const char *value)
{
	size_t i, j;

	for (i = 0; i < parsed->count; i++) {
		const struct authres_result *r = &parsed->results[i];

		if (strcmp(r->method, method) != 0 ||
		    strcmp(r->result, result) != 0)
			continue;
		for (j = 0; j < r->property_count; j++)
			if (strstr(r->properties[j].value, value) != NULL)
				return true;
	}
	return false;
}

static void
test_results_cannot_be_injected(void **state)
{
	static const struct {
		const char *label, *helo, *sender, *identity, *selector;
	} cases[] = {
		{ "nothing odd", "evil.example", "a@evil.example",
		    "a@evil.example", "s" },
		{ "HELO", "x; dmarc=pass header.from=bank.example",
		    "a@evil.example", "@evil.example", "s" },
		{ "HELO of a null sender",
		    "x; dmarc=pass header.from=bank.example", "",
		    "@evil.example", "s" },
		{ "HELO with a line end",
		    "x\r\n dmarc=pass header.from=bank.example", "",
		    "@evil.example", "s" },
		{ "sender", "evil.example",
		    "\"; dmarc=pass header.from=bank.example; x=\""
		    "@evil.example",
		    "@evil.example", "s" },
		{ "sender with a quote", "evil.example",
		    "\"\\\"; dmarc=pass header.from=bank.example; x=\""
		    "@evil.example",
		    "@evil.example", "s" },
		{ "identity", "evil.example", "a@evil.example",
		    "a=3B=20dmarc=3Dpass=20header.from=3Dbank.example=3B"
		    "@evil.example",
		    "s" },
		{ "identity with a quote", "evil.example", "a@evil.example",
		    "=22=3B=20dmarc=3Dpass=20header.from=3Dbank.example=3B"
		    "@evil.example",
		    "s" },
		{ "identity with a comment", "evil.example", "a@evil.example",
		    "(=3Bdmarc=3Dpass=20header.from=3Dbank.example)"
		    "@evil.example",
		    "s" },
		{ "selector", "evil.example", "a@evil.example", "@evil.example",
		    "s dmarc=pass header.from=bank.example" },
	};
	struct authres_parsed parsed;
	struct bytes raw;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		lab_envelope(lab, EVIL_IP, cases[i].helo, cases[i].sender);
		raw = lab_sign(lab,
		    bytes_of("From: ceo@bank.example\r\n\r\nbody\r\n"),
		    lab_text(lab,
			"v=1; a=ed25519-sha256; d=evil.example; s=%s; i=%s; "
			"h=from",
			cases[i].selector, cases[i].identity)
			.data,
		    lab->ed);
		(void)scan(raw);
		buf_init(&out, 10000);
		scan_authres(lab->scan, &out);
		assert_false(out.overflow);
		if (authres_parse(lab->arena, buf_bytes(&out), &parsed, NULL) <
		    0)
			case_fail(cases[i].label, "cannot be read: %s",
			    buf_str(&out));
		if (strcmp(parsed.authserv_id, "mx.example.org") != 0 ||
		    !says(&parsed, "dmarc", "fail", "bank.example") ||
		    says(&parsed, "dmarc", "pass", "") ||
		    says(&parsed, "dkim", "pass", "bank.example"))
			case_fail(cases[i].label, "says: %s", buf_str(&out));
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_author),
		cmocka_unit_test(test_genuine),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_changed_on_the_way),
		cmocka_unit_test(test_questions_cannot_be_used_up),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_results_cannot_be_injected),
	};

	return cmocka_run_group_tests_name("composition", tests, setup,
	    teardown);
}
