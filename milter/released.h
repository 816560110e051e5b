/*
 * released.h - mail that we released ourselves and see again.
 *
 * Where the release listener is a remote MTA whose mail comes back through
 * the milter, X-Sekimori-Release says that this mailbox's copy was released
 * already.  It counts from release_networks only, for the one recipient and
 * the very bytes that it was made for, and is always removed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_RELEASED_H
#define MILTER_RELEASED_H

#include "milter/edits.h"
#include "milter/transaction.h"

bool released_is_ours(const struct transaction *tx);

/* The signed header goes; results that we put there ourselves stay. */
void released_edits(const struct transaction *tx, struct edit_list *edits);

#endif
