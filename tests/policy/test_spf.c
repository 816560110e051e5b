/*
 * test_spf.c - tests of policy/auth_spf.c and policy/spf_eval.c.
 *
 * Each row is a zone and one message.  Every row runs twice, with answers
 * that are there at once and with answers that come a round trip later,
 * when names are also asked ahead of need: the results must be the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/log.h"
#include "policy/scan.h"
#include "policy/spf_eval.h"
#include "tests/policy/fake_dns.h"

/* One message, as far as SPF is concerned. */
struct mail {
	const char *client, *helo, *mailfrom;
};

static const struct mail ordinary = { "192.0.2.3", "mail.example.org",
	"user@example.com" };

/* What came of it. */
struct outcome {
	struct arena *arena;
	struct auth_spf spf;
	unsigned rounds, questions;
};

static struct address
sender_of(struct arena *arena, const char *mailfrom)
{
	struct address address = { .raw = mailfrom, .key = mailfrom };
	const char *at = strrchr(mailfrom, '@');

	address.local = address.domain = "";
	if (at == NULL)
		return address;
	address.local = arena_memdup(arena, mailfrom, (size_t)(at - mailfrom));
	address.domain = at + 1;
	return address;
}

static void
add_zone(struct dns *dns, const char *zone)
{
	const char *end;
	char *line;

	for (; *zone != '\0'; zone = *end == '\n' ? end + 1 : end) {
		end = strchrnul(zone, '\n');
		line = xmemdup(zone, (size_t)(end - zone));
		fake_dns_line(dns, line);
		free(line);
	}
}

static void
run_mail(struct outcome *outcome, const char *zone, const struct mail *mail,
    bool delay)
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "", .received_ms = 1000 };
	struct scan scan = { .arena = arena,
		.envelope = &envelope,
		.authserv_id = "receiver.example",
		.inbound_checks = true };
	struct dns *dns = fake_dns_new();

	add_zone(dns, zone);
	if (delay)
		fake_dns_delay(dns);
	if (mail->client[0] != '\0')
		assert_int_equal(ip_parse(bytes_of(mail->client),
				     &envelope.client.ip),
		    0);
	envelope.client.helo = mail->helo;
	envelope.sender = sender_of(arena, mail->mailfrom);
	scan.dns = dns_set_new(dns);
	while (check_spf.step(&scan) == CHECK_WAIT)
		assert_int_equal(dns_set_wait(scan.dns, 0), 1);
	outcome->arena = arena;
	outcome->spf = scan.auth.spf;
	outcome->rounds = fake_dns_rounds(dns);
	outcome->questions = fake_dns_questions(dns);
	check_spf.fini(&scan);
	dns_set_free(scan.dns);
	dns_close(dns);
}

struct spf_case {
	const char *label;
	const char *zone;
	enum auth_result want;
	const char *detail; /* the mechanism; of an error, part of its text;
			     * NULL: none */
};

static bool
contains(const char *text, const char *part)
{
	if (part == NULL || text == NULL)
		return part == text;
	return strstr(text, part) != NULL;
}

static void
check_identity(const struct spf_case *test, bool delay,
    const struct auth_spf_identity *got)
{
	bool error =
	    test->want == AUTH_PERMERROR || test->want == AUTH_TEMPERROR;

	if (!got->checked || got->result != test->want)
		case_fail(test->label, "%s: %s (%s)",
		    delay ? "late" : "at once", auth_result_name(got->result),
		    got->problem != NULL ? got->problem : "-");
	if (error && !contains(got->problem, test->detail))
		case_fail(test->label, "problem '%s'",
		    got->problem != NULL ? got->problem : "-");
	if (!error && (got->mechanism == NULL) != (test->detail == NULL))
		case_fail(test->label, "mechanism '%s'",
		    got->mechanism != NULL ? got->mechanism : "-");
	if (!error && test->detail != NULL &&
	    strcmp(got->mechanism, test->detail) != 0)
		case_fail(test->label, "mechanism '%s'", got->mechanism);
}

static void
run_cases(const struct spf_case *cases, size_t n, const struct mail *mail)
{
	struct outcome outcome;
	size_t i;
	int delay;

	for (i = 0; i < n; i++)
		for (delay = 0; delay < 2; delay++) {
			run_mail(&outcome, cases[i].zone, mail, delay != 0);
			check_identity(&cases[i], delay != 0,
			    &outcome.spf.mailfrom);
			arena_free(outcome.arena);
		}
}

#define ORG "mail.example.org TXT nothing\n"

