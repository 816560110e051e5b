/*
 * auth_iprev.c - the client's name in reverse, and that name forward again
 * (RFC 8601 section 2.7.3 and section 3).
 *
 * All names are asked forward at once.  One that leads back is enough, so
 * the check is done when the first such answer is there, whatever the
 * others are still waiting for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "mail/address.h"
#include "policy/scan.h"

/* Names looked at; as for SPF's ptr (RFC 7208 section 4.6.4). */
#define NAME_MAX_COUNT 10

static bool
has_address(const struct dns_answer *answer, const struct ip *ip)
{
	size_t i;

	if (answer->status != DNS_OK)
		return false;
	for (i = 0; i < answer->count; i++)
		if (ip_equal(&answer->records[i].ip, ip))
			return true;
	return false;
}

static enum check_state
finish(struct scan *scan, enum auth_result result, const char *name)
{
	scan->auth.iprev.result = result;
	scan->auth.iprev.name = name;
	return CHECK_DONE;
}

/* What the names lead to, in the order of the PTR records. */
static enum check_state
confirm(struct scan *scan, const struct dns_answer *names)
{
	const struct ip *ip = &scan->envelope->client.ip;
	enum dns_type type = ip->family == IP_V4 ? DNS_A : DNS_AAAA;
	const struct dns_answer *answer;
	const char *name, *first = NULL;
	bool waiting = false, failed = false;
	size_t i;

	for (i = 0; i < names->count && i < NAME_MAX_COUNT; i++) {
		/* What is no host name is not asked for, nor shown. */
		if (domain_normalize(scan->arena,
			bytes_of(names->records[i].name), &name, NULL) < 0)
			continue;
		if (first == NULL)
			first = name;
		answer = dns_ask(scan->dns, name, type);
		if (answer == NULL)
			waiting = true;
		else if (has_address(answer, ip))
			return finish(scan, AUTH_PASS, name);
		else if (dns_status_is_failure(answer->status))
			failed = true;
	}
	if (waiting)
		return CHECK_WAIT;
	return finish(scan, failed ? AUTH_TEMPERROR : AUTH_FAIL, first);
}

static enum check_state
iprev_step(struct scan *scan)
{
	const struct ip *ip = &scan->envelope->client.ip;
	const struct dns_answer *names;
	char reverse[DNS_REVERSE_SIZE];

	if (ip->family == IP_NONE)
		return finish(scan, AUTH_NONE, NULL);
	dns_reverse_name(ip, reverse);
	names = dns_ask(scan->dns, reverse, DNS_PTR);
	if (names == NULL)
		return CHECK_WAIT;
	if (names->status == DNS_OK)
		return confirm(scan, names);
	if (dns_status_is_failure(names->status))
		return finish(scan, AUTH_TEMPERROR, NULL);
	scan->auth.iprev.dnsless = true;
	return finish(scan, AUTH_PERMERROR, NULL);
}

const struct check check_iprev = {
	.id = CHECK_IPREV,
	.name = "iprev",
	.step = iprev_step,
};
