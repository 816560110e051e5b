/*
 * test_auth_dkim.c - tests of policy/auth_dkim.c and of what it stands on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "mail/message.h"
#include "tests/policy/mail_lab.h"

#define HEADER                                                                 \
	"From: Ann <ann@example.org>\r\n"                                      \
	"To: bob@example.net\r\n"                                              \
	"Subject: dinner\r\n"                                                  \
	"Date: Sun, 22 Nov 2026 09:00:00 +0900\r\n"
#define BODY "Hi.\r\n\r\nWe lost  the game.\r\n"
#define MESSAGE HEADER "\r\n" BODY
#define TAGS "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=rsa; "
#define NAMES "h=from:to:subject:date"

static struct lab *lab;

static int
setup(void **state)
{
	(void)state;
	lab = lab_new();
	lab_publish(lab, "rsa._domainkey.example.org", "v=DKIM1; k=rsa;",
	    lab->rsa);
	lab_publish(lab, "ed._domainkey.example.org", "v=DKIM1; k=ed25519;",
	    lab->ed);
	lab_publish(lab, "short._domainkey.example.org", "v=DKIM1;",
	    lab->rsa_short);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lab_free(lab);
	return 0;
}

static const struct auth_dkim *
scan(struct bytes raw)
{
	return &lab_scan(lab, raw, 1000)->dkim;
}

/* ---- signatures as they are read ---- */

