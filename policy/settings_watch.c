/*
 * settings_watch.c - keeps the current snapshot fresh.
 *
 * A notice wakes the thread at once; because notices can be lost, it also
 * compares generations twice a second, so that a change is in force within
 * a second of its being stored.  When the store is away or its contents are
 * damaged, the snapshot in force stays.
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
#include "policy/settings.h"
#include "policy/settings_keys.h"

#define COMPARE_EVERY_MS 500

struct settings_watch {
	struct store *store;
	struct store_subscription *subscription;
	pthread_t thread;
	bool has_thread;
	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool noticed, stopping;
	struct settings *current;
	/* the thread's own */
	struct err trouble; /* as logged last; ERR_NONE: all is well */
};

static void
heard(void *context, struct bytes *message)
{
	struct settings_watch *watch = context;

	(void)message;
	pthread_mutex_lock(&watch->lock);
	watch->noticed = true;
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
}

/* Once for each trouble, not twice a second. */
static void
log_trouble(struct settings_watch *watch, const struct err *err)
{
	if (watch->trouble.kind == err->kind &&
	    (err->kind == ERR_TEMP ||
		strcmp(watch->trouble.text, err->text) == 0))
		return;
	watch->trouble = *err;
	log_error("settings cannot be read, those in force stay: %s",
	    err->text);
}

static void
log_loaded(struct settings_watch *watch, const struct settings *settings,
    int64_t start_ms)
{
	err_clear(&watch->trouble);
	log_info("settings generation=%llu domains=%zu load_ms=%lld",
	    (unsigned long long)settings_generation(settings),
	    settings_domain_count(settings),
	    (long long)(clock_mono_ms() - start_ms));
}

static void
swap(struct settings_watch *watch, struct settings *take_settings)
{
	struct settings *old;

	pthread_mutex_lock(&watch->lock);
	old = watch->current;
	watch->current = take_settings;
	pthread_mutex_unlock(&watch->lock);
	settings_unref(old);
}

/* Loads when the store has another generation.  Only this thread (before it
 * runs: the one that starts it) replaces current. */
static void
refresh(struct settings_watch *watch)
{
	int64_t start_ms = clock_mono_ms();
	struct settings *settings;
	struct err err;

	settings = settings_load(watch->store, watch->current, &err);
	if (settings == NULL) {
		log_trouble(watch, &err);
		return;
	}
	if (settings == watch->current) {
		settings_unref(settings);
		if (watch->trouble.kind != ERR_NONE)
			log_loaded(watch, watch->current, start_ms);
		return;
	}
	log_loaded(watch, settings, start_ms);
	swap(watch, settings);
}

/* Until a notice comes or it is time to compare; false: stop. */
static bool
wait_for_change(struct settings_watch *watch)
{
	struct timespec until =
	    clock_mono_timespec(clock_mono_ms() + COMPARE_EVERY_MS);
	bool go_on;

	pthread_mutex_lock(&watch->lock);
	while (!watch->noticed && !watch->stopping)
		if (pthread_cond_timedwait(&watch->wake, &watch->lock,
			&until) != 0)
			break;
	watch->noticed = false;
	go_on = !watch->stopping;
	pthread_mutex_unlock(&watch->lock);
	return go_on;
}

static void *
run(void *context)
{
	struct settings_watch *watch = context;

	while (wait_for_change(watch))
		refresh(watch);
	return NULL;
}

struct settings_watch *
settings_watch_start(struct store *store, struct err *err)
{
	struct settings_watch *watch = xcalloc(1, sizeof(*watch));

	watch->store = store;
	pthread_mutex_init(&watch->lock, NULL);
	clock_cond_init(&watch->wake);
	if (store == NULL) {
		watch->current = settings_new_empty();
		return watch;
	}
	refresh(watch);
	if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
		settings_watch_stop(watch);
		err_set(err, ERR_TEMP, "no thread for the settings");
		return NULL;
	}
	watch->has_thread = true;
	watch->subscription =
	    store_subscribe(store, SETTINGS_CHANNEL, heard, watch);
	return watch;
}

struct settings *
settings_watch_get(struct settings_watch *watch)
{
	struct settings *settings;

	pthread_mutex_lock(&watch->lock);
	settings = watch->current != NULL ? settings_ref(watch->current) : NULL;
	pthread_mutex_unlock(&watch->lock);
	return settings;
}

void
settings_watch_stop(struct settings_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->subscription != NULL)
		store_unsubscribe(watch->subscription);
	if (watch->has_thread) {
		pthread_mutex_lock(&watch->lock);
		watch->stopping = true;
		pthread_cond_signal(&watch->wake);
		pthread_mutex_unlock(&watch->lock);
		pthread_join(watch->thread, NULL);
	}
	settings_unref(watch->current);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}
