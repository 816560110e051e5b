/*
 * pulse.c - a thread that tells every few seconds how the milter fares.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dns.h"
#include "base/log.h"
#include "base/process.h"
#include "base/store.h"
#include "policy/settings.h"
#include "quarantine/events.h"
#include "quarantine/heartbeat.h"

#include "milter/daemon.h"
#include "milter/pulse.h"

struct pulse {
	struct daemon *daemon;
	struct heartbeat_self self;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stopping;
	bool failing; /* and it has been said */
};

/* ---- what others count ---- */

static void
set(struct daemon *daemon, enum milter_metric which, uint64_t value)
{
	metrics_set(daemon->metrics, which, 0, 0, value);
}

static void
collect_counters(struct daemon *daemon)
{
	const struct counters *counters = &daemon->counters;

	set(daemon, MILTER_SESSIONS_TOTAL, counters->sessions);
	set(daemon, MILTER_TURNED_AWAY, counters->turned_away);
	set(daemon, MILTER_MESSAGES, counters->messages);
	set(daemon, MILTER_RECIPIENTS, counters->recipients);
	set(daemon, MILTER_REFUSED, counters->refused);
	set(daemon, MILTER_UNLISTED, counters->unlisted);
	set(daemon, MILTER_RELEASED, counters->released);
	set(daemon, MILTER_WAITS_TOTAL, counters->waits);
	set(daemon, MILTER_WAITS_REFUSED, counters->waits_refused);
	set(daemon, MILTER_HOLDS, counters->holds);
	set(daemon, MILTER_HOLD_FAILURES, counters->hold_failures);
	set(daemon, MILTER_SESSIONS, daemon->sessions_open);
	set(daemon, MILTER_TRANSACTIONS, daemon->transactions);
	set(daemon, MILTER_WAITS, daemon->waiting);
	set(daemon, MILTER_DRAINING, daemon->draining);
}

static void
collect_dns(struct daemon *daemon)
{
	struct dns_stats stats;

	dns_get_stats(daemon->dns, &stats);
	set(daemon, MILTER_DNS_QUESTIONS, stats.asked);
	set(daemon, MILTER_DNS_CACHE_HITS, stats.cache_hits);
	set(daemon, MILTER_DNS_QUERIES, stats.queries);
	set(daemon, MILTER_DNS_FAILURES, stats.failures);
	set(daemon, MILTER_DNS_TIMEOUTS, stats.timeouts);
	set(daemon, MILTER_DNS_CACHED, stats.cached);
}

static void
collect_store(struct daemon *daemon)
{
	struct store_stats store;
	struct events_stats events;

	store_get_stats(daemon->store, &store);
	set(daemon, MILTER_REDIS_UP, store_is_up(daemon->store));
	set(daemon, MILTER_REDIS_CALLS, store.calls);
	set(daemon, MILTER_REDIS_FAILURES, store.failures);
	set(daemon, MILTER_REDIS_TURNED_AWAY, store.turned_away);
	events_get_stats(daemon->events, &events);
	set(daemon, MILTER_EVENTS_SENT, events.sent);
	set(daemon, MILTER_EVENTS_SPOOLED, events.spooled);
	set(daemon, MILTER_EVENTS_DROPPED, events.dropped);
	set(daemon, MILTER_EVENTS_QUEUED, events.queued);
	set(daemon, MILTER_SPOOL_BYTES, events.spool_bytes);
	set(daemon, MILTER_FAILURES, events.failures);
	set(daemon, MILTER_FAILURES_LOST, events.failures_lost);
}

static void
collect_settings(struct daemon *daemon)
{
	struct settings *settings = daemon_settings(daemon);

	set(daemon, MILTER_SETTINGS_GENERATION,
	    settings != NULL ? settings_generation(settings) : 0);
	settings_unref(settings);
}

static void
collect_process(struct daemon *daemon)
{
	struct process_usage usage;

	process_get_usage(&usage);
	set(daemon, MILTER_CPU_TIME, usage.cpu_ms);
	set(daemon, MILTER_MEMORY, usage.resident_bytes);
	set(daemon, MILTER_OPEN_FILES, usage.open_files);
}

/* ---- the thread ---- */

static void
beat(struct pulse *pulse)
{
	struct daemon *daemon = pulse->daemon;
	struct err err;

	collect_counters(daemon);
	collect_dns(daemon);
	collect_store(daemon);
	collect_settings(daemon);
	collect_process(daemon);
	if (heartbeat_send(daemon->store, &pulse->self, daemon->metrics,
		&err) == 0) {
		pulse->failing = false;
		return;
	}
	if (!pulse->failing)
		log_warn("the heartbeat was not sent: %s", err.text);
	pulse->failing = true;
}

static void *
run(void *context)
{
	struct pulse *pulse = context;
	struct timespec until;

	pthread_mutex_lock(&pulse->lock);
	while (!pulse->stopping) {
		pthread_mutex_unlock(&pulse->lock);
		beat(pulse);
		until =
		    clock_mono_timespec(clock_mono_ms() + HEARTBEAT_PERIOD_MS);
		pthread_mutex_lock(&pulse->lock);
		while (!pulse->stopping &&
		    pthread_cond_timedwait(&pulse->changed, &pulse->lock,
			&until) == 0)
			continue;
	}
	pthread_mutex_unlock(&pulse->lock);
	return NULL;
}

static void
pulse_free(struct pulse *pulse)
{
	pthread_cond_destroy(&pulse->changed);
	pthread_mutex_destroy(&pulse->lock);
	free(pulse);
}

struct pulse *
pulse_start(struct daemon *daemon, struct err *err)
{
	struct pulse *pulse = xcalloc(1, sizeof(*pulse));
	int rc;

	pulse->daemon = daemon;
	pulse->self = (struct heartbeat_self){ daemon->hostname, getpid(),
		PACKAGE_VERSION };
	set(daemon, MILTER_START_TIME, (uint64_t)clock_wall_ms());
	pthread_mutex_init(&pulse->lock, NULL);
	clock_cond_init(&pulse->changed);
	rc = pthread_create(&pulse->thread, NULL, run, pulse);
	if (rc == 0)
		return pulse;
	err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	pulse_free(pulse);
	return NULL;
}

void
pulse_stop(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	pthread_mutex_lock(&pulse->lock);
	pulse->stopping = true;
	pthread_cond_signal(&pulse->changed);
	pthread_mutex_unlock(&pulse->lock);
	pthread_join(pulse->thread, NULL);
	heartbeat_stop(pulse->daemon->store, &pulse->self);
	pulse_free(pulse);
}
