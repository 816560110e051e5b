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
#include <time.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store_impl.h"

#define TIMEOUT_MS 500 /* where it must strike */

static struct store *
open_with(const char *url, unsigned timeout_ms, unsigned connections_max)
{
	const struct store_options options = { .url = url,
		.timeout_ms = timeout_ms,
		.connections_max = connections_max };
	struct err err;
	struct store *store = store_open(&options, &err);

	assert_non_null(store);
	return store;
}

static struct store *
open_url(const char *url)
{
	return open_with(url, PATIENCE_MS, 0);
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

/* Servers that come and go under new addresses, more than there is room
 * for: those that are used stay, the others make room. */
static void
test_nodes_come_and_go(void **state)
{
	const struct store_options options = { .url = "cluster:10.0.0.1" };
	struct store_node *named = NULL, *held = NULL, *node;
	struct store_address address;
	struct store *store;
	struct err err;
	char host[32];
	unsigned i;

	(void)state;
	store = store_open(&options, &err);
	assert_non_null(store);
	address = (struct store_address){ host, 6379 };
	for (i = 0; i < 3 * STORE_NODES_MAX; i++) {
		snprintf(host, sizeof(host), "10.0.%u.%u", i / 256, i % 256);
		node = store_node_get(store, &address, &err);
		if (node == NULL)
			case_fail(host, "%s", err.text);
		assert_string_equal(node->address.host, host);
		if (i == 0)
			store->topology.slots[STORE_SLOTS - 1] = named = node;
		if (i == 1)
			store_node_hold(held = node);
	}
	assert_int_equal(store->node_count, STORE_NODES_MAX);
	snprintf(host, sizeof(host), "10.0.0.0");
	assert_ptr_equal(store_node_get(store, &address, &err), named);
	snprintf(host, sizeof(host), "10.0.0.1");
	assert_ptr_equal(store_node_get(store, &address, &err), held);
	for (i = 0; i < STORE_NODES_MAX; i++)
		store_node_hold(store->nodes[i]);
	snprintf(host, sizeof(host), "10.1.0.0");
	assert_null(store_node_get(store, &address, &err));
	for (i = 0; i < STORE_NODES_MAX; i++)
		store_node_release(store->nodes[i]);
	assert_non_null(store_node_get(store, &address, &err));
	store_close(store);
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

/* Until PING is answered again. */
static bool
comes_back(struct store *store)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct err err;

	while (clock_mono_ms() < until) {
		if (store_runf(store, NULL, NULL, &err, "PING") == 0)
			return true;
		nap_ms(10);
	}
	return false;
}

static void
test_away_fails_at_once(void **state)
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
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 2);
	assert_false(store_is_up(store));
	redis_server_restart(server);
	assert_true(comes_back(store));
	assert_true(store_is_up(store));
	store_close(store);
}

/* Restarted between two calls: the second does not notice. */
static void
test_restart_goes_unnoticed(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct err err;

	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), 0);
	redis_server_kill(server);
	redis_server_restart(server);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), 0);
	store_close(store);
}

static void
test_hanging_costs_one_timeout(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_with(server->url, TIMEOUT_MS, 0);
	struct err err;
	int64_t began;
	int i;

	assert_true(comes_back(store));
	kill(server->pid, SIGSTOP);
	began = clock_mono_ms();
	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_true(clock_mono_ms() - began >= TIMEOUT_MS - 20);
	/* A probe now and then waits, the others do not. */
	began = clock_mono_ms();
	for (i = 0; i < 40; i++)
		assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"),
		    -1);
	assert_true(clock_mono_ms() - began < 40 * TIMEOUT_MS / 2);
	kill(server->pid, SIGCONT);
	assert_true(comes_back(store));
	store_close(store);
}

/* A caller in a hurry leaves in time and spoils nothing for the others. */
static void
test_hurry(void **state)
{
	static const struct store_script script = { "script", "return 1" };
	const struct bytes argv[] = { BYTES_LIT("k") };
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct store_reply *reply;
	struct err err;
	int64_t began;

	assert_int_equal(store_eval(store, &script, 1, 1, argv, &reply, &err),
	    0);
	store_reply_free(reply);
	kill(server->pid, SIGSTOP);
	began = clock_mono_ms();
	assert_int_equal(store_eval_within(store, 50, &script, 1, 1, argv,
			     &reply, &err),
	    -1);
	assert_in_range(clock_mono_ms() - began, 45, PATIENCE_MS / 2);
	assert_true(store_is_up(store));
	/* Nor when it is a new connection that comes too late. */
	assert_int_equal(store_eval_within(store, 50, &script, 1, 1, argv,
			     &reply, &err),
	    -1);
	assert_true(store_is_up(store));
	kill(server->pid, SIGCONT);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), 0);
	store_close(store);
}

