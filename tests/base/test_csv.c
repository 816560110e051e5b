/*
 * test_csv.c - tests of base/csv.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "tests/unit.h"

#include "base/csv.h"

/* Rows as "line:field|field;..." or the error. */
static void
read_all(struct bytes text, struct buf *out)
{
	struct arena *arena = arena_new(0);
	struct csv_reader reader;
	struct csv_row row;
	struct err err;
	size_t i;
	int rc;

	buf_reset(out);
	csv_begin(&reader, arena, text);
	while ((rc = csv_read(&reader, &row, &err)) > 0) {
		buf_printf(out, "%u:", reader.line);
		for (i = 0; i < row.count; i++)
			buf_printf(out, "%s%s", i > 0 ? "|" : "",
			    row.fields[i]);
		buf_append_char(out, ';');
	}
	if (rc < 0)
		buf_printf(out, "line %u: %s", reader.line, err.text);
	arena_free(arena);
}

static void
test_read(void **state)
{
	static const struct {
		struct bytes text;
		const char *want;
	} cases[] = {
		{ BYTES_LIT(""), "" },
		{ BYTES_LIT("\n\r\n"), "" },
		{ BYTES_LIT("a,b\r\nc,d\r\n"), "1:a|b;2:c|d;" },
		{ BYTES_LIT("a,b\n\nc"), "1:a|b;3:c;" },
		{ BYTES_LIT("\xef\xbb\xbf"
			    "a"),
		    "1:a;" },
		{ BYTES_LIT(",\n,"), "1:|;2:|;" },
		{ BYTES_LIT("a, b ,"), "1:a| b |;" },
		{ BYTES_LIT("\"a,b\",\"c\"\"d\"\n"), "1:a,b|c\"d;" },
		{ BYTES_LIT("\"a\nb\",c\nd"), "1:a\nb|c;3:d;" },
		{ BYTES_LIT("\"\""), "1:;" },
		{ BYTES_LIT("\"\"\"\""), "1:\";" },
		{ BYTES_LIT("a\rb"), "1:a\rb;" },
		{ BYTES_LIT("関守,x"), "1:関守|x;" },
		{ BYTES_LIT("a\n\"b"), "1:a;line 2: a quote has no end" },
		{ BYTES_LIT("a\n\"b\"\""), "1:a;line 2: a quote has no end" },
		{ BYTES_LIT("\"a\"b"), "line 1: text behind a closing quote" },
		{ BYTES_LIT("a\"b"),
		    "line 1: a quote within a field that does not begin with "
		    "one" },
		{ BYTES_LIT("a\0b"), "line 1: a NUL in a field" },
		{ BYTES_LIT("a,\xff"), "line 1: a field is not UTF-8" },
		{ BYTES_LIT(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
			    ",,,,,,,,,,,,,,,,,,,,,,,,"),
		    "line 1: more than 64 fields" },
	};
	struct buf got;
	size_t i;

	(void)state;
	buf_init(&got, 10000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		read_all(cases[i].text, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			case_fail(cases[i].want, "got %s", buf_str(&got));
	}
	buf_free(&got);
}

static void
test_written_is_read(void **state)
{
	static const char bom_and_a[] = { '\xef', '\xbb', '\xbf', 'a', 0 };
	static const char *const fields[] = { bom_and_a, "", "b,c", "d\"e",
		"f\r\ng", " h", "i ", "関守" };
	struct arena *arena = arena_new(0);
	struct csv_reader reader;
	struct csv_row row;
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(csv_write(&out, ARRAY_LEN(fields), fields), 0);
	csv_begin(&reader, arena, buf_bytes(&out));
	assert_int_equal(csv_read(&reader, &row, NULL), 1);
	assert_int_equal(row.count, ARRAY_LEN(fields));
	for (i = 0; i < ARRAY_LEN(fields); i++)
		assert_string_equal(row.fields[i], fields[i]);
	assert_int_equal(csv_read(&reader, &row, NULL), 0);
	buf_free(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_written_is_read),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