static void
test_ordinary(void **state)
{
	static const struct spf_case cases[] = {
		{ "no such domain", ORG, AUTH_NONE, NULL },
		{ "other TXT only", "example.com TXT hello", AUTH_NONE, NULL },
		{ "ip4 passes", "example.com TXT v=spf1 ip4:192.0.2.0/24 -all",
		    AUTH_PASS, "ip4:192.0.2.0/24" },
		{ "all fails", "example.com TXT v=spf1 ip4:192.0.3.0/24 -all",
		    AUTH_FAIL, "-all" },
		{ "softfail", "example.com TXT v=spf1 ~all", AUTH_SOFTFAIL,
		    "~all" },
		{ "neutral", "example.com TXT v=spf1 ?all", AUTH_NEUTRAL,
		    "?all" },
		{ "nothing matches",
		    "example.com TXT v=spf1 a\n"
		    "example.com A 192.0.2.4",
		    AUTH_NEUTRAL, NULL },
		{ "a",
		    "example.com TXT v=spf1 a -all\n"
		    "example.com A 192.0.2.3",
		    AUTH_PASS, "a" },
		{ "mx",
		    "example.com TXT v=spf1 -mx +all\n"
		    "example.com MX 10 mx.example.com\n"
		    "mx.example.com A 192.0.2.3",
		    AUTH_FAIL, "-mx" },
		{ "include passes",
		    "example.com TXT v=spf1 include:a.example -all\n"
		    "a.example TXT v=spf1 ip4:192.0.2.3 -all",
		    AUTH_PASS, "include:a.example" },
		{ "include fails, the rest counts",
		    "example.com TXT v=spf1 -include:a.example ?all\n"
		    "a.example TXT v=spf1 -all",
		    AUTH_NEUTRAL, "?all" },
		{ "include passes, but it says minus",
		    "example.com TXT v=spf1 -include:a.example +all\n"
		    "a.example TXT v=spf1 +all",
		    AUTH_FAIL, "-include:a.example" },
		{ "redirect",
		    "example.com TXT v=spf1 redirect=a.example\n"
		    "a.example TXT v=spf1 ip4:192.0.2.3 -all",
		    AUTH_PASS, "ip4:192.0.2.3" },
		{ "redirect within include",
		    "example.com TXT v=spf1 include:a.example -all\n"
		    "a.example TXT v=spf1 redirect=b.example\n"
		    "b.example TXT v=spf1 a -all\n"
		    "b.example A 192.0.2.3",
		    AUTH_PASS, "include:a.example" },
		{ "fails within include and redirect",
		    "example.com TXT v=spf1 include:a.example ~all\n"
		    "a.example TXT v=spf1 redirect=b.example\n"
		    "b.example TXT v=spf1 -all",
		    AUTH_SOFTFAIL, "~all" },
		{ "the same include twice",
		    "example.com TXT v=spf1 include:a.example "
		    "include:a.example ~all\n"
		    "a.example TXT v=spf1 ip4:10.0.0.0/8",
		    AUTH_SOFTFAIL, "~all" },
		{ "exists",
		    "example.com TXT v=spf1 exists:%{i}.x.%{d} -all\n"
		    "192.0.2.3.x.example.com A 127.0.0.2",
		    AUTH_PASS, "exists:%{i}.x.%{d}" },
		{ "strings are joined, case does not matter",
		    "EXAMPLE.com TXT V=SPF1 IP4:192.0.2.3 -ALL", AUTH_PASS,
		    "IP4:192.0.2.3" },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases), &ordinary);
}