static void
test_tags(void **state)
{
	static const struct {
		const char *label, *tags;
		enum auth_result result;
		const char *problem; /* part of it */
	} cases[] = {
		{ "ordinary", TAGS NAMES, AUTH_PASS, NULL },
		{ "simple/simple",
		    "v=1; a=rsa-sha256; c=simple/simple; d=example.org; "
		    "s=rsa; " NAMES,
		    AUTH_PASS, NULL },
		{ "simple is the default",
		    "v=1; a=rsa-sha256; d=example.org; s=rsa; " NAMES,
		    AUTH_PASS, NULL },
		{ "body simple by default",
		    "v=1; a=rsa-sha256; c=relaxed; d=example.org; "
		    "s=rsa; " NAMES,
		    AUTH_PASS, NULL },
		{ "simple/relaxed",
		    "v=1; a=rsa-sha256; c=simple/relaxed; d=example.org; "
		    "s=rsa; " NAMES,
		    AUTH_PASS, NULL },
		{ "Ed25519",
		    "v=1; a=ed25519-sha256; c=relaxed/simple; d=example.org; "
		    "s=ed; " NAMES,
		    AUTH_PASS, NULL },
		{ "domain in capitals",
		    "v=1; a=rsa-sha256; d=Example.ORG; s=RSA; " NAMES,
		    AUTH_PASS, NULL },
		{ "unknown tags", TAGS NAMES "; y=1; zz=2; D=evil.example",
		    AUTH_PASS, NULL },
		{ "query method among others", TAGS NAMES "; q=x/y:dns/txt",
		    AUTH_PASS, NULL },
		{ "identity", TAGS NAMES "; i=ann@example.org", AUTH_PASS,
		    NULL },
		{ "identity below", TAGS NAMES "; i=@mail.example.org",
		    AUTH_PASS, NULL },
		{ "folds and spaces",
		    "v = 1;\r\n\ta=rsa-sha256;\r\n c=relaxed/simple; d = "
		    "example.org ;\r\n s=rsa; h = from :\r\n to : subject",
		    AUTH_PASS, NULL },
		{ "names that do not exist", TAGS NAMES ":x-none:from:from",
		    AUTH_PASS, NULL },
		{ "name in other case", TAGS "h=FROM:To", AUTH_PASS, NULL },
		{ "not expired", TAGS NAMES "; t=1; x=99999999999", AUTH_PASS,
		    NULL },
		{ "whole body by l=", TAGS NAMES "; l=26", AUTH_PASS, NULL },
		{ "no v", "a=rsa-sha256; d=example.org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "v= is missing" },
		{ "v=2", "v=2; a=rsa-sha256; d=example.org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "v=" },
		{ "no d", "v=1; a=rsa-sha256; s=rsa; " NAMES, AUTH_PERMERROR,
		    "d= is missing" },
		{ "empty d", "v=1; a=rsa-sha256; d=; s=rsa; " NAMES,
		    AUTH_PERMERROR, "d= is no domain" },
		{ "d with an empty label",
		    "v=1; a=rsa-sha256; d=example..org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "d= is no domain" },
		{ "no s", "v=1; a=rsa-sha256; d=example.org; " NAMES,
		    AUTH_PERMERROR, "s= is missing" },
		{ "no h", "v=1; a=rsa-sha256; d=example.org; s=rsa",
		    AUTH_PERMERROR, "h= is missing" },
		{ "From not signed", TAGS "h=to:subject:x-from", AUTH_PERMERROR,
		    "From" },
		{ "unknown algorithm",
		    "v=1; a=rsa-md5; d=example.org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "a=" },
		{ "algorithm in capitals",
		    "v=1; a=RSA-SHA256; d=example.org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "a=" },
		{ "unknown canonicalization",
		    "v=1; a=rsa-sha256; c=nowsp; d=example.org; s=rsa; " NAMES,
		    AUTH_PERMERROR, "c=" },
		{ "too much in c=",
		    "v=1; a=rsa-sha256; c=simple/simple/x; d=example.org; "
		    "s=rsa; " NAMES,
		    AUTH_PERMERROR, "c=" },
		{ "unknown query method", TAGS NAMES "; q=http", AUTH_PERMERROR,
		    "q=" },
		{ "identity encoded", TAGS NAMES "; i==61nn=40example=2eorg",
		    AUTH_PASS, NULL },
		{ "identity with a code cut off", TAGS NAMES "; i=@example=2",
		    AUTH_PERMERROR, "i=" },
		{ "identity with a NUL encoded",
		    TAGS NAMES "; i=@example.org=00.example.net",
		    AUTH_PERMERROR, "i=" },
		{ "identity elsewhere", TAGS NAMES "; i=ann@example.net",
		    AUTH_PERMERROR, "i=" },
		{ "identity that only ends so",
		    TAGS NAMES "; i=ann@evilexample.org", AUTH_PERMERROR,
		    "i=" },
		{ "identity above",
		    "v=1; a=rsa-sha256; d=mail.example.org; s=rsa; " NAMES
		    "; i=@example.org",
		    AUTH_PERMERROR, "i=" },
		{ "identity without @", TAGS NAMES "; i=example.org",
		    AUTH_PERMERROR, "i=" },
		{ "tag twice", TAGS NAMES "; s=rsa", AUTH_PERMERROR,
		    "repeated" },
		{ "no tag list", "nonsense", AUTH_PERMERROR, "=" },
		{ "l= no number", TAGS NAMES "; l=-1", AUTH_PERMERROR, "l=" },
		{ "l= huge", TAGS NAMES "; l=99999999999999999999999",
		    AUTH_PERMERROR, "l=" },
		{ "l= beyond the body", TAGS NAMES "; l=27", AUTH_PERMERROR,
		    "l= is larger" },
		{ "t= no number", TAGS NAMES "; t=today", AUTH_PERMERROR,
		    "t=" },
		{ "x= before t=", TAGS NAMES "; t=99999999999; x=99999999998",
		    AUTH_PERMERROR, "x=" },
		{ "x= is t=", TAGS NAMES "; t=99999999999; x=99999999999",
		    AUTH_PERMERROR, "x=" },
		{ "expired", TAGS NAMES "; x=1000000000", AUTH_FAIL,
		    "expired" },
		{ "sha1", "v=1; a=rsa-sha1; d=example.org; s=rsa; " NAMES,
		    AUTH_FAIL, "historic" },
		{ "short key",
		    "v=1; a=rsa-sha256; d=example.org; s=short; " NAMES,
		    AUTH_FAIL, "too short" },
		{ "no such key",
		    "v=1; a=rsa-sha256; d=example.org; s=none; " NAMES,
		    AUTH_PERMERROR, "no key" },
		{ "key of another type",
		    "v=1; a=rsa-sha256; d=example.org; s=ed; " NAMES,
		    AUTH_PERMERROR, "type" },
	};
	const struct auth_dkim *dkim;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		EVP_PKEY *key = lab->rsa;

		if (strstr(cases[i].tags, "s=ed") != NULL &&
		    strstr(cases[i].tags, "a=ed") != NULL)
			key = lab->ed;
		else if (strstr(cases[i].tags, "s=short") != NULL)
			key = lab->rsa_short;
		dkim =
		    scan(lab_sign(lab, bytes_of(MESSAGE), cases[i].tags, key));
		if (dkim->count != 1)
			case_fail(cases[i].label, "%zu signatures",
			    dkim->count);
		if (dkim->signatures[0].result != cases[i].result ||
		    dkim->result != cases[i].result)
			case_fail(cases[i].label, "%s (%s)",
			    auth_result_name(dkim->signatures[0].result),
			    dkim->signatures[0].problem);
		if ((dkim->signatures[0].problem == NULL) !=
			(cases[i].problem == NULL) ||
		    (cases[i].problem != NULL &&
			strstr(dkim->signatures[0].problem, cases[i].problem) ==
			    NULL))
			case_fail(cases[i].label, "said '%s'",
			    dkim->signatures[0].problem);
		if (dkim->signatures[0].trusted !=
		    (cases[i].result == AUTH_PASS))
			case_fail(cases[i].label, "trust");
	}
}

static void
test_report(void **state)
{
	const struct auth_dkim_signature *signature;
	const struct auth_dkim *dkim;

	(void)state;
	dkim = scan(lab_sign(lab, bytes_of(MESSAGE),
	    "v=1; a=ed25519-sha256; d=Example.org; s=Ed; i=ann@example.org; "
	    "t=1600000000; x=9900000000; " NAMES,
	    lab->ed));
	assert_int_equal(dkim->result, AUTH_PASS);
	assert_int_equal(dkim->count, 1);
	assert_int_equal(dkim->ignored, 0);
	signature = &dkim->signatures[0];
	assert_string_equal(signature->domain, "example.org");
	assert_string_equal(signature->selector, "ed");
	assert_string_equal(signature->identity, "ann@example.org");
	assert_string_equal(signature->algorithm, "ed25519-sha256");
	assert_int_equal(strlen(signature->b_prefix), 8);
	assert_int_equal(signature->key_bits, 256);
	assert_int_equal(signature->signed_s, 1600000000);
	assert_int_equal(signature->expires_s, 9900000000);
	assert_false(signature->testing);
	assert_false(signature->has_length);
}

/* What goes into our results must not make them UTF-8. */
static void
test_identity(void **state)
{
	static const struct {
		const char *label, *tag, *want;
	} cases[] = {
		{ "plain", "ann@example.org", "ann@example.org" },
		{ "encoded", "=61nn=40example.org", "ann@example.org" },
		{ "folded", "a\r\n nn@example.org", "ann@example.org" },
		{ "UTF-8 encoded", "J=C3=B6 rg@example.org",
		    "J=C3=B6rg@example.org" },
		{ "UTF-8", "J\xc3\xb6rg@example.org",
		    "J\xc3\xb6rg@example.org" },
	};
	const char *tags, *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		tags = lab_text(lab, TAGS NAMES "; i=%s", cases[i].tag).data;
		got = scan(lab_sign(lab, bytes_of(MESSAGE), tags, lab->rsa))
			  ->signatures[0]
			  .identity;
		if (got == NULL || strcmp(got, cases[i].want) != 0)
			case_fail(cases[i].label, "'%s'", got);
	}
}

static void
test_domain_is_known_of_what_is_broken(void **state)
{
	const struct auth_dkim *dkim;

	(void)state;
	dkim = scan(lab_sign(lab, bytes_of(MESSAGE),
	    "v=3; a=rsa-sha256; d=example.org; s=rsa; " NAMES, lab->rsa));
	assert_string_equal(dkim->signatures[0].domain, "example.org");
	assert_string_equal(dkim->signatures[0].selector, "rsa");
}

/* ---- what was changed on the way ---- */

static void
test_changes(void **state)
{
	static const struct {
		const char *label;
		struct bytes old, new;
		enum auth_result relaxed, simple;
	} cases[] = {
		{ "nothing", BYTES_LIT("Hi."), BYTES_LIT("Hi."), AUTH_PASS,
		    AUTH_PASS },
		{ "subject", BYTES_LIT("dinner"), BYTES_LIT("lunch"), AUTH_FAIL,
		    AUTH_FAIL },
		{ "subject marked", BYTES_LIT("dinner"),
		    BYTES_LIT("[list] dinner"), AUTH_FAIL, AUTH_FAIL },
		{ "header refolded", BYTES_LIT("Sun, 22"),
		    BYTES_LIT("Sun,\r\n\t22"), AUTH_PASS, AUTH_FAIL },
		{ "space behind a header", BYTES_LIT("dinner"),
		    BYTES_LIT("dinner \t"), AUTH_PASS, AUTH_FAIL },
		{ "name of a header", BYTES_LIT("Subject: "),
		    BYTES_LIT("SUBJECT:"), AUTH_PASS, AUTH_FAIL },
		{ "NUL and more in a header", BYTES_LIT("dinner"),
		    BYTES_LIT("dinner\0evil"), AUTH_FAIL, AUTH_FAIL },
		{ "VT for space in a header", BYTES_LIT("22 Nov"),
		    BYTES_LIT("22\vNov"), AUTH_FAIL, AUTH_FAIL },
		{ "body", BYTES_LIT("lost"), BYTES_LIT("won"), AUTH_FAIL,
		    AUTH_FAIL },
		{ "one space less in the body", BYTES_LIT("lost  the"),
		    BYTES_LIT("lost the"), AUTH_PASS, AUTH_FAIL },
		{ "space at the end of a line", BYTES_LIT("Hi.\r\n"),
		    BYTES_LIT("Hi. \r\n"), AUTH_PASS, AUTH_FAIL },
		{ "space put into a word", BYTES_LIT("game"),
		    BYTES_LIT("ga me"), AUTH_FAIL, AUTH_FAIL },
		{ "empty lines at the end", BYTES_LIT("game.\r\n"),
		    BYTES_LIT("game.\r\n\r\n\r\n"), AUTH_PASS, AUTH_PASS },
		{ "no CRLF at the end", BYTES_LIT("game.\r\n"),
		    BYTES_LIT("game."), AUTH_PASS, AUTH_PASS },
		{ "text behind the end", BYTES_LIT("game.\r\n"),
		    BYTES_LIT("game.\r\nlist\r\n"), AUTH_FAIL, AUTH_FAIL },
		{ "lone CR in the body", BYTES_LIT("the game"),
		    BYTES_LIT("the \rgame"), AUTH_FAIL, AUTH_FAIL },
		{ "NUL in the body", BYTES_LIT("game"), BYTES_LIT("g\0ame"),
		    AUTH_FAIL, AUTH_FAIL },
		{ "field that was not signed", BYTES_LIT("To: "),
		    BYTES_LIT("X-New: 1\r\nTo: "), AUTH_PASS, AUTH_PASS },
		{ "second Subject above", BYTES_LIT("From: "),
		    BYTES_LIT("Subject: evil\r\nFrom: "), AUTH_PASS,
		    AUTH_PASS },
		{ "second Subject below", BYTES_LIT("Date: "),
		    BYTES_LIT("Subject: evil\r\nDate: "), AUTH_FAIL,
		    AUTH_FAIL },
		{ "signature refolded", BYTES_LIT("; s=rsa"),
		    BYTES_LIT(";\r\n\ts=rsa"), AUTH_PASS, AUTH_FAIL },
		{ "b= folded", BYTES_LIT("; b="), BYTES_LIT("; b=\r\n "),
		    AUTH_PASS, AUTH_PASS },
		{ "d= changed", BYTES_LIT("d=example.org"),
		    BYTES_LIT("d=example.net"), AUTH_PERMERROR,
		    AUTH_PERMERROR },
		{ "h= shortened", BYTES_LIT(":subject"), BYTES_LIT(""),
		    AUTH_FAIL, AUTH_FAIL },
		{ "tag added", BYTES_LIT("v=1;"), BYTES_LIT("v=1; l=0;"),
		    AUTH_FAIL, AUTH_FAIL },
		{ "NUL in the selector", BYTES_LIT("s=rsa"),
		    BYTES_LIT("s=rsa\0x"), AUTH_PERMERROR, AUTH_PERMERROR },
		{ "NUL in the domain", BYTES_LIT("d=example.org"),
		    BYTES_LIT("d=example.org\0.evil.example"), AUTH_PERMERROR,
		    AUTH_PERMERROR },
	};
	struct bytes relaxed, simple;
	size_t i;

	(void)state;
	relaxed = lab_sign(lab, bytes_of(MESSAGE), TAGS NAMES, lab->rsa);
	simple = lab_sign(lab, bytes_of(MESSAGE),
	    "v=1; a=rsa-sha256; c=simple/simple; d=example.org; s=rsa; " NAMES,
	    lab->rsa);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		enum auth_result got;

		got =
		    scan(lab_replace(lab, relaxed, cases[i].old, cases[i].new))
			->result;
		if (got != cases[i].relaxed)
			case_fail(cases[i].label, "relaxed: %s",
			    auth_result_name(got));
		got = scan(lab_replace(lab, simple, cases[i].old, cases[i].new))
			  ->result;
		if (got != cases[i].simple)
			case_fail(cases[i].label, "simple: %s",
			    auth_result_name(got));
	}
}

static void
test_oversigned(void **state)
{
	struct bytes raw = lab_sign(lab, bytes_of(MESSAGE),
	    TAGS "h=from:from:subject:subject:to", lab->rsa);

	(void)state;
	assert_int_equal(scan(raw)->result, AUTH_PASS);
	assert_int_equal(scan(lab_replace(lab, raw, BYTES_LIT("From: "),
				  BYTES_LIT("Subject: evil\r\nFrom: ")))
			     ->result,
	    AUTH_FAIL);
}

/* The signature holds, but a reader may show what was added. */
static void
test_added_field(void **state)
{
	static const struct {
		const char *label, *names, *added;
		bool trusted;
	} cases[] = {
		{ "nothing", NAMES, "", true },
		{ "Subject", NAMES, "Subject: evil\r\n", false },
		{ "From", NAMES, "From: evil@example.net\r\n", false },
		{ "in other case", NAMES, "sUBJECT: evil\r\n", false },
		{ "Subject that nobody signed", "h=from", "Subject: evil\r\n",
		    true },
		{ "field that may be repeated", "h=from",
		    "Received: x\r\nReceived: y\r\n", true },
		{ "Content-Type", NAMES ":content-type",
		    "Content-Type: text/html\r\n", false },
	};
	const struct auth_dkim_signature *signature;
	struct bytes raw;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		raw = lab_sign(lab,
		    bytes_of(HEADER "Content-Type: text/plain\r\n\r\n" BODY),
		    lab_text(lab, TAGS "%s", cases[i].names).data, lab->rsa);
		raw = lab_text(lab, "%s%s", cases[i].added, raw.data);
		signature = &scan(raw)->signatures[0];
		if (signature->result != AUTH_PASS)
			case_fail(cases[i].label, "%s", signature->problem);
		if (signature->trusted != cases[i].trusted ||
		    (signature->problem == NULL) != cases[i].trusted)
			case_fail(cases[i].label, "trusted %d (%s)",
			    signature->trusted, signature->problem);
	}
}

static void
test_body_in_any_pieces(void **state)
{
	struct bytes raw =
	    lab_sign(lab, bytes_of(MESSAGE), TAGS NAMES, lab->rsa);
	size_t piece;

	(void)state;
	for (piece = 1; piece < 40; piece++)
		assert_int_equal(lab_scan(lab, raw, piece)->dkim.result,
		    AUTH_PASS);
}

static void
test_no_body(void **state)
{
	static const char *const canons[] = { "relaxed/relaxed",
		"simple/simple", "relaxed/simple" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(canons); i++) {
		struct bytes tags = lab_text(lab,
		    "v=1; a=rsa-sha256; c=%s; d=example.org; s=rsa; " NAMES,
		    canons[i]);

		assert_int_equal(scan(lab_sign(lab, bytes_of(HEADER "\r\n"),
					  tags.data, lab->rsa))
				     ->result,
		    AUTH_PASS);
		assert_int_equal(scan(lab_sign(lab, bytes_of(HEADER), tags.data,
					  lab->rsa))
				     ->result,
		    AUTH_PASS);
	}
}

/* A part of the right hash is not the right hash. */
static void
test_length_of_body_hash(void **state)
{
	struct bytes raw =
	    lab_sign(lab, bytes_of(MESSAGE), TAGS NAMES, lab->rsa);
	const char *bh = strstr(raw.data, "bh=");
	static const int lengths[] = { 4, 40, 44 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		struct bytes tags =
		    lab_text(lab, TAGS NAMES "; %.*s", 3 + lengths[i], bh);

		assert_int_equal(scan(lab_sign(lab, bytes_of(MESSAGE),
					  tags.data, lab->rsa))
				     ->result,
		    lengths[i] == 44 ? AUTH_PASS : AUTH_FAIL);
	}
	/* Nor is more than it. */
	assert_int_equal(scan(lab_sign(lab, bytes_of(MESSAGE),
				  lab_text(lab, TAGS NAMES "; %.*s%.*s", 43, bh,
				      44, bh + 3)
				      .data,
				  lab->rsa))
			     ->result,
	    AUTH_FAIL);
}

/* ---- l= ---- */

static void
test_length(void **state)
{
	const struct auth_dkim_signature *signature;
	struct bytes raw;

	(void)state;
	/* "Hi.\r\n\r\n" is seven octets. */
	raw = lab_sign(lab, bytes_of(MESSAGE), TAGS NAMES "; l=7", lab->rsa);
	signature = &scan(raw)->signatures[0];
	assert_int_equal(signature->result, AUTH_PASS);
	assert_true(signature->has_length);
	assert_int_equal(signature->length, 7);
	assert_int_equal(signature->unsigned_bytes, 19);
	assert_false(signature->trusted);

	/* All of it signed, something added. */
	raw = lab_sign(lab, bytes_of(MESSAGE), TAGS NAMES "; l=26", lab->rsa);
	signature = &scan(raw)->signatures[0];
	assert_int_equal(signature->result, AUTH_PASS);
	assert_true(signature->trusted);
	raw = lab_replace(lab, raw, BYTES_LIT("game.\r\n"),
	    BYTES_LIT("game.\r\nSend money.\r\n"));
	signature = &scan(raw)->signatures[0];
	assert_int_equal(signature->result, AUTH_PASS);
	assert_int_equal(signature->unsigned_bytes, strlen("Send money.\r\n"));
	assert_false(signature->trusted);
}

static void
test_lengths_share_one_hash(void **state)
{
	static const char *const lengths[] = { "; l=26", "; l=0", "; l=7", "",
		"; l=7", "; l=10", "; l=1", "; l=25" };
	struct bytes raw = bytes_of(MESSAGE);
	const struct auth_dkim *dkim;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lengths); i++)
		raw = lab_sign(lab, raw,
		    lab_text(lab, TAGS NAMES "%s", lengths[i]).data, lab->rsa);
	dkim = &lab_scan(lab, raw, 3)->dkim;
	assert_int_equal(dkim->count, ARRAY_LEN(lengths));
	for (i = 0; i < dkim->count; i++)
		assert_int_equal(dkim->signatures[i].result, AUTH_PASS);
}

