/*
 * test_replay.c - tests of policy/replay.c: signatures, counted in a Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/store.h"
#include "policy/replay.h"
#include "tests/redis_server.h"

static struct redis_server server;

static int
setup(void **state)
{
	(void)state;
	if (redis_server_is_installed())
		redis_server_start(&server, false, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (server.pid != 0)
		redis_server_stop(&server);
	return 0;
}

static struct store *
open_store(void)
{
	struct store_options options = { .url = server.url,
		.timeout_ms = PATIENCE_MS };
	struct store *store;
	struct err err;

	if (server.pid == 0)
		skip();
	store = store_open(&options, &err);
	assert_non_null(store);
	return store;
}

struct mail {
	struct auth_dkim_signature signatures[3];
	size_t count;
};

static void
count_within(struct store *store, struct mail *mail, unsigned budget_ms)
{
	struct arena *arena = arena_new(0);
	struct scan scan = { .arena = arena,
		.auth.dkim = { .count = mail->count,
		    .signatures = mail->signatures } };

	replay_count(store, &scan, budget_ms);
	arena_free(arena);
}

static void
count(struct store *store, struct mail *mail)
{
	count_within(store, mail, PATIENCE_MS);
}

static struct auth_dkim_signature
signature(const char *domain, const char *selector, const char *b, bool trusted)
{
	struct auth_dkim_signature s = { .result = AUTH_PASS,
		.domain = domain,
		.selector = selector,
		.trusted = trusted };

	strncpy(s.b_prefix, b, sizeof(s.b_prefix) - 1);
	return s;
}

static void
test_each_by_itself(void **state)
{
	struct store *store = open_store();
	struct mail a = { { signature("a.example", "s", "AAAAAAAA", true) },
		1 };
	struct mail b = { { signature("a.example", "s", "BBBBBBBB", true) },
		1 };
	struct mail c = { { signature("a.example", "t", "AAAAAAAA", true) },
		1 };
	struct mail d = { { signature("b.example", "s", "AAAAAAAA", true) },
		1 };
	uint64_t n;

	(void)state;
	for (n = 1; n <= 3; n++) {
		count(store, &a);
		assert_int_equal(a.signatures[0].seen, n);
	}
	count(store, &b);
	count(store, &c);
	count(store, &d);
	assert_int_equal(b.signatures[0].seen, 1);
	assert_int_equal(c.signatures[0].seen, 1);
	assert_int_equal(d.signatures[0].seen, 1);
	store_close(store);
}

/* One of the sender's own, fresh each time, hides nothing; what proves
 * nothing is not counted. */
static void
test_all_that_count(void **state)
{
	struct store *store = open_store();
	struct mail first = {
		{ signature("evil.example", "s", "11111111", true),
		    signature("good.example", "s", "GGGGGGGG", true),
		    signature("bad.example", "s", "XXXXXXXX", false) },
		3
	};
	struct mail second = {
		{ signature("evil.example", "s", "22222222", true),
		    signature("bad.example", "s", "XXXXXXXX", false),
		    signature("good.example", "s", "GGGGGGGG", true) },
		3
	};
	struct mail none = {
		{ signature("bad.example", "s", "XXXXXXXX", false) }, 1
	};

	(void)state;
	count(store, &first);
	count(store, &second);
	count(store, &none);
	assert_int_equal(second.signatures[0].seen, 1);
	assert_int_equal(second.signatures[1].seen, 0);
	assert_int_equal(second.signatures[2].seen, 2);
	assert_int_equal(none.signatures[0].seen, 0);
	store_close(store);
}

static void
test_the_hour_ends(void **state)
{
	struct store *store = open_store();
	struct mail mail = {
		{ signature("ttl.example", "s", "AAAAAAAA", true) }, 1
	};
	struct store_reply *keys, *ttl;
	struct err err;
	size_t i;

	(void)state;
	count(store, &mail);
	assert_int_equal(store_runf(store, NULL, &keys, &err,
			     "KEYS sk:{c:replay}:*"),
	    0);
	assert_true(keys->count > 0);
	for (i = 0; i < keys->count; i++) {
		assert_int_equal(store_runf(store, NULL, &ttl, &err, "TTL %b",
				     &keys->items[i].text),
		    0);
		assert_in_range(ttl->integer, 1, REPLAY_WINDOW_S);
		store_reply_free(ttl);
	}
	store_reply_free(keys);
	store_close(store);
}

/* Without an answer in time nothing is known, and mail goes on. */
static void
test_slow_store(void **state)
{
	struct store *store = open_store();
	struct mail mail = {
		{ signature("slow.example", "s", "AAAAAAAA", true) }, 1
	};
	int64_t began;

	(void)state;
	count(store, &mail);
	assert_int_equal(mail.signatures[0].seen, 1);
	mail.signatures[0].seen = 0;
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	began = clock_mono_ms();
	count_within(store, &mail, REPLAY_BUDGET_MS);
	assert_true(clock_mono_ms() - began < PATIENCE_MS);
	assert_int_equal(mail.signatures[0].seen, 0);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_by_itself),
		cmocka_unit_test(test_all_that_count),
		cmocka_unit_test(test_the_hour_ends),
		cmocka_unit_test(test_slow_store),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
