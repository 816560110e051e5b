/*
 * report_thread.h - the thread that sends the day's DMARC reports, reads
 * those that are mailed to us, and removes old ones; and one beside it that
 * sends failure reports.
 *
 * A day's reports go out from an hour after its end on; what could not be
 * sent is tried again for two days.  They may take hours: failure reports,
 * which are of use within minutes, do not wait behind them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_REPORT_THREAD_H
#define WEBUI_REPORT_THREAD_H

#include "base/conf.h"
#include "base/err.h"

struct api;
struct report_thread;

/* api: borrowed. */
struct report_thread *report_thread_start(struct api *api, struct err *err);
/* Ends what is under way, at most one mail of each thread. */
void report_thread_stop(struct report_thread *thread);

#endif