/* What has made some implementation say pass when it must not. */
static void
test_false_pass_traps(void **state)
{
	static const struct spf_case cases[] = {
		{ "an address from nowhere near, /0 is not /32",
		    "example.com TXT v=spf1 -ip4:10.0.0.0/0 +all", AUTH_FAIL,
		    "-ip4:10.0.0.0/0" },
		{ "IPv6 /0 is not for IPv4",
		    "example.com TXT v=spf1 ip6:::/0 -all", AUTH_FAIL, "-all" },
		{ "IPv4-mapped network",
		    "example.com TXT v=spf1 ip6:::ffff:192.0.2.3 -all",
		    AUTH_FAIL, "-all" },
		{ "an error behind the match",
		    "example.com TXT v=spf1 +all moo", AUTH_PERMERROR, "moo" },
		{ "an error behind a redirect",
		    "example.com TXT v=spf1 redirect=a.example a:\n"
		    "a.example TXT v=spf1 +all",
		    AUTH_PERMERROR, "'a:'" },
		{ "two records",
		    "example.com TXT v=spf1 +all\n"
		    "example.com TXT v=spf1 -all",
		    AUTH_PERMERROR, "several" },
		{ "two records, one of them broken",
		    "example.com TXT v=spf1 +all\n"
		    "example.com TXT v=spf1 %",
		    AUTH_PERMERROR, "several" },
		{ "two records in an include",
		    "example.com TXT v=spf1 include:a.example +all\n"
		    "a.example TXT v=spf1 -all\na.example TXT v=spf1",
		    AUTH_PERMERROR, "a.example: several" },
		{ "not quite a version",
		    "example.com TXT v=spf1.0 +all\n"
		    "example.com TXT v=spf2 +all",
		    AUTH_NONE, NULL },
		{ "include without a record",
		    "example.com TXT v=spf1 include:a.example +all",
		    AUTH_PERMERROR, "a.example: no SPF record" },
		{ "redirect without a record",
		    "example.com TXT v=spf1 redirect=a.example", AUTH_PERMERROR,
		    "a.example: no SPF record" },
		{ "error in an include",
		    "example.com TXT v=spf1 include:a.example +all\n"
		    "a.example TXT v=spf1 ip4:192.0.2 +all",
		    AUTH_PERMERROR, "a.example: 'ip4:192.0.2'" },
		{ "PTR that does not lead back",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.2.0.192.in-addr.arpa PTR mail.example.com\n"
		    "mail.example.com A 192.0.2.4",
		    AUTH_FAIL, "-all" },
		{ "PTR of a name that only ends alike",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.2.0.192.in-addr.arpa PTR notexample.com\n"
		    "notexample.com A 192.0.2.3",
		    AUTH_FAIL, "-all" },
		{ "prefix lengths are not for ptr",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.2.0.192.in-addr.arpa PTR mail.example.com\n"
		    "mail.example.com A 192.0.2.2",
		    AUTH_FAIL, "-all" },
		{ "mx falls back to no address",
		    "example.com TXT v=spf1 mx -all\n"
		    "example.com A 192.0.2.3",
		    AUTH_FAIL, "-all" },
		{ "null MX",
		    "example.com TXT v=spf1 mx/0 -all\n"
		    "example.com MX 0 .",
		    AUTH_FAIL, "-all" },
		{ "a/0 without an address", "example.com TXT v=spf1 a/0 -all",
		    AUTH_FAIL, "-all" },
		{ "exists of an IPv6 address only",
		    "example.com TXT v=spf1 exists:x.example.com -all\n"
		    "x.example.com AAAA 2001:db8::1",
		    AUTH_FAIL, "-all" },
		{ "local policy words",
		    "example.com TXT v=spf1 -all default=pass "
		    "trusted-forwarder=x.example",
		    AUTH_FAIL, "-all" },
		{ "a domain of ours",
		    "example.com TXT v=spf1 "
		    "include:t0.r0.invalid "
		    "exists:t1.r0.invalid -all\n"
		    "t0.r0.invalid TXT v=spf1 -all",
		    AUTH_FAIL, "-all" },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases), &ordinary);
}

static void
test_loopback_is_nothing_special(void **state)
{
	static const struct spf_case fails[] = {
		{ "loopback", "example.com TXT v=spf1 -all", AUTH_FAIL,
		    "-all" },
	};
	static const struct mail v4 = { "127.0.0.1", "x.example",
		"user@example.com" };
	static const struct mail v6 = { "::1", "x.example",
		"user@example.com" };

	(void)state;
	run_cases(fails, 1, &v4);
	run_cases(fails, 1, &v6);
}

static void
test_ipv6(void **state)
{
	static const struct spf_case cases[] = {
		{ "ip6", "example.com TXT v=spf1 ip6:2001:db8::/32 -all",
		    AUTH_PASS, "ip6:2001:db8::/32" },
		{ "/0", "example.com TXT v=spf1 -ip6:fe80::/0 +all", AUTH_FAIL,
		    "-ip6:fe80::/0" },
		{ "ip4 /0 is not for IPv6",
		    "example.com TXT v=spf1 ip4:0.0.0.0/0 -all", AUTH_FAIL,
		    "-all" },
		{ "a/0//64",
		    "example.com TXT v=spf1 a/0//64 -all\n"
		    "example.com A 192.0.2.1\n"
		    "example.com AAAA 2001:db8:0:1::1",
		    AUTH_FAIL, "-all" },
		{ "a//32",
		    "example.com TXT v=spf1 a/32//32 -all\n"
		    "example.com AAAA 2001:db8:0:1::1",
		    AUTH_PASS, "a/32//32" },
		{ "mx",
		    "example.com TXT v=spf1 mx -all\n"
		    "example.com MX 1 a.example.com\n"
		    "example.com MX 2 b.example.com\n"
		    "a.example.com A 192.0.2.1\n"
		    "b.example.com AAAA 2001:db8::3",
		    AUTH_PASS, "mx" },
		{ "ptr",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "8.b.d.0.1.0.0.2.ip6.arpa PTR Mail.Example.COM\n"
		    "mail.example.com AAAA 2001:db8::3",
		    AUTH_PASS, "ptr" },
	};
	static const struct mail mail = { "2001:db8::3", "x.example",
		"user@example.com" };

	(void)state;
	run_cases(cases, ARRAY_LEN(cases), &mail);
}