/* ---- key records ---- */

static void
test_key_records(void **state)
{
	/* P stands for the RSA key, E for the Ed25519 one. */
	static const struct {
		const char *label, *record;
		const char *tags; /* more of the signature's */
		enum auth_result result;
		const char *problem;
	} cases[] = {
		{ "all of it",
		    "v=DKIM1; k=rsa; h=sha256; s=email; t=s; n=x; "
		    "p=P;",
		    "", AUTH_PASS, NULL },
		{ "least of it", "p=P", "", AUTH_PASS, NULL },
		{ "v= not first", "k=rsa; v=DKIM1; p=P", "", AUTH_PERMERROR,
		    "DKIM1" },
		{ "other version", "v=DKIM2; p=P", "", AUTH_PERMERROR,
		    "DKIM1" },
		{ "SPF record", "v=spf1 -all", "", AUTH_PERMERROR, "DKIM1" },
		{ "revoked", "v=DKIM1; p=", "", AUTH_PERMERROR, "revoked" },
		{ "no p", "v=DKIM1; k=rsa", "", AUTH_PERMERROR, "p=" },
		{ "p no base64", "v=DKIM1; p=@@@", "", AUTH_PERMERROR,
		    "base64" },
		{ "p no key", "v=DKIM1; p=AAAA", "", AUTH_PERMERROR,
		    "no RSA key" },
		{ "unknown key type", "v=DKIM1; k=dsa; p=P", "", AUTH_PERMERROR,
		    "type" },
		{ "other key type", "v=DKIM1; k=ed25519; p=E", "",
		    AUTH_PERMERROR, "type" },
		{ "Ed25519 called RSA", "v=DKIM1; p=E", "", AUTH_PERMERROR,
		    "no RSA key" },
		{ "hash among others", "v=DKIM1; h=sha1 : sha256; p=P", "",
		    AUTH_PASS, NULL },
		{ "hash not allowed", "v=DKIM1; h=sha1; p=P", "",
		    AUTH_PERMERROR, "hash" },
		{ "unknown hashes", "v=DKIM1; h=sha512; p=P", "",
		    AUTH_PERMERROR, "hash" },
		{ "any service", "v=DKIM1; s=*; p=P", "", AUTH_PASS, NULL },
		{ "service among others", "v=DKIM1; s=x:email; p=P", "",
		    AUTH_PASS, NULL },
		{ "other service", "v=DKIM1; s=tlsrpt; p=P", "", AUTH_PERMERROR,
		    "mail" },
		{ "g= is ignored", "v=DKIM1; g=nobody; p=P", "", AUTH_PASS,
		    NULL },
		{ "t=s, i= is d=", "v=DKIM1; t=s; p=P", "; i=ann@example.org",
		    AUTH_PASS, NULL },
		{ "t=s, i= below d=", "v=DKIM1; t=y:s; p=P",
		    "; i=ann@x.example.org", AUTH_PERMERROR, "subdomain" },
		{ "white space in p", "v=DKIM1; p= P ", "", AUTH_PASS, NULL },
		{ "backslashes", "v=DKIM1\\; p=P", "", AUTH_PERMERROR,
		    "DKIM1" },
		{ "empty record", "", "", AUTH_PERMERROR, "key record" },
	};
	const struct auth_dkim *dkim;
	struct bytes record, tags;
	const char *name;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		name = lab_text(lab, "k%zu._domainkey.example.org", i).data;
		record = lab_replace(lab, bytes_of(cases[i].record),
		    BYTES_LIT("p=P"),
		    lab_text(lab, "p=%s", lab_public(lab, lab->rsa)));
		record = lab_replace(lab, record, BYTES_LIT("p= P"),
		    lab_text(lab, "p= %s", lab_public(lab, lab->rsa)));
		record = lab_replace(lab, record, BYTES_LIT("p=E"),
		    lab_text(lab, "p=%s", lab_public(lab, lab->ed)));
		fake_dns_add(lab->dns, name, DNS_TXT, record);
		tags = lab_text(lab,
		    "v=1; a=rsa-sha256; d=example.org; s=k%zu; " NAMES "%s", i,
		    cases[i].tags);
		dkim =
		    scan(lab_sign(lab, bytes_of(MESSAGE), tags.data, lab->rsa));
		if (dkim->signatures[0].result != cases[i].result ||
		    (cases[i].problem != NULL &&
			strstr(dkim->signatures[0].problem, cases[i].problem) ==
			    NULL))
			case_fail(cases[i].label, "%s (%s)",
			    auth_result_name(dkim->signatures[0].result),
			    dkim->signatures[0].problem);
	}
}

