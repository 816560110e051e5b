/*
 * test_scan.c - tests of policy/scan.c with checks and a DNS of its own.
 *
 * The program defines the checks and the DNS calls itself, so the
 * linker takes neither from the libraries: what is tested is the order,
 * the repetition and the end of waiting.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "policy/scan.h"

/* ---- a DNS whose answers arrive when the test says so ---- */

struct dns_set {
	size_t pending;
	size_t arrivals_left; /* before the deadline strikes */
	bool news;
	unsigned waits;
};

static struct dns_set fake_set;

struct dns_set *
dns_set_new(struct dns *dns)
{
	(void)dns;
	return &fake_set;
}

void
dns_set_free(struct dns_set *set)
{
	set->pending = 0;
}

bool
dns_set_has_news(struct dns_set *set)
{
	bool news = set->news;

	set->news = false;
	return news;
}

size_t
dns_set_pending(const struct dns_set *set)
{
	return set->pending;
}

int
dns_set_wait(struct dns_set *set, int64_t until_ms)
{
	(void)until_ms;
	set->waits++;
	if (set->pending == 0)
		return 0;
	if (set->arrivals_left > 0) {
		set->arrivals_left--;
		set->pending--;
	} else {
		set->pending = 0;
	}
	return 1;
}

/* ---- checks that write down when they are stepped ---- */

static char journal[256];
static enum scan_stage needs_stage[CHECK_COUNT];
static size_t needs_answers[CHECK_COUNT];
static bool asked[CHECK_COUNT];
static size_t freed;

static enum check_state
fake_step(struct scan *scan, enum check_id id)
{
	size_t len = strlen(journal);

	journal[len] = (char)('0' + (int)id);
	journal[len + 1] = '\0';
	if (!asked[id]) {
		asked[id] = true;
		fake_set.pending += needs_answers[id];
	}
	if (scan->stage < needs_stage[id] ||
	    (needs_answers[id] > 0 && fake_set.pending > 0))
		return CHECK_WAIT;
	return CHECK_DONE;
}

static void
fake_body(struct scan *scan, struct bytes piece)
{
	(void)scan;
	strncat(journal, piece.data, piece.len);
}

static void
fake_fini(struct scan *scan)
{
	(void)scan;
	freed++;
}

#define FAKE_CHECK(word, id_)                                                  \
	static enum check_state word##_step(struct scan *scan)                 \
	{                                                                      \
		return fake_step(scan, id_);                                   \
	}                                                                      \
	const struct check check_##word = {                                    \
		.id = id_,                                                     \
		.name = #word,                                                 \
		.step = word##_step,                                           \
		.body = (id_) == CHECK_DKIM ? fake_body : NULL,                \
		.fini = fake_fini,                                             \
	}

FAKE_CHECK(body, CHECK_BODY);
FAKE_CHECK(iprev, CHECK_IPREV);
FAKE_CHECK(spf, CHECK_SPF);
FAKE_CHECK(dkim, CHECK_DKIM);
FAKE_CHECK(arc, CHECK_ARC);
FAKE_CHECK(dmarc, CHECK_DMARC);

static int
reset(void **state)
{
	(void)state;
	memset(&fake_set, 0, sizeof(fake_set));
	memset(journal, 0, sizeof(journal));
	memset(needs_stage, 0, sizeof(needs_stage));
	memset(needs_answers, 0, sizeof(needs_answers));
	memset(asked, 0, sizeof(asked));
	freed = 0;
	return 0;
}

static void
test_order_and_once(void **state)
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "x" };
	struct scan *scan = scan_new(arena, NULL, &envelope, NULL, "mx");

	(void)state;
	needs_stage[CHECK_DKIM] = SCAN_END;
	needs_stage[CHECK_DMARC] = SCAN_END;
	scan_reach(scan, SCAN_MAIL);
	scan_reach(scan, SCAN_HEADERS);
	scan_body(scan, BYTES_LIT("<body>"));
	scan_finish(scan, 0);
	/* Each is stepped until done and never again, in order. */
	assert_string_equal(journal, "01234535<body>35");
	assert_int_equal(fake_set.waits, 0);
	scan_fini(scan);
	assert_int_equal(freed, CHECK_COUNT);
	arena_free(arena);
}

static void
test_poll_steps_on_news_only(void **state)
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "x" };
	struct scan *scan = scan_new(arena, NULL, &envelope, NULL, "mx");

	(void)state;
	needs_answers[CHECK_SPF] = 1;
	scan_reach(scan, SCAN_MAIL);
	assert_string_equal(journal, "012345");
	scan_poll(scan);
	assert_string_equal(journal, "012345");
	fake_set.pending = 0;
	fake_set.news = true;
	scan_poll(scan);
	assert_string_equal(journal, "0123452");
	assert_false(scan_is_waiting(scan));
	scan_fini(scan);
	arena_free(arena);
}

static void
test_finish_waits_until_done(void **state)
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "x" };
	struct scan *scan = scan_new(arena, NULL, &envelope, NULL, "mx");

	(void)state;
	needs_answers[CHECK_SPF] = 2;
	needs_answers[CHECK_DMARC] = 1;
	fake_set.arrivals_left = 1; /* then the deadline */
	scan_reach(scan, SCAN_MAIL);
	assert_true(scan_is_waiting(scan));
	scan_finish(scan, 0);
	assert_false(scan_is_waiting(scan));
	assert_int_equal(fake_set.waits, 2);
	scan_fini(scan);
	arena_free(arena);
}

static void
test_our_own_users_are_not_checked(void **state)
{
	struct arena *arena = arena_new(0);
	struct envelope envelope = { .id = "x" };
	struct scan *scan = scan_new(arena, NULL, &envelope, NULL, "mx");

	(void)state;
	scan->inbound_checks = false;
	scan_reach(scan, SCAN_MAIL);
	scan_body(scan, BYTES_LIT("body"));
	scan_finish(scan, 0);
	/* but for the body, which may be signed */
	assert_string_equal(journal, "0");
	assert_false(scan_is_waiting(scan));
	scan_fini(scan);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order_and_once, reset),
		cmocka_unit_test_setup(test_poll_steps_on_news_only, reset),
		cmocka_unit_test_setup(test_finish_waits_until_done, reset),
		cmocka_unit_test_setup(test_our_own_users_are_not_checked,
		    reset),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
