/*
 * from.h - the addresses in a From header, as any mail reader may take it.
 *
 * RFC 5322 section 3.4 with the obsolete forms: comments, groups, quoted
 * strings, source routes, encoded words beside (never inside) an address,
 * UTF-8 (RFC 6532).
 *
 * Some common forms are no RFC 5322 but leave no doubt about the address:
 * special characters in a display name, "Doe, John <j@d>", raw ISO-2022-JP
 * or Shift_JIS, a group that is not closed.  They are read.  Where readers
 * disagree nothing is guessed: an address that stands unquoted in a display
 * name ("a@b <c@d>") is listed like the others, so that whoever judges the
 * authors judges them all; everything else is reported as malformed.
 *
 * Limits: 64 addresses, comment depth 32, 64 kB.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_FROM_H
#define MAIL_FROM_H

#include "mail/address.h"

#define FROM_ADDRESS_MAX 64
#define FROM_COMMENT_DEPTH_MAX 32
#define FROM_VALUE_MAX (64 * 1024)

struct from_list {
	size_t count;
	struct address addresses[FROM_ADDRESS_MAX];
	/* what readers show beside each: the display name, or what stands
	 * behind a bare address; bytes of the value, not decoded */
	struct bytes names[FROM_ADDRESS_MAX];
	/* Of an ERR_INPUT: nothing is wrong but that nobody in the list has a
	 * domain, as in the bounces of many MTAs: "<>", "MAILER-DAEMON",
	 * "Mail System <MAILER-DAEMON>". */
	bool anonymous;
};

/* At least one address: 0; or -1 with ERR_INPUT or ERR_LIMIT and what was
 * found up to there.  The names point into value. */
int from_parse(struct arena *arena, struct bytes value, struct from_list *list,
    struct err *err);

#endif
