/*
 * report_mailbox.h - reads the reports that are mailed to reports_address.
 *
 * The address is a mailbox of ours whose mail is held (doc/reports.md says
 * how).  A report is kept and its mail removed; a mail that holds none, or
 * that fails DMARC, or that is about a domain of nobody here, stays where
 * it is until somebody or its time removes it, and is not read again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_REPORT_MAILBOX_H
#define WEBUI_REPORT_MAILBOX_H

#include <stdbool.h>

#include "base/err.h"

struct api;
struct reports;

/*
 * Looks through the held mail of reports_address.  How many mails were read
 * and removed, or -1: the store or the file is away.  stop: asked between
 * mails, true ends it; may be NULL.
 */
int report_mailbox_read(struct api *api, struct reports *reports,
    bool (*stop)(void *context), void *context, struct err *err);

#endif
