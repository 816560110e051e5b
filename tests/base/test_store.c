/*
 * test_store.c - tests of base/store.c against real servers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store_impl.h"

/* Far below a timeout: an answer that nobody waited for. */
#define AT_ONCE_MS 60
#define TIMEOUT_MS 400

static struct store *
open_url(const char *url)
{
	const struct store_options options = { .url = url,
		.timeout_ms = TIMEOUT_MS };
	struct err err;
	struct store *store = store_open(&options, &err);

	assert_non_null(store);
	return store;
}

static void
assert_text(const struct store_reply *reply, const char *want)
{
	assert_int_equal(reply->text.len, strlen(want));
	assert_memory_equal(reply->text.data, want, strlen(want));
}

static void
nap_ms(unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/* ---- without a server ---- */

static void
test_url(void **state)
{
	static const struct {
		const char *url;
		int rc;
		enum store_kind kind;
		bool tls;
		const char *user, *password, *master, *host;
		unsigned port;
		size_t count;
	} cases[] = {
		{ "unix:/run/redis.sock", 0, STORE_ONE, false, NULL, NULL, NULL,
		    "/run/redis.sock", 0, 1 },
		{ "127.0.0.1:6380", 0, STORE_ONE, false, NULL, NULL, NULL,
		    "127.0.0.1", 6380, 1 },
		{ "redis.example", 0, STORE_ONE, false, NULL, NULL, NULL,
		    "redis.example", 6379, 1 },
		{ "[::1]:7000", 0, STORE_ONE, false, NULL, NULL, NULL, "::1",
		    7000, 1 },
		{ "redis://:p%40:s@h:1/", 0, STORE_ONE, false, NULL, "p@:s",
		    NULL, "h", 1, 1 },
		{ "redis://u:p@q@h", 0, STORE_ONE, false, "u", "p@q", NULL, "h",
		    6379, 1 },
		{ "rediss://h/", 0, STORE_ONE, true, NULL, NULL, NULL, "h",
		    6379, 1 },
		{ "sentinel:mymaster@a:1,b", 0, STORE_SENTINEL, false, NULL,
		    NULL, "mymaster", "a", 1, 2 },
		{ "cluster:a:1,b:2,[::1]:3", 0, STORE_CLUSTER, false, NULL,
		    NULL, NULL, "a", 1, 3 },
		{ "", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "unix:relative", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "redis://h/3", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "h:0", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "h:65536", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "h:", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "h:x", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "a:1,b:2", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "sentinel:a:1", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "sentinel:@a:1", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "cluster:a:1,", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "cluster:", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "cluster:,a", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "[::1", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ "a b", -1, 0, 0, 0, 0, 0, 0, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_url url;
		struct err err;

		if (store_url_parse(cases[i].url, &url, &err) != cases[i].rc)
			case_fail(cases[i].url, "wrong answer");
		if (cases[i].rc < 0)
			continue;
		if (url.kind != cases[i].kind || url.tls != cases[i].tls ||
		    url.count != cases[i].count ||
		    url.addresses[0].port != cases[i].port ||
		    strcmp(url.addresses[0].host, cases[i].host) != 0)
			case_fail(cases[i].url, "wrong address");
		if ((cases[i].user == NULL) != (url.user == NULL) ||
		    (url.user && strcmp(url.user, cases[i].user) != 0))
			case_fail(cases[i].url, "wrong user");
		if ((cases[i].password == NULL) != (url.password == NULL) ||
		    (url.password &&
			strcmp(url.password, cases[i].password) != 0))
			case_fail(cases[i].url, "wrong password");
		if ((cases[i].master == NULL) != (url.master == NULL) ||
		    (url.master && strcmp(url.master, cases[i].master) != 0))
			case_fail(cases[i].url, "wrong master");
		store_url_fini(&url);
	}
}

static void
test_slot(void **state)
{
	/* Answers of CLUSTER KEYSLOT. */
	static const struct {
		const char *key;
		unsigned slot;
	} cases[] = {
		{ "123456789", 12739 },
		{ "foo", 12182 },
		{ "sk:{foo}:x", 12182 },
		{ "foo{}{bar}", 8363 },
		{ "foo{{bar}}zap", 4015 },
		{ "foo{bar}{zap}", 5061 },
		{ "", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (store_slot(bytes_of(cases[i].key)) != cases[i].slot)
			case_fail(cases[i].key, "slot %u",
			    store_slot(bytes_of(cases[i].key)));
}

/* ---- with one server ---- */

static int
start_server(void **state)
{
	struct redis_server *server = xcalloc(1, sizeof(*server));

	redis_server_start(server, false, NULL);
	*state = server;
	return 0;
}

static int
stop_server(void **state)
{
	redis_server_stop(*state);
	free(*state);
	return 0;
}

static void
test_commands(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	const struct bytes value = BYTES_LIT("a b\0c\r\n");
	struct store_reply *reply;
	struct err err;

	assert_false(store_is_up(store));
	assert_int_equal(store_runf(store, "k", &reply, &err,
			     "SET k:%s %b PX %d", "x y", &value,
			     (int64_t)10000),
	    0);
	assert_int_equal(reply->type, STORE_STATUS);
	assert_true(store_is_up(store));
	store_reply_free(reply);
	assert_int_equal(store_runf(store, "k", &reply, &err, "GET k:%s",
			     "x y"),
	    0);
	assert_int_equal(reply->type, STORE_STRING);
	assert_true(bytes_equal(reply->text, value));
	store_reply_free(reply);
	assert_int_equal(store_runf(store, "k", &reply, &err, "GET none"), 0);
	assert_int_equal(reply->type, STORE_NIL);
	store_reply_free(reply);
	assert_int_equal(store_runf(store, "k", NULL, &err, "HGET k:%s f",
			     "x y"),
	    -1);
	assert_int_equal(err.kind, ERR_INPUT);
	store_close(store);
}

static void
test_pipeline(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	const struct bytes set[] = { BYTES_LIT("SET"), BYTES_LIT("p"),
		BYTES_LIT("1") };
	const struct bytes bad[] = { BYTES_LIT("LPUSH"), BYTES_LIT("p"),
		BYTES_LIT("1") };
	const struct bytes get[] = { BYTES_LIT("GET"), BYTES_LIT("p") };
	const struct store_command commands[] = { { 3, set }, { 3, bad },
		{ 2, get } };
	struct store_reply *replies[3];
	struct err err;
	size_t i;

	assert_int_equal(store_pipeline(store, "p", 3, commands, replies, &err),
	    0);
	assert_int_equal(replies[0]->type, STORE_STATUS);
	assert_int_equal(replies[1]->type, STORE_ERROR);
	assert_int_equal(store_reply_error(replies[1], &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_text(replies[2], "1");
	for (i = 0; i < 3; i++)
		store_reply_free(replies[i]);
	store_close(store);
}

static void
test_script(void **state)
{
	static const struct store_script script = { "test",
		"return {KEYS[1], ARGV[1], 7, false, {ok = 'fine'}}" };
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	const struct bytes argv[] = { BYTES_LIT("key"), BYTES_LIT("arg") };
	struct store_reply *reply;
	struct err err;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(store_eval(store, &script, 1, 2, argv, &reply,
				     &err),
		    0);
		assert_int_equal(reply->count, 5);
		assert_text(&reply->items[0], "key");
		assert_text(&reply->items[1], "arg");
		assert_int_equal(reply->items[2].integer, 7);
		assert_int_equal(reply->items[3].type, STORE_NIL);
		assert_text(&reply->items[4], "fine");
		store_reply_free(reply);
		/* The second time it must be loaded again. */
		assert_int_equal(store_runf(store, NULL, NULL, &err,
				     "SCRIPT FLUSH"),
		    0);
	}
	store_close(store);
}

/* ---- a server that dies, hangs, comes back ---- */

static void
test_away(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct err err;
	int64_t began;
	int i;

	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), 0);
	redis_server_kill(server);
	began = clock_mono_ms();
	for (i = 0; i < 50; i++) {
		assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"),
		    -1);
		assert_int_equal(err.kind, ERR_TEMP);
	}
	assert_true(clock_mono_ms() - began < TIMEOUT_MS);
	assert_false(store_is_up(store));
	redis_server_restart(server);
	for (i = 0; i < 300; i++) {
		if (store_runf(store, NULL, NULL, &err, "PING") == 0)
			break;
		nap_ms(10);
	}
	assert_true(i < 300);
	assert_true(store_is_up(store));
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_slot),
	};
	const struct CMUnitTest with_server[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_away),
	};
	int failed = cmocka_run_group_tests_name("store", plain, NULL, NULL);

	if (!redis_server_is_installed()) {
		printf("skipped: %zu tests that need redis-server\n",
		    ARRAY_LEN(with_server));
		return failed != 0 ? 1 : 77;
	}
	failed += cmocka_run_group_tests_name("store and redis", with_server,
	    start_server, stop_server);
	return failed != 0;
}
