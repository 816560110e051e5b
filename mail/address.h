/*
 * address.h - one mailbox: local part and domain, as SMTP knows them.
 *
 * The domain is kept as the lower-case A-label form (IDNA2008, UTS 46
 * non-transitional), which is what everything is compared and stored by.
 * The local part is kept as received; two are compared without ASCII case.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define ADDRESS_MAX 320      /* octets, local part 64 + @ + domain 255 */
#define ADDRESS_LOCAL_MAX 64 /* more is kept (Postfix does), up to 256 */

struct address {
	const char *raw;    /* as received, without angle brackets */
	const char *local;  /* without quotes; "" for the null sender */
	const char *domain; /* A-labels, lower case, no final dot; "" if none;
			     * an address literal keeps its brackets */
	const char *key;    /* "local@domain", local part in ASCII lower
			     * case: what tables are looked up by */
};

bool address_is_null(const struct address *address);

/*
 * Parse what stands in MAIL FROM or RCPT TO (with or without <>): RFC 5321
 * section 4.1.2, UTF-8 allowed (RFC 6531), source routes dropped.  Bytes of
 * the result live in the arena.  0, or -1 with ERR_INPUT.
 */
int address_parse(struct arena *arena, struct bytes text,
    struct address *address, struct err *err);

/* "bücher.example", "EXAMPLE.net." to A-labels in lower case.  0, or -1:
 * no domain name (underscores are allowed, empty labels are not). */
int domain_normalize(struct arena *arena, struct bytes text,
    const char **domain, struct err *err);
/* For people: A-labels to UTF-8 where that is safe, else as it is. */
const char *domain_for_display(struct arena *arena, const char *domain);

/* Is domain the same as parent, or below it? */
bool domain_is_within(const char *domain, const char *parent);

#endif
