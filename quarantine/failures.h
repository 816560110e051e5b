/*
 * failures.h - descriptions of DMARC failures (policy/failure.h) on their way
 * from the milters to the sidecar that reports them.
 *
 * A stream of its own, beside those of the events: it is no history, holds
 * parts of other people's mail, and is short (FAILURES_MAX entries, none
 * older than FAILURES_LIFE_S).  What it does not take is lost and counted.
 * An entry is taken by one reader, once; who dies behind that loses it:
 * a report goes at most once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_FAILURES_H
#define QUARANTINE_FAILURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;

#define FAILURES_MAX 500
#define FAILURES_LIFE_S 86400

/* How many of n were appended, the first of them first; fewer: *err says
 * why. */
size_t failures_append(struct store *store, size_t n, const struct bytes *texts,
    struct err *err);

/* How many there are, or -1. */
int64_t failures_count(struct store *store, struct err *err);

/* 1 with the oldest (heap, *len octets), which is gone from the store then;
 * 0 there is none; -1. */
int failures_take(struct store *store, char **text, size_t *len,
    struct err *err);

#endif
