/*
 * test_auth_dmarc.c - tests of policy/auth_dmarc.c and policy/dmarc_walk.c.
 *
 * What SPF and DKIM found is said by the case: their checks are replaced.
 * Names like B.4.1 are those of RFC 9989.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#include "base/str.h"
#include "mail/message.h"
#include "policy/scan.h"
#include "tests/policy/fake_dns.h"

#define LINES_MAX 12

#define NONE DMARC_NONE
#define QUAR DMARC_QUARANTINE
#define REJ DMARC_REJECT

struct dmarc_case {
	const char *label;
	const char *from; /* header fields */
	const char *spf;  /* "pass DOMAIN", or NULL */
	const char *dkim; /* "pass DOMAIN, fail DOMAIN", or NULL */
	const char *zone[LINES_MAX];
	enum auth_result result;
	enum dmarc_policy policy;
	const char *policy_domain;
	const char *organization; /* NULL: not looked at */
	bool dkim_aligned, spf_aligned;
};

/* ---- checks that say what the case says ---- */

struct case_envelope {
	struct envelope envelope;
	const struct dmarc_case *c;
};

static const struct dmarc_case *
case_of(const struct scan *scan)
{
	return ((const struct case_envelope *)scan->envelope)->c;
}

static enum auth_result
result_of(struct bytes word)
{
	enum auth_result result;

	for (result = AUTH_NONE; result < AUTH_RESULT_COUNT; result++)
		if (bytes_equal(word, bytes_of(auth_result_name(result))))
			return result;
	fail_msg("no result '%.*s'", (int)word.len, word.data);
	return AUTH_NONE;
}

/* "pass example.org" */
static const char *
read_finding(struct scan *scan, struct cursor *c, enum auth_result *result)
{
	struct bytes domain;

	cursor_space(c);
	*result = result_of(cursor_until(c, " "));
	cursor_space(c);
	domain = cursor_until(c, ",");
	return arena_memdup(scan->arena, domain.data, domain.len);
}

static enum check_state
spf_step(struct scan *scan)
{
	struct auth_spf_identity *spf = &scan->auth.spf.mailfrom;
	struct cursor c;

	if (scan->stage != SCAN_END)
		return CHECK_WAIT;
	if (case_of(scan)->spf == NULL)
		return CHECK_DONE;
	c = cursor_of(bytes_of(case_of(scan)->spf));
	spf->checked = true;
	spf->domain = read_finding(scan, &c, &spf->result);
	return CHECK_DONE;
}

static enum check_state
dkim_step(struct scan *scan)
{
	struct auth_dkim *dkim = &scan->auth.dkim;
	struct cursor c;

	if (scan->stage != SCAN_END)
		return CHECK_WAIT;
	if (case_of(scan)->dkim == NULL)
		return CHECK_DONE;
	c = cursor_of(bytes_of(case_of(scan)->dkim));
	dkim->signatures =
	    arena_calloc(scan->arena, 10, sizeof(*dkim->signatures));
	do {
		struct auth_dkim_signature *signature =
		    &dkim->signatures[dkim->count++];

		signature->domain = read_finding(scan, &c, &signature->result);
		signature->trusted = signature->result == AUTH_PASS;
		if (strncmp(signature->domain, "l=", 2) == 0) {
			signature->trusted = false;
			signature->domain += 2;
		}
	} while (cursor_char(&c, ','));
	return CHECK_DONE;
}

static enum check_state
no_step(struct scan *scan)
{
	(void)scan;
	return CHECK_DONE;
}

const struct check check_spf = { .id = CHECK_SPF, .step = spf_step };
const struct check check_dkim = { .id = CHECK_DKIM, .step = dkim_step };
const struct check check_iprev = { .id = CHECK_IPREV, .step = no_step };
const struct check check_arc = { .id = CHECK_ARC, .step = no_step };
const struct check check_body = { .id = CHECK_BODY, .step = no_step };

/* ---- one case ---- */

struct run {
	struct arena *arena;
	struct dns *dns;
	struct scan *scan;
	struct message *message;
	const struct auth_dmarc *dmarc;
};

