/*
 * test_auth_arc.c - tests of policy/auth_arc.c, arc_chain.c and arc_seal.c.
 *
 * Chains are made by our own sealing, hop by hop; that it is the world's
 * sealing, too, is what tests/conformance shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "mail/message.h"
#include "policy/arc_chain.h"
#include "policy/arc_seal.h"
#include "policy/digest.h"
#include "policy/signature_write.h"
#include "tests/policy/mail_lab.h"

#define MESSAGE                                                                \
	"From: Ann <ann@example.org>\r\n"                                      \
	"To: list@example.net\r\n"                                             \
	"Subject: dinner\r\n"                                                  \
	"\r\n"                                                                 \
	"We lost  the game.\r\n"

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

/* As every test finds it. */
static void
usual_zone(void)
{
	lab_forget_zone(lab);
	publish("rsa._domainkey.one.example", rsa);
	publish("rsa._domainkey.two.example", rsa);
	publish("ed._domainkey.three.example", ed);
}

static int
setup(void **state)
{
	(void)state;
	lab = lab_new();
	rsa = signing_key_generate(2048, NULL);
	ed = signing_key_generate(0, NULL);
	return 0;
}

static int
setup_each(void **state)
{
	(void)state;
	usual_zone();
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

/* ---- hops ---- */

static const struct auth_arc *
scan(struct bytes raw)
{
	return &lab_scan(lab, raw, 1000)->arc;
}

static int
seal(const char *domain, const char *selector, const struct signing_key *key,
    struct arc_sealed *sealed)
{
	const struct arc_seal_request request = {
		.header = &lab->message->header,
		.body = lab->body,
		.arc = &lab->scan->auth.arc,
		.results =
		    "mx.example.net;\r\n spf=pass smtp.mailfrom=x.example",
		.domain = domain,
		.selector = selector,
		.key = key,
		.now_s = 1795305600,
	};

	return arc_seal(lab->arena, &request, sealed, NULL);
}

static struct bytes
with_set(const struct arc_sealed *sealed, struct bytes raw)
{
	return lab_text(lab,
	    "ARC-Seal:%s\r\nARC-Message-Signature:%s\r\n"
	    "ARC-Authentication-Results:%s\r\n%s",
	    sealed->seal, sealed->message_signature, sealed->results, raw.data);
}

/* The message as it leaves a sealer. */
static struct bytes
hop(struct bytes raw, const char *domain, const char *selector,
    const struct signing_key *key)
{
	struct arc_sealed sealed;

	(void)scan(raw);
	assert_int_equal(seal(domain, selector, key, &sealed), 1);
	return with_set(&sealed, raw);
}

/* A list that marks the subject after its check and before its seal. */
static struct bytes
hop_list(struct bytes raw)
{
	const struct auth_arc found = *scan(raw);
	struct bytes marked = lab_replace(lab, raw, BYTES_LIT("dinner"),
	    BYTES_LIT("[list] dinner"));
	struct arc_sealed sealed;

	(void)scan(marked);
	lab->scan->auth.arc = found;
	assert_int_equal(seal("two.example", "rsa", rsa, &sealed), 1);
	return with_set(&sealed, marked);
}

static struct bytes
hop_one(struct bytes raw)
{
	return hop(raw, "one.example", "rsa", rsa);
}

static struct bytes
hop_two(struct bytes raw)
{
	return hop(raw, "two.example", "rsa", rsa);
}

/* ---- tests ---- */

static void
test_no_chain(void **state)
{
	(void)state;
	assert_int_equal(scan(bytes_of(MESSAGE))->result, AUTH_NONE);
	assert_int_equal(lab->scan->auth.arc.count, 0);
}

static void
test_chain_of_three(void **state)
{
	struct bytes raw =
	    hop(hop_two(hop_one(bytes_of(MESSAGE))), "three.example", "ed", ed);
	const struct auth_arc *arc = scan(raw);

	(void)state;
	assert_int_equal(arc->result, AUTH_PASS);
	assert_null(arc->problem);
	assert_int_equal(arc->count, 3);
	assert_string_equal(arc->sealer, "three.example");
	assert_string_equal(arc->selector, "ed");
	assert_int_equal(arc->oldest_pass, 0);
	assert_string_equal(arc->sets[0].sealer, "one.example");
	assert_string_equal(arc->sets[2].sealer, "three.example");
	assert_true(arc->sets[2].results.len > 0);
}

static void
test_changes(void **state)
{
	static const struct {
		const char *label;
		const char *old, *new;
		enum auth_result result;
		const char *problem;
	} cases[] = {
		{ "nothing", "game", "game", AUTH_PASS, NULL },
		{ "white space", "lost  the", "lost the", AUTH_PASS, NULL },
		{ "field that nobody signs",
		    "From:", "X-New: 1\r\nFrom:", AUTH_PASS, NULL },
		{ "body", "game", "war", AUTH_FAIL, "body hash" },
		{ "subject", "dinner", "lunch", AUTH_FAIL,
		    "message signature 2" },
		{ "first results", "i=1; mx.example.net", "i=1; mx.example.com",
		    AUTH_FAIL, "seal 1" },
		{ "second results", "i=2; mx.example.net",
		    "i=2; mx.example.com", AUTH_FAIL, "seal 2" },
		{ "opinion of the first", "cv=none", "cv=pass", AUTH_FAIL,
		    "seal 1 has the wrong cv=" },
		{ "opinion of the second", "cv=pass", "cv=none", AUTH_FAIL,
		    "seal 2 has the wrong cv=" },
		{ "second says fail", "cv=pass", "cv=fail", AUTH_FAIL,
		    "cv=fail" },
		{ "second says nothing", "cv=pass", "cv=", AUTH_FAIL,
		    "seal 2 has the wrong cv=" },
		{ "instance missing", "i=1;", "j=1;", AUTH_FAIL, "instance" },
		{ "instance 0", "i=1;", "i=0;", AUTH_FAIL, "instance" },
		{ "instance 51", "i=2;", "i=51;", AUTH_FAIL, "instance" },
		{ "instance no number", "i=2;", "i=two;", AUTH_FAIL,
		    "instance" },
		{ "gap", "i=2;", "i=3;", AUTH_FAIL, "set 2 is not whole" },
		{ "repeated", "i=2;", "i=1;", AUTH_FAIL, "repeated" },
		{ "results gone", "ARC-Authentication-Results: i=1",
		    "X-Gone: i=1", AUTH_FAIL, "set 1 is not whole" },
		{ "h= in a seal", "cv=pass;", "cv=pass; h=from;", AUTH_FAIL,
		    "h=" },
		{ "no key", "s=rsa", "s=xxx", AUTH_FAIL, "no key" },
	};
	struct bytes raw = hop_two(hop_one(bytes_of(MESSAGE)));
	const struct auth_arc *arc;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arc = scan(lab_replace(lab, raw, bytes_of(cases[i].old),
		    bytes_of(cases[i].new)));
		if (arc->result != cases[i].result)
			case_fail(cases[i].label, "%s (%s)",
			    auth_result_name(arc->result), arc->problem);
		if (cases[i].problem != NULL &&
		    strstr(arc->problem, cases[i].problem) == NULL)
			case_fail(cases[i].label, "said '%s'", arc->problem);
	}
}

