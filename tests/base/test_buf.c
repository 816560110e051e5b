/*
 * test_buf.c - tests of base/buf.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/buf.h"

static void
test_ceiling(void **state)
{
	static const struct {
		const char *label;
		size_t max;
		const char *first, *second;
		int second_rc;
		const char *want;
	} cases[] = {
		{ "fits", 10, "hello", "world", 0, "helloworld" },
		{ "one too many", 9, "hello", "world", -1, "hello" },
		{ "empty append when full", 5, "hello", "", 0, "hello" },
		{ "nothing fits", 0, "", "x", -1, "" },
	};
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_init(&buf, cases[i].max);
		buf_append_str(&buf, cases[i].first);
		if (buf_append_str(&buf, cases[i].second) != cases[i].second_rc)
			case_fail(cases[i].label, "wrong answer");
		if (strcmp(buf_str(&buf), cases[i].want) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&buf));
		if (buf.overflow != (cases[i].second_rc < 0))
			case_fail(cases[i].label, "overflow flag");
		buf_free(&buf);
	}
}

static void
test_consume_keeps_nul_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_int_equal(buf_append(&buf, "ab\0cd", 5), 0);
	buf_consume(&buf, 2);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "\0cd", 4);
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_consume_keeps_nul_bytes),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