static void
test_several_records(void **state)
{
	const char *name = "many._domainkey.example.org";
	const char *tags = "v=1; a=rsa-sha256; d=example.org; s=many; " NAMES;
	struct bytes raw = lab_sign(lab, bytes_of(MESSAGE), tags, lab->rsa);

	(void)state;
	fake_dns_add(lab->dns, name, DNS_TXT, BYTES_LIT("v=spf1 -all"));
	lab_publish(lab, name, "v=DKIM1; k=ed25519;", lab->ed);
	assert_int_equal(scan(raw)->result, AUTH_PERMERROR);
	lab_publish(lab, name, "v=DKIM1; k=rsa;", lab->rsa);
	assert_int_equal(scan(raw)->result, AUTH_PASS);
}

static void
test_testing_domain(void **state)
{
	const struct auth_dkim *dkim;
	struct bytes raw;

	(void)state;
	lab_publish(lab, "test._domainkey.example.org", "t=y;", lab->rsa);
	raw = lab_sign(lab, bytes_of(MESSAGE),
	    "v=1; a=rsa-sha256; d=example.org; s=test; " NAMES, lab->rsa);
	dkim = scan(raw);
	assert_int_equal(dkim->result, AUTH_PASS);
	assert_true(dkim->signatures[0].testing);
	dkim = scan(lab_replace(lab, raw, BYTES_LIT("lost"), BYTES_LIT("won")));
	assert_int_equal(dkim->signatures[0].result, AUTH_FAIL);
	assert_true(dkim->signatures[0].testing);
	assert_int_equal(dkim->result, AUTH_NEUTRAL);
}

