/*
 * failure_mail.h - a DMARC failure report as a mail: multipart/report with a
 * text, message/feedback-report and text/rfc822-headers (RFC 5965, 6591,
 * 9991).
 *
 * All of it is ASCII.  Whatever a description holds, no value ends its line,
 * and no line begins a part.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_FAILURE_MAIL_H
#define POLICY_FAILURE_MAIL_H

#include "policy/auth_dkim_sign.h"
#include "policy/failure.h"

struct failure_mail {
	const struct failure *failure;
	uint64_t incidents;    /* this one included */
	const char *from;      /* an address of the submitter */
	const char *submitter; /* domain of from: A-labels */
	size_t to_count;
	const char *const *to;
	int64_t now_s;
	size_t identity_count; /* 0: not signed */
	const struct auth_dkim_identity *identities;
};

/* Octets of a mail, at most. */
#define FAILURE_MAIL_MAX ((size_t)512 * 1024)

/* Appends the mail. */
int failure_mail_write(const struct failure_mail *mail, struct buf *out,
    struct err *err);

#endif
