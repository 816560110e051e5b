/*
 * answer.h - what the MTA is told when a recipient or message is refused
 * by us rather than by anybody's policy: one table.
 *
 * Refusals of policy have their code and text in the verdict.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_ANSWER_H
#define MILTER_ANSWER_H

#include "base/err.h"

struct answer {
	const char *code;     /* "451"; NULL: continue, accept */
	const char *enhanced; /* "4.3.2" */
	const char *text;     /* ASCII, one line */
};

enum answer_id {
	ANSWER_CONTINUE,
	ANSWER_BUSY,
	ANSWER_DRAINING,
	ANSWER_NO_SETTINGS,
	ANSWER_ALIAS_BROKEN,
	ANSWER_SENDER_MALFORMED,
	ANSWER_RECIPIENT_MALFORMED,
	ANSWER_TOO_MANY_RECIPIENTS,
	ANSWER_OTHER_DOMAIN,
	ANSWER_TRY_LATER,
	ANSWER_STORAGE,
	ANSWER_MEMORY_FULL,
	ANSWER_DOMAIN_FULL,
	ANSWER_DOMAIN_FULL_REJECT,
	ANSWER_HOLD_TOO_LARGE,
};

const struct answer *answer_of(enum answer_id id);

/* For something that could not be done.  Never a rejection: that we failed
 * is not the sender's fault. */
const struct answer *answer_of_err(enum err_kind kind);

#endif
