/*
 * policy.h - what is wanted for one mailbox: system, domain and mailbox
 * settings merged.
 *
 * One option table; a level that does not set a row inherits it.  Points
 * are thousandths.  Immutable, owned by the settings snapshot; mailboxes
 * under the same settings share one struct policy, so that a verdict is
 * made once per pointer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/option.h"

enum policy_on_fail {
	ON_FAIL_SCORE,
	ON_FAIL_QUARANTINE,
	ON_FAIL_REJECT
};
enum policy_dmarc_reject {
	DMARC_REJECT_EVIDENCE, /* p=reject rejects when other evidence agrees */
	DMARC_REJECT_ALWAYS,
	DMARC_REJECT_NEVER,
};
enum policy_temperror {
	TEMPERROR_JUDGE,
	TEMPERROR_DEFER
};
enum policy_hold_answer {
	HOLD_ANSWER_250,
	HOLD_ANSWER_550
};
enum policy_full {
	FULL_DEFER,
	FULL_REJECT
};
enum policy_arc_seal {
	ARC_SEAL_NEVER,
	ARC_SEAL_CHANGED, /* what we changed */
	ARC_SEAL_ALWAYS
};
enum policy_split {
	SPLIT_NEVER,
	SPLIT_RCPT
};

struct policy {
	bool filter;              /* off: everything but limits passes */
	bool locked;              /* mailbox: refuse its mail at RCPT */
	bool restrict_recipients; /* domain: only listed recipients exist */
	/* authentication */
	bool spf, dkim, dmarc;
	int spf_fail, dkim_fail; /* enum policy_on_fail */
	int64_t spf_fail_points, spf_softfail_points, spf_permerror_points;
	int spf_temperror, dkim_temperror; /* enum policy_temperror */
	int64_t dkim_fail_points;
	uint64_t replay_max; /* messages an hour under one signature; 0: any */
	int64_t replay_points;
	int64_t dmarc_none_points; /* DMARC fail under p=none */
	int dmarc_quarantine;      /* what p=quarantine does: an action */
	int dmarc_reject;          /* enum policy_dmarc_reject */
	int dmarc_temperror;       /* enum policy_temperror, for p=reject
				    * and where the policy is not known */
	/* who failures do not count for: policy/exempt.h */
	struct option_list spf_exempt, dkim_exempt, dmarc_exempt;
	/* an address of somebody else in the name of From */
	int64_t name_address_points;
	/* a Sender that nothing proves */
	int64_t other_sender_points;
	/* the client's own names */
	int64_t helo_fail_points, iprev_fail_points;
	struct option_list client_exempt; /* networks */
	int malformed_from;               /* action for no or several From */
	struct option_list arc_trusted;   /* sealers that may lift DMARC */
	int arc_seal;                     /* enum policy_arc_seal */
	/* score */
	int64_t unsure_points, spam_points;
	int unsure_action, spam_action;
	/* lists */
	int block_action; /* of block rows that say none */
	/* size */
	uint64_t size_max;
	int size_action; /* reject or quarantine */
	/* hold */
	int hold_answer;     /* enum policy_hold_answer */
	int hold_full;       /* enum policy_full */
	uint64_t retention;  /* s */
	int split;           /* enum policy_split */
	char *subject_mark;  /* UTF-8; tag puts it and a space before Subject */
	bool result_headers; /* X-Sekimori-Class, -Score */
};

extern const struct option policy_options[];
extern const size_t policy_option_count;

/* Where an option may be set: bits. */
#define POLICY_LEVEL_SYSTEM 1u
#define POLICY_LEVEL_DOMAIN 2u
#define POLICY_LEVEL_MAILBOX 4u
unsigned policy_option_levels(const char *name);

#endif