static void
test_oldest_pass(void **state)
{
	struct bytes raw = hop_list(hop_one(bytes_of(MESSAGE)));

	(void)state;
	assert_int_equal(scan(raw)->result, AUTH_PASS);
	assert_int_equal(lab->scan->auth.arc.oldest_pass, 2);
	raw = hop_one(raw);
	assert_int_equal(scan(raw)->result, AUTH_PASS);
	assert_int_equal(lab->scan->auth.arc.count, 3);
	assert_int_equal(lab->scan->auth.arc.oldest_pass, 2);
}

static void
test_dns_failures(void **state)
{
	struct bytes raw = hop_two(hop_one(bytes_of(MESSAGE)));
	struct bytes other = lab_replace(lab, raw, BYTES_LIT("one.example"),
	    BYTES_LIT("away.example"));

	(void)state;
	fake_dns_fail(lab->dns, "rsa._domainkey.away.example", DNS_SERVFAIL);
	assert_int_equal(scan(other)->result, AUTH_FAIL);
	assert_non_null(strstr(lab->scan->auth.arc.problem, "seal 2"));
	/* Nothing else is wrong with this one. */
	publish("rsa._domainkey.soon.example", rsa);
	raw = hop_two(hop(bytes_of(MESSAGE), "soon.example", "rsa", rsa));
	usual_zone();
	fake_dns_fail(lab->dns, "rsa._domainkey.soon.example", DNS_TIMEOUT);
	assert_int_equal(scan(raw)->result, AUTH_TEMPERROR);
	assert_non_null(strstr(lab->scan->auth.arc.problem, "timeout"));
}

