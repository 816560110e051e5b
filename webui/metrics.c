/*
 * metrics.c - what those who watch the machine ask.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/store.h"
#include "policy/settings.h"
#include "quarantine/heartbeat.h"
#include "quarantine/totals.h"
#include "webui/api.h"
#include "webui/metrics.h"
#include "webui/request.h"

/* ---- the table ---- */

#define CODES 5

static const char *
code_word(size_t i)
{
	static const char *const words[CODES] = { "1xx", "2xx", "3xx", "4xx",
		"5xx" };

	return words[i];
}

static const struct metric_label by_code = { "code", CODES, code_word };

#define ROW(type_, name_, help_)                                               \
	{                                                                      \
		.name = (name_), .type = (type_), .help = (help_)              \
	}
#define COUNTER(name_, help_) ROW(METRIC_COUNTER, name_, help_)
#define GAUGE(name_, help_) ROW(METRIC_GAUGE, name_, help_)

static const struct metric rows[WEB_METRIC_COUNT] = {
	[WEB_START_TIME] = { "web_start_time_seconds", METRIC_GAUGE, METRIC_MS,
	    "When the sidecar was started, since 1970.", { 0 } },
	[WEB_CPU_TIME] = { "web_cpu_seconds_total", METRIC_COUNTER, METRIC_MS,
	    "Processor time used, by user and system.", { 0 } },
	[WEB_MEMORY] =
	    GAUGE("web_resident_memory_bytes", "Memory that is in use."),
	[WEB_OPEN_FILES] = GAUGE("web_open_fds", "Open file descriptors."),
	[WEB_REQUESTS] = { "web_requests_total", METRIC_COUNTER, METRIC_NUMBER,
	    "HTTP requests answered.", { &by_code } },
	[WEB_REQUEST_TIME] = { "web_request_seconds", METRIC_HISTOGRAM,
	    METRIC_NUMBER, "From a complete request to its response.", { 0 } },
	[WEB_REDIS_UP] =
	    GAUGE("web_redis_up", "1 while the last call to Redis worked."),
	[WEB_REDIS_CALLS] =
	    COUNTER("web_redis_calls_total", "Calls that Redis answered."),
	[WEB_REDIS_FAILURES] = COUNTER("web_redis_failures_total",
	    "Connections and calls to Redis that failed."),
	[WEB_REDIS_TURNED_AWAY] = COUNTER("web_redis_turned_away_total",
	    "Calls not made, as Redis had just failed."),
	[WEB_MILTERS] =
	    GAUGE("milters", "Milters whose heartbeat is in Redis."),
	[WEB_QUARANTINE_DOMAINS] = GAUGE("quarantine_domains",
	    "Domains for which mail is held, or was a few days ago."),
	[WEB_QUARANTINE_ENTRIES] = GAUGE("quarantine_entries",
	    "Mails in the quarantine, one for each mailbox, whatever became "
	    "of them."),
	[WEB_QUARANTINE_BYTES] = GAUGE("quarantine_bytes",
	    "What they count against hold_domain_max."),
	[WEB_QUARANTINE_TO_DELIVER] = GAUGE("quarantine_to_deliver",
	    "Mails waiting to be delivered beside their transaction."),
	[WEB_EVENTS] = GAUGE("events_in_streams",
	    "Events in Redis that not every history has read, and some more "
	    "before they are trimmed."),
};

const struct metric_table web_metrics = { rows, WEB_METRIC_COUNT };

/* ---- counting ---- */

static void
set(struct metrics *own, enum web_metric which, uint64_t value)
{
	metrics_set(own, which, 0, 0, value);
}

struct metrics *
web_metrics_new(void)
{
	struct metrics *own = metrics_new(&web_metrics);

	set(own, WEB_START_TIME, (uint64_t)clock_wall_ms());
	return own;
}

void
web_metrics_refused(struct metrics *own, int status)
{
	if (status >= 100 && status < 100 * (CODES + 1))
		metrics_add(own, WEB_REQUESTS, (size_t)status / 100 - 1, 0, 1);
}

void
web_metrics_request(struct metrics *own, int status, int64_t us)
{
	web_metrics_refused(own, status);
	metrics_observe(own, WEB_REQUEST_TIME, 0, us);
}

static void
collect_process(struct metrics *own)
{
	struct process_usage usage;

	process_get_usage(&usage);
	set(own, WEB_CPU_TIME, usage.cpu_ms);
	set(own, WEB_MEMORY, usage.resident_bytes);
	set(own, WEB_OPEN_FILES, usage.open_files);
}

static void
collect_store(struct metrics *own, struct store *store)
{
	struct quarantine_totals totals = { 0 };
	struct store_stats stats;
	struct err err;

	/* Not known is not nothing, but Prometheus has no word for it:
	 * web_redis_up tells them apart. */
	(void)quarantine_totals(store, &totals, &err);
	set(own, WEB_QUARANTINE_DOMAINS, totals.domains);
	set(own, WEB_QUARANTINE_ENTRIES, totals.entries);
	set(own, WEB_QUARANTINE_BYTES, totals.bytes);
	set(own, WEB_QUARANTINE_TO_DELIVER, totals.to_deliver);
	set(own, WEB_EVENTS, totals.events);
	store_get_stats(store, &stats);
	set(own, WEB_REDIS_UP, store_is_up(store));
	set(own, WEB_REDIS_CALLS, stats.calls);
	set(own, WEB_REDIS_FAILURES, stats.failures);
	set(own, WEB_REDIS_TURNED_AWAY, stats.turned_away);
}

/* ---- /metrics ---- */

