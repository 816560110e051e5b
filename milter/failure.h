/*
 * failure.h - tells the sidecar of a mail that failed DMARC and whose owner
 * asks for failure reports (policy/failure.h).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_FAILURE_H
#define MILTER_FAILURE_H

#include "milter/transaction.h"

/*
 * At the end of a message, when all is decided.  Does nothing unless
 * dmarc_failure_reports and report_from are set; then describes at most one failure a
 * message, redacted, and hands it to the sender of events.  Never waits.
 */
void failure_tell(const struct transaction *tx);

#endif
