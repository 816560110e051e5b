/*
 * test_store_fake.c - tests of the store against servers that are none:
 * what they send is nonsense, too much, too slow or cut off; and against
 * one that knows WAITAOF, which Redis 7.0 does not.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store_impl.h"

#define TIMEOUT_MS 300 /* where it must strike */
#define RULES_MAX 8

/* When what came holds `asked`, `answer` is sent. */
struct rule {
	const char *asked;
	const char *answer;
	size_t len; /* of answer; 0: as a C string */
	bool then_close;
	unsigned byte_ms; /* one byte every so many ms */
};

struct fake {
	char *dir, *path, *url;
	int listen_fd;
	pthread_t thread;
	atomic_bool ending;
	atomic_uint accepted;
	const struct rule *rules; /* ended by asked == NULL */
};

static void
nap_ms(unsigned ms)
{
	const struct timespec ts = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&ts, NULL);
}

static void
say(struct fake *fake, int fd, const struct rule *rule)
{
	size_t len = rule->len > 0 ? rule->len : strlen(rule->answer), i;

	if (rule->byte_ms == 0) {
		(void)!send(fd, rule->answer, len, MSG_NOSIGNAL);
		return;
	}
	for (i = 0; i < len && !atomic_load(&fake->ending); i++) {
		if (send(fd, rule->answer + i, 1, MSG_NOSIGNAL) < 0)
			return;
		nap_ms(rule->byte_ms);
	}
}

static void
serve(struct fake *fake, int fd)
{
	char data[65536];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!atomic_load(&fake->ending)) {
		const struct rule *rule;
		ssize_t n;

		if (poll(&p, 1, 20) == 0)
			continue;
		n = recv(fd, data, sizeof(data) - 1, 0);
		if (n <= 0)
			return;
		data[n] = '\0';
		for (rule = fake->rules; rule->asked != NULL; rule++) {
			if (strstr(data, rule->asked) == NULL)
				continue;
			say(fake, fd, rule);
			if (rule->then_close)
				return;
			break;
		}
	}
}

static void *
fake_thread(void *arg)
{
	struct fake *fake = arg;
	struct pollfd p = { .fd = fake->listen_fd, .events = POLLIN };

	while (!atomic_load(&fake->ending)) {
		int fd;

		if (poll(&p, 1, 20) == 0)
			continue;
		fd = accept(fake->listen_fd, NULL, NULL);
		if (fd < 0)
			continue;
		atomic_fetch_add(&fake->accepted, 1);
		serve(fake, fd);
		close(fd);
	}
	return NULL;
}

static void
fake_start(struct fake *fake, const struct rule *rules)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memset(fake, 0, sizeof(*fake));
	fake->rules = rules;
	fake->dir = temp_dir();
	fake->path = xprintf("%s/s", fake->dir);
	fake->url = xprintf("unix:%s", fake->path);
	memcpy(sun.sun_path, fake->path, strlen(fake->path));
	fake->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fake->listen_fd, (struct sockaddr *)&sun,
			     sizeof(sun)),
	    0);
	assert_int_equal(listen(fake->listen_fd, 16), 0);
	pthread_create(&fake->thread, NULL, fake_thread, fake);
}

static void
fake_stop(struct fake *fake)
{
	atomic_store(&fake->ending, true);
	pthread_join(fake->thread, NULL);
	close(fake->listen_fd);
	remove_dir(fake->dir);
	free(fake->dir);
	free(fake->path);
	free(fake->url);
}

static struct store *
open_fake(const struct fake *fake, unsigned timeout_ms)
{
	const struct store_options options = { .url = fake->url,
		.timeout_ms = timeout_ms };

	return store_open(&options, NULL);
}

/* CLIENT SETNAME and PING of the login. */
#define LOGIN                                                                  \
	{                                                                      \
		"SETNAME", "+OK\r\n+PONG\r\n", 0, false, 0                     \
	}