/* Versions are no numbers: a series with the version as a label. */
static void
write_versions(const struct heartbeat *beats, size_t n,
    const struct metrics_instance *instances, struct buf *out)
{
	size_t i;

	buf_append_str(out,
	    "# HELP sekimori_web_info The sidecar and its version.\n"
	    "# TYPE sekimori_web_info gauge\n"
	    "sekimori_web_info{version=\"" PACKAGE_VERSION "\"} 1\n"
	    "# HELP sekimori_milter_info A milter and its version.\n"
	    "# TYPE sekimori_milter_info gauge\n");
	for (i = 0; i < n; i++)
		buf_printf(out, "sekimori_milter_info{%s,version=\"%s\"} 1\n",
		    instances[i].labels, beats[i].version);
}

static void
write_milters(const struct heartbeat *beats, size_t n, struct arena *arena,
    struct buf *out)
{
	struct metrics_instance instances[HEARTBEAT_MAX];
	size_t i;

	for (i = 0; i < n; i++) {
		instances[i].metrics = beats[i].metrics;
		instances[i].labels =
		    arena_printf(arena, "host=\"%s\",pid=\"%" PRId64 "\"",
			beats[i].host, beats[i].pid);
	}
	write_versions(beats, n, instances, out);
	(void)metrics_write(&milter_metrics, n, instances, out);
}

int
web_metrics_write(struct api *api, struct metrics *own, struct buf *out)
{
	struct metrics_instance instance = { own, "" };
	struct arena *arena = arena_new(0);
	struct heartbeat *beats = NULL;
	struct err err;
	size_t n = 0;

	if (heartbeat_list(api->store, arena, &beats, &n, &err) < 0)
		n = 0;
	collect_process(own);
	collect_store(own, api->store);
	set(own, WEB_MILTERS, n);
	(void)metrics_write(&web_metrics, 1, &instance, out);
	write_milters(beats, n, arena, out);
	heartbeat_free(beats, n);
	arena_free(arena);
	return out->overflow ? -1 : 0;
}

/* ---- /readyz ---- */

static void
ask_store(struct api *api, struct buf *out)
{
	struct err err;
	int durable;

	err_clear(&err);
	durable = store_is_durable(api->store, &err);
	if (durable < 0)
		buf_printf(out, "redis: %s\n", err.text);
	else if (durable == 0 && api->conf->durability_required)
		buf_printf(out, "redis: not durable: %s\n", err.text);
}

static void
ask_settings(struct api *api, struct buf *out)
{
	struct request request = { .api = api };
	struct settings *settings;
	struct err err;

	settings = request_settings(&request, &err);
	if (settings == NULL)
		buf_printf(out, "settings: %s\n", err.text);
	settings_unref(settings);
}

static void
ask_milters(struct api *api, struct buf *out)
{
	struct arena *arena = arena_new(0);
	struct heartbeat *beats = NULL;
	size_t n = 0, i, serving = 0;
	struct err err;

	if (heartbeat_list(api->store, arena, &beats, &n, &err) < 0)
		buf_printf(out, "milter: %s\n", err.text);
	for (i = 0; i < n; i++)
		serving +=
		    metrics_cell(beats[i].metrics, MILTER_DRAINING, 0) == 0;
	if (n > 0 && serving == 0)
		buf_append_str(out, "milter: all of them are stopping\n");
	else if (n == 0)
		buf_append_str(out, "milter: none has a heartbeat\n");
	heartbeat_free(beats, n);
	arena_free(arena);
}

bool
web_ready(struct api *api, struct buf *out)
{
	size_t before = out->len;

	ask_store(api, out);
	if (out->len == before) {
		ask_settings(api, out);
		ask_milters(api, out);
	}
	if (out->len != before || out->overflow)
		return false;
	buf_append_str(out, "ok\n");
	return true;
}

/* ---- for pages ---- */

static json_t *
number(const struct heartbeat *beat, enum milter_metric which)
{
	return json_integer((json_int_t)metrics_cell(beat->metrics, which, 0));
}

static json_t *
milter_model(const struct heartbeat *beat)
{
	static const struct {
		const char *name;
		enum milter_metric which;
	} numbers[] = {
		{ "started_ms", MILTER_START_TIME },
		{ "generation", MILTER_SETTINGS_GENERATION },
		{ "memory", MILTER_MEMORY },
		{ "sessions", MILTER_SESSIONS },
		{ "messages", MILTER_MESSAGES },
		{ "waits", MILTER_WAITS },
		{ "holds", MILTER_HOLDS },
		{ "hold_failures", MILTER_HOLD_FAILURES },
		{ "dns_queries", MILTER_DNS_QUERIES },
		{ "dns_failures", MILTER_DNS_FAILURES },
		{ "dns_timeouts", MILTER_DNS_TIMEOUTS },
		{ "redis_failures", MILTER_REDIS_FAILURES },
		{ "events_queued", MILTER_EVENTS_QUEUED },
		{ "events_dropped", MILTER_EVENTS_DROPPED },
		{ "spool_bytes", MILTER_SPOOL_BYTES },
	};
	json_t *model = json_pack("{s:s, s:I, s:s, s:I, s:b}", "host",
	    beat->host, "pid", (json_int_t)beat->pid, "version", beat->version,
	    "seen_ms", (json_int_t)beat->sent_ms, "draining",
	    metrics_cell(beat->metrics, MILTER_DRAINING, 0) != 0);
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(model, numbers[i].name,
		    number(beat, numbers[i].which));
	return model;
}

json_t *
web_milters_model(struct api *api, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct heartbeat *beats = NULL;
	json_t *model = NULL;
	size_t n = 0, i;

	if (heartbeat_list(api->store, arena, &beats, &n, err) == 0) {
		model = json_array();
		for (i = 0; i < n; i++)
			json_array_append_new(model, milter_model(&beats[i]));
		heartbeat_free(beats, n);
	}
	arena_free(arena);
	return model;
}
