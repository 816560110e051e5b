/*
 * events.c - events on their way into the streams.
 *
 * Callers put text into a queue in memory; one thread sends it in batches,
 * and what the store does not take it puts into the spool file, from where
 * it is sent when the store is back.  A queue that is full (the thread
 * waits for a store that hangs) makes callers write to the file themselves:
 * the disk, never the store, is all that they may have to wait for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "policy/failure.h"
#include "quarantine/event_spool.h"
#include "quarantine/event_stream.h"
#include "quarantine/events.h"
#include "quarantine/failures.h"

#define STREAM_MAX_DEFAULT 200000
#define BATCH_MAX 256
#define QUEUE_MAX 20000
#define QUEUE_BYTES_MAX ((size_t)32 * 1024 * 1024)
/* The spool is tried again after this, doubled each time it failed. */
#define BACKOFF_FIRST_MS 200
#define BACKOFF_MAX_MS 5000
#define ALARM_MS 60000
/* The file is looked at now and then: callers write to it, too. */
#define IDLE_MS 5000

/* Not a shard of events: descriptions of failures. */
#define SHARD_FAILURES EVENT_SHARDS

struct event {
	struct event *next;
	unsigned shard;
	struct bytes text;
};

struct events {
	struct store *store;
	struct event_spool *spool;
	uint64_t stream_max;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	pthread_t thread;
	bool ending;
	struct event *first, **last;
	size_t queue_bytes;
	struct events_stats stats;
	int64_t alarm_ms; /* when loss was last told of */
	bool spooling;    /* it was told that events go to the file */
	/* of the thread */
	int64_t drain_ms; /* not before: monotonic */
	unsigned backoff_ms;
};

static void
event_free(struct event *event)
{
	free((char *)event->text.data);
	free(event);
}

static void
count(struct events *events, uint64_t *counter, uint64_t n)
{
	pthread_mutex_lock(&events->lock);
	*counter += n;
	pthread_mutex_unlock(&events->lock);
}

/* ---- when the store does not take them ---- */

/* Said once a minute: judging goes on, the record has holes. */
static void
lose(struct events *events, size_t n, const struct err *why)
{
	int64_t now = clock_mono_ms();
	bool say;
	uint64_t total;

	pthread_mutex_lock(&events->lock);
	events->stats.dropped += n;
	total = events->stats.dropped;
	say = events->alarm_ms == 0 || now - events->alarm_ms > ALARM_MS;
	if (say)
		events->alarm_ms = now;
	pthread_mutex_unlock(&events->lock);
	if (say)
		log_error("events are lost, %llu so far: %s",
		    (unsigned long long)total, why->text);
}

static void
spool(struct events *events, size_t n, const struct bytes *texts,
    const struct err *why)
{
	struct err err;
	bool say;

	if (n == 0)
		return;
	if (events->spool == NULL) {
		lose(events, n, why);
		return;
	}
	if (event_spool_append(events->spool, n, texts, &err) < 0) {
		lose(events, n, &err);
		return;
	}
	pthread_mutex_lock(&events->lock);
	events->stats.spooled += n;
	say = !events->spooling;
	events->spooling = true;
	pthread_mutex_unlock(&events->lock);
	if (say)
		log_warn("events go to the spool file: %s", why->text);
}

/* Once the file is empty again. */
static void
all_sent(struct events *events)
{
	bool say;

	pthread_mutex_lock(&events->lock);
	say = events->spooling;
	events->spooling = false;
	pthread_mutex_unlock(&events->lock);
	if (say)
		log_info("all spooled events are sent");
}

/* ---- the queue ---- */

/* Under the lock.  How many, up to a batch. */
static size_t
take_batch(struct events *events, struct event *batch[BATCH_MAX])
{
	size_t n = 0;

	while (n < BATCH_MAX && events->first != NULL) {
		struct event *event = events->first;

		events->first = event->next;
		if (events->first == NULL)
			events->last = &events->first;
		events->queue_bytes -= event->text.len;
		events->stats.queued--;
		batch[n++] = event;
	}
	return n;
}

/* What cannot go now is lost: a report is not worth keeping other people's
 * mail for. */