static void
run_case(const struct dmarc_case *c, bool delay, struct run *run)
{
	static const struct message_limits limits = { 1 << 20, 1000, 1 << 20,
		"/tmp" };
	struct case_envelope *envelope;
	const char *raw;
	size_t i;

	run->arena = arena_new(0);
	run->dns = fake_dns_new();
	for (i = 0; i < LINES_MAX && c->zone[i] != NULL; i++)
		fake_dns_line(run->dns, c->zone[i]);
	if (delay)
		fake_dns_delay(run->dns);
	envelope = arena_calloc(run->arena, 1, sizeof(*envelope));
	envelope->c = c;
	envelope->envelope.sender.domain = "";
	if (c->spf != NULL)
		envelope->envelope.sender.domain = strchr(c->spf, ' ') + 1;
	run->scan = scan_new(run->arena, run->dns, &envelope->envelope, NULL,
	    "mx.example");
	scan_reach(run->scan, SCAN_MAIL);
	raw = arena_printf(run->arena, "%sSubject: x\r\n\r\nbody\r\n", c->from);
	run->message = message_new(run->arena, &limits);
	assert_int_equal(message_read(run->message, bytes_of(raw), NULL), 0);
	run->scan->message = run->message;
	scan_reach(run->scan, SCAN_HEADERS);
	scan_reach(run->scan, SCAN_END);
	scan_finish(run->scan, INT64_MAX);
	run->dmarc = &run->scan->auth.dmarc;
}