static void
test_keys_are_asked_at_once(void **state)
{
	struct bytes raw =
	    hop(hop_two(hop_one(bytes_of(MESSAGE))), "three.example", "ed", ed);

	(void)state;
	fake_dns_delay(lab->dns);
	assert_int_equal(scan(raw)->result, AUTH_PASS);
	/* One round also answers DMARC and DKIM. */
	assert_int_equal(fake_dns_rounds(lab->dns), 1);
}

static void
test_fifty_sets(void **state)
{
	struct bytes raw = bytes_of(MESSAGE);
	struct arc_sealed sealed;
	int i;

	(void)state;
	for (i = 0; i < ARC_SETS_MAX; i++)
		raw = hop(raw, "three.example", "ed", ed);
	assert_int_equal(scan(raw)->result, AUTH_PASS);
	assert_int_equal(lab->scan->auth.arc.count, ARC_SETS_MAX);
	/* Full: nothing is added. */
	assert_int_equal(seal("three.example", "ed", ed, &sealed), 0);
	/* One more of a kind is too many. */
	raw =
	    lab_text(lab, "ARC-Authentication-Results: i=1; x\r\n%s", raw.data);
	assert_int_equal(scan(raw)->result, AUTH_FAIL);
	assert_non_null(strstr(lab->scan->auth.arc.problem, "more than"));
}

static void
test_broken_chain_is_closed(void **state)
{
	struct bytes raw = lab_replace(lab, hop_one(bytes_of(MESSAGE)),
	    BYTES_LIT("dinner"), BYTES_LIT("lunch"));
	struct arc_sealed sealed;

	(void)state;
	raw = hop_two(raw);
	assert_non_null(memmem(raw.data, raw.len, "cv=fail", 7));
	assert_int_equal(scan(raw)->result, AUTH_FAIL);
	assert_int_equal(lab->scan->auth.arc.count, 2);
	/* And nobody adds to it. */
	assert_int_equal(seal("one.example", "rsa", rsa, &sealed), 0);
}

static void
test_no_seal_without_dns(void **state)
{
	struct bytes raw = hop_one(bytes_of(MESSAGE));
	struct arc_sealed sealed;

	(void)state;
	lab_forget_zone(lab);
	publish("rsa._domainkey.two.example", rsa);
	publish("ed._domainkey.three.example", ed);
	fake_dns_fail(lab->dns, "rsa._domainkey.one.example", DNS_SERVFAIL);
	assert_int_equal(scan(raw)->result, AUTH_TEMPERROR);
	assert_int_equal(seal("two.example", "rsa", rsa, &sealed), 0);
}

static void
test_form_of_a_set(void **state)
{
	const char *p, *end;
	struct bytes raw;

	(void)state;
	raw = hop_one(lab_text(lab,
	    "References: <1@example.org>\r\n"
	    "DKIM-Signature: a=1\r\n"
	    "DKIM-Signature: a=2\r\n"
	    "Received: from x\r\n"
	    "Authentication-Results: y; none\r\n%s",
	    MESSAGE));
	assert_non_null(strstr(raw.data,
	    " h=from:subject:to:references:dkim-signature:dkim-signature;"));
	assert_non_null(strstr(raw.data,
	    "ARC-Authentication-Results: i=1; mx.example.net;\r\n spf=pass"));
	/* No line is longer than 78 octets, none is empty. */
	for (p = raw.data; *p != '\r'; p = end + 2) {
		end = strstr(p, "\r\n");
		assert_in_range(end - p, 2, 78);
	}
}

