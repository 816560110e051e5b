/*
 * dmarc_tally.h - what a day's mail says to the owners of its domains: the
 * contents of DMARC aggregate reports, counted from the history.
 *
 * Messages are counted, not recipients, by the time at which they began; a
 * message whose recipients fared differently counts by the strictest of
 * what was done.  Not counted: mail of our own users, messages that were
 * deferred (they come again), mail to domains that ask for no reports, and
 * reports about reports, or two receivers could keep each other busy for
 * ever.
 *
 * Limits: TALLY_DOMAINS_MAX domains, TALLY_ROWS_MAX different rows in each;
 * what is beyond is counted, and the report says so.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_DMARC_TALLY_H
#define QUARANTINE_DMARC_TALLY_H

#include "base/err.h"
#include "policy/dmarc_report.h"

#define TALLY_DOMAINS_MAX 20000
#define TALLY_ROWS_MAX 20000
/* Rows of all domains together. */
#define TALLY_ROWS_ALL_MAX 500000

struct history;
struct dmarc_tally;

/* Of one policy domain.  In the report all is set but organization, email,
 * contact, id and generator. */
struct dmarc_tally_domain {
	struct dmarc_report report;
	const char *rua; /* as published last */
	uint64_t messages;
	uint64_t left_out; /* of these, beyond the limits */
};

/* The day that begins at day_s (UTC); only_domain: NULL, or one policy
 * domain.  NULL with *err. */
struct dmarc_tally *dmarc_tally_read(struct history *history, int64_t day_s,
    const char *only_domain, struct err *err);
void dmarc_tally_free(struct dmarc_tally *tally);

/* Sorted by domain. */
size_t dmarc_tally_count(const struct dmarc_tally *tally);
const struct dmarc_tally_domain *dmarc_tally_at(const struct dmarc_tally *tally,
    size_t i);
/* Messages of domains beyond TALLY_DOMAINS_MAX. */
uint64_t dmarc_tally_left_out(const struct dmarc_tally *tally);

#endif
