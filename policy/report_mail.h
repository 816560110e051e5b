/*
 * report_mail.h - an aggregate report as a mail (RFC 9990, "Email").
 *
 * Subject, file name and Report-ID depend on the report and its sender
 * alone: sent again, it is the same report.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_MAIL_H
#define POLICY_REPORT_MAIL_H

#include "policy/auth_dkim_sign.h"
#include "policy/dmarc_report.h"

struct report_mail {
	const struct dmarc_report *report;
	const char *from;      /* an address of the submitter */
	const char *submitter; /* domain of from: A-labels */
	size_t to_count;
	const char *const *to;
	int64_t now_s;
	size_t identity_count; /* 0: not signed */
	const struct auth_dkim_identity *identities;
};

/* "20261121.example.net@submitter", in the arena. */
const char *report_mail_id(struct arena *arena, int64_t day_s,
    const char *policy_domain, const char *submitter);
/* "submitter!example.net!BEGIN!END.xml.gz", in the arena. */
const char *report_mail_file(struct arena *arena,
    const struct report_mail *mail);

/* Appends data, compressed by gzip; the same data give the same octets.
 * -1: out is full. */
int report_mail_pack(struct bytes data, struct buf *out);
/* Appends the mail with the packed report in it. */
int report_mail_write(const struct report_mail *mail, struct bytes packed,
    struct buf *out, struct err *err);

#endif