struct caller {
	struct store *store;
	atomic_bool *ending;
	atomic_uint good, bad;
	int64_t longest_ms;
	pthread_t thread;
};

static void *
call_all_the_time(void *arg)
{
	struct caller *caller = arg;

	while (!atomic_load(caller->ending)) {
		int64_t began = clock_mono_ms(), took;
		struct err err;

		if (store_runf(caller->store, "n", NULL, &err, "INCR n") == 0)
			atomic_fetch_add(&caller->good, 1);
		else
			atomic_fetch_add(&caller->bad, 1);
		took = clock_mono_ms() - began;
		if (took > caller->longest_ms)
			caller->longest_ms = took;
		if (took < 1)
			nap_ms(1);
	}
	return NULL;
}

#define CALLERS 12

/* Until each of them has been served, or refused, a few times more. */
static void
wait_for_all(struct caller *callers, bool good)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	unsigned before;
	size_t i;

	for (i = 0; i < CALLERS; i++) {
		atomic_uint *count = good ? &callers[i].good : &callers[i].bad;

		before = atomic_load(count);
		while (atomic_load(count) < before + 10) {
			assert_true(clock_mono_ms() < until);
			nap_ms(1);
		}
	}
}

/* Many threads, few connections, a server that is stopped and killed. */
static void
test_many_callers(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_with(server->url, TIMEOUT_MS, 4);
	struct caller callers[CALLERS];
	atomic_bool ending = false;
	size_t i;

	for (i = 0; i < CALLERS; i++) {
		callers[i] =
		    (struct caller){ .store = store, .ending = &ending };
		pthread_create(&callers[i].thread, NULL, call_all_the_time,
		    &callers[i]);
	}
	wait_for_all(callers, true);
	kill(server->pid, SIGSTOP);
	wait_for_all(callers, false);
	kill(server->pid, SIGCONT);
	wait_for_all(callers, true);
	redis_server_kill(server);
	wait_for_all(callers, false);
	redis_server_restart(server);
	wait_for_all(callers, true);
	atomic_store(&ending, true);
	for (i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_true(callers[i].longest_ms < TIMEOUT_MS * 20);
	}
	store_close(store);
}

/* Connections that are all in use: the next caller waits, then says so. */
static void
test_pool_is_bounded(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_with(server->url, PATIENCE_MS, 1);
	struct store_deadline soon = { clock_mono_ms() + PATIENCE_MS, false };
	struct store_conn *conn;
	struct err err;

	conn = store_node_take(store->topology.master, &soon, &err);
	assert_non_null(conn);
	soon.at_ms = clock_mono_ms() + 100;
	assert_null(store_node_take(store->topology.master, &soon, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	store_node_give(store->topology.master, conn, &soon, &err);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), 0);
	store_close(store);
}

/* ---- settings of the server ---- */

static void
config_set(struct store *store, const char *name, const char *value)
{
	struct err err;

	assert_int_equal(store_runf(store, NULL, NULL, &err, "CONFIG SET %s %s",
			     name, value),
	    0);
}

static void
test_durable(void **state)
{
	static const struct {
		const char *name, *value;
		int durable;
		const char *says; /* part of the reason */
	} steps[] = {
		{ "appendonly", "no", 0, "appendonly" },
		{ "appendonly", "yes", 0, "appendfsync" },
		{ "appendfsync", "always", 1, "" },
		{ "no-appendfsync-on-rewrite", "yes", 0, "on-rewrite" },
		{ "no-appendfsync-on-rewrite", "no", 1, "" },
		{ "maxmemory-policy", "allkeys-lru", 0, "maxmemory-policy" },
		{ "maxmemory-policy", "noeviction", 1, "" },
		{ "appendfsync", "everysec", 0, "appendfsync" },
	};
	struct redis_server *server = *state;
	struct store *control = open_url(server->url);
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LEN(steps); i++) {
		struct store *store = open_url(server->url);

		config_set(control, steps[i].name, steps[i].value);
		err_clear(&err);
		if (store_is_durable(store, &err) != steps[i].durable)
			case_fail(steps[i].name, "%s: %s", steps[i].value,
			    err.text);
		if (strstr(err.text, steps[i].says) == NULL)
			case_fail(steps[i].name, "said %s", err.text);
		store_close(store);
	}
	config_set(control, "appendonly", "no");
	store_close(control);
}

