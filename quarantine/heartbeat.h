/*
 * heartbeat.h - what each milter tells of itself, through the store.
 *
 * Every few seconds a milter writes a snapshot of its counters under a key
 * that soon expires; pages and /metrics read those of all milters.  A
 * milter without a heartbeat is dead, or cannot reach Redis.
 *
 * What is read may have been written by anybody: it is bounded in size and
 * number, and only what our own tables name is taken over.
 *
 * Keys: doc/redis-keys.md.  All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HEARTBEAT_H
#define QUARANTINE_HEARTBEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/metrics.h"

struct store;

/* How often, and how long one counts. */
#define HEARTBEAT_PERIOD_MS 5000
#define HEARTBEAT_LIFE_MS 30000
/* So many milters are looked at, the newest first. */
#define HEARTBEAT_MAX 64

/* ---- what a milter counts (heartbeat_metrics.c) ---- */

enum milter_metric {
	MILTER_START_TIME,
	MILTER_CPU_TIME,
	MILTER_MEMORY,
	MILTER_OPEN_FILES,
	MILTER_DRAINING,
	MILTER_SETTINGS_GENERATION,
	MILTER_SESSIONS_TOTAL,
	MILTER_SESSIONS,
	MILTER_TURNED_AWAY,
	MILTER_TRANSACTIONS,
	MILTER_MESSAGES,
	MILTER_VERDICTS, /* enum main_class, enum status */
	MILTER_RECIPIENTS,
	MILTER_REFUSED,
	MILTER_UNLISTED,
	MILTER_RELEASED,
	MILTER_END_OF_MESSAGE,
	MILTER_PART, /* enum milter_part */
	MILTER_WAITS_TOTAL,
	MILTER_WAITS,
	MILTER_WAITS_REFUSED,
	MILTER_HOLDS,
	MILTER_HOLD_FAILURES,
	MILTER_DNS_QUESTIONS,
	MILTER_DNS_CACHE_HITS,
	MILTER_DNS_QUERIES,
	MILTER_DNS_FAILURES,
	MILTER_DNS_TIMEOUTS,
	MILTER_DNS_CACHED,
	MILTER_REDIS_UP,
	MILTER_REDIS_CALLS,
	MILTER_REDIS_FAILURES,
	MILTER_REDIS_TURNED_AWAY,
	MILTER_EVENTS_SENT,
	MILTER_EVENTS_SPOOLED,
	MILTER_EVENTS_DROPPED,
	MILTER_EVENTS_QUEUED,
	MILTER_SPOOL_BYTES,
	MILTER_FAILURES,
	MILTER_FAILURES_LOST,
	MILTER_METRIC_COUNT
};

/* Of the time that a message takes us: first the checks, by enum check_id
 * of policy/scan.h (what they compute, not what they wait for). */
enum milter_part {
	PART_CHECKS = 0,
	PART_DNS_WAIT = 6, /* at the end of message */
	PART_JUDGE,        /* verdicts and plan */
	PART_HOLD,         /* held mail into Redis */
	PART_WRITE_BACK,   /* edits and reply to the MTA */
	PART_COUNT
};

extern const struct metric_table milter_metrics;

/* ---- telling ---- */

struct heartbeat_self {
	const char *host;
	int64_t pid;
	const char *version;
};

int heartbeat_send(struct store *store, const struct heartbeat_self *self,
    const struct metrics *metrics, struct err *err);
/* At the end: we are gone, nobody has to wait until it expires. */
void heartbeat_stop(struct store *store, const struct heartbeat_self *self);

/* ---- hearing ---- */

struct heartbeat {
	const char *host; /* a name's characters only */
	const char *version;
	int64_t pid;
	int64_t sent_ms; /* by the clock of the milter */
	struct metrics *metrics;
};

/* Newest first; the array and its texts lie in the arena, the metrics are
 * freed by heartbeat_free.  0, -1. */
int heartbeat_list(struct store *store, struct arena *arena,
    struct heartbeat **list, size_t *n, struct err *err);
void heartbeat_free(struct heartbeat *list, size_t n);

/* ---- the snapshot as text ---- */

/* As it stands in the store; in the arena. */
const char *heartbeat_format(struct arena *arena,
    const struct heartbeat_self *self, const struct metrics *metrics);
/* version, sent_ms and metrics of text; -1: it is no snapshot. */
int heartbeat_parse(struct arena *arena, struct bytes text,
    struct heartbeat *heartbeat, struct err *err);

#endif
