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
/* Nobody tells us of what another process left behind, or of an entry whose
 * pause is over. */
#define LOOK_EVERY_MS 5000
/* More than that we were told of are left until they are due. */
#define TOLD_MAX 10000

struct told {
	struct told *next;
	int64_t at_ms; /* monotonic */
	char *held_id;
	char *domain;
};

struct release_worker {
	struct release *release;
	struct settings *(*settings)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t cond;
	struct told *told; /* by at_ms */
	size_t told_count;
	bool stopping;
};

static void
told_free(struct told *told)
{
	free(told->held_id);
	free(told->domain);
	free(told);
}

/* The next one whose time has come, or NULL: none, or we are to stop. */
static struct told *
take_told(struct release_worker *worker)
{
	struct told *told;

	pthread_mutex_lock(&worker->lock);
	told = worker->told;
	if (worker->stopping || (told != NULL && told->at_ms > clock_mono_ms()))
		told = NULL;
	if (told != NULL) {
		worker->told = told->next;
		worker->told_count--;
	}
	pthread_mutex_unlock(&worker->lock);
	return told;
}

static bool
is_stopping(struct release_worker *worker)
{
	bool stopping;

	pthread_mutex_lock(&worker->lock);
	stopping = worker->stopping;
	pthread_mutex_unlock(&worker->lock);
	return stopping;
}

/* What cannot be delivered now is due later; the lease keeps others from
 * sending it too. */
static void
deliver_told(struct release_worker *worker, const struct settings *settings)
{
	enum held_state state;
	struct told *told;

	while ((told = take_told(worker)) != NULL) {
		(void)release_entry(worker->release, settings,
		    RELEASE_FOR_WORKER, told->held_id, told->domain, ACTOR,
		    false, &state, NULL);
		told_free(told);
	}
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

/* Sleeps for a while, or until there is something to be sent; true to go
 * on. */
static bool
rest(struct release_worker *worker)
{
	int64_t look_ms = clock_mono_ms() + LOOK_EVERY_MS, until_ms;
	struct timespec until;
	bool stopping;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		until_ms = look_ms;
		if (worker->told != NULL && worker->told->at_ms < look_ms)
			until_ms = worker->told->at_ms;
		if (worker->stopping || clock_mono_ms() >= until_ms)
			break;
		until = clock_mono_timespec(until_ms);
		(void)pthread_cond_timedwait(&worker->cond, &worker->lock,
		    &until);
	}
	stopping = worker->stopping;
	pthread_mutex_unlock(&worker->lock);
	return !stopping;
}

static void *
work(void *context)
{
	struct release_worker *worker = context;
	struct settings *settings;
	bool more = true; /* there may be some from before */

	while (more ? !is_stopping(worker) : rest(worker)) {
		settings = worker->settings(worker->context);
		if (settings == NULL) {
			more = false;
			continue;
		}
		deliver_told(worker, settings);
		more = deliver_due(worker, settings);
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
	pthread_mutex_init(&worker->lock, NULL);
	clock_cond_init(&worker->cond);
	if (pthread_create(&worker->thread, NULL, work, worker) == 0)
		return worker;
	pthread_cond_destroy(&worker->cond);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
	return NULL;
}

/* Behind those whose time comes no later: mostly the last. */
static void
insert(struct release_worker *worker, struct told *told)
{
	struct told **at = &worker->told;

	while (*at != NULL && (*at)->at_ms <= told->at_ms)
		at = &(*at)->next;
	told->next = *at;
	*at = told;
	worker->told_count++;
}

void
release_worker_tell(struct release_worker *worker, const char *held_id,
    const char *domain, unsigned after_ms)
{
	struct told *told;

	pthread_mutex_lock(&worker->lock);
	if (worker->told_count < TOLD_MAX) {
		told = xcalloc(1, sizeof(*told));
		told->at_ms = clock_mono_ms() + after_ms;
		told->held_id = xstrdup(held_id);
		told->domain = xstrdup(domain);
		insert(worker, told);
		pthread_cond_signal(&worker->cond);
	}
	pthread_mutex_unlock(&worker->lock);
}

void
release_worker_stop(struct release_worker *worker)
{
	struct told *told;

	if (worker == NULL)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->cond);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	while ((told = worker->told) != NULL) {
		worker->told = told->next;
		told_free(told);
	}
	pthread_cond_destroy(&worker->cond);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
