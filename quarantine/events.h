/*
 * events.h - one event per final mailbox, from the milter to the history.
 *
 * Sent in batches by one writer thread and not awaited; when Redis is away
 * or the stream is over its ceiling they go to a bounded, checksummed spool
 * file in the state directory and are sent later under the same event id.
 *
 * An event is a JSON object; its fields are in doc/redis-keys.md.
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
	const char *spool_file; /* NULL: no spool */
	uint64_t spool_max;     /* bytes */
	uint64_t stream_max;    /* entries a shard; 0: 200,000 */
};

/* store NULL (redis = none): events are counted and dropped. */
struct events *events_open(struct store *store,
    const struct events_options *options, struct err *err);
/* Sends or spools what is queued, then stops the thread. */
void events_close(struct events *events);

/* Takes the reference to event.  Never blocks on the store.  The id is
 * event "id" (message id + "." + number). */
void events_send(struct events *events, json_t *take_event);

struct events_stats {
	uint64_t sent, spooled, dropped, queued, spool_bytes;
};
void events_get_stats(struct events *events, struct events_stats *out);

/* 0..15 by message id. */
unsigned event_shard(const char *message_id);

#endif
