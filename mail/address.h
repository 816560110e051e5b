/*
 * address.h - one mailbox: local part and domain, as SMTP knows them.
 *
 * The domain is kept as the lower-case A-label form (IDNA2008, UTS 46
 * non-transitional), which is what everything is compared and stored by.
 * The local part is kept as received, but for its quoting: two are compared
 * without ASCII case, and "a b"@d is the same mailbox as a\ b@d.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* RFC 5321 allows 64 octets; return paths of senders (VERP, SRS) are
 * longer, and Postfix passes them on. */
#define ADDRESS_LOCAL_MAX 256
#define DOMAIN_MAX 253
/* Octets of a key: local part, @, domain. */
#define ADDRESS_MAX (ADDRESS_LOCAL_MAX + 1 + DOMAIN_MAX)

struct address {
	const char *raw;    /* as received, without angle brackets */
	const char *local;  /* without quotes; "" for the null sender */
	const char *domain; /* A-labels, lower case, no final dot; "" if none;
			     * an address literal keeps its brackets and has
			     * one spelling: "[192.0.2.1]", "[ipv6:::1]" */
	const char *key;    /* "local@domain", local part in ASCII lower
			     * case: what tables are looked up by.  Without
			     * a domain "local@"; "" for the null sender.
			     * The domain begins behind the last '@'. */
};

bool address_is_null(const struct address *address);

/*
 * Parse what stands in MAIL FROM or RCPT TO (with or without <>): RFC 5321
 * section 4.1.2, UTF-8 allowed (RFC 6531), source routes dropped.  Dots may
 * stand anywhere in a local part, as mailbox providers give such addresses
 * out.  Bytes of the result live in the arena.  0, or -1 with ERR_INPUT.
 */
int address_parse(struct arena *arena, struct bytes text,
    struct address *address, struct err *err);
/* The same from parts that a header parser took apart: local without
 * quotes, domain as it stood.  raw is built. */
int address_make(struct arena *arena, struct bytes local, struct bytes domain,
    struct address *address, struct err *err);

/* A key as SMTP wants it: the local part in quotes where it needs them, no
 * angle brackets.  0, or -1 when out is full. */
int address_append_key(struct buf *out, const char *key);

/* "bücher.example", "EXAMPLE.net." to A-labels in lower case.  0, or -1:
 * no domain name (underscores are allowed, empty labels are not). */
int domain_normalize(struct arena *arena, struct bytes text,
    const char **domain, struct err *err);
/*
 * The domain that text begins with, as a person reads it: punctuation at its
 * end, and what follows it without a space in another script or as a sign
 * that no domain has, is not of it.  Empty when there is none.
 */
struct bytes domain_at_start(struct arena *arena, struct bytes text);
/* For people: A-labels to UTF-8 where that is safe, else as it is.  Safe is
 * a label of Latin, Japanese, Chinese or Korean letters; a label that could
 * pass for another one (Cyrillic, Greek) stays as it is. */
const char *domain_for_display(struct arena *arena, const char *domain);

/* Is domain the same as parent, or below it? */
bool domain_is_within(const char *domain, const char *parent);
/* Labels that two domains share, counted from the top. */
unsigned domain_common_labels(const char *a, const char *b);

#endif
