/*
 * test_history_consume.c - the history reads its streams exactly once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/quarantine/history_events.h"
#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store.h"
#include "quarantine/history_impl.h"

#define T0 1700000000000

struct place {
	struct redis_server redis;
	struct store *store;
	char *dir, *file;
	struct history *history;
};

static void
open_history(struct place *place)
{
	struct err err;

	place->history = history_open(place->file, true, &err);
	if (place->history == NULL)
		fail_msg("%s", err.text);
}

static void
open_store(struct place *place)
{
	const struct store_options options = { .url = place->redis.url,
		.timeout_ms = PATIENCE_MS };

	place->store = store_open(&options, NULL);
	assert_non_null(place->store);
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
	open_store(place);
	place->dir = temp_dir();
	place->file = xprintf("%s/history.db", place->dir);
	open_history(place);
}

static void
free_place(struct place *place)
{
	history_close(place->history);
	store_close(place->store);
	redis_server_stop(&place->redis);
	remove_dir(place->dir);
	free(place->file);
	free(place->dir);
}

/* n as the reply, or its text as a number. */
static int64_t
redis_number(struct place *place, const char *command, const char *key)
{
	struct store_reply *reply;
	struct err err;
	int64_t n;

	if (store_runf(place->store, key, &reply, &err, "%s %s", command, key) <
	    0)
		fail_msg("%s", err.text);
	n = reply->integer;
	store_reply_free(reply);
	return n;
}

static void
add_event(struct place *place, unsigned shard, const char *event)
{
	char key[32];
	struct store_reply *reply;
	struct err err;

	(void)snprintf(key, sizeof(key), "sk:{ev:%u}:events", shard);
	if (store_runf(place->store, key, &reply, &err, "XADD %s * e %s", key,
		event) < 0)
		fail_msg("%s", err.text);
	store_reply_free(reply);
}

static void
add_mails(struct place *place, unsigned first, unsigned n)
{
	struct test_mail mail = { 0 };
	char ulid[27], *event, *id;
	unsigned i;

	for (i = first; i < first + n; i++) {
		id = xprintf("%s.1", test_ulid(i, ulid));
		mail.id = id;
		mail.time = T0 + i;
		event = test_mail_event(&mail);
		add_event(place, i % EVENT_SHARDS, event);
		free(event);
		free(id);
	}
}

