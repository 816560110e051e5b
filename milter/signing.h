/*
 * signing.h - our own signatures on mail of our users (DKIM), and seals on
 * mail that passes (ARC).
 *
 * What may be signed is known at the end of the header, so that the body is
 * hashed as it comes.  Both are made over the header as it leaves, behind
 * all other edits, and then put on top; for mail that is held or delivered
 * beside the transaction, over the header that a release will give it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_SIGNING_H
#define MILTER_SIGNING_H

#include "milter/edits.h"
#include "milter/transaction.h"
#include "policy/keyring.h"

/* A DKIM-Signature for each key, or the three fields of an ARC set. */
#define SIGNING_FIELDS_MAX KEYRING_KEYS_MAX

void signing_begin(struct transaction *tx);
void signing_fini(struct transaction *tx);

/* Is what goes to this mailbox to be signed or sealed?  tagged: its Subject
 * is marked. */
bool signing_is_due(const struct transaction *tx, const struct plan_mailbox *m,
    bool tagged);

/*
 * The fields to be inserted, top first; returns how many.  edits: all that
 * changes the header; results: the value of our Authentication-Results, or
 * NULL.  What cannot be made is logged and left out: mail does not wait for
 * it.
 */
size_t signing_fields(struct transaction *tx, const struct edit_list *edits,
    const char *results, struct own_field fields[SIGNING_FIELDS_MAX]);

#endif
