/*
 * received.h - who handed a message over, as Received fields tell it.
 *
 * For mail that comes through a gateway of our own choice: the fields that
 * its servers have stamped can be believed, nothing below them.  What a
 * client says of itself (HELO, ident) stands in the same field as what the
 * server knows of it, so a field that could be read in two ways is taken
 * for none.
 *
 * Read are the forms of Postfix, Sendmail, Exim, qmail, Exchange and Google:
 * "from HELO (NAME [ADDRESS])", "from HELO (ADDRESS)",
 * "from [ADDRESS] (helo=HELO)", "from NAME (HELO HELO) (ADDRESS)".
 *
 * Limits: a field of 4 kB, 8 comments nested 8 deep, RECEIVED_HOPS_MAX.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "base/netaddr.h"
#include "mail/header.h"

#define RECEIVED_HOPS_MAX 10

struct received {
	struct ip ip;
	const char *helo; /* "" when it is not told */
	const char *name; /* the client's, as the server has found it, or "" */
};

/* One field's value.  0, or -1 with ERR_INPUT: it tells no address, or not
 * for certain. */
int received_read(struct arena *arena, struct bytes value,
    struct received *received, struct err *err);

/*
 * Down from the top, which a server inside has stamped, to the first field
 * that names a client not inside: that is the one.  -1 with ERR_INPUT when
 * a field on the way cannot be read, names a private address that is not
 * inside, or there are no more.
 */
int received_find_client(struct arena *arena, const struct header *header,
    bool (*is_inside)(void *context, const struct ip *ip), void *context,
    struct received *received, struct err *err);

#endif
