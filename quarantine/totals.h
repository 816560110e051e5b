/*
 * totals.h - how much is held, and how much is on its way: for those who
 * watch the machine.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_TOTALS_H
#define QUARANTINE_TOTALS_H

#include <stdint.h>

#include "base/err.h"

struct store;

/* So many domains are looked at; more are counted only. */
#define TOTALS_DOMAINS_MAX 2000

struct quarantine_totals {
	uint64_t domains;    /* with entries, or a few days ago */
	uint64_t entries;    /* in any state */
	uint64_t bytes;      /* that they count against hold_domain_max */
	uint64_t to_deliver; /* that wait for the release machinery */
	uint64_t events;     /* in the streams, read or not */
};

/* Safe from any thread; 0, -1. */
/* Of one domain: entries, bytes and to_deliver. */
int quarantine_domain_totals(struct store *store, const char *domain,
    struct quarantine_totals *out, struct err *err);
int quarantine_totals(struct store *store, struct quarantine_totals *out,
    struct err *err);

#endif
