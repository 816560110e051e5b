/*
 * test_store_cluster.c - tests of the store under real Sentinels, in a real
 * Cluster of three nodes, and over TLS.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store_impl.h"

#define TIMEOUT_MS 1000 /* where it must strike */
#define NODES 3

static void
nap_ms(unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static struct store *
open_with(const char *url, unsigned timeout_ms)
{
	const struct store_options options = { .url = url,
		.timeout_ms = timeout_ms };
	struct store *store = store_open(&options, NULL);

	assert_non_null(store);
	return store;
}

static struct store *
open_url(const char *url)
{
	return open_with(url, PATIENCE_MS);
}

/* Asks one server directly; free() the text of its answer. */
static char *
ask(const struct redis_server *server, const char *a, const char *b,
    const char *c, const char *d)
{
	const char *words[] = { a, b, c, d };
	struct store *store = open_url(server->url);
	struct bytes argv[4];
	struct store_reply *reply;
	struct err err;
	size_t argc = 0;
	char *text;

	while (argc < 4 && words[argc] != NULL) {
		argv[argc] = bytes_of(words[argc]);
		argc++;
	}
	if (store_run(store, NULL, argc, argv, &reply, &err) < 0) {
		print_error("%s %s: %s\n", a, b, err.text);
		fail();
	}
	text = xmemdup(reply->text.data != NULL ? reply->text.data : "",
	    reply->text.len);
	store_reply_free(reply);
	store_close(store);
	return text;
}

static void
tell(const struct redis_server *server, const char *a, const char *b,
    const char *c, const char *d)
{
	free(ask(server, a, b, c, d));
}

/* ---- Cluster ---- */

static void
cluster_start(struct redis_server nodes[NODES])
{
	static const char *const args[] = { "--cluster-enabled", "yes",
		"--cluster-node-timeout", "60000", NULL };
	static const char *const ranges[NODES][2] = { { "0", "5460" },
		{ "5461", "10922" }, { "10923", "16383" } };
	char port[8];
	int i, tries;

	for (i = 0; i < NODES; i++) {
		memset(&nodes[i], 0, sizeof(nodes[i]));
		redis_server_start(&nodes[i], true, args);
	}
	for (i = 0; i < NODES; i++) {
		char epoch[2] = { (char)('1' + i), '\0' };

		tell(&nodes[i], "CLUSTER", "SET-CONFIG-EPOCH", epoch, NULL);
		tell(&nodes[i], "CLUSTER", "ADDSLOTSRANGE", ranges[i][0],
		    ranges[i][1]);
		snprintf(port, sizeof(port), "%u", nodes[i].port);
		if (i > 0)
			tell(&nodes[0], "CLUSTER", "MEET", "127.0.0.1", port);
	}
	for (i = 0; i < NODES; i++) {
		for (tries = 0; tries < PATIENCE_MS / 10; tries++) {
			char *info =
			    ask(&nodes[i], "CLUSTER", "INFO", NULL, NULL);
			bool good = strstr(info, "cluster_state:ok") != NULL &&
			    strstr(info, "cluster_known_nodes:3") != NULL;

			free(info);
			if (good)
				break;
			nap_ms(10);
		}
		assert_true(tries < PATIENCE_MS / 10);
	}
}

static void
set_and_get(struct store *store, const char *key)
{
	struct store_reply *reply = NULL;
	struct err err;

	if (store_runf(store, key, NULL, &err, "SET %s value-of-%s", key, key) <
		0 ||
	    store_runf(store, key, &reply, &err, "GET %s", key) < 0) {
		print_error("%s: %s\n", key, err.text);
		fail();
	}
	assert_int_equal(reply->text.len, 9 + strlen(key));
	assert_memory_equal(reply->text.data + 9, key, strlen(key));
	store_reply_free(reply);
}

static void
set_slot(const struct redis_server *server, unsigned slot, const char *what,
    const struct redis_server *other)
{
	struct store *store = open_url(server->url);
	char *id = ask(other, "CLUSTER", "MYID", NULL, NULL);
	struct err err;

	assert_int_equal(store_runf(store, NULL, NULL, &err,
			     "CLUSTER SETSLOT %d %s %s", (int64_t)slot, what,
			     id),
	    0);
	free(id);
	store_close(store);
}

static void
check_script(struct store *store)
{
	static const struct store_script script = { "both",
		"redis.call('SET', KEYS[1], ARGV[1]) "
		"return redis.call('GET', KEYS[2])" };
	const struct bytes argv[] = { BYTES_LIT("sk:{d:1}:y"),
		BYTES_LIT("sk:{d:1}:x"), BYTES_LIT("v") };
	struct store_reply *reply;
	struct err err;

	assert_int_equal(store_eval(store, &script, 2, 3, argv, &reply, &err),
	    0);
	assert_string_equal(reply->text.data, "value-of-sk:{d:1}:x");
	store_reply_free(reply);
}

static void
check_pipeline(struct store *store, enum store_type first)
{
	const struct bytes get[] = { BYTES_LIT("GET"), BYTES_LIT("{foo}1") };
	const struct bytes set[] = { BYTES_LIT("SET"), BYTES_LIT("{foo}2"),
		BYTES_LIT("new") };
	const struct store_command commands[] = { { 2, get }, { 3, set } };
	struct store_reply *replies[2];
	struct err err;

	if (store_pipeline(store, "{foo}1", 2, commands, replies, &err) < 0)
		case_fail("pipeline", "%s", err.text);
	if (replies[0]->type != first)
		case_fail("pipeline", "type %d: %s", (int)replies[0]->type,
		    replies[0]->text.data);
	assert_int_equal(replies[1]->type, STORE_STATUS);
	store_reply_free(replies[0]);
	store_reply_free(replies[1]);
}

/* A slot on the move: ASK for keys that are not there, then MOVED. */
static void
check_migration(struct store *store, const struct redis_server *from,
    const struct redis_server *to)
{
	const unsigned slot = store_slot(BYTES_LIT("foo")); /* 12182 */
	struct err err;

	set_and_get(store, "{foo}1");
	set_slot(to, slot, "IMPORTING", from);
	set_slot(from, slot, "MIGRATING", to);
	set_and_get(store, "{foo}1");
	set_and_get(store, "{foo}new");
	check_pipeline(store, STORE_STRING);
	assert_int_equal(store_runf(store, "{foo}1", NULL, &err, "DEL {foo}1"),
	    0);
	set_slot(to, slot, "NODE", to);
	set_slot(from, slot, "NODE", to);
	check_pipeline(store, STORE_NIL);
	assert_int_equal(store->topology.slots[slot]->address.port, to->port);
	set_and_get(store, "{foo}new");
}

static void
test_cluster(void **state)
{
	struct redis_server nodes[NODES];
	struct store *store;
	struct err err;
	char *url, key[32];
	int i;

	(void)state;
	cluster_start(nodes);
	url = xprintf("cluster:127.0.0.1:%u,127.0.0.1:%u", nodes[1].port,
	    nodes[2].port);
	store = open_url(url);
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "sk:{d:%d}:x", i);
		set_and_get(store, key);
	}
	assert_int_equal(store->node_count, NODES);
	check_script(store);
	check_migration(store, &nodes[2], &nodes[0]);
	assert_int_equal(store_is_durable(store, &err), 0);

	/* A node that is gone takes its slots with it and nothing else. */
	redis_server_kill(&nodes[0]);
	assert_int_equal(store_runf(store, "{foo}", NULL, &err, "SET {foo}3 x"),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	for (i = 0; store_slot(bytes_of(key)) < 6000; i++)
		snprintf(key, sizeof(key), "k%d", i);
	set_and_get(store, key);

	store_close(store);
	free(url);
	for (i = 0; i < NODES; i++)
		redis_server_stop(&nodes[i]);
}