/* Octets that fake_dns_line cannot carry: NUL, and long records. */
static void
test_odd_octets(void **state)
{
	static const struct {
		const char *label;
		struct bytes text;
		enum auth_result want;
	} cases[] = {
		{ "NUL at the end", BYTES_LIT("v=spf1 +all\0"),
		    AUTH_PERMERROR },
		{ "NUL hides the rest", BYTES_LIT("v=spf1 +all\0 -all"),
		    AUTH_PERMERROR },
		{ "NUL behind the version", BYTES_LIT("v=spf1\0 +all"),
		    AUTH_NONE },
		{ "newline", BYTES_LIT("v=spf1 -all\n+all"), AUTH_PERMERROR },
		{ "UTF-8",
		    BYTES_LIT("v=spf1 \xef\xbc\x8b"
			      "all"),
		    AUTH_PERMERROR },
		{ "no octets at all", { "", 0 }, AUTH_NONE },
	};
	struct envelope envelope = { .id = "" };
	struct scan scan;
	struct dns *dns;
	size_t i;

	(void)state;
	assert_int_equal(ip_parse(BYTES_LIT("192.0.2.3"), &envelope.client.ip),
	    0);
	envelope.client.helo = "";
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&scan, 0, sizeof(scan));
		dns = fake_dns_new();
		fake_dns_add(dns, "example.com", DNS_TXT, cases[i].text);
		scan.arena = arena_new(0);
		scan.envelope = &envelope;
		scan.dns = dns_set_new(dns);
		envelope.sender = sender_of(scan.arena, "a@example.com");
		assert_int_equal(check_spf.step(&scan), CHECK_DONE);
		if (scan.auth.spf.mailfrom.result != cases[i].want)
			case_fail(cases[i].label, "%s",
			    auth_result_name(scan.auth.spf.mailfrom.result));
		check_spf.fini(&scan);
		dns_set_free(scan.dns);
		arena_free(scan.arena);
		dns_close(dns);
	}
}

static void
test_dns_failures(void **state)
{
	static const struct spf_case cases[] = {
		{ "record", "example.com TIMEOUT", AUTH_TEMPERROR,
		    "example.com: no DNS answer in time" },
		{ "record", "example.com SERVFAIL", AUTH_TEMPERROR,
		    "servers failed" },
		{ "record", "example.com BOGUS", AUTH_TEMPERROR, "DNSSEC" },
		{ "CNAME loop",
		    "example.com CNAME a.example\n"
		    "a.example CNAME example.com",
		    AUTH_TEMPERROR, "servers failed" },
		{ "CNAME to a record",
		    "example.com CNAME a.example\n"
		    "a.example TXT v=spf1 ip4:192.0.2.3",
		    AUTH_PASS, "ip4:192.0.2.3" },
		{ "include",
		    "example.com TXT v=spf1 include:a.example +all\n"
		    "a.example TIMEOUT",
		    AUTH_TEMPERROR, "a.example" },
		{ "include that is not reached",
		    "example.com TXT v=spf1 ip4:192.0.2.3 include:a.example\n"
		    "a.example TIMEOUT",
		    AUTH_PASS, "ip4:192.0.2.3" },
		{ "include behind one that matches",
		    "example.com TXT v=spf1 include:b.example "
		    "include:a.example\n"
		    "b.example TXT v=spf1 +all\na.example TIMEOUT",
		    AUTH_PASS, "include:b.example" },
		{ "a",
		    "example.com TXT v=spf1 a:x.example +all\n"
		    "x.example SERVFAIL",
		    AUTH_TEMPERROR, "x.example" },
		{ "mx",
		    "example.com TXT v=spf1 mx:x.example +all\n"
		    "x.example SERVFAIL",
		    AUTH_TEMPERROR, "x.example" },
		{ "address of an exchange",
		    "example.com TXT v=spf1 mx +all\n"
		    "example.com MX 1 a.example\nexample.com MX 2 b.example\n"
		    "a.example A 192.0.2.9\nb.example TIMEOUT",
		    AUTH_TEMPERROR, "b.example" },
		{ "address of an exchange, another one matches",
		    "example.com TXT v=spf1 mx -all\n"
		    "example.com MX 1 b.example\nexample.com MX 2 a.example\n"
		    "a.example A 192.0.2.3\nb.example TIMEOUT",
		    AUTH_PASS, "mx" },
		{ "exists",
		    "example.com TXT v=spf1 exists:x.example +all\n"
		    "x.example TIMEOUT",
		    AUTH_TEMPERROR, "x.example" },
		{ "PTR fails: no match (section 5.5)",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.2.0.192.in-addr.arpa SERVFAIL",
		    AUTH_FAIL, "-all" },
		{ "address of a PTR name fails: next name (section 5.5)",
		    "example.com TXT v=spf1 ptr -all\n"
		    "3.2.0.192.in-addr.arpa PTR a.example.com\n"
		    "3.2.0.192.in-addr.arpa PTR b.example.com\n"
		    "a.example.com SERVFAIL\nb.example.com A 192.0.2.3",
		    AUTH_PASS, "ptr" },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases), &ordinary);
}