static int64_t
count(struct history *history, const char *sql)
{
	sqlite3_stmt *stmt = history_prepare(history, sql, NULL);
	int64_t n;

	assert_non_null(stmt);
	assert_int_equal(history_step(history, stmt, NULL), 1);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static int64_t
consume_all(struct place *place)
{
	int64_t n, total = 0;
	struct err err;

	while ((n = history_consume(place->history, place->store, 0, &err)) > 0)
		total += n;
	if (n < 0)
		fail_msg("%s", err.text);
	return total;
}

static void
test_consume(void **state)
{
	struct place place;
	unsigned shard;
	char key[32];

	(void)state;
	new_place(&place);
	assert_int_equal(consume_all(&place), 0);
	add_mails(&place, 0, 500);
	assert_int_equal(consume_all(&place), 500);
	assert_int_equal(count(place.history, "SELECT count(*) FROM mail"),
	    500);
	assert_int_equal(consume_all(&place), 0);
	/* What everybody has is gone, but for the last of each stream. */
	for (shard = 0; shard < EVENT_SHARDS; shard++) {
		(void)snprintf(key, sizeof(key), "sk:{ev:%u}:events", shard);
		assert_int_equal(redis_number(&place, "XLEN", key), 1);
	}
	/* A later start goes on where it was. */
	history_close(place.history);
	open_history(&place);
	add_mails(&place, 500, 100);
	assert_int_equal(consume_all(&place), 100);
	/* The same events once more, as after a lost answer. */
	add_mails(&place, 450, 150);
	assert_int_equal(consume_all(&place), 150);
	assert_int_equal(count(place.history, "SELECT count(*) FROM mail"),
	    600);
	free_place(&place);
}

static void
test_damaged_entry(void **state)
{
	struct place place;

	(void)state;
	new_place(&place);
	add_event(&place, 3, "nonsense");
	add_mails(&place, 0, 32);
	assert_int_equal(consume_all(&place), 33);
	assert_int_equal(count(place.history, "SELECT count(*) FROM mail"), 32);
	assert_int_equal(count(place.history, "SELECT count(*) FROM damaged"),
	    1);
	free_place(&place);
}

static void
nap_us(long us)
{
	const struct timespec ts = { .tv_nsec = us * 1000 };

	nanosleep(&ts, NULL);
}

/* The store waits a little before it tries again. */
static bool
is_up(struct place *place)
{
	struct store_reply *reply;

	if (store_runf(place->store, NULL, &reply, NULL, "PING") < 0)
		return false;
	store_reply_free(reply);
	return true;
}

static void
test_store_away(void **state)
{
	struct place place;
	struct err err;

	(void)state;
	new_place(&place);
	add_mails(&place, 0, 20);
	redis_server_kill(&place.redis);
	assert_int_equal(history_consume(place.history, place.store, 0, &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	redis_server_restart(&place.redis);
	while (!is_up(&place))
		nap_us(20000);
	add_mails(&place, 20, 20);
	assert_true(consume_all(&place) >= 20);
	assert_true(count(place.history, "SELECT count(*) FROM mail") >= 20);
	free_place(&place);
}

/* ---- several consumers ---- */

static void
register_other(struct place *place, const char *entry, int64_t seen_ms)
{
	struct store_reply *reply;
	char value[64];

	(void)snprintf(value, sizeof(value), "%s %" PRId64, entry, seen_ms);
	assert_int_equal(store_runf(place->store, "sk:{ev:0}:consumers", &reply,
			     NULL, "HSET sk:{ev:0}:consumers other %s", value),
	    0);
	store_reply_free(reply);
}

static void
test_slow_consumer_keeps_entries(void **state)
{
	struct place place;

	(void)state;
	new_place(&place);
	register_other(&place, "0", clock_wall_ms());
	add_mails(&place, 0, 160);
	assert_int_equal(consume_all(&place), 160);
	assert_int_equal(redis_number(&place, "XLEN", "sk:{ev:0}:events"), 10);
	assert_int_equal(redis_number(&place, "XLEN", "sk:{ev:1}:events"), 1);
	free_place(&place);
}

static void
test_silent_consumer_is_dropped(void **state)
{
	struct place place;
	int64_t days = (int64_t)86400 * 1000;

	(void)state;
	new_place(&place);
	register_other(&place, "0",
	    clock_wall_ms() - HISTORY_SILENCE_DAYS * days + 60000);
	add_mails(&place, 0, 160);
	assert_int_equal(consume_all(&place), 160);
	assert_int_equal(redis_number(&place, "HLEN", "sk:{ev:0}:consumers"),
	    2);
	register_other(&place, "0",
	    clock_wall_ms() - HISTORY_SILENCE_DAYS * days - 60000);
	add_mails(&place, 160, 16);
	assert_int_equal(consume_all(&place), 16);
	assert_int_equal(redis_number(&place, "HLEN", "sk:{ev:0}:consumers"),
	    1);
	assert_int_equal(redis_number(&place, "XLEN", "sk:{ev:0}:events"), 1);
	free_place(&place);
}

static void
test_two_histories(void **state)
{
	struct place place;
	struct history *first;
	char *file;

	(void)state;
	new_place(&place);
	add_mails(&place, 0, 160);
	assert_int_equal(consume_all(&place), 160);
	first = place.history;
	file = place.file;
	place.file = xprintf("%s/second.db", place.dir);
	open_history(&place);
	assert_int_equal(consume_all(&place), EVENT_SHARDS); /* the last */
	add_mails(&place, 160, 160);
	assert_int_equal(consume_all(&place), 160);
	/* The first one has not read them. */
	assert_int_equal(redis_number(&place, "XLEN", "sk:{ev:0}:events"), 11);
	history_close(place.history);
	free(place.file);
	place.history = first;
	place.file = file;
	assert_int_equal(consume_all(&place), 160);
	free_place(&place);
}

/* ---- kill -9 ---- */

/* Consumes until it is killed. */
static _Noreturn void
run_child(struct place *place)
{
	struct err err;

	open_history(place);
	open_store(place);
	for (;;)
		if (history_consume(place->history, place->store, 10, &err) < 0)
			_exit(1);
}

/* Each event is in once, wherever the reader was killed. */
static void
test_killed_at_any_point(void **state)
{
	struct place place;
	unsigned round, added = 0;
	int status;
	pid_t pid;

	(void)state;
	new_place(&place);
	history_close(place.history);
	place.history = NULL;
	for (round = 0; round < 25; round++) {
		add_mails(&place, added, 400);
		added += 400;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			run_child(&place);
		/* From before the first read to after the last. */
		nap_us(2000L + (long)round * 3700);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	open_history(&place);
	consume_all(&place);
	assert_int_equal(count(place.history, "SELECT count(*) FROM mail"),
	    added);
	assert_int_equal(count(place.history,
			     "SELECT count(DISTINCT id) FROM mail"),
	    added);
	assert_int_equal(count(place.history, "SELECT count(*) FROM record"),
	    added);
	assert_int_equal(count(place.history,
			     "SELECT count(*) FROM mail_text WHERE mail_text "
			     "MATCH 'subject : \"hel\" AND subject : "
			     "\"llo\"'"),
	    added);
	free_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_damaged_entry),
		cmocka_unit_test(test_store_away),
		cmocka_unit_test(test_slow_consumer_keeps_entries),
		cmocka_unit_test(test_silent_consumer_is_dropped),
		cmocka_unit_test(test_two_histories),
		cmocka_unit_test(test_killed_at_any_point),
	};

	return cmocka_run_group_tests_name("history_consume", tests, NULL,
	    NULL);
}
