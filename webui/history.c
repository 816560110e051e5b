/*
 * history.c - the history as handlers read it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/arena.h"
#include "webui/history.h"

/* Under history_lock. */
static struct history *
open_history(struct api *api, struct err *err)
{
	char *file;

	if (api->history != NULL)
		return api->history;
	file = xprintf("%s/history.db", api->conf->state_dir);
	api->history = history_open(file, false, err);
	free(file);
	return api->history;
}

int
web_history_search(struct request *request, const struct history_query *query,
    const char *before, size_t limit, json_t **rows, char **next,
    struct err *err)
{
	struct api *api = request->api;
	struct history *history;
	int rc = -1;

	pthread_mutex_lock(&api->history_lock);
	history = open_history(api, err);
	if (history != NULL)
		rc = history_search(history, query, before, limit, rows, next,
		    err);
	pthread_mutex_unlock(&api->history_lock);
	return rc;
}

json_t *
web_history_counts(struct request *request, const char *domain,
    int64_t since_ms, struct err *err)
{
	struct api *api = request->api;
	struct history *history;
	json_t *counts = NULL;

	pthread_mutex_lock(&api->history_lock);
	history = open_history(api, err);
	if (history != NULL)
		counts = history_counts(history, domain, since_ms, err);
	pthread_mutex_unlock(&api->history_lock);
	return counts;
}

/* The one row of an id, a new reference; NULL: not known. */
static json_t *
find_mail(struct request *request, const char *id)
{
	const struct history_query query = { .id = id };
	json_t *rows, *row;
	char *next = NULL;
	struct err err;

	if (web_history_search(request, &query, NULL, 1, &rows, &next, &err) <
	    0)
		return NULL;
	row = json_array_size(rows) > 0 ? json_incref(json_array_get(rows, 0))
					: NULL;
	json_decref(rows);
	free(next);
	return row;
}

const char *
web_history_domain_of(struct request *request, const char *id)
{
	json_t *row = find_mail(request, id);
	const char *domain = json_string_value(json_object_get(row, "domain"));

	if (domain != NULL)
		domain = arena_strdup(request->arena, domain);
	json_decref(row);
	return domain;
}

json_t *
web_history_timeline(struct request *request, const char *id)
{
	json_t *row = find_mail(request, id);
	json_t *events = json_object_get(row, "events");

	events = json_is_array(events) ? json_incref(events) : json_array();
	json_decref(row);
	return events;
}