#define TEN_A "a a a a a a a a a a"
#define MX10                                                                   \
	"example.com MX 1 a.example\nexample.com MX 2 b.example\n"             \
	"example.com MX 3 c.example\nexample.com MX 4 d.example\n"             \
	"example.com MX 5 e.example\nexample.com MX 6 f.example\n"             \
	"example.com MX 7 g.example\nexample.com MX 8 h.example\n"             \
	"example.com MX 9 i.example\nexample.com MX 10 j.example\n"
#define PTR10(name)                                                            \
	name " PTR a.example\n" name " PTR b.example\n" name                   \
	     " PTR c.example\n" name " PTR d.example\n" name                   \
	     " PTR e.example\n" name " PTR f.example\n" name                   \
	     " PTR g.example\n" name " PTR h.example\n" name                   \
	     " PTR i.example\n" name " PTR j.example\n"

static void
test_limits(void **state)
{
	static const struct spf_case cases[] = {
		{ "ten terms",
		    "example.com TXT v=spf1 " TEN_A " -all\n"
		    "example.com A 10.0.0.1",
		    AUTH_FAIL, "-all" },
		{ "eleven terms",
		    "example.com TXT v=spf1 " TEN_A " a -all\n"
		    "example.com A 10.0.0.1",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "the eleventh would match",
		    "example.com TXT v=spf1 " TEN_A " a:x.example -all\n"
		    "example.com A 10.0.0.1\nx.example A 192.0.2.3",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "the tenth matches",
		    "example.com TXT v=spf1 a a a a a a a a a a:x.example a\n"
		    "example.com A 10.0.0.1\nx.example A 192.0.2.3",
		    AUTH_PASS, "a:x.example" },
		{ "redirect is a term",
		    "example.com TXT v=spf1 " TEN_A " redirect=x.example\n"
		    "example.com A 10.0.0.1\nx.example TXT v=spf1 +all",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "terms of includes count",
		    "example.com TXT v=spf1 include:i.example a -all\n"
		    "i.example TXT v=spf1 a:example.com a:example.com "
		    "a:example.com a:example.com a:example.com "
		    "a:example.com a:example.com a:example.com\n"
		    "example.com A 10.0.0.1",
		    AUTH_FAIL, "-all" },
		{ "terms of includes count, one more",
		    "example.com TXT v=spf1 include:i.example a a -all\n"
		    "i.example TXT v=spf1 a:example.com a:example.com "
		    "a:example.com a:example.com a:example.com "
		    "a:example.com a:example.com a:example.com\n"
		    "example.com A 10.0.0.1",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "include of itself",
		    "example.com TXT v=spf1 include:example.com +all",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "redirect to itself",
		    "example.com TXT v=spf1 redirect=example.com",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "includes in a ring, and more of them than we read ahead",
		    "example.com TXT v=spf1 include:a.example "
		    "include:a.example include:a.example include:a.example\n"
		    "a.example TXT v=spf1 include:b.example "
		    "include:b.example include:b.example include:b.example\n"
		    "b.example TXT v=spf1 include:example.com "
		    "include:example.com include:example.com",
		    AUTH_PERMERROR, "more than 10 terms" },
		{ "two void lookups",
		    "example.com TXT v=spf1 a:x.example mx:x.example "
		    "ip4:192.0.2.3",
		    AUTH_PASS, "ip4:192.0.2.3" },
		{ "three void lookups",
		    "example.com TXT v=spf1 a:x.example mx:x.example "
		    "exists:x.example ip4:192.0.2.3",
		    AUTH_PERMERROR, "lead to nothing" },
		{ "no records is void too",
		    "example.com TXT v=spf1 a mx exists:%{d} ip4:192.0.2.3",
		    AUTH_PERMERROR, "lead to nothing" },
		{ "void lookups of an include count",
		    "example.com TXT v=spf1 a:x.example include:i.example "
		    "+all\n"
		    "i.example TXT v=spf1 a:x.example a:y.example",
		    AUTH_PERMERROR, "lead to nothing" },
		{ "names that cannot exist are not looked up",
		    "example.com TXT v=spf1 a:x..example a:y..example "
		    "a:z..example ip4:192.0.2.3",
		    AUTH_PASS, "ip4:192.0.2.3" },
		{ "ten exchanges, of which one has an address",
		    "example.com TXT v=spf1 mx -all\n" MX10
		    "j.example A 192.0.2.3",
		    AUTH_PASS, "mx" },
		{ "eleven exchanges",
		    "example.com TXT v=spf1 mx -all\n" MX10
		    "example.com MX 0 k.example\na.example A 192.0.2.3",
		    AUTH_PERMERROR, "more than 10 MX" },
		{ "the tenth PTR name",
		    "example.com TXT v=spf1 ptr:j.example "
		    "-all\n" PTR10(
			"3.2.0.192.in-addr.arpa") "j.example A 192.0.2.3",
		    AUTH_PASS, "ptr:j.example" },
		{ "the eleventh PTR name",
		    "example.com TXT v=spf1 ptr:k.example "
		    "-all\n" PTR10(
			"3.2.0.192.in-addr.arpa") "3.2.0.192.in-addr.arpa PTR "
						  "k.example\n"
						  "k.example A 192.0.2.3",
		    AUTH_FAIL, "-all" },
		{ "include of a name that cannot exist",
		    "example.com TXT v=spf1 include:a..example +all",
		    AUTH_PERMERROR, "cannot exist" },
	};

	(void)state;
	run_cases(cases, ARRAY_LEN(cases), &ordinary);
}

