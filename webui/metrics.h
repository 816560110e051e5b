/*
 * metrics.h - what those who watch the machine ask: /metrics, /healthz,
 * /readyz; and the health that pages show.
 *
 * The sidecar counts for itself in a struct metrics of the table
 * web_metrics; what milters count comes from their heartbeats
 * (quarantine/heartbeat.h).  All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_METRICS_H
#define WEBUI_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/metrics.h"

struct api;

enum web_metric {
	WEB_START_TIME,
	WEB_CPU_TIME,
	WEB_MEMORY,
	WEB_OPEN_FILES,
	WEB_REQUESTS, /* code: a hundred of HTTP codes, from 100 */
	WEB_REQUEST_TIME,
	WEB_REDIS_UP,
	WEB_REDIS_CALLS,
	WEB_REDIS_FAILURES,
	WEB_REDIS_TURNED_AWAY,
	WEB_MILTERS,
	WEB_QUARANTINE_DOMAINS,
	WEB_QUARANTINE_ENTRIES,
	WEB_QUARANTINE_BYTES,
	WEB_QUARANTINE_TO_DELIVER,
	WEB_EVENTS,
	WEB_METRIC_COUNT
};

extern const struct metric_table web_metrics;

/* Ceiling of /metrics: 64 milters with all their series fit. */
#define WEB_METRICS_MAX (4UL * 1024 * 1024)
#define WEB_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Started now. */
struct metrics *web_metrics_new(void);
/* One request was answered. */
void web_metrics_request(struct metrics *own, int status, int64_t us);
/* One was refused before it was complete. */
void web_metrics_refused(struct metrics *own, int status);

/*
 * The text of /metrics.  While Redis is away there is what is known without
 * it.  -1: out is full.
 */
int web_metrics_write(struct api *api, struct metrics *own, struct buf *out);

/*
 * Can this sidecar work?  Redis can be reached and keeps what it
 * acknowledged, there are settings to read, a milter is alive.  Appends a
 * line for each thing that is missing, or "ok"; /readyz answers 200 or 503
 * with it.
 */
bool web_ready(struct api *api, struct buf *out);

/* The milters that are alive, for pages: doc/api.md, overview.  NULL with
 * *err set when it cannot be known. */
json_t *web_milters_model(struct api *api, struct err *err);

#endif
