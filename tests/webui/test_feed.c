/*
 * test_feed.c - tests of webui/feed.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/quarantine/history_events.h"
#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store.h"
#include "base/store_conf.h"
#include "quarantine/history.h"
#include "webui/feed.h"

/* How long something may take that takes milliseconds. */

struct place {
	struct redis_server redis;
	char *dir;
	struct conf *conf;
};

static void
set_string(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static void
new_place(struct place *place)
{
	memset(place, 0, sizeof(*place));
	if (!redis_server_is_installed()) {
		print_message("skipped: no redis-server\n");
		skip();
	}
	redis_server_start(&place->redis, false, NULL);
	place->dir = temp_dir();
	place->conf = conf_new();
	place->conf->redis_timeout_ms = PATIENCE_MS;
	set_string(&place->conf->redis, place->redis.url);
	set_string(&place->conf->state_dir, place->dir);
}

static void
free_place(struct place *place)
{
	redis_server_stop(&place->redis);
	remove_dir(place->dir);
	free(place->dir);
	conf_free(place->conf);
}

static void
nap(void)
{
	const struct timespec ts = { .tv_nsec = 20000000 };

	nanosleep(&ts, NULL);
}

static void
add_mail(struct place *place, const char *id)
{
	struct test_mail mail = { .id = id, .time = clock_wall_ms() };
	char *event = test_mail_event(&mail);
	struct store *store = store_conf_open(place->conf, NULL);
	struct store_reply *reply;

	assert_non_null(store);
	while (store_runf(store, "sk:{ev:0}:events", &reply, NULL,
		   "XADD sk:{ev:0}:events * e %s", event) < 0)
		nap();
	store_reply_free(reply);
	store_close(store);
	free(event);
}

static size_t
mails(struct place *place)
{
	struct history_query query = { 0 };
	char *file = xprintf("%s/history.db", place->dir), *next = NULL;
	struct history *history;
	json_t *rows = NULL;
	struct err err;
	size_t n;

	history = history_open(file, false, &err);
	if (history == NULL ||
	    history_search(history, &query, NULL, 100, &rows, &next, &err) < 0)
		fail_msg("%s", err.text);
	n = json_array_size(rows);
	json_decref(rows);
	free(next);
	history_close(history);
	free(file);
	return n;
}

static void
await_mails(struct place *place, size_t n)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (mails(place) != n) {
		if (clock_mono_ms() > until_ms)
			fail_msg("there are %zu mails, not %zu", mails(place),
			    n);
		nap();
	}
}

static struct feed *
start(struct place *place)
{
	struct err err;
	struct feed *feed = feed_start(place->conf, &err);

	if (feed == NULL)
		fail_msg("%s", err.text);
	return feed;
}

static void
test_feed(void **state)
{
	struct place place;
	struct feed *feed;
	int64_t begun_ms;

	(void)state;
	new_place(&place);
	feed = start(&place);
	add_mail(&place, "01ARZ3NDEKTSV4RRFF00000001.1");
	await_mails(&place, 1);
	redis_server_kill(&place.redis);
	redis_server_restart(&place.redis);
	add_mail(&place, "01ARZ3NDEKTSV4RRFF00000002.1");
	await_mails(&place, 2);
	begun_ms = clock_mono_ms();
	feed_stop(feed);
	assert_true(clock_mono_ms() - begun_ms < PATIENCE_MS / 2);
	add_mail(&place, "01ARZ3NDEKTSV4RRFF00000003.1");
	feed = start(&place);
	await_mails(&place, 3);
	feed_stop(feed);
	free_place(&place);
}

static void
test_refusals(void **state)
{
	struct conf *conf = conf_new();
	struct err err;

	(void)state;
	set_string(&conf->redis, "none");
	assert_null(feed_start(conf, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	set_string(&conf->redis, "unix:/nonexistent");
	set_string(&conf->state_dir, "/nonexistent");
	assert_null(feed_start(conf, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	conf_free(conf);
}

/* Started before its store: it waits. */
static void
test_store_comes_later(void **state)
{
	struct place place;
	struct feed *feed;

	(void)state;
	new_place(&place);
	redis_server_kill(&place.redis);
	feed = start(&place);
	nap();
	redis_server_restart(&place.redis);
	add_mail(&place, "01ARZ3NDEKTSV4RRFF00000001.1");
	await_mails(&place, 1);
	feed_stop(feed);
	free_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_feed),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_store_comes_later),
	};

	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