static void
run_end(struct run *run)
{
	scan_fini(run->scan);
	message_fini(run->message);
	dns_close(run->dns);
	arena_free(run->arena);
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_case(const struct dmarc_case *c)
{
	const struct auth_dmarc *d;
	struct run run;
	int delay;

	/* Answers that are there, and answers that come late. */
	for (delay = 0; delay < 2; delay++) {
		run_case(c, delay != 0, &run);
		d = run.dmarc;
		if (d->result != c->result)
			case_fail(c->label, "%s (%s)",
			    auth_result_name(d->result),
			    d->problem != NULL ? d->problem : "");
		if (d->policy != c->policy)
			case_fail(c->label, "policy %s",
			    dmarc_policy_name(d->policy));
		if (!same(d->policy_domain, c->policy_domain))
			case_fail(c->label, "policy of %s", d->policy_domain);
		if (c->organization != NULL &&
		    !same(d->organizational_domain, c->organization))
			case_fail(c->label, "organization %s",
			    d->organizational_domain);
		if (d->dkim_aligned != c->dkim_aligned ||
		    d->spf_aligned != c->spf_aligned)
			case_fail(c->label, "dkim %d spf %d", d->dkim_aligned,
			    d->spf_aligned);
		run_end(&run);
	}
}

static void
check_cases(const struct dmarc_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check_case(&cases[i]);
}

/* ---- Appendix B ---- */

#define EXAMPLE_COM "_dmarc.example.com TXT v=DMARC1; p=reject"
#define DEEP "a.b.c.d.e.f.g.h.i.j.k.example.com"

static void
test_appendix_b(void **state)
{
	static const struct dmarc_case cases[] = {
		{ "B.1.1 example 1", "From: sender@example.com\r\n",
		    "pass example.com", NULL, { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", NULL, false, true },
		{ "B.1.1 example 2", "From: sender@example.com\r\n",
		    "pass child.example.com", NULL, { EXAMPLE_COM }, AUTH_PASS,
		    REJ, "example.com", "example.com", false, true },
		{ "B.1.1 example 3", "From: sender@child.example.com\r\n",
		    "pass example.net", NULL, { EXAMPLE_COM }, AUTH_FAIL, REJ,
		    "example.com", "example.com", false, false },
		{ "B.1.2 example 1", "From: sender@example.com\r\n", NULL,
		    "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", NULL, true, false },
		{ "B.1.2 example 2", "From: sender@child.example.com\r\n", NULL,
		    "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", "example.com", true, false },
		{ "B.1.2 example 3", "From: sender@child.example.com\r\n", NULL,
		    "pass example.net", { EXAMPLE_COM }, AUTH_FAIL, REJ,
		    "example.com", "example.com", false, false },
		{ "B.2.1", "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; "
		      "rua=mailto:dmarc-feedback@example.com" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "B.2.2", "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; "
		      "rua=mailto:dmarc-feedback@example.com; "
		      "ruf=mailto:auth-reports@example.com" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "B.2.3", "From: a@example.com\r\n", "pass example.com", NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; "
		      "rua=mailto:dmarc-feedback@example.com; "
		      "ruf=mailto:auth-reports@thirdparty.example.net" },
		    AUTH_PASS, NONE, "example.com", NULL, false, true },
		{ "B.2.5 testing", "From: a@test.example.com\r\n", NULL, NULL,
		    { "_dmarc.test.example.com TXT v=DMARC1; p=quarantine; "
		      "rua=mailto:dmarc-feedback@example.com,"
		      "mailto:tld-test@thirdparty.example.net; t=y",
			EXAMPLE_COM },
		    AUTH_FAIL, NONE, "test.example.com", "example.com", false,
		    false },
		{ "B.2.5 in earnest", "From: a@test.example.com\r\n", NULL,
		    NULL,
		    { "_dmarc.test.example.com TXT v=DMARC1; p=reject; "
		      "rua=mailto:dmarc-feedback@example.com,"
		      "mailto:tld-test@thirdparty.example.net",
			"_dmarc.example.com TXT v=DMARC1; p=none" },
		    AUTH_FAIL, REJ, "test.example.com", "example.com", false,
		    false },
		{ "B.3.1", "From: a@example.com\r\n", "pass mail.example.com",
		    "pass example.com",
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=r; "
		      "rua=mailto:dmarc-feedback@example.com" },
		    AUTH_PASS, REJ, "example.com", "example.com", true, true },
		{ "B.4.1", "From: a@example.com\r\n", "pass example.com",
		    "pass signing.example.com",
		    { EXAMPLE_COM,
			"_dmarc.signing.example.com TXT v=DMARC1; p=none" },
		    AUTH_PASS, REJ, "example.com", "example.com", true, true },
		{ "B.4.2", "From: a@" DEEP "\r\n", "pass example.com",
		    "pass signing.example.com",
		    { EXAMPLE_COM,
			"_dmarc.signing.example.com TXT v=DMARC1; p=none" },
		    AUTH_PASS, REJ, "example.com", "example.com", true, true },
		{ "B.4.3", "From: a@giant.bank.example\r\n",
		    "pass mail.giant.bank.example",
		    "pass mail.mega.bank.example",
		    { "_dmarc.bank.example TXT v=DMARC1; p=none; psd=y",
			"_dmarc.giant.bank.example TXT v=DMARC1; p=reject" },
		    AUTH_PASS, REJ, "giant.bank.example", "giant.bank.example",
		    false, true },
		{ "B.4.3 without SPF", "From: a@giant.bank.example\r\n",
		    "fail mail.giant.bank.example",
		    "pass mail.mega.bank.example",
		    { "_dmarc.bank.example TXT v=DMARC1; p=none; psd=y",
			"_dmarc.giant.bank.example TXT v=DMARC1; p=reject" },
		    AUTH_FAIL, REJ, "giant.bank.example", "giant.bank.example",
		    false, false },
	};

	(void)state;
	check_cases(cases, ARRAY_LEN(cases));
}

static void
test_walk_questions(void **state)
{
	/* Section 4.10's own illustration. */
	static const struct dmarc_case c = { "4.10",
		"From: a@a.b.c.d.e.f.g.h.i.j.mail.example.com\r\n", NULL, NULL,
		{ NULL }, AUTH_NONE, NONE, NULL, NULL, false, false };
	static const char *const names[] = {
		"_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
		"_dmarc.g.h.i.j.mail.example.com",
		"_dmarc.h.i.j.mail.example.com",
		"_dmarc.i.j.mail.example.com",
		"_dmarc.j.mail.example.com",
		"_dmarc.mail.example.com",
		"_dmarc.example.com",
		"_dmarc.com",
	};
	struct run run;
	unsigned before;
	size_t i;

	(void)state;
	run_case(&c, true, &run);
	assert_int_equal(run.dmarc->result, AUTH_NONE);
	/* And the one question whether the author's domain exists. */
	before = fake_dns_questions(run.dns);
	assert_int_equal(before, ARRAY_LEN(names) + 1);
	for (i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(dns_ask(run.scan->dns, names[i], DNS_TXT));
	assert_int_equal(fake_dns_questions(run.dns), before);
	assert_int_equal(fake_dns_rounds(run.dns), 1);
	run_end(&run);
}

/* ---- discovery ---- */

static void
test_discovery(void **state)
{
	static const struct dmarc_case cases[] = {
		{ "no record", "From: a@example.com\r\n", "pass example.com",
		    NULL, { NULL }, AUTH_NONE, NONE, NULL, NULL, false, false },
		{ "two records are none", "From: a@example.com\r\n", NULL, NULL,
		    { EXAMPLE_COM, EXAMPLE_COM }, AUTH_NONE, NONE, NULL, NULL,
		    false, false },
		{ "one record among other texts", "From: a@example.com\r\n",
		    NULL, NULL,
		    { "_dmarc.example.com TXT v=spf1 -all", EXAMPLE_COM,
			"_dmarc.example.com TXT hello" },
		    AUTH_FAIL, REJ, "example.com", NULL, false, false },
		{ "two records below, one above", "From: a@sub.example.com\r\n",
		    NULL, NULL,
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=none",
			"_dmarc.sub.example.com TXT v=DMARC1; p=none",
			EXAMPLE_COM },
		    AUTH_FAIL, REJ, "example.com", "example.com", false,
		    false },
		{ "own record before the organization's",
		    "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=quarantine",
			EXAMPLE_COM },
		    AUTH_FAIL, QUAR, "sub.example.com", "example.com", false,
		    false },
		{ "the organization's, not one in between",
		    "From: a@x.sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=none",
			EXAMPLE_COM },
		    AUTH_FAIL, REJ, "example.com", "example.com", false,
		    false },
		{ "psd=n ends the walk", "From: a@x.sub.example.com\r\n", NULL,
		    NULL,
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=quarantine; "
		      "psd=n",
			EXAMPLE_COM },
		    AUTH_FAIL, QUAR, "sub.example.com", "sub.example.com",
		    false, false },
		{ "public suffix alone", "From: a@x.bank.example\r\n", NULL,
		    NULL,
		    { "x.bank.example A 192.0.2.1",
			"_dmarc.example TXT v=DMARC1; p=reject; sp=none; "
			"np=quarantine; psd=y" },
		    AUTH_FAIL, NONE, "example", "bank.example", false, false },
		{ "its np", "From: a@bank.example\r\n", NULL, NULL,
		    { "_dmarc.example TXT v=DMARC1; p=none; sp=none; "
		      "np=reject; psd=y" },
		    AUTH_FAIL, REJ, "example", "bank.example", false, false },
		{ "public suffix as author", "From: a@bank.example\r\n", NULL,
		    NULL,
		    { "_dmarc.bank.example TXT v=DMARC1; p=reject; sp=none; "
		      "psd=y",
			"_dmarc.example TXT v=DMARC1; p=none" },
		    AUTH_FAIL, REJ, "bank.example", "bank.example", false,
		    false },
		{ "organization without a record under a public suffix",
		    "From: a@mail.x.bank.example\r\n", "pass x.bank.example",
		    NULL,
		    { "_dmarc.bank.example TXT v=DMARC1; p=reject; psd=y" },
		    AUTH_PASS, REJ, "bank.example", "x.bank.example", false,
		    true },
		{ "sp", "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; "
		      "sp=quarantine; np=none",
			"sub.example.com A 192.0.2.1" },
		    AUTH_FAIL, QUAR, "example.com", NULL, false, false },
		{ "np", "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; sp=none; "
		      "np=reject" },
		    AUTH_FAIL, REJ, "example.com", NULL, false, false },
		{ "np, but the name exists", "From: a@sub.example.com\r\n",
		    NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; sp=none; "
		      "np=reject",
			"sub.example.com MX 10 mx.example.com" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "sp is not for the organization itself",
		    "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; sp=reject; "
		      "np=reject" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "t=y lowers reject", "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; t=y" },
		    AUTH_FAIL, QUAR, "example.com", NULL, false, false },
		{ "t=y lowers sp", "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; "
		      "sp=quarantine; t=y" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "record without policy", "From: a@example.com\r\n", NULL,
		    NULL, { "_dmarc.example.com TXT v=DMARC1" }, AUTH_PERMERROR,
		    NONE, "example.com", NULL, false, false },
		{ "record without policy, rua", "From: a@example.com\r\n", NULL,
		    NULL,
		    { "_dmarc.example.com TXT v=DMARC1; rua=mailto:a@b.c" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "internationalized",
		    "From: a@b\xc3\xbc"
		    "cher.example\r\n",
		    "pass xn--bcher-kva.example", NULL,
		    { "_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject" },
		    AUTH_PASS, REJ, "xn--bcher-kva.example", NULL, false,
		    true },
		{ "in capitals", "From: a@EXAMPLE.COM\r\n", NULL,
		    "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", NULL, true, false },
	};

	(void)state;
	check_cases(cases, ARRAY_LEN(cases));
}

