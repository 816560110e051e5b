/*
 * release_worker.c - sends what is to be delivered beside a transaction.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/settings.h"
#include "quarantine/release_impl.h"

#define ACTOR "system"
#define ROUND_MAX 50
/* Nobody wakes us for what another process wrote, or for an entry whose
 * pause is over. */
#define LOOK_EVERY_MS 5000

struct release_worker {
	struct release *release;
	struct settings *(*settings)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t cond;
	bool woken;
	bool stopping;
};

static bool
is_stopping(struct release_worker *worker)
{
	bool stopping;

	pthread_mutex_lock(&worker->lock);
	stopping = worker->stopping;
	pthread_mutex_unlock(&worker->lock);
	return stopping;
}

/* Delivers what is due.  Returns true when there may be more at once. */
static bool
deliver_due(struct release_worker *worker, const struct settings *settings)
{
	struct held_ref refs[ROUND_MAX];
	struct arena *arena = arena_new(0);
	enum held_state state;
	struct err err = { ERR_NONE, "" };
	size_t i, n = 0, delivered = 0;

	if (release_due(worker->release, arena, ROUND_MAX, refs, &n, &err) < 0)
		log_debug("to-deliver entries cannot be looked up: %s",
		    err.text);
	/* Each attempt that fails makes its own entry wait, so that none can
	 * stand in the way of the others. */
	for (i = 0; i < n && !is_stopping(worker); i++)
		if (release_entry(worker->release, settings, RELEASE_FOR_WORKER,
			refs[i].id, refs[i].domain, ACTOR, false, &state,
			&err) == 1)
			delivered++;
	arena_free(arena);
	return n == ROUND_MAX && delivered > 0;
}

/* Sleeps until woken, or for a while; true to go on. */
static bool
rest(struct release_worker *worker)
{
	struct timespec until =
	    clock_mono_timespec(clock_mono_ms() + LOOK_EVERY_MS);
	bool stopping;

	pthread_mutex_lock(&worker->lock);
	while (!worker->woken && !worker->stopping &&
	    pthread_cond_timedwait(&worker->cond, &worker->lock, &until) == 0)
		continue;
	worker->woken = false;
	stopping = worker->stopping;
	pthread_mutex_unlock(&worker->lock);
	return !stopping;
}

static void *
work(void *context)
{
	struct release_worker *worker = context;
	struct settings *settings;
	bool more = false;

	while (more ? !is_stopping(worker) : rest(worker)) {
		settings = worker->settings(worker->context);
		more = settings != NULL && deliver_due(worker, settings);
		if (settings != NULL)
			settings_unref(settings);
	}
	return NULL;
}

struct release_worker *
release_worker_start(struct release *release,
    struct settings *(*settings)(void *context), void *context)
{
	struct release_worker *worker = xcalloc(1, sizeof(*worker));

	worker->release = release;
	worker->settings = settings;
	worker->context = context;
	worker->woken = true; /* there may be some from before */
	pthread_mutex_init(&worker->lock, NULL);
	clock_cond_init(&worker->cond);
	if (pthread_create(&worker->thread, NULL, work, worker) == 0)
		return worker;
	pthread_cond_destroy(&worker->cond);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
	return NULL;
}

static void
set_and_signal(struct release_worker *worker, bool *flag)
{
	pthread_mutex_lock(&worker->lock);
	*flag = true;
	pthread_cond_signal(&worker->cond);
	pthread_mutex_unlock(&worker->lock);
}

void
release_worker_wake(struct release_worker *worker)
{
	set_and_signal(worker, &worker->woken);
}

void
release_worker_stop(struct release_worker *worker)
{
	if (worker == NULL)
		return;
	set_and_signal(worker, &worker->stopping);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->cond);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