static void
test_dns_failures(void **state)
{
	static const struct {
		enum dns_status status;
		const char *problem;
	} cases[] = {
		{ DNS_SERVFAIL, "servfail" },
		{ DNS_TIMEOUT, "timeout" },
		{ DNS_BOGUS, "bogus" },
	};
	const struct auth_dkim *dkim;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		fake_dns_fail(lab->dns,
		    lab_text(lab, "f%zu._domainkey.example.org", i).data,
		    cases[i].status);
		dkim = scan(lab_sign(lab, bytes_of(MESSAGE),
		    lab_text(lab,
			"v=1; a=rsa-sha256; d=example.org; s=f%zu; " NAMES, i)
			.data,
		    lab->rsa));
		assert_int_equal(dkim->result, AUTH_TEMPERROR);
		assert_non_null(
		    strstr(dkim->signatures[0].problem, cases[i].problem));
	}
	/* Another signature may pass all the same. */
	dkim = scan(lab_sign(lab,
	    lab_sign(lab, bytes_of(MESSAGE),
		"v=1; a=rsa-sha256; d=example.org; s=f0; " NAMES, lab->rsa),
	    TAGS NAMES, lab->rsa));
	assert_int_equal(dkim->result, AUTH_PASS);
	assert_int_equal(dkim->signatures[1].result, AUTH_TEMPERROR);
}

