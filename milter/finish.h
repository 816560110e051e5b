/*
 * finish.h - the end of a message: judge, plan, write, answer, record.
 *
 * The order is that of the design page, "Carrying out":
 *
 *	finish_message   waits, judges, plans; what is held or delivered
 *	                 beside is in the store when it returns
 *	...              the caller sends the edits
 *	finish_failed    if they could not be sent
 *	finish_record    log lines and events
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_FINISH_H
#define MILTER_FINISH_H

#include "milter/answer.h"
#include "milter/edits.h"
#include "milter/transaction.h"

struct hold_entry;

struct finish {
	const struct answer *answer; /* code NULL: the message is taken */
	bool discard;                /* taken, and nobody is left */
	struct edit_list edits;
	/* private */
	struct plan plan;
	struct hold_entry **entries; /* by mailbox; NULL: not written */
	const char *results; /* value of our Authentication-Results, or NULL */
	bool released;       /* our own, seen again */
	int64_t begun_us;    /* monotonic */
	int64_t planned_us;  /* the edits are next */
};

/* progress tells the MTA that we are still at it. */
void finish_message(struct transaction *tx, struct finish *finish,
    void (*progress)(void *context), void *context);

/* The edits did not go out: the message is deferred.  What was written is
 * found again when the sender tries again, and not written twice. */
void finish_failed(struct transaction *tx, struct finish *finish);

void finish_record(struct transaction *tx, struct finish *finish);

#endif