/* ---- Sentinel ---- */

struct sentinel {
	pid_t pid;
	char *dir;
	unsigned port;
};

static void
sentinel_start(struct sentinel *sentinel, unsigned master_port)
{
	char *path;
	FILE *file;

	sentinel->dir = temp_dir();
	sentinel->port = free_port();
	path = xprintf("%s/sentinel.conf", sentinel->dir);
	file = fopen(path, "w");
	fprintf(file,
	    "port %u\nbind 127.0.0.1\ndir %s\nlogfile %s/log\n"
	    "sentinel monitor mail 127.0.0.1 %u 1\n"
	    "sentinel down-after-milliseconds mail 60000\n"
	    "sentinel failover-timeout mail 2000\n",
	    sentinel->port, sentinel->dir, sentinel->dir, master_port);
	fclose(file);
	sentinel->pid = fork();
	if (sentinel->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("redis-server", "redis-server", path, "--sentinel",
		    (char *)NULL);
		_exit(127);
	}
	free(path);
}

static void
sentinel_stop(struct sentinel *sentinel)
{
	kill(sentinel->pid, SIGKILL);
	waitpid(sentinel->pid, NULL, 0);
	remove_dir(sentinel->dir);
	free(sentinel->dir);
}

/* Until the command is done. */
static void
until_set(struct store *store, const char *key)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct err err;

	while (store_runf(store, key, NULL, &err, "SET %s x", key) < 0) {
		if (clock_mono_ms() > until)
			case_fail("SET", "%s", err.text);
		nap_ms(20);
	}
}

