/*
 * record.h - what is told of a message: a log line and an event for each
 * final mailbox.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_RECORD_H
#define MILTER_RECORD_H

#include <jansson.h>

#include "milter/transaction.h"

struct hold_entry;

/* "phish/dmarc", "not-spam". */
const char *class_text(struct arena *arena, const struct verdict *verdict);

/*
 * The event of one final mailbox: a new reference.  n: the mailbox's number
 * in the message, which makes the event's id.  Fields: doc/events.md.
 */
json_t *record_event(const struct transaction *tx,
    const struct plan_mailbox *mailbox, size_t n, const struct answer *answer);
/* Made and handed to the sender of events, if anybody reads them. */
void record_send(const struct transaction *tx,
    const struct plan_mailbox *mailbox, size_t n, const struct answer *answer);

/* entry: NULL when nothing was written for the mailbox. */
void record_log(const struct transaction *tx,
    const struct plan_mailbox *mailbox, const struct answer *answer,
    const struct hold_entry *entry);

/* A recipient that was refused at RCPT: the log line. */
void record_refusal(const struct transaction *tx, const char *recipient,
    const struct verdict *verdict, const struct answer *answer);
/* And the event, where policy refused it; n numbers the refusals. */
void record_send_refusal(const struct transaction *tx,
    const struct address *recipient, const char *mailbox,
    const struct verdict *verdict, const struct answer *answer, size_t n);

/* What we released ourselves and saw again. */
void record_released(const struct transaction *tx);

/* A header of the message as people read it; "" when there is none. */
const char *record_display(const struct transaction *tx, const char *name,
    const char *(*decode)(struct arena *, struct bytes, size_t));

#endif
