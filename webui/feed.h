/*
 * feed.h - the thread that feeds the history: reads the event streams into
 * the file and, once a day, removes what is too old.
 *
 * When the store or the file is away it says so once, goes on trying, and
 * says when it is back; nothing is lost meanwhile, as the streams keep what
 * has not been read.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_FEED_H
#define WEBUI_FEED_H

#include "base/conf.h"
#include "base/err.h"

struct feed;

/* Opens the history as its writer; ERR_CONFIG when it cannot be. */
struct feed *feed_start(const struct conf *conf, struct err *err);
/* From now on mails older than this go.  From any thread. */
void feed_set_days(struct feed *feed, unsigned history_days);
/* Ends what is under way, at most one batch. */
void feed_stop(struct feed *feed);

#endif