/* ---- who is checked ---- */

static void
test_identities(void **state)
{
	static const char zone[] =
	    "example.com TXT v=spf1 -all\n"
	    "mail.example.org TXT v=spf1 a -all exp=%{l}.example.org\n"
	    "mail.example.org A 192.0.2.3\n"
	    "bad.example.org TXT v=spf1 -all exp=%{l}.example.org\n"
	    "postmaster.example.org TXT for %{s}\n"
	    "xn--bcher-kva.example TXT v=spf1 +all";
	static const struct {
		struct mail mail;
		enum auth_result mailfrom, helo;
		const char *mailfrom_domain, *helo_domain;
		bool null_sender;
	} cases[] = {
		{ { "192.0.2.3", "mail.example.org", "user@example.com" },
		    AUTH_FAIL, AUTH_PASS, "example.com", "mail.example.org",
		    false },
		{ { "192.0.2.3", "mail.example.org", "" }, AUTH_PASS, AUTH_PASS,
		    "mail.example.org", "mail.example.org", true },
		{ { "192.0.2.3", "Mail.Example.ORG.", "" }, AUTH_PASS,
		    AUTH_PASS, "mail.example.org", "mail.example.org", true },
		{ { "192.0.2.3", "bad.example.org", "" }, AUTH_FAIL, AUTH_FAIL,
		    "bad.example.org", "bad.example.org", true },
		{ { "192.0.2.3", "[192.0.2.3]", "" }, AUTH_NONE, AUTH_NONE, "",
		    "", true },
		{ { "192.0.2.3", "192.0.2.3", "user@example.com" }, AUTH_FAIL,
		    AUTH_NONE, "example.com", "192.0.2.3", false },
		{ { "192.0.2.3", "localhost", "" }, AUTH_NONE, AUTH_NONE,
		    "localhost", "localhost", true },
		{ { "192.0.2.3", "", "" }, AUTH_NONE, AUTH_NONE, "", "", true },
		{ { "192.0.2.3", "no domain", "user@example.com" }, AUTH_FAIL,
		    AUTH_NONE, "example.com", "", false },
		{ { "192.0.2.3",
		      "b\xc3\xbc"
		      "cher.example",
		      "user@[192.0.2.3]" },
		    AUTH_NONE, AUTH_PASS, "[192.0.2.3]",
		    "xn--bcher-kva.example", false },
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		run_mail(&outcome, zone, &cases[i].mail, true);
		if (outcome.spf.mailfrom.result != cases[i].mailfrom ||
		    outcome.spf.helo.result != cases[i].helo)
			case_fail(cases[i].mail.helo, "%s, HELO %s",
			    auth_result_name(outcome.spf.mailfrom.result),
			    auth_result_name(outcome.spf.helo.result));
		assert_string_equal(outcome.spf.mailfrom.domain,
		    cases[i].mailfrom_domain);
		assert_string_equal(outcome.spf.helo.domain,
		    cases[i].helo_domain);
		assert_int_equal(outcome.spf.sender_is_null,
		    cases[i].null_sender);
		arena_free(outcome.arena);
	}
}

static void
test_no_client_address(void **state)
{
	static const struct mail mail = { "", "mail.example.org",
		"user@example.com" };
	struct outcome outcome;

	(void)state;
	run_mail(&outcome, "example.com TXT v=spf1 +all", &mail, false);
	assert_false(outcome.spf.mailfrom.checked);
	assert_false(outcome.spf.helo.checked);
	assert_int_equal(outcome.spf.mailfrom.result, AUTH_NONE);
	assert_int_equal(outcome.questions, 0);
	arena_free(outcome.arena);
}

/* ---- macros that need more than the record ---- */