/* ---- alignment ---- */

static void
test_alignment(void **state)
{
	static const struct dmarc_case cases[] = {
		{ "strict DKIM, same", "From: a@example.com\r\n", NULL,
		    "pass example.com",
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s" },
		    AUTH_PASS, REJ, "example.com", NULL, true, false },
		{ "strict DKIM, below", "From: a@example.com\r\n", NULL,
		    "pass mail.example.com",
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s" },
		    AUTH_FAIL, REJ, "example.com", NULL, false, false },
		{ "strict DKIM, above", "From: a@mail.example.com\r\n", NULL,
		    "pass example.com",
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s" },
		    AUTH_FAIL, REJ, "example.com", NULL, false, false },
		{ "strict SPF does not touch DKIM", "From: a@example.com\r\n",
		    "pass x.example.com", "pass x.example.com",
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s" },
		    AUTH_PASS, REJ, "example.com", NULL, true, false },
		{ "siblings", "From: a@news.example.com\r\n", NULL,
		    "pass mail.example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", "example.com", true, false },
		{ "name that only ends so", "From: a@example.com\r\n", NULL,
		    "pass evilexample.com", { EXAMPLE_COM }, AUTH_FAIL, REJ,
		    "example.com", NULL, false, false },
		{ "another domain of the same top", "From: a@example.com\r\n",
		    "pass evil.com", NULL, { EXAMPLE_COM }, AUTH_FAIL, REJ,
		    "example.com", "example.com", false, false },
		{ "the top itself", "From: a@example.com\r\n", NULL, "pass com",
		    { EXAMPLE_COM }, AUTH_FAIL, REJ, "example.com", NULL, false,
		    false },
		{ "identifier with psd=n of its own", "From: a@example.com\r\n",
		    NULL, "pass user.example.com",
		    { EXAMPLE_COM,
			"_dmarc.user.example.com TXT v=DMARC1; p=none; "
			"psd=n" },
		    AUTH_FAIL, REJ, "example.com", "example.com", false,
		    false },
		{ "public suffix between them", "From: a@example.com\r\n", NULL,
		    "pass user.hosting.example.com",
		    { EXAMPLE_COM,
			"_dmarc.hosting.example.com TXT v=DMARC1; p=none; "
			"psd=y" },
		    AUTH_FAIL, REJ, "example.com", "example.com", false,
		    false },
		{ "neighbours under a public suffix",
		    "From: a@ann.hosting.example\r\n", NULL,
		    "pass bob.hosting.example",
		    { "_dmarc.hosting.example TXT v=DMARC1; p=reject; psd=y" },
		    AUTH_FAIL, REJ, "hosting.example", "ann.hosting.example",
		    false, false },
		{ "deep identifier", "From: a@example.com\r\n", NULL,
		    "pass " DEEP, { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", "example.com", true, false },
		{ "any of several signatures", "From: a@example.com\r\n", NULL,
		    "pass example.net, fail example.com, pass example.org, "
		    "pass x.example.com",
		    { EXAMPLE_COM }, AUTH_PASS, REJ, "example.com",
		    "example.com", true, false },
		{ "failed signature", "From: a@example.com\r\n", NULL,
		    "fail example.com", { EXAMPLE_COM }, AUTH_FAIL, REJ,
		    "example.com", NULL, false, false },
		{ "signature that does not cover the body",
		    "From: a@example.com\r\n", NULL, "pass l=example.com",
		    { EXAMPLE_COM }, AUTH_FAIL, REJ, "example.com", NULL, false,
		    false },
		{ "SPF softfail", "From: a@example.com\r\n",
		    "softfail example.com", NULL, { EXAMPLE_COM }, AUTH_FAIL,
		    REJ, "example.com", NULL, false, false },
		{ "SPF neutral", "From: a@example.com\r\n",
		    "neutral example.com", NULL, { EXAMPLE_COM }, AUTH_FAIL,
		    REJ, "example.com", NULL, false, false },
	};

	(void)state;
	check_cases(cases, ARRAY_LEN(cases));
}

/* ---- failures of the DNS ---- */

static void
test_dns_failures(void **state)
{
	static const struct dmarc_case cases[] = {
		{ "record not to be had", "From: a@example.com\r\n",
		    "pass example.com", NULL, { "_dmarc.example.com SERVFAIL" },
		    AUTH_TEMPERROR, NONE, NULL, NULL, false, false },
		{ "timeout", "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TIMEOUT" }, AUTH_TEMPERROR, NONE,
		    NULL, NULL, false, false },
		{ "bogus", "From: a@example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com BOGUS" }, AUTH_TEMPERROR, NONE, NULL,
		    NULL, false, false },
		{ "the organization's not to be had",
		    "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com SERVFAIL" }, AUTH_TEMPERROR, NONE,
		    NULL, NULL, false, false },
		{ "walk fails, but is not needed",
		    "From: a@sub.example.com\r\n", NULL, "pass sub.example.com",
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=reject",
			"_dmarc.example.com SERVFAIL" },
		    AUTH_PASS, REJ, "sub.example.com", NULL, true, false },
		{ "walk fails and is needed", "From: a@sub.example.com\r\n",
		    NULL, "pass example.com",
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=reject",
			"_dmarc.example.com SERVFAIL" },
		    AUTH_TEMPERROR, REJ, "sub.example.com", NULL, false,
		    false },
		{ "walk fails, another top-level domain",
		    "From: a@sub.example.com\r\n", "pass example.net",
		    "pass com.example.net",
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=reject",
			"_dmarc.example.com SERVFAIL" },
		    AUTH_FAIL, REJ, "sub.example.com", NULL, false, false },
		{ "nothing to align, so no walk", "From: a@sub.example.com\r\n",
		    "fail sub.example.com", "fail sub.example.com",
		    { "_dmarc.sub.example.com TXT v=DMARC1; p=reject",
			"_dmarc.example.com SERVFAIL" },
		    AUTH_FAIL, REJ, "sub.example.com", NULL, false, false },
		{ "top-level domain away", "From: a@example.com\r\n",
		    "pass evil.com", "pass evil.com",
		    { EXAMPLE_COM, "_dmarc.com SERVFAIL" }, AUTH_FAIL, REJ,
		    "example.com", "example.com", false, false },
		{ "aligned signature not checked", "From: a@example.com\r\n",
		    NULL, "temperror example.com", { EXAMPLE_COM },
		    AUTH_TEMPERROR, REJ, "example.com", NULL, false, false },
		{ "other signature not checked", "From: a@example.com\r\n",
		    NULL, "temperror example.net", { EXAMPLE_COM }, AUTH_FAIL,
		    REJ, "example.com", NULL, false, false },
		{ "aligned SPF not checked", "From: a@example.com\r\n",
		    "temperror x.example.com", NULL, { EXAMPLE_COM },
		    AUTH_TEMPERROR, REJ, "example.com", NULL, false, false },
		{ "one passes, another is not known", "From: a@example.com\r\n",
		    "temperror example.com", "pass example.com",
		    { EXAMPLE_COM }, AUTH_PASS, REJ, "example.com", NULL, true,
		    false },
		{ "existence not known, np= is milder",
		    "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=reject; np=none",
			"sub.example.com SERVFAIL" },
		    AUTH_FAIL, NONE, "example.com", NULL, false, false },
		{ "existence not known, sp= is milder",
		    "From: a@sub.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=quarantine; "
		      "np=reject",
			"sub.example.com TIMEOUT" },
		    AUTH_FAIL, QUAR, "example.com", NULL, false, false },
		{ "existence not known, nor needed",
		    "From: a@sub.example.com\r\n", NULL, NULL,
		    { EXAMPLE_COM, "sub.example.com SERVFAIL" }, AUTH_FAIL, REJ,
		    "example.com", NULL, false, false },
	};

	(void)state;
	check_cases(cases, ARRAY_LEN(cases));
}