/* Until Sentinel has heard of the replica, by INFO of the master. */
static void
until_replica_is_known(const struct redis_server *sentinel)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	bool known = false;
	char *info;

	while (!known) {
		assert_true(clock_mono_ms() < until);
		nap_ms(20);
		info = ask(sentinel, "INFO", "sentinel", NULL, NULL);
		known = strstr(info, "slaves=1") != NULL;
		free(info);
	}
}

/* From now on it takes a silent master for dead soon; before, a slow machine
 * could make it do so at any time. */
static void
sentinel_hurry(const struct redis_server *sentinel)
{
	struct store *store = open_url(sentinel->url);
	struct err err;

	if (store_runf(store, NULL, NULL, &err,
		"SENTINEL SET mail down-after-milliseconds 300") < 0)
		case_fail("SENTINEL SET", "%s", err.text);
	store_close(store);
}

/* Until a replica has it, too: a new one may be busy loading. */
static void
set_durably(struct store *store)
{
	const struct bytes set[] = { BYTES_LIT("SET"), BYTES_LIT("k"),
		BYTES_LIT("v") };
	const struct store_command command = { 3, set };
	struct store_reply *reply;
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct err err;

	while (
	    store_pipeline_durable(store, "k", 1, &command, &reply, &err) < 0) {
		if (clock_mono_ms() > until)
			case_fail("SET", "%s", err.text);
		nap_ms(20);
	}
	store_reply_free(reply);
}

