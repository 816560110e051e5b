/*
 * event_stream.h - events into the streams, many at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_EVENT_STREAM_H
#define QUARANTINE_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store;

struct event_item {
	unsigned shard;
	struct bytes text; /* JSON */
	bool sent;         /* out */
};

/*
 * Appends all items of each shard in one step, in their order; items that
 * are sent already are passed over.  A shard over `most` entries takes
 * nothing.  Returns how many are sent now; fewer than were to be sent means
 * that *err says why (ERR_TEMP away, ERR_LIMIT full).
 */
size_t event_stream_append(struct store *store, uint64_t most, size_t n,
    struct event_item *items, struct err *err);

#endif