/* Restarted with other settings: what was known is not believed. */
static void
test_durable_again(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct err err;

	config_set(store, "appendfsync", "always");
	config_set(store, "appendonly", "yes");
	assert_int_equal(store_is_durable(store, &err), 1);
	redis_server_kill(server);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "PING"), -1);
	assert_int_equal(store_is_durable(store, &err), -1);
	redis_server_restart(server);
	assert_true(comes_back(store));
	assert_int_equal(store_is_durable(store, &err), 0);
	store_close(store);
}

static void
test_refusals(void **state)
{
	static const struct store_script writes = { "writes",
		"return redis.call('SET', KEYS[1], ARGV[1])" };
	const struct bytes argv[] = { BYTES_LIT("oom"), BYTES_LIT("v") };
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct err err;

	config_set(store, "maxmemory", "100kb");
	assert_int_equal(store_runf(store, NULL, NULL, &err, "SET oom v"), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(store_eval(store, &writes, 1, 2, argv, NULL, &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	config_set(store, "maxmemory", "0");
	assert_int_equal(store_runf(store, NULL, NULL, &err,
			     "REPLICAOF 127.0.0.1 1"),
	    0);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "SET oom v"), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(store_eval(store, &writes, 1, 2, argv, NULL, &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(store_runf(store, NULL, NULL, &err,
			     "REPLICAOF NO ONE"),
	    0);
	store_close(store);
}

static void
test_password(void **state)
{
	static const struct {
		const char *label, *login;
		int rc;
	} cases[] = {
		{ "none", "", -1 },
		{ "wrong", ":wrong@", -1 },
		{ "right", ":s3cret@", 0 },
		{ "user", "default:s3cret@", 0 },
		{ "other user", "nobody:s3cret@", -1 },
	};
	struct redis_server server = { 0 };
	struct err err;
	size_t i;

	(void)state;
	redis_server_start(&server, true,
	    (const char *[]){ "--requirepass", "s3cret", NULL });
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		char *url = xprintf("redis://%s127.0.0.1:%u/", cases[i].login,
		    server.port);
		struct store *store = open_url(url);

		if (store_runf(store, NULL, NULL, &err, "PING") != cases[i].rc)
			case_fail(cases[i].label, "%s", err.text);
		if (cases[i].rc < 0 &&
		    (err.kind != ERR_TEMP || strstr(err.text, "s3cret")))
			case_fail(cases[i].label, "%s", err.text);
		store_close(store);
		free(url);
	}
	redis_server_stop(&server);
}

/* ---- subscription ---- */

struct listener {
	pthread_mutex_t lock;
	unsigned made, messages;
	char last[32];
};

static void
hear(void *context, struct bytes *message)
{
	struct listener *listener = context;

	pthread_mutex_lock(&listener->lock);
	if (message == NULL) {
		listener->made++;
	} else {
		listener->messages++;
		snprintf(listener->last, sizeof(listener->last), "%.*s",
		    (int)message->len, message->data);
	}
	pthread_mutex_unlock(&listener->lock);
}

static bool
heard(struct listener *listener, unsigned made, unsigned messages)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (clock_mono_ms() < until) {
		bool yes;

		pthread_mutex_lock(&listener->lock);
		yes = listener->made >= made && listener->messages >= messages;
		pthread_mutex_unlock(&listener->lock);
		if (yes)
			return true;
		nap_ms(10);
	}
	return false;
}

static void
test_subscription(void **state)
{
	struct redis_server *server = *state;
	struct store *store = open_url(server->url);
	struct listener listener = { PTHREAD_MUTEX_INITIALIZER, 0, 0, "" };
	struct store_subscription *sub;
	struct err err;
	int64_t began;

	sub = store_subscribe(store, "sk:notice", hear, &listener);
	assert_true(heard(&listener, 1, 0));
	assert_int_equal(store_runf(store, NULL, NULL, &err,
			     "PUBLISH sk:notice one"),
	    0);
	assert_true(heard(&listener, 1, 1));
	assert_string_equal(listener.last, "one");
	redis_server_kill(server);
	redis_server_restart(server);
	assert_true(heard(&listener, 2, 1));
	assert_true(comes_back(store));
	assert_int_equal(store_runf(store, NULL, NULL, &err,
			     "PUBLISH sk:notice two"),
	    0);
	assert_true(heard(&listener, 2, 2));
	began = clock_mono_ms();
	store_unsubscribe(sub);
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 2);
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_nodes_come_and_go),
	};
	const struct CMUnitTest with_server[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_away_fails_at_once),
		cmocka_unit_test(test_restart_goes_unnoticed),
		cmocka_unit_test(test_hanging_costs_one_timeout),
		cmocka_unit_test(test_hurry),
		cmocka_unit_test(test_many_callers),
		cmocka_unit_test(test_pool_is_bounded),
		cmocka_unit_test(test_durable),
		cmocka_unit_test(test_durable_again),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_subscription),
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
