/*
 * missing.c - stands in for modules that are still to come: events are
 * dropped.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/arena.h"
#include "quarantine/events.h"

#include <jansson.h>

struct events *
events_open(struct store *store, const struct events_options *options,
    struct err *err)
{
	(void)store;
	(void)options;
	(void)err;
	return xcalloc(1, 1);
}

void
events_close(struct events *events)
{
	free(events);
}

void
events_send(struct events *events, json_t *take_event)
{
	(void)events;
	json_decref(take_event);
}
