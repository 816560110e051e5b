/*
 * plan.h - one answer, many recipients: who is served how.
 *
 * Pure.  Takes the final mailboxes with their verdicts and says: the reply,
 * who stays in the transaction, who is held, who is delivered beside it,
 * which RCPTs are deleted, whether the subject is marked.  Nothing has been
 * written when it returns; the milter carries it out in the order of the
 * design page ("Carrying out").
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_PLAN_H
#define POLICY_PLAN_H

#include "policy/verdict.h"

enum plan_fate {
	FATE_STAY,        /* delivered by this transaction */
	FATE_STAY_TAGGED, /* the same, subject marked */
	FATE_HOLD,
	FATE_DELIVER,        /* written as to-deliver, sent by us */
	FATE_DELIVER_TAGGED, /* the same, subject marked */
	FATE_DISCARD,
	FATE_REJECT, /* only when the reply is a refusal */
	FATE_DEFER,  /* only when the reply is a deferral */
};

struct plan_mailbox {
	/* in */
	const char *mailbox;  /* key of the final mailbox */
	size_t rcpt;          /* index of the RCPT it came from */
	const char *rcpt_key; /* that RCPT's address */
	const struct verdict *verdict;
	enum direction direction;
	bool ours; /* false: left to the MTA, always accepted */
	/* out */
	enum plan_fate fate;
	enum status status;
	bool reject_as_hold; /* a reject that could not be given */
	bool tag_dropped;    /* should have been tagged; too large to be sent
			      * beside the others */
	bool duplicate;      /* the same mailbox is served by an earlier row:
			 * nothing to be written for this one */
};

enum plan_reply {
	REPLY_ACCEPT,
	REPLY_REJECT,
	REPLY_DEFER,
	REPLY_DISCARD
};

struct plan {
	enum plan_reply reply; /* DISCARD: 250 and nobody left */
	const char *code;      /* "550", "451"; NULL for accept, discard */
	const char *enhanced;  /* "5.7.1" */
	const char *text;
	bool tag; /* mark the subject of the transaction's message */
	/* by RCPT index: true when it is to be deleted */
	bool *delete_rcpt;
	size_t hold_count;    /* entries FATE_HOLD */
	size_t deliver_count; /* FATE_DELIVER and _TAGGED */
	/* X-Sekimori-Class and -Score may be written: those who stay agree */
	bool class_agreed;
	const struct verdict *agreed; /* theirs, or NULL */
};

/* can_hold: false when the store is not to be relied on, or the message is
 * larger than hold_message_max (too_large): see the design page. */
struct plan_limits {
	bool can_hold;
	bool too_large;
	bool observe; /* mode = observe: judge, change no fate */
};

void plan_make(struct arena *arena, size_t count,
    struct plan_mailbox *mailboxes, size_t rcpt_count,
    const struct plan_limits *limits, struct plan *plan);

#endif
