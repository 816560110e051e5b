/*
 * fake_dns.h - base/dns replaced at its seam: a zone in memory.
 *
 * Link tests/policy/fake_dns.c into a test and base/dns.c stays out of it.
 * Answers are there at once, or (fake_dns_delay) one dns_set_wait later,
 * so that a test can count round trips.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_POLICY_FAKE_DNS_H
#define TESTS_POLICY_FAKE_DNS_H

#include "base/dns.h"

struct dns *fake_dns_new(void);
/* dns_close frees it. */

/* Names with odd octets: \DDD.  Data of A, AAAA: an address; MX:
 * "preference name"; PTR, CNAME: a name; TXT: any octets. */
#define FAKE_DNS_CNAME 5
void fake_dns_add(struct dns *dns, const char *name, int type,
    struct bytes data);
/* "NAME TYPE data" (TYPE as above, or SERVFAIL, TIMEOUT, BOGUS for all
 * questions that the name has no records for). */
void fake_dns_line(struct dns *dns, const char *line);
void fake_dns_fail(struct dns *dns, const char *name, enum dns_status status);

/* Answers arrive with the next dns_set_wait. */
void fake_dns_delay(struct dns *dns);
/* Times dns_set_wait brought something, and questions asked, since then. */
unsigned fake_dns_rounds(const struct dns *dns);
unsigned fake_dns_questions(const struct dns *dns);

#endif
