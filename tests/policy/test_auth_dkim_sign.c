/*
 * test_auth_dkim_sign.c - tests of policy/auth_dkim_sign.c and
 * auth_dkim_witness.c: what we sign, libopendkim verifies as we do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "mail/message.h"
#include "policy/auth_dkim_sign.h"
#include "policy/auth_dkim_witness.h"
#include "tests/policy/mail_lab.h"

static struct lab *lab;
static struct signing_key *rsa, *ed;

static void
publish(const char *name, const struct signing_key *key)
{
	struct buf record;

	buf_init(&record, 1000);
	assert_int_equal(signing_key_record(key, &record), 0);
	fake_dns_add(lab->dns, name, DNS_TXT, buf_bytes(&record));
	buf_free(&record);
}

static int
setup(void **state)
{
	(void)state;
	lab = lab_new();
	rsa = signing_key_generate(2048, NULL);
	ed = signing_key_generate(0, NULL);
	if (rsa == NULL || ed == NULL)
		return -1;
	publish("rsa._domainkey.example.org", rsa);
	publish("ed._domainkey.example.org", ed);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signing_key_free(rsa);
	signing_key_free(ed);
	lab_free(lab);
	return 0;
}

static const struct auth_dkim_identity *
identity_of(bool is_rsa)
{
	static struct auth_dkim_identity identity;

	identity.domain = "example.org";
	identity.selector = is_rsa ? "rsa" : "ed";
	identity.key = is_rsa ? rsa : ed;
	return &identity;
}

/* The value for the message scanned last. */
static const char *
sign_scanned(bool is_rsa, struct err *err)
{
	return auth_dkim_sign(lab->arena, identity_of(is_rsa),
	    &lab->message->header, lab->body, clock_wall_s(), err);
}

static int
sign(struct bytes raw, bool is_rsa, struct bytes *out, struct err *err)
{
	const char *value, *p;
	struct bytes field;

	(void)lab_scan(lab, raw, 1000);
	value = sign_scanned(is_rsa, err);
	if (value == NULL)
		return -1;
	/* What goes into a header has no line without its white space. */
	for (p = value; (p = strchr(p, '\n')) != NULL; p++)
		assert_true(p[-1] == '\r' && p[1] == ' ');
	assert_int_equal(value[0], ' ');
	field = lab_text(lab, "DKIM-Signature:%s\r\n", value);
	*out = lab_join(lab, field, raw);
	return 0;
}

/* ---- the library's opinion ---- */

/* Of all signatures of the message scanned last. */
static bool
witness_agrees(bool pass)
{
	struct auth_dkim_opinions opinions;
	size_t i;

	assert_int_equal(auth_dkim_witness(lab->scan, &opinions, NULL), 0);
	assert_int_equal(opinions.count, lab->scan->auth.dkim.count);
	for (i = 0; i < opinions.count; i++)
		if (opinions.opinions[i].pass != pass ||
		    (opinions.opinions[i].problem == NULL) != pass)
			return false;
	return true;
}

/* ---- tests ---- */

#define HEADER                                                                 \
	"Received: from x\r\n"                                                 \
	"From: Ann <ann@example.org>\r\n"                                      \
	"To: bob@example.net\r\n"                                              \
	"Subject: dinner\r\n"                                                  \
	"X-Sekimori-Id: 1\r\n"

static const struct {
	const char *label;
	struct bytes raw;
} messages[] = {
	{ "ordinary",
	    BYTES_LIT(HEADER "\r\nHi.\r\n\r\nWe lost  it. \r\n\r\n") },
	{ "no body", BYTES_LIT(HEADER "\r\n") },
	{ "folded header",
	    BYTES_LIT("From: Ann\r\n <ann@example.org>\r\n"
		      "Subject:\r\n\tdinner \t tonight \r\n\r\nx\r\n") },
	{ "tabs and empty lines",
	    BYTES_LIT(HEADER "\r\n\ta\tb \r\n\r\n\r\nc\r\n \r\n") },
	{ "8-bit",
	    BYTES_LIT("From: ann@example.org\r\nSubject: \xe6\x97\xa5\r\n\r\n"
		      "\xe6\x9c\xac \xff\r\n") },
	{ "NUL in the body", BYTES_LIT(HEADER "\r\na\0b\r\n") },
	{ "two fields of a name",
	    BYTES_LIT("References: <1@x>\r\nReferences: <2@x>\r\n"
		      "From: ann@example.org\r\n\r\nx\r\n") },
};

