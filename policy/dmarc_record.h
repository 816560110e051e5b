/*
 * dmarc_record.h - a DMARC policy record, read (RFC 9989 section 4.7).
 *
 * v=DMARC1 must come first and be exact.  Behind it nothing makes a record
 * invalid: unknown tags (pct, rf and ri are among them now) and broken ones
 * are left out, of a repeated tag the first counts.  Tag names and words
 * are compared without case, as the grammar has them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DMARC_RECORD_H
#define POLICY_DMARC_RECORD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "policy/auth.h"

enum dmarc_psd {
	DMARC_PSD_UNKNOWN,
	DMARC_PSD_YES,
	DMARC_PSD_NO
};

struct dmarc_record {
	/* false: p, sp or np are broken and nobody is to hear of it: no
	 * DMARC for this message (RFC 9989 section 4.10.1) */
	bool applies;
	enum dmarc_policy p;
	enum dmarc_policy sp; /* p when absent */
	enum dmarc_policy np; /* sp when absent */
	bool testing;         /* t=y */
	bool strict_dkim, strict_spf;
	enum dmarc_psd psd;
	const char *rua, *ruf, *fo; /* as published, NULL when absent */
};

/* 1: a policy record; 0: something else.  Strings live in the arena. */
int dmarc_record_read(struct arena *arena, struct bytes text,
    struct dmarc_record *record);

enum dmarc_tag {
	DMARC_TAG_GOOD,
	DMARC_TAG_NOT_KNOWN,
	DMARC_TAG_OBSOLETE, /* pct, rf, ri: RFC 7489 had them */
	DMARC_TAG_INVALID,  /* its value is none of its own, or no "=" */
	DMARC_TAG_TWICE,
};

/* For who mends records: every tag of one (behind v=) in order, with what
 * becomes of it. */
void dmarc_record_tags(struct bytes text,
    void (*each)(void *context, struct bytes tag, enum dmarc_tag what),
    void *context);

#endif
