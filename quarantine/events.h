/*
 * events.h - one event per final mailbox, from the milter to the history.
 *
 * Sent in batches by one writer thread and not awaited; when Redis is away
 * or the stream is over its ceiling they go to a bounded, checksummed spool
 * file in the state directory and are sent later under the same event id.
 *
 * An event is a JSON object; its fields are in doc/events.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_EVENTS_H
#define QUARANTINE_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

#define EVENT_SHARDS 16

struct events;
struct store;

struct events_options {
	const char *spool_file; /* NULL: no spool; one process a file */
	uint64_t spool_max;     /* bytes */
	uint64_t stream_max;    /* entries a shard; 0: 200,000 */
};

/* store NULL (redis = none): events are counted and dropped.  NULL: the
 * spool file cannot be had (ERR_CONFIG), or no thread (ERR_TEMP). */
struct events *events_open(struct store *store,
    const struct events_options *options, struct err *err);
/* Sends or spools what is queued, then stops the thread. */
void events_close(struct events *events);

/* Takes the reference to event; its strings need not outlive the call.
 * Never blocks on the store.  The mail is event "id" (message id + "." +
 * number). */
void events_send(struct events *events, json_t *take_event);

/*
 * The same for the description of a DMARC failure (quarantine/failures.h).
 * It is no event: what cannot be sent now is lost and counted, and never
 * written to the disk.
 */
void events_send_failure(struct events *events, json_t *take_failure);

struct events_stats {
	uint64_t sent;          /* into the streams */
	uint64_t spooled;       /* written to the file, sent since or not */
	uint64_t dropped;       /* lost: the file was full, or there is none */
	uint64_t queued;        /* now in memory */
	uint64_t spool_bytes;   /* now in the file */
	uint64_t failures;      /* described and sent */
	uint64_t failures_lost; /* described and lost */
};
void events_get_stats(struct events *events, struct events_stats *out);

/* 0..15 by message id. */
unsigned event_shard(const char *message_id);

#endif