static void
test_keys_are_asked_at_once(void **state)
{
	struct lab *slow = lab_new();
	struct bytes raw = bytes_of(MESSAGE);
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		lab_publish(slow,
		    lab_text(slow, "k%d._domainkey.example.org", i).data, "",
		    slow->rsa);
		raw = lab_sign(slow, raw,
		    lab_text(slow,
			"v=1; a=rsa-sha256; d=example.org; s=k%d; " NAMES, i)
			.data,
		    slow->rsa);
	}
	fake_dns_delay(slow->dns);
	assert_int_equal(lab_scan(slow, raw, 100)->dkim.result, AUTH_PASS);
	assert_int_equal(slow->scan->auth.dkim.count, 5);
	assert_int_equal(fake_dns_rounds(slow->dns), 1);
	lab_free(slow);
}

/* ---- ceilings ---- */

static void
test_ceiling_prefers_the_author(void **state)
{
	struct bytes raw = bytes_of(MESSAGE);
	const struct auth_dkim *dkim;
	size_t i, passed = 0;

	(void)state;
	/* The one that counts lies deepest. */
	raw = lab_sign(lab, raw, TAGS NAMES, lab->rsa);
	for (i = 0; i < 40; i++)
		raw = lab_sign(lab, raw,
		    "v=1; a=rsa-sha256; d=example.net; s=rsa; " NAMES,
		    lab->rsa);
	for (i = 0; i < 20; i++)
		raw = lab_sign(lab, raw, "v=9; d=example.org", lab->rsa);
	dkim = scan(raw);
	assert_int_equal(dkim->count, AUTH_DKIM_TRIES_MAX);
	assert_int_equal(dkim->ignored, 61 - AUTH_DKIM_TRIES_MAX);
	for (i = 0; i < dkim->count; i++)
		if (dkim->signatures[i].trusted)
			passed++;
	assert_int_equal(passed, 1);
	assert_int_equal(dkim->result, AUTH_PASS);
}