static void
test_macros(void **state)
{
	static const struct {
		const char *label;
		struct mail mail;
		struct spf_case test;
	} cases[] = {
		{ "HELO as it was said",
		    { "192.0.2.3", "JUMPIN' %{d}", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{h}.example -all\n"
			"jumpin'\\032%{d}.example A 127.0.0.2",
			AUTH_PASS, "exists:%{h}.example" } },
		{ "postmaster for no local part",
		    { "192.0.2.3", "x.example", "@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{l}.example -all\n"
			"postmaster.example A 127.0.0.2",
			AUTH_PASS, "exists:%{l}.example" } },
		{ "a local part that is not ASCII matches nothing",
		    { "192.0.2.3", "x.example", "\xc3\xa4@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{l}.example "
			"-include:%{s}.example a:%{h} ?all\n"
			"\\195\\164.example A 127.0.0.2",
			AUTH_NEUTRAL, "?all" } },
		{ "it may stand where it is not needed",
		    { "192.0.2.3", "x.example", "\xc3\xa4@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{o}.example -all\n"
			"example.com.example A 127.0.0.2",
			AUTH_PASS, "exists:%{o}.example" } },
		{ "a redirect to it leads nowhere",
		    { "192.0.2.3", "x.example", "\xc3\xa4@example.com" },
		    { "", "example.com TXT v=spf1 redirect=%{l}.example",
			AUTH_PERMERROR, "redirect" } },
		{ "current domain of an include",
		    { "192.0.2.3", "x.example", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 include:i.example -all\n"
			"i.example TXT v=spf1 exists:%{d}.%{o}.example\n"
			"i.example.example.com.example A 127.0.0.2",
			AUTH_PASS, "include:i.example" } },
		{ "no confirmed name",
		    { "192.0.2.3", "x.example", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{p}.example -all\n"
			"unknown.example A 127.0.0.2\n"
			"3.2.0.192.in-addr.arpa PTR mail.example.com",
			AUTH_PASS, "exists:%{p}.example" } },
		{ "the name below the domain is preferred",
		    { "192.0.2.3", "x.example", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{p}.example -all\n"
			"3.2.0.192.in-addr.arpa PTR a.example.net\n"
			"3.2.0.192.in-addr.arpa PTR b.example.com\n"
			"a.example.net A 192.0.2.3\n"
			"b.example.com A 192.0.2.3\n"
			"b.example.com.example A 127.0.0.2",
			AUTH_PASS, "exists:%{p}.example" } },
		{ "the domain itself is preferred most",
		    { "192.0.2.3", "x.example", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{p}.example -all\n"
			"3.2.0.192.in-addr.arpa PTR b.example.com\n"
			"3.2.0.192.in-addr.arpa PTR example.com\n"
			"example.com A 192.0.2.3\n"
			"b.example.com A 192.0.2.3\n"
			"example.com.example A 127.0.0.2",
			AUTH_PASS, "exists:%{p}.example" } },
		{ "a name that no host can have",
		    { "192.0.2.3", "x.example", "user@example.com" },
		    { "",
			"example.com TXT v=spf1 exists:%{p}.example -all\n"
			"unknown.example A 127.0.0.2\n"
			"3.2.0.192.in-addr.arpa PTR a\\\\b.example.com",
			AUTH_PASS, "exists:%{p}.example" } },
	};
	struct spf_case test;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		test = cases[i].test;
		test.label = cases[i].label;
		run_cases(&test, 1, &cases[i].mail);
	}
}

static void
test_explanations(void **state)
{
	static const struct {
		const char *label, *zone, *want;
	} cases[] = {
		{ "none", "example.com TXT v=spf1 -all", NULL },
		{ "with macros",
		    "example.com TXT v=spf1 -all exp=e.%{d}\n"
		    "e.example.com TXT %{i} may not send for %{s}: %{R}%{t}",
		    "192.0.2.3 may not send for user@example.com: "
		    "receiver.example1" },
		{ "with the name of the client",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TXT hello %{p}\n"
		    "3.2.0.192.in-addr.arpa PTR a.example\n"
		    "a.example A 192.0.2.3",
		    "hello a.example" },
		{ "of the redirect, not of the first record",
		    "example.com TXT v=spf1 exp=e.example redirect=r.example\n"
		    "r.example TXT v=spf1 -all exp=f.example\n"
		    "e.example TXT first\nf.example TXT second",
		    "second" },
		{ "not of an include",
		    "example.com TXT v=spf1 -include:i.example\n"
		    "i.example TXT v=spf1 +all exp=e.example\n"
		    "e.example TXT first",
		    NULL },
		{ "of the record with the include",
		    "example.com TXT v=spf1 exp=f.example -include:i.example\n"
		    "i.example TXT v=spf1 +all exp=e.example\n"
		    "e.example TXT first\nf.example TXT second %{d}",
		    "second example.com" },
		{ "two records",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TXT first\ne.example TXT second",
		    NULL },
		{ "broken",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TXT 100% sure",
		    NULL },
		{ "not ASCII",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TXT caf\xc3\xa9",
		    NULL },
		{ "failing",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TIMEOUT",
		    NULL },
		{ "empty",
		    "example.com TXT v=spf1 -all exp=e.example\n"
		    "e.example TXT ",
		    NULL },
		{ "of a name that cannot exist",
		    "example.com TXT v=spf1 -all exp=e..example", NULL },
	};
	struct outcome outcome;
	size_t i;
	int delay;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		for (delay = 0; delay < 2; delay++) {
			run_mail(&outcome, cases[i].zone, &ordinary,
			    delay != 0);
			if (outcome.spf.mailfrom.result != AUTH_FAIL)
				case_fail(cases[i].label, "no fail");
			if (!contains(outcome.spf.mailfrom.explanation,
				cases[i].want))
				case_fail(cases[i].label, "got '%s'",
				    outcome.spf.mailfrom.explanation);
			arena_free(outcome.arena);
		}
}