static void
send_failures(struct events *events, size_t n, struct event *const *batch)
{
	struct bytes texts[BATCH_MAX];
	struct err err = { 0 };
	size_t sent, count_all = 0, i;

	for (i = 0; i < n; i++)
		if (batch[i]->shard == SHARD_FAILURES)
			texts[count_all++] = batch[i]->text;
	if (count_all == 0)
		return;
	sent = failures_append(events->store, count_all, texts, &err);
	count(events, &events->stats.failures, sent);
	count(events, &events->stats.failures_lost, count_all - sent);
	if (sent < count_all)
		log_debug("failure reports are lost: %s", err.text);
}

static void
send_batch(struct events *events, size_t n, struct event *const *batch)
{
	struct event_item items[BATCH_MAX];
	struct bytes unsent[BATCH_MAX];
	struct err err = { 0 };
	size_t left = 0, all = 0, i;

	for (i = 0; i < n; i++)
		if (batch[i]->shard != SHARD_FAILURES)
			items[all++] = (struct event_item){ batch[i]->shard,
				batch[i]->text, false };
	(void)event_stream_append(events->store, events->stream_max, all, items,
	    &err);
	for (i = 0; i < all; i++)
		if (!items[i].sent)
			unsent[left++] = items[i].text;
	count(events, &events->stats.sent, all - left);
	spool(events, left, unsent, &err);
	send_failures(events, n, batch);
	/* A batch is on the disk before the next is begun. */
	if (left > 0 && events->spool != NULL &&
	    event_spool_sync(events->spool, &err) < 0)
		log_warn("%s", err.text);
}

/* ---- the spool ---- */

static void
drain_later(struct events *events)
{
	unsigned next = events->backoff_ms * 2;

	events->backoff_ms = next == 0 ? BACKOFF_FIRST_MS
	    : next > BACKOFF_MAX_MS    ? BACKOFF_MAX_MS
				       : next;
	events->drain_ms = clock_mono_ms() + events->backoff_ms;
}

/* The shard of an event that was read: by its id, as when it was made. */
static unsigned
shard_of_text(struct bytes text)
{
	json_t *event = json_loadb(text.data, text.len, 0, NULL);
	const char *id = json_string_value(json_object_get(event, "id"));
	unsigned shard = event_shard(id != NULL ? id : "");

	json_decref(event);
	return shard;
}

/* A batch from the front of the file: those of a stream at its ceiling go
 * to the end, so that they do not keep up the others. */
static int
drain_batch(struct events *events, struct arena *arena, struct err *err)
{
	struct event_item items[BATCH_MAX];
	struct bytes texts[BATCH_MAX];
	size_t n, sent, left = 0, i;
	uint64_t end;

	if (event_spool_read(events->spool, arena, BATCH_MAX, texts, &n, &end,
		err) < 0)
		return -1;
	for (i = 0; i < n; i++)
		items[i] = (struct event_item){ shard_of_text(texts[i]),
			texts[i], false };
	sent = event_stream_append(events->store, events->stream_max, n, items,
	    err);
	if (n > 0 && sent == 0)
		return -1;
	for (i = 0; i < n; i++)
		if (!items[i].sent)
			texts[left++] = texts[i];
	if (event_spool_advance(events->spool, end, left, texts, err) < 0)
		return -1;
	count(events, &events->stats.sent, sent);
	return left > 0 ? -1 : 0;
}

static bool
has_spooled(struct events *events)
{
	return events->spool != NULL && event_spool_bytes(events->spool) > 0;
}

static void
drain(struct events *events)
{
	struct arena *arena;
	struct err err = { 0 };

	if (!has_spooled(events) || clock_mono_ms() < events->drain_ms)
		return;
	arena = arena_new(65536);
	if (drain_batch(events, arena, &err) == 0) {
		events->backoff_ms = 0;
		if (!has_spooled(events))
			all_sent(events);
	} else {
		log_debug("spooled events wait: %s", err.text);
		drain_later(events);
	}
	arena_free(arena);
}

/* ---- the thread ---- */

/* Until there is something to do; false at the end. */
static bool
await_work(struct events *events, struct event *batch[BATCH_MAX], size_t *n)
{
	struct timespec until = clock_mono_timespec(
	    has_spooled(events) ? events->drain_ms : clock_mono_ms() + IDLE_MS);
	bool ending;
	int rc = 0;

	pthread_mutex_lock(&events->lock);
	while (events->first == NULL && !events->ending && rc == 0)
		rc = pthread_cond_timedwait(&events->changed, &events->lock,
		    &until);
	*n = take_batch(events, batch);
	ending = events->ending;
	pthread_mutex_unlock(&events->lock);
	return *n > 0 || !ending;
}

