/*
 * test_netstring.c - tests of milter/netstring.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "milter/netstring.h"

#define MAX 12

static void
test_parse(void **state)
{
	static const struct {
		const char *label;
		const char *in;
		int rc;
		const char *text;
		size_t used;
	} cases[] = {
		{ "one", "5:hello,", 1, "hello", 8 },
		{ "another behind", "2:hi,3:you,", 1, "hi", 5 },
		{ "empty", "0:,", 1, "", 3 },
		{ "commas inside", "3:,,,,", 1, ",,,", 6 },
		{ "longest", "12:abcdefghijkl,", 1, "abcdefghijkl", 16 },
		{ "nothing yet", "", 0, NULL, 0 },
		{ "number only", "1", 0, NULL, 0 },
		{ "no bytes yet", "5:", 0, NULL, 0 },
		{ "comma missing yet", "5:hello", 0, NULL, 0 },
		{ "one too long", "13:abcdefghijklm,", -1, NULL, 0 },
		{ "too long by its digits", "100", -1, NULL, 0 },
		{ "longer than any number", "99999999999999999999999", -1, NULL,
		    0 },
		{ "leading zero", "05:hello,", -1, NULL, 0 },
		{ "two zeros", "00:,", -1, NULL, 0 },
		{ "no number", ":,", -1, NULL, 0 },
		{ "sign", "-1:,", -1, NULL, 0 },
		{ "space", " 1:a,", -1, NULL, 0 },
		{ "no colon", "5hello,", -1, NULL, 0 },
		{ "no comma", "5:hello;", -1, NULL, 0 },
	};
	struct bytes text;
	size_t i, used;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		used = 0;
		text = BYTES_LIT("");
		rc = netstring_parse(bytes_of(cases[i].in), MAX, &text, &used);
		if (rc != cases[i].rc)
			case_fail(cases[i].label, "returned %d", rc);
		if (rc == 1 &&
		    (!bytes_equal(text, bytes_of(cases[i].text)) ||
			used != cases[i].used))
			case_fail(cases[i].label, "'%.*s', used %zu",
			    (int)text.len, text.data, used);
	}
}

/* Byte by byte: never more than what is there is looked at. */
static void
test_piecemeal(void **state)
{
	static const char whole[] = "11:map key@a.b,";
	struct bytes text;
	size_t n, used;

	(void)state;
	for (n = 0; n < sizeof(whole) - 1; n++)
		assert_int_equal(netstring_parse((struct bytes){ whole, n },
				     MAX, &text, &used),
		    0);
	assert_int_equal(netstring_parse((struct bytes){ whole, n }, MAX, &text,
			     &used),
	    1);
}

static void
test_append(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_int_equal(netstring_append(&buf, BYTES_LIT("hello")), 0);
	assert_string_equal(buf_str(&buf), "5:hello,");
	assert_int_equal(netstring_append(&buf, BYTES_LIT("x")), -1);
	assert_int_equal(buf.len, 8);
	buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_piecemeal),
		cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