static void
test_message_without_fields(void **state)
{
	/* h= names nothing, and is there all the same. */
	struct bytes raw = hop_one(bytes_of("X-Some: thing\r\n\r\nbody\r\n"));

	(void)state;
	assert_int_equal(scan(raw)->result, AUTH_PASS);
}

/* The first set, by hand: its message signature has these tags.  All that a
 * seal signs is in relaxed form as it stands, but for names. */
static struct bytes
hop_by_hand(const char *tags)
{
	struct bytes raw = lab_sign_as(lab, "arc-message-signature",
	    bytes_of(MESSAGE), tags, lab->rsa);
	const char *results = "arc-authentication-results:i=1; x\r\n";
	const char *seal = "arc-seal:i=1; a=rsa-sha256; cv=none; "
			   "d=one.example; s=rsa; b=";
	size_t len = (size_t)(strstr(raw.data, "\r\n") + 2 - raw.data);
	struct bytes signature =
	    lab_replace(lab, (struct bytes){ raw.data, len },
		BYTES_LIT("signature: "), BYTES_LIT("signature:"));
	struct digest *digest = digest_new(DIGEST_SHA256);
	uint8_t value[DIGEST_MAX];

	digest_add(digest, results, strlen(results));
	digest_add(digest, signature.data, signature.len);
	digest_add(digest, seal, strlen(seal));
	digest_value(digest, value);
	digest_free(digest);
	return lab_text(lab, "%s%s\r\n%s%s", seal,
	    signature_sign(lab->arena, rsa, value, NULL), results, raw.data);
}

#define BY_HAND "i=1; a=rsa-sha256; c=relaxed/relaxed; d=one.example; s=hand; "

/* RFC 8617 section 4.1.2: what x= means for DKIM it means here. */
static void
test_expiry(void **state)
{
	static const struct {
		const char *label, *tags;
		const char *problem; /* NULL: pass */
	} cases[] = {
		{ "none", BY_HAND "h=from:subject", NULL },
		{ "to come", BY_HAND "h=from; t=1000; x=99999999999", NULL },
		{ "past", BY_HAND "h=from; t=1000; x=2000", "expired" },
		{ "not behind t=",
		    BY_HAND "h=from; t=99999999999; "
			    "x=99999999999",
		    "x= is not" },
	};
	const struct auth_arc *arc;
	struct arc_sealed sealed;
	struct bytes raw;
	size_t i;

	(void)state;
	lab_publish(lab, "hand._domainkey.one.example", "", lab->rsa);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		raw = hop_by_hand(cases[i].tags);
		arc = scan(raw);
		if (arc->result !=
			(cases[i].problem == NULL ? AUTH_PASS : AUTH_FAIL) ||
		    (cases[i].problem != NULL &&
			strstr(arc->problem, cases[i].problem) == NULL))
			case_fail(cases[i].label, "%s (%s)",
			    auth_result_name(arc->result), arc->problem);
		/* An older one may have expired since it was sealed. */
		lab->scan->auth.arc.result = AUTH_PASS;
		assert_int_equal(seal("two.example", "rsa", rsa, &sealed), 1);
		if (scan(with_set(&sealed, raw))->result != AUTH_PASS)
			case_fail(cases[i].label, "counts as an older one");
	}
}

/* A chain that holds says nothing of what its newest signature leaves out. */
static void
test_trust(void **state)
{
	static const struct {
		const char *label, *tags;
		const char *old, *new;
		const char *problem; /* NULL: trusted */
	} cases[] = {
		{ "all signed", BY_HAND "h=from:subject", "", "", NULL },
		{ "l= is all", BY_HAND "h=from; l=19", "", "", NULL },
		{ "From is not signed", BY_HAND "h=subject", "", "", "From" },
		{ "no name at all", BY_HAND "h=", "", "", "From" },
		{ "second Subject", BY_HAND "h=from:subject",
		    "From: ", "Subject: new\r\nFrom: ", "more Subject fields" },
		{ "second From", BY_HAND "h=from:subject", "From: Ann",
		    "From: other@example.com\r\nFrom: Ann",
		    "more From fields" },
		{ "body behind l=", BY_HAND "h=from; l=19", "game.\r\n",
		    "game.\r\nWe won!\r\n", "behind l=" },
	};
	const struct auth_arc *arc;
	struct bytes raw;
	size_t i;

	(void)state;
	lab_publish(lab, "hand._domainkey.one.example", "", lab->rsa);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		raw = hop_by_hand(cases[i].tags);
		if (cases[i].old[0] != '\0')
			raw = lab_replace(lab, raw, bytes_of(cases[i].old),
			    bytes_of(cases[i].new));
		arc = scan(raw);
		if (arc->result != AUTH_PASS ||
		    arc->trusted != (cases[i].problem == NULL) ||
		    (cases[i].problem != NULL &&
			strstr(arc->problem, cases[i].problem) == NULL))
			case_fail(cases[i].label, "%s (%s)",
			    auth_result_name(arc->result), arc->problem);
	}
}

