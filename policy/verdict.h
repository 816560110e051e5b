/*
 * verdict.h - from results to class, score and action, for one policy.
 *
 * Pure: reads the scan and the settings, touches nothing.  Mailboxes with
 * the same policy and the same deciding list rows share a verdict.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include <jansson.h>

#include "policy/class.h"
#include "policy/scan.h"
#include "policy/settings.h"

/* One thing that counted. */
struct verdict_reason {
	const char *name;   /* "spf.fail", "list.block", "dmarc.reject" */
	int64_t points;     /* thousandths; 0 for what decides without */
	const char *detail; /* evidence in words, or "" */
};

#define VERDICT_REASON_MAX 64

struct verdict {
	enum main_class main;
	enum sub_class sub;
	const char *extra; /* the evidence: rule, list row, score, ... */
	int64_t score;
	enum action action;     /* what policy orders */
	const char *decided_by; /* "list", "dmarc", "score", ...: which
				 * step of the precedence */
	const char *reply;      /* text for a refusal, without codes; or NULL */
	const struct policy *policy;
	size_t reason_count;
	struct verdict_reason reasons[VERDICT_REASON_MAX];
};

enum direction {
	DIRECTION_INBOUND,
	DIRECTION_OUTBOUND
};

/* For one final mailbox, at end of message. */
const struct verdict *verdict_make(struct arena *arena, const struct scan *scan,
    const char *mailbox_key, enum direction direction, uint64_t message_size);

/*
 * At RCPT, from the snapshot alone: unknown user, locked, declared size,
 * client and envelope sender rows whose action is reject or defer.
 * ACTION_ACCEPT: go on; else ACTION_REJECT or ACTION_DEFER with class and
 * reply.
 */
const struct verdict *verdict_at_rcpt(struct arena *arena,
    const struct envelope *envelope, const struct settings *settings,
    const char *mailbox_key);

/* The decision record: all that led here (see doc/decision-record.md). */
json_t *verdict_record(const struct scan *scan, const char *mailbox_key,
    const struct verdict *verdict, enum direction direction);

#endif