static void
test_both_verify(void **state)
{
	struct bytes raw;
	size_t i;
	int is_rsa;

	(void)state;
	for (i = 0; i < ARRAY_LEN(messages); i++)
		for (is_rsa = 0; is_rsa < 2; is_rsa++) {
			struct err err = { ERR_NONE, "" };
			const struct auth_dkim *dkim;

			if (sign(messages[i].raw, is_rsa, &raw, &err) < 0)
				case_fail(messages[i].label, "%s", err.text);
			dkim = &lab_scan(lab, raw, 7)->dkim;
			if (dkim->count != 1 || !dkim->signatures[0].trusted)
				case_fail(messages[i].label, "ours: %s",
				    dkim->signatures[0].problem);
			if (!witness_agrees(true))
				case_fail(messages[i].label, "the library's");
		}
}

static void
test_both_refuse(void **state)
{
	static const struct {
		const char *label, *old, *new;
	} cases[] = {
		{ "subject", "dinner", "lunch" },
		{ "second subject", "From:", "Subject: x\r\nFrom:" },
		{ "second From", "To:", "From: x@example.org\r\nTo:" },
		{ "body", "lost", "won" },
		{ "body longer", "Hi.", "Hi. PS:" },
		{ "selector", "s=rsa", "s=none" },
	};
	struct bytes raw, changed;
	size_t i;

	(void)state;
	assert_int_equal(sign(messages[0].raw, true, &raw, NULL), 0);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		changed = lab_replace(lab, raw, bytes_of(cases[i].old),
		    bytes_of(cases[i].new));
		if (lab_scan(lab, changed, 100)->dkim.result == AUTH_PASS)
			case_fail(cases[i].label, "ours");
		if (!witness_agrees(false))
			case_fail(cases[i].label, "the library's");
	}
}

static void
test_what_is_signed(void **state)
{
	struct bytes raw;

	(void)state;
	assert_int_equal(sign(messages[0].raw, true, &raw, NULL), 0);
	/* What relays change is not signed. */
	raw = lab_replace(lab, raw, BYTES_LIT("from x"), BYTES_LIT("from y"));
	raw = lab_replace(lab, raw, BYTES_LIT("X-Sekimori-Id: 1\r\n"),
	    BYTES_LIT(""));
	raw = lab_text(lab, "Return-Path: <>\r\nReceived: z\r\n%.*s",
	    (int)raw.len, raw.data);
	assert_int_equal(lab_scan(lab, raw, 100)->dkim.result, AUTH_PASS);
}

static void
test_two_keys(void **state)
{
	const char *one, *two;
	struct bytes raw;

	(void)state;
	(void)lab_scan(lab, messages[0].raw, 100);
	one = sign_scanned(true, NULL);
	two = sign_scanned(false, NULL);
	assert_non_null(one);
	assert_non_null(two);
	raw = lab_text(lab, "DKIM-Signature:%s\r\nDKIM-Signature:%s\r\n%s", one,
	    two, messages[0].raw.data);
	(void)lab_scan(lab, raw, 100);
	assert_int_equal(lab->scan->auth.dkim.count, 2);
	assert_true(lab->scan->auth.dkim.signatures[0].trusted);
	assert_true(lab->scan->auth.dkim.signatures[1].trusted);
	assert_true(witness_agrees(true));
}

/* What libopendkim does not read as it is, ours signs all the same. */
static void
test_odd_messages(void **state)
{
	static const struct {
		const char *label;
		struct bytes raw;
	} cases[] = {
		{ "NUL in a field",
		    BYTES_LIT(
			"From: a@example.org\r\nSubject: a\0b\r\n\r\nx\r\n") },
		{ "lone CRs",
		    BYTES_LIT("From: a@example.org\r\n\r\na \rb\r\r\n\r\n") },
		{ "no line end",
		    BYTES_LIT("From: a@example.org\r\n\r\nno end") },
		{ "form feed",
		    BYTES_LIT(
			"From: a@example.org\r\nSubject: a\fb\r\n\r\n\f\r\n") },
	};
	struct bytes raw;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(sign(cases[i].raw, true, &raw, NULL), 0);
		if (!lab_scan(lab, raw, 3)->dkim.signatures[0].trusted)
			case_fail(cases[i].label, "%s",
			    lab->scan->auth.dkim.signatures[0].problem);
	}
}

static void
test_no_from(void **state)
{
	struct bytes raw;
	struct err err;

	(void)state;
	assert_int_equal(sign(BYTES_LIT("Subject: x\r\n\r\nx\r\n"), true, &raw,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_INPUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_verify),
		cmocka_unit_test(test_both_refuse),
		cmocka_unit_test(test_what_is_signed),
		cmocka_unit_test(test_two_keys),
		cmocka_unit_test(test_odd_messages),
		cmocka_unit_test(test_no_from),
	};

	return cmocka_run_group_tests_name("auth_dkim_sign", tests, setup,
	    teardown);
}
