/*
 * answer.c - what the MTA is told when it is we who refuse.
 *
 * No 421: Postfix drops the SMTP connection when it sees one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stddef.h>

#include "milter/answer.h"

static const struct answer answers[] = {
	[ANSWER_CONTINUE] = { NULL, NULL, NULL },
	[ANSWER_BUSY] = { "451", "4.3.2",
	    "Too many connections, please try again later" },
	[ANSWER_DRAINING] = { "451", "4.3.2",
	    "System is restarting, please try again later" },
	[ANSWER_NO_SETTINGS] = { "451", "4.3.0",
	    "Settings are not available, please try again later" },
	[ANSWER_ALIAS_BROKEN] = { "451", "4.3.5",
	    "The aliases of this recipient lead in a circle" },
	[ANSWER_SENDER_MALFORMED] = { "553", "5.1.7",
	    "Sender address is malformed" },
	[ANSWER_RECIPIENT_MALFORMED] = { "553", "5.1.3",
	    "Recipient address is malformed" },
	[ANSWER_TOO_MANY_RECIPIENTS] = { "452", "4.5.3",
	    "Too many recipients" },
	[ANSWER_OTHER_DOMAIN] = { "452", "4.5.3",
	    "One domain at a time, please: send again for this recipient" },
	[ANSWER_TRY_LATER] = { "451", "4.3.0",
	    "Local error, please try again later" },
	[ANSWER_STORAGE] = { "451", "4.3.0",
	    "Storage is not available, please try again later" },
	[ANSWER_MEMORY_FULL] = { "452", "4.3.1",
	    "Storage is full, please try again later" },
	[ANSWER_DOMAIN_FULL] = { "452", "4.2.2",
	    "Quarantine of the recipient is full" },
	[ANSWER_DOMAIN_FULL_REJECT] = { "552", "5.2.2",
	    "Quarantine of the recipient is full" },
	[ANSWER_HOLD_TOO_LARGE] = { "552", "5.3.4",
	    "Message is to be held, but too large for that" },
};

static const enum answer_id by_kind[] = {
	[ERR_NONE] = ANSWER_TRY_LATER,
	[ERR_TEMP] = ANSWER_STORAGE,
	[ERR_INPUT] = ANSWER_TRY_LATER,
	[ERR_LIMIT] = ANSWER_MEMORY_FULL,
	[ERR_CONFIG] = ANSWER_TRY_LATER,
};

const struct answer *
answer_of(enum answer_id id)
{
	return &answers[id];
}

const struct answer *
answer_of_err(enum err_kind kind)
{
	return &answers[by_kind[kind]];
}