static void
test_names_ceiling(void **state)
{
	struct buf tags;
	size_t i;

	(void)state;
	buf_init(&tags, 100000);
	buf_append_str(&tags, TAGS "h=from");
	for (i = 1; i < SIGNATURE_NAMES_MAX; i++)
		buf_append_str(&tags, ":x");
	assert_int_equal(scan(lab_sign(lab, bytes_of(MESSAGE), buf_str(&tags),
				  lab->rsa))
			     ->result,
	    AUTH_PASS);
	buf_append_str(&tags, ":x");
	assert_int_equal(scan(lab_sign(lab, bytes_of(MESSAGE), buf_str(&tags),
				  lab->rsa))
			     ->result,
	    AUTH_PERMERROR);
	buf_free(&tags);
}

static void
test_legacy_switch(void **state)
{
	static const char *const tags[] = {
		"v=1; a=rsa-sha1; c=relaxed/simple; d=example.org; s=rsa; "
		"h=from",
		"v=1; a=rsa-sha256; d=example.org; s=short; h=from",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(tags); i++) {
		struct bytes raw = lab_sign(lab, bytes_of(MESSAGE), tags[i],
		    i == 0 ? lab->rsa : lab->rsa_short);

		assert_int_equal(scan(raw)->result, AUTH_FAIL);
		lab->dkim.rules.sha1 = true;
		lab->dkim.rules.rsa_bits_min = 512;
		assert_int_equal(scan(raw)->result, AUTH_PASS);
		assert_int_equal(scan(lab_replace(lab, raw, BYTES_LIT("lost"),
					  BYTES_LIT("won")))
				     ->result,
		    AUTH_FAIL);
		lab->dkim.rules = signature_rules_default;
	}
}

