/*
 * report_message.h - reports in a mail, as their senders send them.
 *
 * Every part that may hold a report, by its type or its name, is tried.
 * mime_open (mail/mime.h) has been called.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_MESSAGE_H
#define POLICY_REPORT_MESSAGE_H

#include "policy/report_file.h"

/* "Report Domain: ... Submitter: ...": the Subject of an aggregate report. */
bool report_subject_is(const char *subject);

/* Does it begin like a mail, and not like a report? */
bool report_message_is(struct bytes data);

/*
 * As report_file_read, for a raw message.  One report at least is taken, or
 * the answer is -1 with what was wrong with the first part that was tried;
 * what take refuses is final.
 */
int report_message_read(struct bytes raw,
    int (*take)(void *context, const struct report_file *file, struct err *err),
    void *context, struct err *err);

#endif
