/*
 * redact.h - what a stranger may see of a header: enough to find out why
 * authentication failed, and not whom the mail was for (RFC 6590).
 *
 * A local part becomes REDACTED_LEN characters of a keyed hash: the same one
 * always the same, so that who gets several reports can tell whether they
 * are about one mailbox, but not which.  Local parts of one domain (the one
 * that the report is about) stay: they are its owner's.
 *
 * Only fields of a table are taken over; of those that name recipients and
 * whom to answer only the addresses, without names.  Bcc, what readers and
 * list software add for one recipient, and everything not known is left out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REDACT_H
#define POLICY_REDACT_H

#include "mail/address.h"
#include "mail/header.h"

#define REDACTED_LEN 12
/* Octets of one field's value; a longer one is cut, and says so. */
#define REDACT_VALUE_MAX 4096
/* Fields that are taken over. */
#define REDACT_FIELDS_MAX 100
/* A local part is also replaced where it stands as a word without a domain
 * (VERP, "for" in comments), if it has so many characters: "a" would take
 * apart every a=. */
#define REDACT_WORD_LEAST 3

struct redaction {
	struct arena *arena;
	struct bytes key;
	const char *keep; /* domain, with all below it; NULL: none */
	size_t local_count;
	const char *const *locals; /* of the recipients, without quotes */
};

struct redacted_field {
	const char *name, *value; /* valid UTF-8 without control characters */
};

struct redacted_header {
	size_t count;
	struct redacted_field fields[REDACT_FIELDS_MAX];
	size_t left_out; /* fields of the mail that are not here */
};

/* Of bytes of any kind, in the arena; whatever looks like an address. */
const char *redact_text(const struct redaction *redaction, struct bytes text);
/* The same where "tag=" may stand before an address. */
const char *redact_tags(const struct redaction *redaction, struct bytes text);
/* One address: "local@domain" or "". */
const char *redact_address(const struct redaction *redaction,
    const struct address *address);

/* At most octets_max octets of names and values, read or written. */
void redact_header(const struct redaction *redaction,
    const struct header *header, size_t octets_max,
    struct redacted_header *out);

#endif
