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
	enum main_class main_class;
	enum sub_class sub;
	const char *extra; /* the evidence: rule, list row, score, ... */
	int64_t score;
	enum action action;     /* what policy orders */
	const char *decided_by; /* "list", "dmarc", "score", ...: which
				 * step of the precedence */
	/* of a refusal or deferral, else NULL */
	const char *code;     /* "550" */
	const char *enhanced; /* "5.7.1" */
	const char *reply;    /* text, ASCII, one line */
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
 * At RCPT, from the snapshot alone: locked, declared size, client and
 * envelope sender rows whose action is reject or defer.  ACTION_ACCEPT: go
 * on; else ACTION_REJECT or ACTION_DEFER with class and reply.
 */
const struct verdict *verdict_at_rcpt(struct arena *arena,
    const struct envelope *envelope, const struct settings *settings,
    const char *mailbox_key);

/*
 * What is decided without a scan: an unknown user, a draining daemon, our
 * own failure.  The reply is the one that fits the class.
 */
const struct verdict *verdict_plain(struct arena *arena,
    enum main_class main_class, enum sub_class sub, const char *extra,
    enum action action);

/* Thousandths as people write them: "3.25", "-0.5", "0". */
#define SCORE_TEXT_SIZE 24
void score_format(int64_t points, char out[SCORE_TEXT_SIZE]);

/* The decision record: all that led here (see doc/decision-record.md). */
json_t *verdict_record(const struct scan *scan, const char *mailbox_key,
    const struct verdict *verdict, enum direction direction);

#endif
