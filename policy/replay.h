/*
 * replay.h - how often a signature has been seen of late.
 *
 * A DKIM signature holds for whoever sends the same bytes again, to anybody:
 * what a spammer got signed once by a good domain he sends a million times.
 * One who writes signs each message anew, so many messages under one
 * signature are a list, or a replay.  Counted are the messages of the hour
 * since a signature was first seen, in Redis, by all milters together.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPLAY_H
#define POLICY_REPLAY_H

#include "policy/scan.h"

struct store;

/* What it may cost a message. */
#define REPLAY_BUDGET_MS 50
#define REPLAY_WINDOW_S 3600

/*
 * Counts this message for each of its signatures that can be trusted, and
 * notes the counts there (auth_dkim_signature.seen).  All of them: one's own
 * on top of a stolen one hides nothing.  After the checks are done.  Without
 * an answer within the budget nothing is known.
 */
void replay_count(struct store *store, struct scan *scan, unsigned budget_ms);

#endif
