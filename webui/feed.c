/*
 * feed.c - the thread that feeds the history.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "base/store_conf.h"
#include "quarantine/history.h"

#include "webui/feed.h"

/* How long one call waits for events: the most that a stop takes. */
#define WAIT_MS 500
/* After a failure. */
#define RETRY_MS 1000
#define EXPIRE_EVERY_MS (86400 * (int64_t)1000)
/* The first time, when what is left over from a long absence has come in. */
#define EXPIRE_FIRST_MS (300 * (int64_t)1000)

struct feed {
	struct store *store;
	struct history *history;
	_Atomic unsigned days;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopped; /* stopping was set */
	bool stopping;
	bool failing; /* and it has been said */
	int64_t expire_ms, expired;
};

static bool
is_stopping(struct feed *feed)
{
	bool stopping;

	pthread_mutex_lock(&feed->lock);
	stopping = feed->stopping;
	pthread_mutex_unlock(&feed->lock);
	return stopping;
}

/* Sleeps, but not longer than until the stop. */
static void
rest(struct feed *feed, int64_t ms)
{
	struct timespec until = clock_mono_timespec(clock_mono_ms() + ms);

	pthread_mutex_lock(&feed->lock);
	while (!feed->stopping &&
	    pthread_cond_timedwait(&feed->stopped, &feed->lock, &until) !=
		ETIMEDOUT)
		continue;
	pthread_mutex_unlock(&feed->lock);
}

static void
note_failure(struct feed *feed, const struct err *err)
{
	if (!feed->failing)
		log_warn("history: waiting: %s", err->text);
	feed->failing = true;
}

static void
note_success(struct feed *feed)
{
	if (feed->failing)
		log_info("history: going on");
	feed->failing = false;
}

static void
expire(struct feed *feed)
{
	int64_t removed;
	struct err err;

	if (clock_mono_ms() < feed->expire_ms)
		return;
	removed = history_expire(feed->history, feed->days, &err);
	if (removed < 0) {
		log_error("history: old mails were not removed: %s", err.text);
		feed->expire_ms = clock_mono_ms() + EXPIRE_FIRST_MS;
		return;
	}
	feed->expired += removed;
	if (removed >= HISTORY_EXPIRE_MOST)
		return; /* there may be more */
	if (feed->expired > 0)
		log_info("history: removed %" PRId64 " mails older than %u "
			 "days",
		    feed->expired, feed->days);
	feed->expired = 0;
	feed->expire_ms = clock_mono_ms() + EXPIRE_EVERY_MS;
}

static void *
run(void *context)
{
	struct feed *feed = context;
	struct err err;

	feed->expire_ms = clock_mono_ms() + EXPIRE_FIRST_MS;
	while (!is_stopping(feed)) {
		if (history_consume(feed->history, feed->store, WAIT_MS, &err) <
		    0) {
			note_failure(feed, &err);
			rest(feed, RETRY_MS);
			continue;
		}
		note_success(feed);
		expire(feed);
	}
	return NULL;
}

static int
open_both(struct feed *feed, const struct conf *conf, struct err *err)
{
	char *file = xprintf("%s/history.db", conf->state_dir);

	feed->store = store_conf_open(conf, err);
	if (feed->store != NULL)
		feed->history = history_open(file, true, err);
	free(file);
	return feed->history != NULL ? 0 : -1;
}

static void
feed_free(struct feed *feed)
{
	history_close(feed->history);
	if (feed->store != NULL)
		store_close(feed->store);
	pthread_cond_destroy(&feed->stopped);
	pthread_mutex_destroy(&feed->lock);
	free(feed);
}

static void
init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct feed *
feed_start(const struct conf *conf, struct err *err)
{
	struct feed *feed = xcalloc(1, sizeof(*feed));
	int rc;

	pthread_mutex_init(&feed->lock, NULL);
	init_condition(&feed->stopped);
	feed->days = (unsigned)conf->history_days;
	if (open_both(feed, conf, err) < 0) {
		feed_free(feed);
		return NULL;
	}
	rc = pthread_create(&feed->thread, NULL, run, feed);
	if (rc == 0)
		return feed;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	feed_free(feed);
	return NULL;
}

void
feed_set_days(struct feed *feed, unsigned history_days)
{
	feed->days = history_days;
}

void
feed_stop(struct feed *feed)
{
	if (feed == NULL)
		return;
	pthread_mutex_lock(&feed->lock);
	feed->stopping = true;
	pthread_cond_signal(&feed->stopped);
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
	feed_free(feed);
}
