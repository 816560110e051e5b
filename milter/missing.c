/*
 * missing.c - stands in for modules that are still to come: what would be
 * held is deferred, events are dropped.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/arena.h"
#include "quarantine/events.h"
#include "quarantine/quarantine.h"
#include "quarantine/release.h"

#include <jansson.h>

struct quarantine *
quarantine_open(struct store *store, const struct quarantine_options *options)
{
	(void)store;
	(void)options;
	return NULL;
}

void
quarantine_close(struct quarantine *quarantine)
{
	(void)quarantine;
}

int
quarantine_put(struct quarantine *quarantine, const struct hold_mail *mail,
    size_t n, struct hold_entry *entries, enum quarantine_full *full,
    struct err *err)
{
	(void)quarantine;
	(void)mail;
	(void)n;
	(void)entries;
	*full = FULL_NOT;
	return err_set(err, ERR_TEMP, "the store is still to come");
}

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

struct release *
release_open(struct quarantine *quarantine, struct events *events,
    const struct release_options *options)
{
	(void)quarantine;
	(void)events;
	(void)options;
	return NULL;
}

void
release_close(struct release *release)
{
	(void)release;
}

bool
release_header_check(const struct settings *settings, struct bytes value,
    const char *recipient, const uint8_t hash[32])
{
	(void)settings;
	(void)value;
	(void)recipient;
	(void)hash;
	return false;
}

struct release_worker *
release_worker_start(struct release *release,
    struct settings *(*settings)(void *context), void *context)
{
	(void)release;
	(void)settings;
	(void)context;
	return xcalloc(1, 1);
}

void
release_worker_wake(struct release_worker *worker)
{
	(void)worker;
}

void
release_worker_stop(struct release_worker *worker)
{
	free(worker);
}
