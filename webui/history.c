/*
 * history.c - the history as handlers read it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "webui/history.h"

#define READERS 4
/* One is left for what is quick. */
#define SEARCHES_MAX (READERS - 1)
#define SEARCHES_WAITING_MAX 4

struct histories {
	char *file;
	pthread_mutex_t lock;
	pthread_cond_t given_back;
	/* under lock */
	size_t taken, searches, waiting;
	size_t idle_count;
	struct history *idle[READERS];
};

struct histories *
histories_new(const char *state_dir)
{
	struct histories *histories = xcalloc(1, sizeof(*histories));

	histories->file = xprintf("%s/history.db", state_dir);
	pthread_mutex_init(&histories->lock, NULL);
	pthread_cond_init(&histories->given_back, NULL);
	return histories;
}

void
histories_free(struct histories *histories)
{
	while (histories->idle_count > 0)
		history_close(histories->idle[--histories->idle_count]);
	pthread_cond_destroy(&histories->given_back);
	pthread_mutex_destroy(&histories->lock);
	free(histories->file);
	free(histories);
}

/* Under lock: waits for its turn; -1: there are too many. */
static int
await_turn(struct histories *histories, bool quick, struct err *err)
{
	while (quick && histories->taken == READERS)
		pthread_cond_wait(&histories->given_back, &histories->lock);
	if (quick)
		return 0;
	if (histories->waiting == SEARCHES_WAITING_MAX)
		return err_set(err, ERR_TEMP,
		    "too many searches at once; try again");
	histories->waiting++;
	while (
	    histories->taken == READERS || histories->searches == SEARCHES_MAX)
		pthread_cond_wait(&histories->given_back, &histories->lock);
	histories->waiting--;
	return 0;
}

/* history may be NULL, when it could not be opened. */
static void
give_back(struct histories *histories, bool quick, struct history *history)
{
	pthread_mutex_lock(&histories->lock);
	histories->taken--;
	histories->searches -= !quick;
	if (history != NULL)
		histories->idle[histories->idle_count++] = history;
	pthread_cond_broadcast(&histories->given_back);
	pthread_mutex_unlock(&histories->lock);
}

static struct history *
take(struct histories *histories, bool quick, struct err *err)
{
	struct history *history = NULL;
	int rc;

	pthread_mutex_lock(&histories->lock);
	rc = await_turn(histories, quick, err);
	if (rc == 0) {
		histories->taken++;
		histories->searches += !quick;
		if (histories->idle_count > 0)
			history = histories->idle[--histories->idle_count];
	}
	pthread_mutex_unlock(&histories->lock);
	if (rc < 0 || history != NULL)
		return history;
	history = history_open(histories->file, false, err);
	if (history == NULL)
		give_back(histories, quick, NULL);
	return history;
}

int
web_history_search(struct request *request, const struct history_query *query,
    const char *before, size_t limit, json_t **rows, char **next,
    struct err *err)
{
	struct histories *histories = request->api->histories;
	bool quick = query->id != NULL;
	struct history *history = take(histories, quick, err);
	int rc;

	if (history == NULL)
		return -1;
	rc = history_search(history, query, before, limit, rows, next, err);
	give_back(histories, quick, history);
	return rc;
}

json_t *
web_history_counts(struct request *request, const char *domain,
    int64_t since_ms, struct err *err)
{
	struct histories *histories = request->api->histories;
	struct history *history = take(histories, true, err);
	json_t *counts;

	if (history == NULL)
		return NULL;
	counts = history_counts(history, domain, since_ms, err);
	give_back(histories, true, history);
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