/* ---- authors ---- */

static void
test_authors(void **state)
{
	static const struct {
		struct dmarc_case c;
		bool malformed;
		size_t from_count;
		const char *from_domain;
	} cases[] = {
		{ { "no From", "", "pass example.com", NULL, { EXAMPLE_COM },
		      AUTH_PERMERROR, NONE, NULL, NULL, false, false },
		    true, 0, NULL },
		{ { "empty From", "From:\r\n", NULL, NULL, { EXAMPLE_COM },
		      AUTH_PERMERROR, NONE, NULL, NULL, false, false },
		    true, 0, NULL },
		{ { "null From", "From: <>\r\n", NULL, NULL, { EXAMPLE_COM },
		      AUTH_NONE, NONE, NULL, NULL, false, false },
		    false, 0, NULL },
		{ { "bounce", "From: Mail System <MAILER-DAEMON>\r\n", NULL,
		      NULL, { EXAMPLE_COM }, AUTH_NONE, NONE, NULL, NULL, false,
		      false },
		    false, 0, NULL },
		{ { "text for From", "From: the king\r\n", NULL, NULL,
		      { EXAMPLE_COM }, AUTH_NONE, NONE, NULL, NULL, false,
		      false },
		    false, 0, NULL },
		{ { "two From fields, own first",
		      "From: a@evil.example\r\nFrom: a@example.com\r\n", NULL,
		      "pass evil.example",
		      { EXAMPLE_COM,
			  "_dmarc.evil.example TXT v=DMARC1; p=none" },
		      AUTH_FAIL, REJ, "example.com", NULL, false, false },
		    true, 2, "example.com" },
		{ { "two From fields, own last",
		      "From: a@example.com\r\nFrom: a@evil.example\r\n", NULL,
		      "pass evil.example",
		      { EXAMPLE_COM,
			  "_dmarc.evil.example TXT v=DMARC1; p=none" },
		      AUTH_FAIL, REJ, "example.com", NULL, false, false },
		    true, 2, "example.com" },
		{ { "From with a space in its name",
		      "From : a@example.com\r\nFrom: a@evil.example\r\n", NULL,
		      "pass evil.example",
		      { EXAMPLE_COM,
			  "_dmarc.evil.example TXT v=DMARC1; p=none" },
		      AUTH_FAIL, REJ, "example.com", NULL, false, false },
		    true, 2, "example.com" },
		{ { "two authors, both prove it",
		      "From: a@example.com, b@x.example.com\r\n", NULL,
		      "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		      "example.com", NULL, true, false },
		    false, 2, "example.com" },
		{ { "two authors, one proves it",
		      "From: a@evil.example, b@example.com\r\n", NULL,
		      "pass evil.example",
		      { EXAMPLE_COM,
			  "_dmarc.evil.example TXT v=DMARC1; p=none" },
		      AUTH_FAIL, REJ, "example.com", NULL, false, false },
		    false, 2, "example.com" },
		{ { "strictest of those that fail",
		      "From: a@one.example, b@two.example\r\n", NULL, NULL,
		      { "_dmarc.one.example TXT v=DMARC1; p=quarantine",
			  "_dmarc.two.example TXT v=DMARC1; p=reject" },
		      AUTH_FAIL, REJ, "two.example", NULL, false, false },
		    false, 2, "two.example" },
		{ { "one proves it, the other has no record",
		      "From: a@example.com, b@example.net\r\n", NULL,
		      "pass example.com", { EXAMPLE_COM }, AUTH_NONE, NONE,
		      NULL, NULL, false, false },
		    false, 2, "example.net" },
		{ { "too many authors",
		      "From: a@1.example, a@2.example, a@3.example, "
		      "a@4.example, a@example.com\r\n",
		      NULL, NULL, { EXAMPLE_COM }, AUTH_NONE, NONE, NULL, NULL,
		      false, false },
		    true, 5, "1.example" },
		{ { "group", "From: Us: a@example.com;\r\n", NULL,
		      "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		      "example.com", NULL, true, false },
		    false, 1, "example.com" },
		{ { "address in the name",
		      "From: \"boss@example.com\" <a@evil.example>\r\n", NULL,
		      "pass evil.example",
		      { EXAMPLE_COM,
			  "_dmarc.evil.example TXT v=DMARC1; p=none" },
		      AUTH_PASS, NONE, "evil.example", NULL, true, false },
		    false, 1, "evil.example" },
		{ { "address literal", "From: a@[192.0.2.1]\r\n", NULL, NULL,
		      { NULL }, AUTH_NONE, NONE, NULL, NULL, false, false },
		    false, 1, NULL },
		{ { "comment and fold",
		      "From: Ann (x@evil.example)\r\n <a@example.com>\r\n",
		      NULL, "pass example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		      "example.com", NULL, true, false },
		    false, 1, "example.com" },
		{ { "Sender is not the author",
		      "Sender: a@evil.example\r\nFrom: b@example.com\r\n"
		      "Resent-From: a@evil.example\r\n",
		      NULL, "pass evil.example", { EXAMPLE_COM }, AUTH_FAIL,
		      REJ, "example.com", NULL, false, false },
		    false, 1, "example.com" },
	};
	struct run run;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(&cases[i].c);
		run_case(&cases[i].c, false, &run);
		if (run.dmarc->malformed != cases[i].malformed)
			case_fail(cases[i].c.label, "malformed (%s)",
			    run.dmarc->problem);
		if (run.dmarc->malformed && run.dmarc->problem == NULL)
			case_fail(cases[i].c.label, "not said why");
		if (run.dmarc->from_count != cases[i].from_count)
			case_fail(cases[i].c.label, "%zu addresses",
			    run.dmarc->from_count);
		if (!same(run.dmarc->from_domain, cases[i].from_domain))
			case_fail(cases[i].c.label, "author %s",
			    run.dmarc->from_domain);
		run_end(&run);
	}
}

static void
test_address_in_a_name(void **state)
{
	static const struct {
		const char *label, *from;
		const char *name_domain;
	} cases[] = {
		{ "no name", "a@evil.example", NULL },
		{ "plain name", "Ann <a@evil.example>", NULL },
		{ "quoted", "\"boss@bank.example\" <a@evil.example>",
		    "bank.example" },
		{ "with text around",
		    "\"Boss (boss@bank.example) via x\" <a@evil.example>",
		    "bank.example" },
		{ "encoded",
		    "=?utf-8?q?boss=40bank=2Eexample?= <a@evil.example>",
		    "bank.example" },
		{ "encoded in base64",
		    "=?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGU=?= <a@evil.example>",
		    "bank.example" },
		{ "full-width at",
		    "\"boss\xef\xbc\xa0"
		    "bank.example\" "
		    "<a@evil.example>",
		    "bank.example" },
		{ "international",
		    "\"x@b\xc3\xbc"
		    "cher.example\" <a@evil.example>",
		    "xn--bcher-kva.example" },
		{ "comment behind", "a@evil.example (boss@bank.example)",
		    "bank.example" },
		{ "full stop behind", "\"boss@bank.example.\" <a@evil.example>",
		    "bank.example" },
		{ "dots behind", "\"boss@bank.example...\" <a@evil.example>",
		    "bank.example" },
		{ "no-break space behind",
		    "\"boss@bank.example\xc2\xa0\" <a@evil.example>",
		    "bank.example" },
		{ "words behind without a space",
		    "\"boss@bank.example\xe3\x82\x88\xe3\x82\x8a\" "
		    "<a@evil.example>",
		    "bank.example" },
		{ "their own", "\"a@evil.example\" <a@evil.example>", NULL },
		{ "their own and a full stop",
		    "\"a@evil.example.\" <a@evil.example>", NULL },
		{ "of their organization",
		    "\"a@evil.example\" <a@mail.evil.example>", NULL },
		{ "no domain", "\"ann @ home\" <a@evil.example>", NULL },
		{ "one label", "\"ann@home\" <a@evil.example>", NULL },
		{ "handle", "\"@ann\" <a@evil.example>", NULL },
		{ "second of two",
		    "\"a@evil.example, b@bank.example\" <a@evil.example>",
		    "bank.example" },
	};
	struct dmarc_case c = { .label = "", .result = AUTH_NONE };
	struct run run;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		char from[200];

		(void)snprintf(from, sizeof(from), "From: %s\r\n",
		    cases[i].from);
		c.from = from;
		run_case(&c, false, &run);
		if (!same(run.dmarc->name_domain, cases[i].name_domain))
			case_fail(cases[i].label, "got %s",
			    run.dmarc->name_domain);
		run_end(&run);
	}
}

static void
test_report(void **state)
{
	static const struct dmarc_case c = { "report",
		"From: a@sub.example.com\r\n", NULL, NULL,
		{ "_dmarc.example.com TXT v=DMARC1; p=none; sp=reject; t=y; "
		  "adkim=s; rua=mailto:a@b.example; ruf=mailto:c@d.example" },
		AUTH_FAIL, QUAR, "example.com", "example.com", false, false };
	struct run run;

	(void)state;
	run_case(&c, false, &run);
	assert_int_equal(run.dmarc->published, DMARC_REJECT);
	assert_int_equal(run.dmarc->policy, DMARC_QUARANTINE);
	assert_true(run.dmarc->testing);
	assert_true(run.dmarc->strict_dkim);
	assert_false(run.dmarc->strict_spf);
	assert_string_equal(run.dmarc->rua, "mailto:a@b.example");
	assert_string_equal(run.dmarc->ruf, "mailto:c@d.example");
	assert_string_equal(run.dmarc->from_domain, "sub.example.com");
	run_end(&run);
}

/* All that is known at the end of the header is asked for there. */
static void
test_one_round(void **state)
{
	static const struct dmarc_case cases[] = {
		{ "author alone", "From: a@mail.example.com\r\n", NULL, NULL,
		    { EXAMPLE_COM }, AUTH_FAIL, REJ, "example.com", NULL, false,
		    false },
		{ "SPF below", "From: a@example.com\r\n",
		    "pass bounce.example.com", NULL, { EXAMPLE_COM }, AUTH_PASS,
		    REJ, "example.com", NULL, false, true },
		{ "np", "From: a@none.example.com\r\n", NULL, NULL,
		    { "_dmarc.example.com TXT v=DMARC1; p=none; np=reject" },
		    AUTH_FAIL, REJ, "example.com", NULL, false, false },
		{ "signature below",
		    "DKIM-Signature: d=m.example.com\r\n"
		    "From: a@example.com\r\n",
		    NULL, "pass m.example.com", { EXAMPLE_COM }, AUTH_PASS, REJ,
		    "example.com", NULL, true, false },
	};
	struct run run;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(&cases[i]);
		run_case(&cases[i], true, &run);
		if (fake_dns_rounds(run.dns) != 1)
			case_fail(cases[i].label, "%u rounds",
			    fake_dns_rounds(run.dns));
		run_end(&run);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appendix_b),
		cmocka_unit_test(test_walk_questions),
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_dns_failures),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_address_in_a_name),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_one_round),
	};

	return cmocka_run_group_tests_name("auth_dmarc", tests, NULL, NULL);
}