static void
test_signature_signs_another(void **state)
{
	/* h=dkim-signature means the one below, never the field itself. */
	struct bytes raw = lab_sign(lab,
	    lab_sign(lab, bytes_of(MESSAGE),
		"v=1; a=ed25519-sha256; d=example.org; s=ed; " NAMES, lab->ed),
	    TAGS "h=from:dkim-signature:dkim-signature", lab->rsa);

	(void)state;
	assert_int_equal(scan(raw)->count, 2);
	assert_int_equal(lab->scan->auth.dkim.signatures[0].result, AUTH_PASS);
	raw = lab_replace(lab, raw, BYTES_LIT("s=ed"), BYTES_LIT("s=xx"));
	assert_int_equal(scan(raw)->signatures[0].result, AUTH_FAIL);
}

static void
test_no_signature(void **state)
{
	(void)state;
	assert_int_equal(scan(bytes_of(MESSAGE))->result, AUTH_NONE);
	assert_int_equal(lab->scan->auth.dkim.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_domain_is_known_of_what_is_broken),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_oversigned),
		cmocka_unit_test(test_added_field),
		cmocka_unit_test(test_body_in_any_pieces),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_length_of_body_hash),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_lengths_share_one_hash),
		cmocka_unit_test(test_key_records),
		cmocka_unit_test(test_several_records),
		cmocka_unit_test(test_testing_domain),
		cmocka_unit_test(test_dns_failures),
		cmocka_unit_test(test_keys_are_asked_at_once),
		cmocka_unit_test(test_ceiling_prefers_the_author),
		cmocka_unit_test(test_names_ceiling),
		cmocka_unit_test(test_legacy_switch),
		cmocka_unit_test(test_signature_signs_another),
		cmocka_unit_test(test_no_signature),
	};

	return cmocka_run_group_tests_name("auth_dkim", tests, setup, teardown);
}