static void
test_nonsense(void **state)
{
	static const struct {
		const char *label;
		struct rule rules[3];
	} cases[] = {
		{ "not Redis",
		    { { "SETNAME", "HTTP/1.1 400 Bad Request\r\n\r\n", 0, true,
			0 } } },
		{ "closes at once", { { "SETNAME", "", 0, true, 0 } } },
		{ "PING is no status",
		    { { "SETNAME", "+OK\r\n:1\r\n", 0, false, 0 } } },
		{ "loading",
		    { { "SETNAME", "+OK\r\n-LOADING wait\r\n", 0, false,
			0 } } },
		{ "wants a password",
		    { { "SETNAME", "-NOAUTH\r\n-NOAUTH\r\n", 0, false, 0 } } },
		{ "unknown type", { LOGIN, { "GET", "?1\r\n", 0, false, 0 } } },
		{ "no number", { LOGIN, { "GET", ":x\r\n", 0, false, 0 } } },
		{ "bulk of wrong length",
		    { LOGIN, { "GET", "$3\r\nabcdef\r\n", 0, false, 0 } } },
		{ "negative array",
		    { LOGIN, { "GET", "*-7\r\n", 0, false, 0 } } },
		{ "too many items",
		    { LOGIN, { "GET", "*1048577\r\n", 0, false, 0 } } },
		{ "too many items, nested",
		    { LOGIN, { "GET", "*2\r\n*1048000\r\n", 0, false, 0 } } },
		{ "int overflow",
		    { LOGIN, { "GET", "*4294967297\r\n", 0, false, 0 } } },
		{ "too deep",
		    { LOGIN,
			{ "GET",
			    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
			    "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
			    0, false, 0 } } },
		{ "cut off", { LOGIN, { "GET", "$10\r\nabc", 0, true, 0 } } },
		{ "half an answer",
		    { LOGIN, { "GET", "$10\r\nabc", 0, false, 0 } } },
		{ "a byte at a time",
		    { LOGIN,
			{ "GET", "$20\r\naaaaaaaaaaaaaaaaaaaa\r\n", 0, false,
			    50 } } },
		{ "MOVED, but no Cluster",
		    { LOGIN, { "GET", "-MOVED 1 h:1\r\n", 0, false, 0 } } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t began = clock_mono_ms();
		struct store *store;
		struct fake fake;
		struct err err;

		fake_start(&fake, cases[i].rules);
		store = open_fake(&fake, TIMEOUT_MS);
		err_clear(&err);
		if (store_runf(store, NULL, NULL, &err, "GET k") != -1)
			case_fail(cases[i].label, "was believed");
		if (err.kind != ERR_TEMP)
			case_fail(cases[i].label, "%s", err.text);
		if (clock_mono_ms() - began > PATIENCE_MS / 2)
			case_fail(cases[i].label, "took too long");
		store_close(store);
		fake_stop(&fake);
	}
}

/* What was not asked for must not answer the next question. */
static void
test_answers_too_many(void **state)
{
	static const struct rule rules[] = { LOGIN,
		{ "one", "$3\r\none\r\n$5\r\nwrong\r\n", 0, false, 0 },
		{ "two", "$3\r\ntwo\r\n", 0, false, 0 }, { 0 } };
	struct store_reply *reply;
	struct store *store;
	struct fake fake;
	struct err err;

	(void)state;
	fake_start(&fake, rules);
	store = open_fake(&fake, PATIENCE_MS);
	assert_int_equal(store_runf(store, NULL, &reply, &err, "GET one"), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(store_runf(store, NULL, &reply, &err, "GET two"), 0);
	assert_memory_equal(reply->text.data, "two", 3);
	store_reply_free(reply);
	store_close(store);
	fake_stop(&fake);
}

/* A command whose answer was lost is not sent twice. */
static void
test_never_sent_twice(void **state)
{
	static const struct rule rules[] = { LOGIN, { "INCR", "", 0, true, 0 },
		{ 0 } };
	struct store *store;
	struct fake fake;
	struct err err;

	(void)state;
	fake_start(&fake, rules);
	store = open_fake(&fake, PATIENCE_MS);
	assert_int_equal(store_runf(store, NULL, NULL, &err, "INCR n"), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_int_equal(atomic_load(&fake.accepted), 1);
	store_close(store);
	fake_stop(&fake);
}

#define CONFIG_REPLY(fsync)                                                    \
	"*8\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"                             \
	"$11\r\nappendfsync\r\n" fsync                                         \
	"$25\r\nno-appendfsync-on-rewrite\r\n$2\r\nno\r\n"                     \
	"$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"
#define EVERYSEC "$8\r\neverysec\r\n"
#define HAS_WAITAOF "*1\r\n*2\r\n$7\r\nwaitaof\r\n:4\r\n"
#define HAS_NOT "*1\r\n*-1\r\n"

static void
test_waitaof(void **state)
{
	static const struct {
		const char *label;
		struct rule rules[4];
		int durable, rc;
	} cases[] = {
		{ "written to disk",
		    { { "WAITAOF", "+OK\r\n*2\r\n:1\r\n:0\r\n", 0, false, 0 },
			LOGIN,
			{ "CONFIG", CONFIG_REPLY(EVERYSEC) HAS_WAITAOF, 0,
			    false, 0 } },
		    1, 0 },
		{ "not written to disk",
		    { { "WAITAOF", "+OK\r\n*2\r\n:0\r\n:0\r\n", 0, false, 0 },
			LOGIN,
			{ "CONFIG", CONFIG_REPLY(EVERYSEC) HAS_WAITAOF, 0,
			    false, 0 } },
		    1, -1 },
		{ "WAITAOF refused",
		    { { "WAITAOF", "+OK\r\n-ERR appendonly\r\n", 0, false, 0 },
			LOGIN,
			{ "CONFIG", CONFIG_REPLY(EVERYSEC) HAS_WAITAOF, 0,
			    false, 0 } },
		    1, -1 },
		{ "no WAITAOF",
		    { LOGIN,
			{ "CONFIG", CONFIG_REPLY(EVERYSEC) HAS_NOT, 0, false,
			    0 },
			{ "SET", "+OK\r\n", 0, false, 0 } },
		    0, 0 },
		{ "CONFIG forbidden",
		    { LOGIN,
			{ "CONFIG", "-NOPERM no\r\n" HAS_NOT, 0, false, 0 },
			{ "SET", "+OK\r\n", 0, false, 0 } },
		    -1, 0 },
	};
	const struct bytes set[] = { BYTES_LIT("SET"), BYTES_LIT("k"),
		BYTES_LIT("v") };
	const struct store_command command = { 3, set };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_reply *reply = NULL;
		struct store *store;
		struct fake fake;
		struct err err;

		fake_start(&fake, cases[i].rules);
		store = open_fake(&fake, PATIENCE_MS);
		err_clear(&err);
		if (store_is_durable(store, &err) != cases[i].durable)
			case_fail(cases[i].label, "durable? %s", err.text);
		if (store_pipeline_durable(store, "k", 1, &command, &reply,
			&err) != cases[i].rc)
			case_fail(cases[i].label, "written? %s", err.text);
		store_reply_free(reply);
		store_close(store);
		fake_stop(&fake);
	}
}

/* The ceiling of bytes, at the reader itself: no server need send them. */
static void
test_reply_bytes(void **state)
{
	struct store_reader *reader = store_reader_new();
	char *megabyte = xcalloc(1, 1 << 20);
	struct err err;
	size_t fed;
	int rc;

	(void)state;
	rc = store_reader_feed(reader, "$999999999\r\n", 12, &err);
	assert_int_equal(rc, 0);
	for (fed = 0; rc == 0 && fed < 2 * STORE_REPLY_BYTES_MAX;
	     fed += 1 << 20) {
		struct store_reply *reply;

		rc = store_reader_feed(reader, megabyte, 1 << 20, &err);
		if (rc == 0)
			rc = store_reader_get(reader, &reply, &err);
	}
	assert_int_equal(rc, -1);
	assert_true(fed <= STORE_REPLY_BYTES_MAX + (3 << 20));
	store_reader_free(reader);
	free(megabyte);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_answers_too_many),
		cmocka_unit_test(test_never_sent_twice),
		cmocka_unit_test(test_waitaof),
		cmocka_unit_test(test_reply_bytes),
	};

	return cmocka_run_group_tests_name("store, fake", tests, NULL, NULL);
}
