/*
 * report_letter.h - a mail of our own that carries a report: fields, body,
 * and a DKIM signature of each key.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_LETTER_H
#define POLICY_REPORT_LETTER_H

#include "policy/auth_dkim_sign.h"

/* Values are ours or checked: no line end but in a fold. */
struct letter_field {
	const char *name, *value;
};

#define LETTER_FIELDS_MAX 32

struct letter {
	size_t field_count;
	struct letter_field fields[LETTER_FIELDS_MAX];
	struct bytes body;
	int64_t now_s;
	size_t identity_count; /* 0: not signed */
	const struct auth_dkim_identity *identities;
};

void letter_add(struct letter *letter, const char *name, const char *value);

/* Addresses as the value of a To, folded; in the arena. */
const char *letter_addresses(struct arena *arena, size_t n,
    const char *const *addresses);
/* Seconds since 1970 as the value of a Date; in the arena. */
const char *letter_date(struct arena *arena, int64_t time_s);

/* Appends the mail.  ERR_LIMIT: out is full; else it could not be signed. */
int letter_write(const struct letter *letter, struct buf *out, struct err *err);

#endif