static void *
events_thread(void *arg)
{
	struct events *events = arg;
	struct event *batch[BATCH_MAX];
	size_t n, i;

	while (await_work(events, batch, &n)) {
		send_batch(events, n, batch);
		for (i = 0; i < n; i++)
			event_free(batch[i]);
		drain(events);
	}
	return NULL;
}

/* ---- outside ---- */

static int
open_spool(struct events *events, const struct events_options *options,
    struct err *err)
{
	if (options->spool_file == NULL || events->store == NULL)
		return 0;
	events->spool =
	    event_spool_open(options->spool_file, options->spool_max, err);
	return events->spool != NULL ? 0 : -1;
}

struct events *
events_open(struct store *store, const struct events_options *options,
    struct err *err)
{
	struct events *events = xcalloc(1, sizeof(*events));
	pthread_condattr_t attr;

	events->store = store;
	events->stream_max =
	    options->stream_max > 0 ? options->stream_max : STREAM_MAX_DEFAULT;
	events->last = &events->first;
	if (open_spool(events, options, err) < 0) {
		free(events);
		return NULL;
	}
	pthread_mutex_init(&events->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&events->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (store == NULL ||
	    pthread_create(&events->thread, NULL, events_thread, events) == 0)
		return events;
	err_set(err, ERR_TEMP, "the thread for events did not start");
	event_spool_close(events->spool);
	free(events);
	return NULL;
}

void
events_close(struct events *events)
{
	if (events == NULL)
		return;
	pthread_mutex_lock(&events->lock);
	events->ending = true;
	pthread_cond_broadcast(&events->changed);
	pthread_mutex_unlock(&events->lock);
	if (events->store != NULL)
		pthread_join(events->thread, NULL);
	event_spool_close(events->spool);
	pthread_cond_destroy(&events->changed);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

/* Takes text. */
static bool
enqueue(struct events *events, unsigned shard, struct bytes take_text)
{
	struct event *event;

	pthread_mutex_lock(&events->lock);
	if (events->stats.queued >= QUEUE_MAX ||
	    events->queue_bytes + take_text.len > QUEUE_BYTES_MAX) {
		pthread_mutex_unlock(&events->lock);
		return false;
	}
	event = xcalloc(1, sizeof(*event));
	event->shard = shard;
	event->text = take_text;
	*events->last = event;
	events->last = &event->next;
	events->queue_bytes += take_text.len;
	events->stats.queued++;
	pthread_cond_signal(&events->changed);
	pthread_mutex_unlock(&events->lock);
	return true;
}

void
events_send(struct events *events, json_t *take_event)
{
	const char *id = json_string_value(json_object_get(take_event, "id"));
	unsigned shard = event_shard(id != NULL ? id : "");
	struct err full;
	struct bytes text;
	char *data;

	if (events->store == NULL) {
		count(events, &events->stats.dropped, 1);
		json_decref(take_event);
		return;
	}
	data = json_dumps(take_event, JSON_COMPACT);
	json_decref(take_event);
	text = bytes_of(data != NULL ? data : "");
	if (data == NULL || text.len > EVENT_TEXT_MAX) {
		err_set(&full, ERR_LIMIT, "an event of %zu bytes", text.len);
		lose(events, 1, &full);
		free(data);
		return;
	}
	if (enqueue(events, shard, text))
		return;
	err_set(&full, ERR_LIMIT, "the queue of events is full");
	spool(events, 1, &text, &full);
	free(data);
}

void
events_send_failure(struct events *events, json_t *take_failure)
{
	char *data = events->store != NULL
	    ? json_dumps(take_failure, JSON_COMPACT)
	    : NULL;
	struct bytes text = bytes_of(data != NULL ? data : "");

	json_decref(take_failure);
	if (data != NULL && text.len <= FAILURE_TEXT_MAX &&
	    enqueue(events, SHARD_FAILURES, text))
		return;
	count(events, &events->stats.failures_lost, 1);
	free(data);
}

void
events_get_stats(struct events *events, struct events_stats *out)
{
	pthread_mutex_lock(&events->lock);
	*out = events->stats;
	pthread_mutex_unlock(&events->lock);
	out->spool_bytes =
	    events->spool != NULL ? event_spool_bytes(events->spool) : 0;
}
