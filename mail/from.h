/*
 * from.h - the addresses in a From header, as a mail reader may show them.
 *
 * RFC 5322 section 3.4 with the obsolete forms: comments, groups, quoted
 * strings, source routes, encoded words beside (never inside) an address,
 * UTF-8 (RFC 6532).  What is not an address list is reported as malformed,
 * never guessed.
 *
 * Limits: 64 addresses, comment depth 32, 64 kB.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_FROM_H
#define MAIL_FROM_H

#include "mail/address.h"

#define FROM_ADDRESS_MAX 64

struct from_list {
	size_t count;
	struct address addresses[FROM_ADDRESS_MAX];
	/* the display name of each, raw bytes, for what reads as an address
	 * in a name */
	struct bytes names[FROM_ADDRESS_MAX];
};

/* 0, or -1 with ERR_INPUT or ERR_LIMIT and what was found up to there. */
int from_parse(struct arena *arena, struct bytes value, struct from_list *list,
    struct err *err);

#endif
