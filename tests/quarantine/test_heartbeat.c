/*
 * test_heartbeat.c - tests of quarantine/heartbeat.c, over a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/store.h"
#include "policy/class.h"
#include "quarantine/heartbeat.h"

static const struct heartbeat_self one = { "mx1.example", 101, "0.1.0" };
static const struct heartbeat_self two = { "odd{host}:x", 102, "0.2.0~rc1" };

/* ---- the text ---- */

static void
test_round(void **state)
{
	struct arena *arena = arena_new(0);
	struct metrics *metrics = metrics_new(&milter_metrics);
	struct heartbeat heard = { 0 };
	struct err err;
	const char *text;
	size_t i, j;

	(void)state;
	metrics_add(metrics, MILTER_VERDICTS, CLASS_SPAM, STATUS_QUARANTINED,
	    3);
	metrics_add(metrics, MILTER_MESSAGES, 0, 0, 9007199254740992);
	metrics_observe(metrics, MILTER_PART, PART_HOLD, 1234);
	text = heartbeat_format(arena, &one, metrics);
	assert_int_equal(heartbeat_parse(arena, bytes_of(text), &heard, &err),
	    0);
	assert_string_equal(heard.version, "0.1.0");
	assert_true(heard.sent_ms > 0);
	for (i = 0; i < milter_metrics.count; i++)
		for (j = 0; j < metrics_cells(metrics, i); j++)
			assert_int_equal(metrics_cell(metrics, i, j),
			    metrics_cell(heard.metrics, i, j));
	heartbeat_free(&heard, 1);
	metrics_free(metrics);
	arena_free(arena);
}

#define FULL_CELL UINT64_C(1234567890123456)

/* All cells in use: it must still be read. */
static void
test_largest(void **state)
{
	struct arena *arena = arena_new(0);
	struct metrics *metrics = metrics_new(&milter_metrics);
	struct heartbeat heard = { 0 };
	struct err err;
	size_t i, j;

	(void)state;
	for (i = 0; i < milter_metrics.count; i++)
		for (j = 0; j < metrics_cells(metrics, i); j++)
			metrics_set_cell(metrics, i, j, FULL_CELL);
	assert_int_equal(heartbeat_parse(arena,
			     bytes_of(heartbeat_format(arena, &one, metrics)),
			     &heard, &err),
	    0);
	heartbeat_free(&heard, 1);
	metrics_free(metrics);
	arena_free(arena);
}

static void
test_hostile(void **state)
{
	static const struct {
		const char *label, *text;
		int rc;
	} cases[] = {
		{ "empty", "", -1 },
		{ "no JSON", "{\"metrics\":", -1 },
		{ "a list", "[]", -1 },
		{ "metrics no object", "{\"metrics\":[1]}", -1 },
		{ "nothing in it", "{\"metrics\":{}}", 0 },
		{ "version no text", "{\"version\":1,\"metrics\":{}}", 0 },
		{ "unknown row", "{\"metrics\":{\"x\":{\"\":[1]}}}", 0 },
		{ "row no object",
		    "{\"metrics\":{\"milter_messages_total\":7}}", 0 },
		{ "series no list",
		    "{\"metrics\":{\"milter_messages_total\":{\"\":7}}}", 0 },
		{ "too many cells",
		    "{\"metrics\":{\"milter_messages_total\":{\"\":[7,8]}}}",
		    0 },
		{ "too few cells",
		    "{\"metrics\":{\"milter_end_of_message_seconds\":"
		    "{\"\":[7]}}}",
		    0 },
		{ "negative",
		    "{\"metrics\":{\"milter_messages_total\":{\"\":[-7]}}}",
		    0 },
		{ "huge",
		    "{\"metrics\":{\"milter_messages_total\":"
		    "{\"\":[9223372036854775807]}}}",
		    0 },
		{ "a word that is none",
		    "{\"metrics\":{\"milter_verdicts_total\":"
		    "{\"spam\\\"} x\":[7]}}}",
		    0 },
	};
	struct arena *arena = arena_new(0);
	struct err err;
	size_t i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct heartbeat heard = { 0 };
		int rc = heartbeat_parse(arena, bytes_of(cases[i].text), &heard,
		    &err);

		if (rc != cases[i].rc)
			case_fail(cases[i].label, "returned %d", rc);
		for (j = 0; rc == 0 && j < milter_metrics.count; j++)
			for (k = 0; k < metrics_cells(heard.metrics, j); k++)
				if (metrics_cell(heard.metrics, j, k) != 0)
					case_fail(cases[i].label,
					    "row %zu was taken", j);
		if (rc == 0)
			heartbeat_free(&heard, 1);
	}
	arena_free(arena);
}

