/*
 * test_auth_iprev.c - tests of policy/auth_iprev.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/policy/fake_dns.h"
#include "tests/unit.h"

#include "policy/scan.h"

#define LINES_MAX 14

static void
set_up(struct scan *scan, struct envelope *envelope, const char *ip,
    struct dns *dns)
{
	memset(scan, 0, sizeof(*scan));
	memset(envelope, 0, sizeof(*envelope));
	if (*ip != '\0')
		assert_int_equal(ip_parse(bytes_of(ip), &envelope->client.ip),
		    0);
	scan->arena = arena_new(0);
	scan->dns = dns_set_new(dns);
	scan->envelope = envelope;
	scan->stage = SCAN_MAIL;
}

static void
tear_down(struct scan *scan)
{
	dns_set_free(scan->dns);
	arena_free(scan->arena);
}

static const struct {
	const char *label, *ip;
	const char *lines[LINES_MAX];
	enum auth_result want;
	const char *name;
	bool dnsless;
	unsigned rounds, questions; /* most */
} cases[] = {
	{ "no address", "", { NULL }, AUTH_NONE, NULL, false, 0, 0 },
	{ "confirmed", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR Mail.example.net",
		"mail.example.net A 198.18.0.1" },
	    AUTH_PASS, "mail.example.net", false, 2, 2 },
	{ "confirmed, IPv6", "2001:db8::f",
	    { "f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0."
	      "0.2.ip6.arpa PTR mail.example.net",
		"mail.example.net A 198.18.0.1",
		"mail.example.net AAAA 2001:db8::f" },
	    AUTH_PASS, "mail.example.net", false, 2, 2 },
	{ "the second name leads back", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a.example.net",
		"1.0.18.198.in-addr.arpa PTR b.example.net",
		"a.example.net A 198.18.0.2", "b.example.net A 198.18.0.3",
		"b.example.net A 198.18.0.1" },
	    AUTH_PASS, "b.example.net", false, 2, 3 },
	{ "no name leads back", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a.example.net",
		"a.example.net A 198.18.0.2" },
	    AUTH_FAIL, "a.example.net", false, 2, 2 },
	{ "the name does not exist", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a.example.net" }, AUTH_FAIL,
	    "a.example.net", false, 2, 2 },
	{ "no PTR", "198.18.0.1", { NULL }, AUTH_PERMERROR, NULL, true, 1, 1 },
	{ "the reverse zone fails", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa SERVFAIL" }, AUTH_TEMPERROR, NULL, false,
	    1, 1 },
	{ "the reverse zone does not answer", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa TIMEOUT" }, AUTH_TEMPERROR, NULL, false,
	    1, 1 },
	{ "the only name fails", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a.example.net",
		"a.example.net SERVFAIL" },
	    AUTH_TEMPERROR, "a.example.net", false, 2, 2 },
	{ "one fails, another leads back", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a.example.net",
		"1.0.18.198.in-addr.arpa PTR b.example.net",
		"a.example.net SERVFAIL", "b.example.net A 198.18.0.1" },
	    AUTH_PASS, "b.example.net", false, 2, 3 },
	{ "a name that is none is not asked", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a\\032b.example.net" }, AUTH_FAIL,
	    NULL, false, 1, 1 },
	{ "the eleventh name does not count", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a0.example.net",
		"1.0.18.198.in-addr.arpa PTR a1.example.net",
		"1.0.18.198.in-addr.arpa PTR a2.example.net",
		"1.0.18.198.in-addr.arpa PTR a3.example.net",
		"1.0.18.198.in-addr.arpa PTR a4.example.net",
		"1.0.18.198.in-addr.arpa PTR a5.example.net",
		"1.0.18.198.in-addr.arpa PTR a6.example.net",
		"1.0.18.198.in-addr.arpa PTR a7.example.net",
		"1.0.18.198.in-addr.arpa PTR a8.example.net",
		"1.0.18.198.in-addr.arpa PTR a9.example.net",
		"1.0.18.198.in-addr.arpa PTR aa.example.net",
		"aa.example.net A 198.18.0.1" },
	    AUTH_FAIL, "a0.example.net", false, 2, 11 },
	{ "the tenth does", "198.18.0.1",
	    { "1.0.18.198.in-addr.arpa PTR a0.example.net",
		"1.0.18.198.in-addr.arpa PTR a1.example.net",
		"1.0.18.198.in-addr.arpa PTR a2.example.net",
		"1.0.18.198.in-addr.arpa PTR a3.example.net",
		"1.0.18.198.in-addr.arpa PTR a4.example.net",
		"1.0.18.198.in-addr.arpa PTR a5.example.net",
		"1.0.18.198.in-addr.arpa PTR a6.example.net",
		"1.0.18.198.in-addr.arpa PTR a7.example.net",
		"1.0.18.198.in-addr.arpa PTR a8.example.net",
		"1.0.18.198.in-addr.arpa PTR a9.example.net",
		"a9.example.net A 198.18.0.1" },
	    AUTH_PASS, "a9.example.net", false, 2, 11 },
};

/* Answers come late: the check never blocks, and asks forward at once. */
static void
test_results(void **state)
{
	struct scan scan;
	struct envelope envelope;
	struct dns *dns;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const struct auth_iprev *got = &scan.auth.iprev;

		dns = fake_dns_new();
		for (k = 0; k < LINES_MAX && cases[i].lines[k] != NULL; k++)
			fake_dns_line(dns, cases[i].lines[k]);
		fake_dns_delay(dns);
		set_up(&scan, &envelope, cases[i].ip, dns);
		while (check_iprev.step(&scan) == CHECK_WAIT) {
			if (got->result != AUTH_NONE)
				case_fail(cases[i].label, "half a result");
			if (dns_set_wait(scan.dns, 0) == 0)
				case_fail(cases[i].label, "waits for nothing");
		}
		if (got->result != cases[i].want ||
		    got->dnsless != cases[i].dnsless)
			case_fail(cases[i].label, "got %s",
			    auth_result_name(got->result));
		if ((got->name == NULL) != (cases[i].name == NULL) ||
		    (got->name != NULL &&
			strcmp(got->name, cases[i].name) != 0))
			case_fail(cases[i].label, "got name %s",
			    got->name != NULL ? got->name : "none");
		if (fake_dns_rounds(dns) > cases[i].rounds ||
		    fake_dns_questions(dns) > cases[i].questions)
			case_fail(cases[i].label, "%u rounds, %u questions",
			    fake_dns_rounds(dns), fake_dns_questions(dns));
		tear_down(&scan);
		dns_close(dns);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests_name("auth_iprev", tests, NULL, NULL);
}