static void
test_results_field(void **state)
{
	static const struct {
		const char *label, *value;
		bool readable;
	} cases[] = {
		{ "ordinary", " i=1; x", true },
		{ "comment", " (a (b) \\) ) i (c) = (d) 1 (e) ; x", true },
		{ "no semicolon", " i=1", false },
		{ "open comment", " (i=1;", false },
		{ "no instance", " mx.example; spf=pass", false },
		{ "large instance", " i=51; x", false },
		{ "empty", "", false },
	};
	size_t i;

	(void)state;
	/* Where it is read, the set is not whole; else it is no set. */
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const struct auth_arc *arc =
		    scan(lab_text(lab, "ARC-Authentication-Results:%s\r\n%s",
			cases[i].value, MESSAGE));

		assert_int_equal(arc->result, AUTH_FAIL);
		if ((strstr(arc->problem, "not whole") != NULL) !=
		    cases[i].readable)
			case_fail(cases[i].label, "said '%s'", arc->problem);
	}
}

/* ---- keys ---- */

static void
test_signing_keys(void **state)
{
	struct signing_key *again;
	struct buf pem, record, again_record;

	(void)state;
	assert_null(signing_key_read(BYTES_LIT("nonsense"), NULL));
	assert_null(signing_key_read(BYTES_LIT(""), NULL));
	assert_null(signing_key_generate(512, NULL));
	assert_null(signing_key_generate(16384, NULL));
	assert_string_equal(signing_key_algorithm(rsa), "rsa-sha256");
	assert_string_equal(signing_key_algorithm(ed), "ed25519-sha256");
	buf_init(&pem, 10000);
	buf_init(&record, 10000);
	buf_init(&again_record, 10000);
	assert_int_equal(signing_key_pem(rsa, &pem), 0);
	again = signing_key_read(buf_bytes(&pem), NULL);
	assert_non_null(again);
	assert_int_equal(signing_key_record(rsa, &record), 0);
	assert_int_equal(signing_key_record(again, &again_record), 0);
	assert_string_equal(buf_str(&record), buf_str(&again_record));
	signing_key_free(again);
	buf_free(&pem);
	buf_free(&record);
	buf_free(&again_record);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_chain, setup_each),
		cmocka_unit_test_setup(test_chain_of_three, setup_each),
		cmocka_unit_test_setup(test_changes, setup_each),
		cmocka_unit_test_setup(test_oldest_pass, setup_each),
		cmocka_unit_test_setup(test_dns_failures, setup_each),
		cmocka_unit_test_setup(test_keys_are_asked_at_once, setup_each),
		cmocka_unit_test_setup(test_fifty_sets, setup_each),
		cmocka_unit_test_setup(test_broken_chain_is_closed, setup_each),
		cmocka_unit_test_setup(test_no_seal_without_dns, setup_each),
		cmocka_unit_test_setup(test_form_of_a_set, setup_each),
		cmocka_unit_test_setup(test_message_without_fields, setup_each),
		cmocka_unit_test_setup(test_expiry, setup_each),
		cmocka_unit_test_setup(test_trust, setup_each),
		cmocka_unit_test_setup(test_results_field, setup_each),
		cmocka_unit_test_setup(test_signing_keys, setup_each),
	};

	return cmocka_run_group_tests_name("auth_arc", tests, setup, teardown);
}
