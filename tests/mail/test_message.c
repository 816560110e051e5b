/*
 * test_message.c - tests of mail/message.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "mail/message.h"

static const struct message_limits limits = { 10000, 100, 1000, "/tmp" };

static int
collect(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

static void
test_read(void **state)
{
	static const struct {
		const char *label;
		struct bytes raw;
		size_t fields;
		struct bytes want;
	} cases[] = {
		{ "CRLF", BYTES_LIT("A: b\r\nC:d\r\n\r\nbody\r\n"), 2,
		    BYTES_LIT("A: b\r\nC:d\r\n\r\nbody\r\n") },
		{ "LF", BYTES_LIT("A: b\nC:d\n\nbody\n\n"), 2,
		    BYTES_LIT("A: b\r\nC:d\r\n\r\nbody\r\n\r\n") },
		{ "folds", BYTES_LIT("A: b\n\tc\r\n d\n\nx"), 1,
		    BYTES_LIT("A: b\r\n\tc\r\n d\r\n\r\nx") },
		{ "fold of white space only", BYTES_LIT("A: b\n \nC: d\n"), 2,
		    BYTES_LIT("A: b\r\n \r\nC: d\r\n") },
		{ "header only", BYTES_LIT("A: b\r\n"), 1,
		    BYTES_LIT("A: b\r\n") },
		{ "header without line end", BYTES_LIT("A: b"), 1,
		    BYTES_LIT("A: b\r\n") },
		{ "empty body", BYTES_LIT("A: b\r\n\r\n"), 1,
		    BYTES_LIT("A: b\r\n\r\n") },
		{ "no header", BYTES_LIT("\r\nbody"), 0,
		    BYTES_LIT("\r\nbody") },
		{ "mbox line", BYTES_LIT("From a@b Mon\nA: b\n\nFrom c\n"), 1,
		    BYTES_LIT("A: b\r\n\r\nFrom c\r\n") },
		{ "field From with old blanks", BYTES_LIT("From : b\n\n"), 1,
		    BYTES_LIT("From : b\r\n\r\n") },
		{ "line without colon begins the body",
		    BYTES_LIT("A: b\nno field\nC: d\n\nx\n"), 1,
		    BYTES_LIT("A: b\r\n\r\nno field\r\nC: d\r\n\r\nx\r\n") },
		{ "8 bit in a name begins the body",
		    BYTES_LIT("A: b\nC\xff: d\n"), 1,
		    BYTES_LIT("A: b\r\n\r\nC\xff: d\r\n") },
		{ "NUL, lone CR and 8 bit in the body",
		    BYTES_LIT("A: b\r\n\r\n\0\r\xff\r\r\n\n"), 1,
		    BYTES_LIT("A: b\r\n\r\n\0\r\xff\r\r\n\r\n") },
		{ "NUL in a value", BYTES_LIT("A: \0b\r\n\r\n"), 1,
		    BYTES_LIT("A: \0b\r\n\r\n") },
		{ "colon in the value", BYTES_LIT("A:: b:\r\n\r\n"), 1,
		    BYTES_LIT("A:: b:\r\n\r\n") },
	};
	struct message *message;
	struct arena *arena;
	struct err err;
	struct buf buf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		buf_init(&buf, 10000);
		message = message_new(arena, &limits);
		if (message_read(message, cases[i].raw, &err) < 0)
			case_fail(cases[i].label, "%s", err.text);
		if (message->header.count != cases[i].fields)
			case_fail(cases[i].label, "%zu fields",
			    message->header.count);
		assert_int_equal(message_each(message, collect, &buf, &err), 0);
		if (!bytes_equal(buf_bytes(&buf), cases[i].want))
			case_fail(cases[i].label, "got '%s'", buf_str(&buf));
		if (message_size(message) != cases[i].want.len)
			case_fail(cases[i].label, "size");
		message_fini(message);
		arena_free(arena);
		buf_free(&buf);
	}
}

static void
test_read_refuses(void **state)
{
	static const struct {
		const char *label;
		struct bytes raw;
		const char *text;
	} cases[] = {
		{ "nothing", BYTES_LIT(""), "there is no message" },
		{ "mbox line only", BYTES_LIT("From a\n"),
		    "there is no message" },
		{ "no field", BYTES_LIT("hello\nA: b\n"),
		    "line 1 is neither a header field nor empty" },
		{ "no field behind the mbox line", BYTES_LIT("From a\nhello\n"),
		    "line 2 is neither a header field nor empty" },
		{ "begins with a fold", BYTES_LIT(" a: b\n"),
		    "line 1 is neither a header field nor empty" },
		{ "empty name", BYTES_LIT(": b\n"),
		    "line 1 is neither a header field nor empty" },
		{ "program",
		    BYTES_LIT("\x7f"
			      "ELF\0\0"),
		    "line 1 is neither a header field nor empty" },
	};
	struct message *message;
	struct arena *arena;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		arena = arena_new(0);
		message = message_new(arena, &limits);
		if (message_read(message, cases[i].raw, &err) != -1)
			case_fail(cases[i].label, "taken");
		if (err.kind != ERR_INPUT ||
		    strcmp(err.text, cases[i].text) != 0)
			case_fail(cases[i].label, "said '%s'", err.text);
		message_fini(message);
		arena_free(arena);
	}
}

static void
test_limits(void **state)
{
	struct arena *arena = arena_new(0);
	struct message *message;
	static char huge[20000];
	size_t i;

	(void)state;
	message = message_new(arena, &limits);
	for (i = 0; i < 100; i++)
		message_add_field(message, BYTES_LIT("A"), BYTES_LIT("b"));
	assert_null(message->limit);
	message_add_field(message, BYTES_LIT("A"), BYTES_LIT("b"));
	assert_string_equal(message->limit, "header-count");
	message_fini(message);

	message = message_new(arena, &limits);
	message_add_field(message, BYTES_LIT("A"),
	    (struct bytes){ huge, sizeof(huge) });
	assert_string_equal(message->limit, "header-bytes");
	message_add_field(message, BYTES_LIT("A"), BYTES_LIT("b"));
	assert_int_equal(message->header.count, 0);
	message_fini(message);

	message = message_new(arena, &limits);
	message_add_field(message, BYTES_LIT("A b"), BYTES_LIT("b"));
	assert_string_equal(message->limit, "malformed-header");
	message_fini(message);
	message_fini(NULL);
	arena_free(arena);
}

static int
stop_third(void *context, struct bytes piece, struct err *err)
{
	int *n = context;

	(void)piece;
	(void)err;
	return ++*n == 3 ? 5 : 0;
}

static void
test_each_stops(void **state)
{
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	int n = 0;

	(void)state;
	assert_int_equal(message_read(message, bytes_of("A: b\nC: d\n\nbody\n"),
			     NULL),
	    0);
	assert_int_equal(message_each(message, stop_third, &n, NULL), 5);
	assert_int_equal(n, 3);
	message_fini(message);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refuses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_each_stops),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
