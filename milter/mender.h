/*
 * mender.h - a thread that mends the quarantine at start and every hour.
 *
 * What a crash left behind: entries without bytes, indexes and counts that
 * are off, events on their way; and what is over its time.  Several milters
 * may do it at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_MENDER_H
#define MILTER_MENDER_H

#include "base/err.h"

struct mender;
struct quarantine;

struct mender *mender_start(struct quarantine *quarantine, struct err *err);
/* A mending that is going on is broken off.  NULL is fine. */
void mender_stop(struct mender *mender);

#endif