static void
test_sentinel(void **state)
{
	static const char *const durable[] = { "--appendonly", "yes",
		"--appendfsync", "always", "--min-replicas-to-write", "1",
		"--repl-ping-replica-period", "1", "--repl-diskless-sync-delay",
		"0", NULL };
	const struct bytes set[] = { BYTES_LIT("SET"), BYTES_LIT("k"),
		BYTES_LIT("v") };
	const struct store_command command = { 3, set };
	struct redis_server a = { 0 }, b = { 0 };
	struct redis_server watcher = { 0 };
	struct sentinel sentinel;
	struct store_reply *reply;
	struct store *store;
	struct err err;
	char *url, port[8];
	int64_t began;

	(void)state;
	redis_server_start(&a, true, durable);
	redis_server_start(&b, true, durable);
	snprintf(port, sizeof(port), "%u", a.port);
	tell(&b, "REPLICAOF", "127.0.0.1", port, NULL);
	sentinel_start(&sentinel, a.port);
	watcher.url = xprintf("127.0.0.1:%u", sentinel.port);
	/* The first Sentinel of the list is none. */
	url = xprintf("sentinel:mail@127.0.0.1:%u,127.0.0.1:%u", free_port(),
	    sentinel.port);
	store = open_with(url, TIMEOUT_MS);
	until_set(store, "k");
	assert_int_equal(store->topology.master->address.port, a.port);
	set_durably(store);
	assert_int_equal(store_is_durable(store, &err), 1);

	/* A replica that hangs: written, but not copied in time. */
	kill(b.pid, SIGSTOP);
	began = clock_mono_ms();
	assert_int_equal(store_pipeline_durable(store, "k", 1, &command, &reply,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_true(clock_mono_ms() - began < PATIENCE_MS / 2);
	kill(b.pid, SIGCONT);
	set_durably(store);

	/* The master dies: the replica is promoted and found. */
	until_replica_is_known(&watcher);
	sentinel_hurry(&watcher);
	redis_server_kill(&a);
	tell(&b, "CONFIG", "SET", "min-replicas-to-write", "0");
	until_set(store, "k");
	assert_int_equal(store->topology.master->address.port, b.port);
	/* One is not enough for what must not be lost. */
	assert_int_equal(store_is_durable(store, &err), 0);

	store_close(store);
	free(watcher.url);
	free(url);
	sentinel_stop(&sentinel);
	redis_server_stop(&a);
	redis_server_stop(&b);
}

/* ---- TLS ---- */

static bool
make_certificate(const char *dir)
{
	char *command = xprintf(
	    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
	    "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem "
	    "-out %s/cert.pem 2>/dev/null",
	    dir, dir);
	/* A fixed command on a directory of ours. */
	int rc = system(command); /* NOLINT(cert-env33-c) */

	free(command);
	return rc == 0;
}

static void
test_tls(void **state)
{
	struct redis_server server = { 0 };
	char *dir = temp_dir(), *cert = xprintf("%s/cert.pem", dir),
	     *key = xprintf("%s/key.pem", dir), port[8], *url;
	const char *args[] = { "--tls-port", port, "--tls-cert-file", cert,
		"--tls-key-file", key, "--tls-auth-clients", "no", NULL };
	struct store_options options = { .timeout_ms = PATIENCE_MS };
	const size_t large = 3000000;
	struct store *store;
	struct store_reply *reply;
	struct bytes value;
	struct err err;
	int i;

	(void)state;
	if (!make_certificate(dir)) {
		printf("skipped: test_tls (no openssl command)\n");
		remove_dir(dir);
		return;
	}
	snprintf(port, sizeof(port), "%u", free_port());
	redis_server_start(&server, false, args);
	url = xprintf("rediss://127.0.0.1:%s", port);
	options.url = url;
	options.ca_file = cert;
	store = store_open(&options, &err);
	assert_non_null(store);
	value = (struct bytes){ xcalloc(1, large), large };
	for (i = 0; i < 3; i++) {
		assert_int_equal(store_runf(store, "k", NULL, &err, "SET k %b",
				     &value),
		    0);
		assert_int_equal(store_runf(store, "k", &reply, &err, "GET k"),
		    0);
		assert_true(bytes_equal(reply->text, value));
		store_reply_free(reply);
	}
	free((char *)value.data);
	store_close(store);

	/* A certificate that nobody vouches for. */
	options.ca_file = NULL;
	store = store_open(&options, &err);
	assert_int_equal(store_runf(store, "k", NULL, &err, "PING"), -1);
	assert_non_null(strstr(err.text, "certificate"));
	store_close(store);

	/* Another name than the certificate's. */
	free(url);
	url = xprintf("rediss://localhost:%s", port);
	options.url = url;
	options.ca_file = cert;
	store = store_open(&options, &err);
	assert_int_equal(store_runf(store, "k", NULL, &err, "PING"), -1);
	assert_non_null(strstr(err.text, "certificate"));
	store_close(store);

	redis_server_stop(&server);
	remove_dir(dir);
	free(dir);
	free(cert);
	free(key);
	free(url);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_sentinel),
		cmocka_unit_test(test_tls),
	};

	if (!redis_server_is_installed()) {
		printf("skipped: %zu tests that need redis-server\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	return cmocka_run_group_tests_name("store, many servers", tests, NULL,
	    NULL);
}
