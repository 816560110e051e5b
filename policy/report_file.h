/*
 * report_file.h - a file that somebody sent us, whichever report it holds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_FILE_H
#define POLICY_REPORT_FILE_H

#include "policy/dmarc_report.h"
#include "policy/report_unpack.h"
#include "policy/tls_report.h"

struct report_file {
	const char *name;                 /* in an archive, or "" */
	const struct dmarc_report *dmarc; /* one of them, the other NULL */
	const struct tls_report *tls;
};

/*
 * Calls take for each report in a file: XML or JSON, as it is or packed.
 * The report lives until take returns; what take returns other than 0 ends
 * it.  -1 with ERR_INPUT or ERR_LIMIT: "[NAME: ][line N: ]reason".
 */
int report_file_read(struct bytes data,
    int (*take)(void *context, const struct report_file *file, struct err *err),
    void *context, struct err *err);

#endif