static void
test_version(void **state)
{
	static const struct {
		const char *version, *want;
	} cases[] = {
		{ "1.2.3", "1.2.3" },
		{ "1.2~rc1+git.a_b-c", "1.2~rc1+git.a_b-c" },
		{ "<script>", "" },
		{ "1\\\"2", "" },
		{ "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9", "" },
	};
	struct arena *arena = arena_new(0);
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct heartbeat heard = { 0 };
		const char *text = arena_printf(arena,
		    "{\"version\":\"%s\",\"metrics\":{}}", cases[i].version);

		assert_int_equal(heartbeat_parse(arena, bytes_of(text), &heard,
				     &err),
		    0);
		assert_string_equal(heard.version, cases[i].want);
		heartbeat_free(&heard, 1);
	}
	arena_free(arena);
}

static void
test_too_large(void **state)
{
	struct arena *arena = arena_new(0);
	char *text = arena_calloc(arena, 1, 70000);
	struct heartbeat heard = { 0 };
	const struct bytes start = BYTES_LIT("{\"metrics\":{}}");
	struct err err;

	(void)state;
	memset(text, ' ', 69999);
	memcpy(text, start.data, start.len);
	assert_int_equal(heartbeat_parse(arena, bytes_of(text), &heard, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	arena_free(arena);
}

/* ---- the store ---- */

static void
must_run(struct store *store, const char *command)
{
	struct store_reply *reply;
	struct err err;

	if (store_runf(store, NULL, &reply, &err, command) < 0)
		case_fail(command, "%s", err.text);
	store_reply_free(reply);
}

static size_t
list(struct store *store, struct arena *arena, struct heartbeat **beats)
{
	struct err err;
	size_t n;

	if (heartbeat_list(store, arena, beats, &n, &err) < 0)
		case_fail("heartbeat_list", "%s", err.text);
	return n;
}

static void
test_store(void **state)
{
	struct arena *arena = arena_new(0);
	struct metrics *metrics = metrics_new(&milter_metrics);
	struct redis_server server;
	struct store_options options = { 0 };
	struct heartbeat *beats;
	struct store_stats stats;
	struct store *store;
	struct err err;
	int i;
	char command[200];

	(void)state;
	if (!redis_server_is_installed())
		skip();
	redis_server_start(&server, false, NULL);
	options.url = server.url;
	store = store_open(&options, &err);
	assert_non_null(store);
	assert_int_equal(list(store, arena, &beats), 0);

	metrics_add(metrics, MILTER_MESSAGES, 0, 0, 11);
	assert_int_equal(heartbeat_send(store, &one, metrics, &err), 0);
	assert_int_equal(heartbeat_send(store, &two, metrics, &err), 0);
	assert_int_equal(heartbeat_send(store, &one, metrics, &err), 0);
	assert_int_equal(list(store, arena, &beats), 2);
	assert_int_equal(beats[0].pid + beats[1].pid, 101 + 102);
	assert_true(strcmp(beats[0].host, "odd_host__x") == 0 ||
	    strcmp(beats[1].host, "odd_host__x") == 0);
	assert_int_equal(metrics_cell(beats[0].metrics, MILTER_MESSAGES, 0),
	    11);
	heartbeat_free(beats, 2);

	/* what others write there */
	must_run(store, "ZADD sk:{ops}:milters 9e15 mx9:1");
	must_run(store, "ZADD sk:{ops}:milters 9e15 no-pid");
	must_run(store, "ZADD sk:{ops}:milters 9e15 a\"b:1");
	must_run(store, "SET sk:{ops}:milter:mx9:1 nonsense");
	must_run(store, "ZADD sk:{ops}:milters 9e15 mx8:1");
	must_run(store, "LPUSH sk:{ops}:milter:mx8:1 x");
	assert_int_equal(list(store, arena, &beats), 2);
	heartbeat_free(beats, 2);
	for (i = 0; i < 200; i++) {
		(void)snprintf(command, sizeof(command),
		    "ZADD sk:{ops}:milters 9.1e15 flood:%d", i);
		must_run(store, command);
	}
	assert_int_equal(list(store, arena, &beats), 0);
	must_run(store, "ZREMRANGEBYSCORE sk:{ops}:milters 9e15 +inf");

	heartbeat_stop(store, &two);
	assert_int_equal(list(store, arena, &beats), 1);
	assert_string_equal(beats[0].host, "mx1.example");
	heartbeat_free(beats, 1);
	must_run(store, "PEXPIRE sk:{ops}:milter:mx1.example:101 0");
	assert_int_equal(list(store, arena, &beats), 0);

	store_get_stats(store, &stats);
	assert_true(stats.calls > 200);
	assert_int_equal(stats.failures, 0);
	redis_server_kill(&server);
	assert_int_equal(heartbeat_send(store, &one, metrics, &err), -1);
	assert_int_equal(heartbeat_send(store, &one, metrics, &err), -1);
	store_get_stats(store, &stats);
	assert_true(stats.failures > 0 && stats.turned_away > 0);
	store_close(store);
	redis_server_stop(&server);
	metrics_free(metrics);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
