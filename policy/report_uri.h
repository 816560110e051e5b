/*
 * report_uri.h - where the owner of a domain wants reports: rua= and ruf= of
 * a DMARC record, and whether the one who is to get them agrees (RFC 9990,
 * "Verifying External Destinations").
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_URI_H
#define POLICY_REPORT_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/dns.h"

/* Addresses that are looked at; the rest is passed over. */
#define REPORT_URIS_MAX 8

struct report_uri {
	const char *text;    /* as published */
	const char *address; /* local@domain as SMTP wants it; NULL: broken */
	const char *domain;  /* A-labels, lower case */
	const char *problem; /* of a broken one, in words */
	uint64_t size_max;   /* of "!10m", in octets; 0: none */
};

/* How many; NULL: none. */
size_t report_uris_read(struct arena *arena, const char *list,
    struct report_uri uris[REPORT_URIS_MAX]);

enum report_consent {
	CONSENT_WAIT,   /* answers are missing; they have been asked for */
	CONSENT_OWN,    /* of the same organization: no consent is needed */
	CONSENT_GIVEN,  /* uri may have another address now */
	CONSENT_NONE,   /* no reports may go there */
	CONSENT_UNKNOWN /* the DNS did not answer */
};

/* The tag that the address stands in, and whose override counts. */
enum report_tag {
	REPORT_TAG_RUA, /* aggregate reports */
	REPORT_TAG_RUF  /* failure reports */
};

/*
 * May reports about a policy domain go to uri?  The consenting record may
 * name another address of the same host in the same tag: it then takes the
 * place of the one in uri.  *name: where consent was looked for, in the
 * arena.
 */
enum report_consent report_uri_consent(struct arena *arena, struct dns_set *dns,
    const char *policy_domain, enum report_tag tag, struct report_uri *uri,
    const char **name);

#endif
