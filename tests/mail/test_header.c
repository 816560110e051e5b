/*
 * test_header.c - tests of mail/header.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/header.h"

static void
add(struct header *header, const char *name, const char *value)
{
	assert_int_equal(header_add(header, bytes_of(name), bytes_of(value),
			     NULL),
	    0);
}

static void
test_bytes_as_received(void **state)
{
	static const struct {
		const char *label;
		struct bytes value, want;
	} cases[] = {
		{ "leading space", BYTES_LIT(" x"), BYTES_LIT(" x") },
		{ "no leading space", BYTES_LIT("x"), BYTES_LIT("x") },
		{ "empty", BYTES_LIT(""), BYTES_LIT("") },
		{ "trailing space", BYTES_LIT("x \t"), BYTES_LIT("x \t") },
		{ "lone LF becomes CRLF", BYTES_LIT(" a\n\tb\n c"),
		    BYTES_LIT(" a\r\n\tb\r\n c") },
		{ "LF first", BYTES_LIT("\n\tb"), BYTES_LIT("\r\n\tb") },
		{ "CRLF stays", BYTES_LIT(" a\r\n b"), BYTES_LIT(" a\r\n b") },
		{ "mixed", BYTES_LIT("a\r\n b\n c"),
		    BYTES_LIT("a\r\n b\r\n c") },
		{ "lone CR stays", BYTES_LIT("a\rb"), BYTES_LIT("a\rb") },
		{ "NUL and 8 bit", BYTES_LIT("\0\x80\xff"),
		    BYTES_LIT("\0\x80\xff") },
	};
	struct arena *arena = arena_new(0);
	const struct header_field *field;
	struct header header;
	size_t i, bytes;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		header_init(&header, arena, 1000, 10);
		assert_int_equal(header_add(&header, BYTES_LIT("Subject"),
				     cases[i].value, NULL),
		    0);
		field = header_find(&header, "SUBJECT", 0);
		if (field == NULL || !bytes_equal(field->value, cases[i].want))
			case_fail(cases[i].label, "other bytes");
		bytes = strlen("Subject:\r\n") + cases[i].want.len;
		if (header.bytes != bytes || field->raw.len != bytes ||
		    memcmp(field->raw.data, "Subject:", 8) != 0 ||
		    memcmp(field->raw.data + bytes - 2, "\r\n", 2) != 0)
			case_fail(cases[i].label, "raw field");
	}
	arena_free(arena);
}

static void
test_find(void **state)
{
	struct arena *arena = arena_new(0);
	struct header header;
	char name[20];
	unsigned i;

	(void)state;
	header_init(&header, arena, 1000000, 10000);
	assert_null(header_find(&header, "From", 0));
	assert_int_equal(header_count_named(&header, "From"), 0);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "X-%u", i);
		add(&header, name, "x");
		add(&header, i % 2 == 0 ? "received" : "Received", name);
	}
	add(&header, "From ", " old form");
	assert_int_equal(header.count, 2001);
	assert_int_equal(header_count_named(&header, "RECEIVED"), 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "x-%u", i);
		assert_int_equal(header_count_named(&header, name), 1);
		assert_ptr_equal(header_find(&header, name, 0),
		    &header.fields[2 * i]);
		assert_ptr_equal(header_find(&header, "Received", i),
		    &header.fields[2 * i + 1]);
	}
	assert_null(header_find(&header, "Received", 1000));
	assert_ptr_equal(header_find(&header, "from", 0), &header.fields[2000]);
	assert_memory_equal(header.fields[2000].raw.data, "From : old", 10);
	arena_free(arena);
}

static void
test_limits(void **state)
{
	struct arena *arena = arena_new(0);
	struct header header;
	struct err err;

	(void)state;
	header_init(&header, arena, 10, 10);
	add(&header, "A", "");
	assert_int_equal(header.bytes, 4);
	/* "BB:\n\r\n" with the CR that LF gets is one too many */
	assert_int_equal(header_add(&header, BYTES_LIT("BB"), BYTES_LIT("\n"),
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(header.count, 1);
	assert_int_equal(header.bytes, 4);
	assert_null(header_find(&header, "BB", 0));
	add(&header, "B", "\n");
	assert_int_equal(header.bytes, 10);
	assert_int_equal(header_add(&header, BYTES_LIT(""), BYTES_LIT(""),
			     &err),
	    -1);

	header_init(&header, arena, 1000, 1);
	add(&header, "A", "");
	assert_int_equal(header_add(&header, BYTES_LIT("B"), BYTES_LIT(""),
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	arena_free(arena);
}

static void
test_text(void **state)
{
	static const struct {
		const char *label;
		struct bytes value, want;
	} cases[] = {
		{ "plain", BYTES_LIT(" a b "), BYTES_LIT("a b") },
		{ "folded", BYTES_LIT(" a\r\n\tb\n  c\r\n "),
		    BYTES_LIT("a\tb  c") },
		{ "empty", BYTES_LIT(""), BYTES_LIT("") },
		{ "only folds", BYTES_LIT(" \r\n \r\n "), BYTES_LIT("") },
		{ "NUL and lone CR", BYTES_LIT("a\0\rb"), BYTES_LIT("a\0\rb") },
	};
	struct arena *arena = arena_new(0);
	struct header header;
	struct bytes text;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		header_init(&header, arena, 1000, 10);
		assert_int_equal(header_add(&header, BYTES_LIT("X"),
				     cases[i].value, NULL),
		    0);
		text = header_field_text(arena, &header.fields[0]);
		if (!bytes_equal(text, cases[i].want) ||
		    text.data[text.len] != '\0')
			case_fail(cases[i].label, "got '%s'", text.data);
	}
	arena_free(arena);
}

static void
test_large_values(void **state)
{
	struct arena *arena = arena_new(0);
	size_t len = 5 * 1000 * 1000;
	char *value = xmalloc(len);
	struct header header;

	(void)state;
	memset(value, '\n', len);
	header_init(&header, arena, len * 2 + 100, 10);
	assert_int_equal(header_add(&header, BYTES_LIT("X"),
			     (struct bytes){ value, len }, NULL),
	    0);
	assert_int_equal(header.fields[0].value.len, 2 * len);
	assert_int_equal(header_field_text(arena, &header.fields[0]).len, 0);
	free(value);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_as_received),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_large_values),
	};

	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
