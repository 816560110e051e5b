/*
 * test_preview_desk.c - who makes a preview, who waits, who is sent away.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "webui/preview_desk.h"
#include "tests/unit.h"

/* Processor time that counts as slow. */
static void
be_slow(void)
{
	const int64_t until_ms = clock_thread_cpu_ms() + PREVIEW_SLOW_MS + 5;

	while (clock_thread_cpu_ms() < until_ms)
		;
}

static int
take(struct preview_desk *desk, const char *key, const char *person,
    struct buf *out, struct err *err)
{
	buf_reset(out);
	err_clear(err);
	return preview_desk_take(desk, key, person, out, err);
}

static void
make(struct preview_desk *desk, const char *key, const char *text, bool slow)
{
	struct buf out, made;
	struct err err;

	buf_init(&out, 100);
	buf_init(&made, PREVIEW_KEPT_BYTES_MAX + 1);
	assert_int_equal(take(desk, key, "user:a", &out, &err), 0);
	if (slow)
		be_slow();
	buf_append_str(&made, text);
	preview_desk_done(desk, key, &made, NULL);
	buf_free(&made);
	buf_free(&out);
}

/* Only what was slow is kept. */
static void
test_kept(void **state)
{
	struct preview_desk *desk = preview_desk_new();
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 1000);
	make(desk, "quick", "one", false);
	assert_int_equal(take(desk, "quick", "user:a", &out, &err), 0);
	preview_desk_done(desk, "quick", &out, NULL);
	make(desk, "slow", "two", true);
	assert_int_equal(take(desk, "slow", "user:b", &out, &err), 1);
	assert_string_equal(buf_str(&out), "two");
	assert_int_equal(take(desk, "slower", "user:b", &out, &err), 0);
	preview_desk_done(desk, "slower", &out, NULL);
	buf_free(&out);
	preview_desk_free(desk);
}

static void
fail_with(struct preview_desk *desk, const char *key, enum err_kind kind)
{
	struct buf out;
	struct err err;

	buf_init(&out, 100);
	assert_int_equal(take(desk, key, NULL, &out, &err), 0);
	be_slow();
	err_set(&err, kind, "the preview is too large");
	preview_desk_done(desk, key, NULL, &err);
	buf_free(&out);
}

/* A ceiling stays one; Redis that was away may be back. */
static void
test_refused(void **state)
{
	struct preview_desk *desk = preview_desk_new();
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 100);
	fail_with(desk, "large", ERR_LIMIT);
	assert_int_equal(take(desk, "large", "user:a", &out, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "the preview is too large");
	fail_with(desk, "away", ERR_TEMP);
	assert_int_equal(take(desk, "away", "user:a", &out, &err), 0);
	preview_desk_done(desk, "away", &out, NULL);
	buf_free(&out);
	preview_desk_free(desk);
}

/* The bytes of all that is kept have a ceiling; what was used last stays. */
static void
test_room(void **state)
{
	struct preview_desk *desk = preview_desk_new();
	const size_t third = PREVIEW_KEPT_BYTES_MAX / 3;
	char *large = xcalloc(1, third + 1);
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, PREVIEW_KEPT_BYTES_MAX);
	memset(large, 'x', third);
	make(desk, "1", large, true);
	make(desk, "2", large, true);
	make(desk, "3", large, true);
	assert_int_equal(take(desk, "1", "user:a", &out, &err), 1);
	make(desk, "4", large, true);
	assert_int_equal(take(desk, "1", "user:a", &out, &err), 1);
	assert_int_equal(take(desk, "4", "user:a", &out, &err), 1);
	assert_int_equal(take(desk, "2", "user:a", &out, &err), 0);
	preview_desk_done(desk, "2", &out, NULL);
	free(large);
	buf_free(&out);
	preview_desk_free(desk);
}

/* One person does not get all seats; others still do. */
static void
test_person(void **state)
{
	static const char *const keys[] = { "a", "b", "c", "d", "e", "f" };
	struct preview_desk *desk = preview_desk_new();
	struct buf out;
	struct err err;
	size_t i;

	(void)state;
	assert_true(PREVIEW_PERSON_MAX <= PREVIEW_AT_ONCE_MAX);
	buf_init(&out, 100);
	for (i = 0; i + 1 < PREVIEW_PERSON_MAX; i++)
		assert_int_equal(take(desk, keys[i], "user:a", &out, &err), 0);
	assert_int_equal(take(desk, "other", "user:b", &out, &err), 0);
	preview_desk_done(desk, "other", &out, NULL);
	assert_int_equal(take(desk, keys[i++], "user:a", &out, &err), 0);
	assert_int_equal(take(desk, "more", "user:a", &out, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	while (i-- > 0)
		preview_desk_done(desk, keys[i], &out, NULL);
	assert_int_equal(take(desk, "more", "user:a", &out, &err), 0);
	preview_desk_done(desk, "more", &out, NULL);
	buf_free(&out);
	preview_desk_free(desk);
}

struct crowd {
	struct preview_desk *desk;
	_Atomic unsigned made, given, sent_away;
};

static void *
come(void *context)
{
	struct crowd *crowd = context;
	struct buf out;
	struct err err;
	int rc;

	buf_init(&out, 100);
	rc = preview_desk_take(crowd->desk, "same", NULL, &out, &err);
	if (rc == 0) {
		atomic_fetch_add(&crowd->made, 1);
		be_slow();
		buf_append_str(&out, "made");
		preview_desk_done(crowd->desk, "same", &out, NULL);
	} else if (rc == 1) {
		atomic_fetch_add(&crowd->given, 1);
	} else {
		atomic_fetch_add(&crowd->sent_away, 1);
	}
	buf_free(&out);
	return NULL;
}

/* Many want the same: it is made once. */
static void
test_same(void **state)
{
	struct crowd crowd = { .desk = preview_desk_new() };
	pthread_t threads[16];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come,
				     &crowd),
		    0);
	for (i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.made, 1);
	assert_int_equal(crowd.made + crowd.given + crowd.sent_away,
	    ARRAY_LEN(threads));
	preview_desk_free(crowd.desk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_person),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests_name("preview_desk", tests, NULL, NULL);
}