/* ---- round trips and questions ---- */

static void
test_round_trips(void **state)
{
	static const struct {
		const char *label, *zone;
		unsigned rounds, questions;
	} cases[] = {
		/* each of them: one question more, for the HELO name */
		{ "networks only", "example.com TXT v=spf1 ip4:192.0.2.3 -all",
		    1, 2 },
		{ "a, mx and includes at once",
		    "example.com TXT v=spf1 a mx include:i.example "
		    "include:j.example -all\n"
		    "example.com A 10.0.0.1\n"
		    "example.com MX 1 m.example\n"
		    "m.example A 10.0.0.1\n"
		    "i.example TXT v=spf1 ip4:10.0.0.1 -all\n"
		    "j.example TXT v=spf1 a:x.example -all\n"
		    "x.example A 10.0.0.1",
		    3, 8 },
		{ "includes of includes, level by level",
		    "example.com TXT v=spf1 include:i.example "
		    "include:j.example -all\n"
		    "i.example TXT v=spf1 include:i1.example "
		    "include:i2.example -all\n"
		    "j.example TXT v=spf1 include:j1.example "
		    "include:j2.example -all\n"
		    "i1.example TXT v=spf1 a:x.example -all\n"
		    "i2.example TXT v=spf1 ip4:10.0.0.2 -all\n"
		    "j1.example TXT v=spf1 ip4:10.0.0.3 -all\n"
		    "j2.example TXT v=spf1 mx:x.example -all\n"
		    "x.example A 10.0.0.1\nx.example MX 1 m.example\n"
		    "m.example A 192.0.2.3",
		    5, 11 },
		{ "redirect at once with what is before it",
		    "example.com TXT v=spf1 a redirect=r.example\n"
		    "example.com A 10.0.0.1\n"
		    "r.example TXT v=spf1 ip4:192.0.2.3",
		    2, 4 },
		{ "nothing behind a network that matches",
		    "example.com TXT v=spf1 a ip4:192.0.2.3 include:i.example\n"
		    "example.com A 10.0.0.1",
		    2, 3 },
		{ "the names of the client at once with the rest",
		    "example.com TXT v=spf1 a ptr exists:%{i}.example -all\n"
		    "example.com A 10.0.0.1\n"
		    "3.2.0.192.in-addr.arpa PTR a.example\n"
		    "a.example A 192.0.2.3",
		    3, 6 },
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		run_mail(&outcome, cases[i].zone, &ordinary, true);
		if (outcome.rounds != cases[i].rounds ||
		    outcome.questions != cases[i].questions)
			case_fail(cases[i].label, "%u rounds, %u questions",
			    outcome.rounds, outcome.questions);
		arena_free(outcome.arena);
	}
}

/* The worst that a record can ask for: ten mx of ten exchanges each. */
static void
append_greedy_zone(struct buf *buf, const char *domain)
{
	unsigned term, i;

	buf_printf(buf, "%s TXT v=spf1", domain);
	for (term = 0; term < 10; term++)
		buf_printf(buf, " mx:m%u.%s", term, domain);
	buf_append_str(buf, " -all\n");
	for (term = 0; term < 10; term++)
		for (i = 0; i < 10; i++)
			buf_printf(buf,
			    "m%u.%s MX 1 x%u-%u.%s\nx%u-%u.%s A 10.0.0.1\n",
			    term, domain, term, i, domain, term, i, domain);
}

/* Such a record is evaluated to its end for MAIL FROM; for HELO it is not:
 * others need questions too. */
static void
test_greedy_records(void **state)
{
	static const struct mail mail = { "192.0.2.3", "www.example.com",
		"user@example.com" };
	struct outcome outcome;
	struct buf zone;
	int delay;

	(void)state;
	buf_init(&zone, (size_t)1 << 20);
	append_greedy_zone(&zone, "example.com");
	append_greedy_zone(&zone, "www.example.com");
	for (delay = 0; delay < 2; delay++) {
		run_mail(&outcome, buf_str(&zone), &mail, delay != 0);
		assert_int_equal(outcome.spf.mailfrom.result, AUTH_FAIL);
		assert_int_equal(outcome.spf.helo.result, AUTH_TEMPERROR);
		assert_true(
		    contains(outcome.spf.helo.problem, "more DNS questions"));
		assert_true(outcome.questions <= SPF_QUESTIONS_MAX + 30);
		arena_free(outcome.arena);
	}
	buf_free(&zone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_false_pass_traps),
		cmocka_unit_test(test_loopback_is_nothing_special),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_odd_octets),
		cmocka_unit_test(test_dns_failures),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_no_client_address),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_explanations),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_greedy_records),
	};

	return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
