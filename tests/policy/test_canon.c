/*
 * test_canon.c - tests of policy/canon.c.
 *
 * The expected forms are written out by hand from RFC 6376 section 3.4.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "policy/canon.h"

/* ---- header ---- */

static const struct {
	const char *label;
	struct bytes name, value;
	struct bytes relaxed;
} headers[] = {
	/* RFC 6376 section 3.4.5 */
	{ "example A", BYTES_LIT("A"), BYTES_LIT(" X"), BYTES_LIT("a:X\r\n") },
	{ "example B", BYTES_LIT("B "), BYTES_LIT(" Y\t\r\n\tZ  "),
	    BYTES_LIT("b:Y Z\r\n") },
	{ "no space", BYTES_LIT("Subject"), BYTES_LIT("x"),
	    BYTES_LIT("subject:x\r\n") },
	{ "name upper case", BYTES_LIT("SUBJECT"), BYTES_LIT(" Xy"),
	    BYTES_LIT("subject:Xy\r\n") },
	{ "value begins on the next line", BYTES_LIT("Subject"),
	    BYTES_LIT("\r\n value"), BYTES_LIT("subject:value\r\n") },
	{ "tab first", BYTES_LIT("Subject"), BYTES_LIT("\tvalue"),
	    BYTES_LIT("subject:value\r\n") },
	{ "folds with an empty line", BYTES_LIT("S"),
	    BYTES_LIT(" a\r\n \r\n b"), BYTES_LIT("s:a b\r\n") },
	{ "fold at the end", BYTES_LIT("S"), BYTES_LIT(" a\r\n "),
	    BYTES_LIT("s:a\r\n") },
	{ "empty", BYTES_LIT("S"), BYTES_LIT(""), BYTES_LIT("s:\r\n") },
	{ "white space only", BYTES_LIT("S"), BYTES_LIT(" \t\r\n "),
	    BYTES_LIT("s:\r\n") },
	{ "NUL is data", BYTES_LIT("S"), BYTES_LIT(" a\0 b "),
	    BYTES_LIT("s:a\0 b\r\n") },
	{ "VT and FF are data", BYTES_LIT("S"), BYTES_LIT(" a\v \fb"),
	    BYTES_LIT("s:a\v \fb\r\n") },
	{ "lone CR is data", BYTES_LIT("S"), BYTES_LIT(" a \r b\r"),
	    BYTES_LIT("s:a \r b\r\r\n") },
	{ "8-bit is data", BYTES_LIT("S"), BYTES_LIT(" \xa0x \xff"),
	    BYTES_LIT("s:\xa0x \xff\r\n") },
};

static void
test_header(void **state)
{
	struct header header;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(headers); i++) {
		struct arena *arena = arena_new(0);

		header_init(&header, arena, 1000, 10);
		assert_int_equal(header_add(&header, headers[i].name,
				     headers[i].value, NULL),
		    0);
		buf_init(&out, 1000);
		assert_int_equal(canon_header(CANON_RELAXED, &header.fields[0],
				     &out),
		    0);
		if (!bytes_equal(buf_bytes(&out), headers[i].relaxed))
			case_fail(headers[i].label, "got '%s'", buf_str(&out));
		buf_reset(&out);
		assert_int_equal(canon_header(CANON_SIMPLE, &header.fields[0],
				     &out),
		    0);
		if (!bytes_equal(buf_bytes(&out), header.fields[0].raw))
			case_fail(headers[i].label, "simple: got '%s'",
			    buf_str(&out));
		buf_free(&out);
		arena_free(arena);
	}
}

static void
test_signature_without_value(void **state)
{
	static const struct {
		const char *label;
		const char *value; /* | stands on both sides of the cut */
		const char *simple, *relaxed;
	} cases[] = {
		{ "in the middle", " a=1; b=|xx|; c=2", "Sig: a=1; b=; c=2",
		    "sig:a=1; b=; c=2" },
		{ "white space goes with it", " b = |\r\n x y |;c=2",
		    "Sig: b = ;c=2", "sig:b = ;c=2" },
		{ "at the end", " a=1;\r\n b=|xx|",
		    "Sig: a=1;\r\n b=", "sig:a=1; b=" },
		{ "first", "b=|x|;\tz", "Sig:b=;\tz", "sig:b=; z" },
	};
	struct header header;
	struct bytes cut, value;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new(0);
		char *text = arena_strdup(arena, cases[i].value), *a, *b;

		a = strchr(text, '|');
		memmove(a, a + 1, strlen(a));
		b = strchr(a, '|');
		memmove(b, b + 1, strlen(b));
		header_init(&header, arena, 1000, 10);
		header_add(&header, BYTES_LIT("Sig"), bytes_of(text), NULL);
		value = header.fields[0].value;
		cut.data = value.data + (a - text);
		cut.len = (size_t)(b - a);
		buf_init(&out, 1000);
		canon_signature(CANON_SIMPLE, &header.fields[0], cut, &out);
		if (strcmp(buf_str(&out), cases[i].simple) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&out));
		buf_reset(&out);
		canon_signature(CANON_RELAXED, &header.fields[0], cut, &out);
		if (strcmp(buf_str(&out), cases[i].relaxed) != 0)
			case_fail(cases[i].label, "got '%s'", buf_str(&out));
		buf_free(&out);
		arena_free(arena);
	}
}

static void
test_full_buffer_is_told(void **state)
{
	struct arena *arena = arena_new(0);
	struct header header;
	struct buf out;

	(void)state;
	header_init(&header, arena, 1000, 10);
	header_add(&header, BYTES_LIT("Subject"), BYTES_LIT(" some words"),
	    NULL);
	buf_init(&out, 12);
	assert_int_equal(canon_header(CANON_RELAXED, &header.fields[0], &out),
	    -1);
	buf_free(&out);
	arena_free(arena);
}

/* ---- body ---- */

static void
collect(void *context, const char *data, size_t len)
{
	assert_int_equal(buf_append(context, data, len), 0);
}

static void
run_body(enum canon canon, struct bytes in, size_t piece, struct buf *out)
{
	struct canon_body body;
	struct bytes part;

	canon_body_init(&body, canon, collect, out);
	while (in.len > 0) {
		part.data = in.data;
		part.len = in.len < piece ? in.len : piece;
		canon_body_add(&body, part);
		in.data += part.len;
		in.len -= part.len;
	}
	canon_body_end(&body);
}

#define LONG_WORD                                                              \
	"0123456789012345678901234567890123456789012345678901234567890123456"  \
	"789"

static const struct {
	const char *label;
	struct bytes in, simple, relaxed;
} bodies[] = {
	/* RFC 6376 section 3.4.5 */
	{ "example", BYTES_LIT(" C \r\nD \t E\r\n\r\n\r\n"),
	    BYTES_LIT(" C \r\nD \t E\r\n"), BYTES_LIT(" C\r\nD E\r\n") },
	{ "empty", BYTES_LIT(""), BYTES_LIT("\r\n"), BYTES_LIT("") },
	{ "one empty line", BYTES_LIT("\r\n"), BYTES_LIT("\r\n"),
	    BYTES_LIT("") },
	{ "empty lines", BYTES_LIT("\r\n\r\n\r\n"), BYTES_LIT("\r\n"),
	    BYTES_LIT("") },
	{ "white space only", BYTES_LIT(" \t\r\n \r\n"),
	    BYTES_LIT(" \t\r\n \r\n"), BYTES_LIT("") },
	{ "no final CRLF", BYTES_LIT("a"), BYTES_LIT("a\r\n"),
	    BYTES_LIT("a\r\n") },
	{ "white space before the end", BYTES_LIT("a \t"),
	    BYTES_LIT("a \t\r\n"), BYTES_LIT("a\r\n") },
	{ "CRLF once", BYTES_LIT("a\r\n"), BYTES_LIT("a\r\n"),
	    BYTES_LIT("a\r\n") },
	{ "CRLF thrice", BYTES_LIT("a\r\n\r\n\r\n"), BYTES_LIT("a\r\n"),
	    BYTES_LIT("a\r\n") },
	{ "empty lines inside stay", BYTES_LIT("\r\na\r\n\r\n\r\nb\r\n"),
	    BYTES_LIT("\r\na\r\n\r\n\r\nb\r\n"),
	    BYTES_LIT("\r\na\r\n\r\n\r\nb\r\n") },
	{ "tab becomes space", BYTES_LIT("a\tb\r\n"), BYTES_LIT("a\tb\r\n"),
	    BYTES_LIT("a b\r\n") },
	{ "leading white space becomes one", BYTES_LIT("\t  a\r\n"),
	    BYTES_LIT("\t  a\r\n"), BYTES_LIT(" a\r\n") },
	{ "lines of white space", BYTES_LIT("a\r\n \r\n\t\r\nb\r\n"),
	    BYTES_LIT("a\r\n \r\n\t\r\nb\r\n"),
	    BYTES_LIT("a\r\n\r\n\r\nb\r\n") },
	{ "lone LF is data", BYTES_LIT("a \n b\n\r\n"),
	    BYTES_LIT("a \n b\n\r\n"), BYTES_LIT("a \n b\n\r\n") },
	{ "lone CR is data", BYTES_LIT("a \r b\r\r\n"),
	    BYTES_LIT("a \r b\r\r\n"), BYTES_LIT("a \r b\r\r\n") },
	{ "lone CR at the end", BYTES_LIT("a\r"), BYTES_LIT("a\r\r\n"),
	    BYTES_LIT("a\r\r\n") },
	{ "only a CR", BYTES_LIT("\r"), BYTES_LIT("\r\r\n"),
	    BYTES_LIT("\r\r\n") },
	{ "CR CRLF is no empty line", BYTES_LIT("a\r\n\r\r\n"),
	    BYTES_LIT("a\r\n\r\r\n"), BYTES_LIT("a\r\n\r\r\n") },
	{ "NUL is data", BYTES_LIT("a\0  \0\r\n"), BYTES_LIT("a\0  \0\r\n"),
	    BYTES_LIT("a\0 \0\r\n") },
	{ "VT and FF are data", BYTES_LIT("a\v\f b\f\r\n"),
	    BYTES_LIT("a\v\f b\f\r\n"), BYTES_LIT("a\v\f b\f\r\n") },
	{ "space at the end of a block",
	    BYTES_LIT("012345678901234567890123456789012345678901234567890123"
		      "456789012  b\r\n"),
	    BYTES_LIT("012345678901234567890123456789012345678901234567890123"
		      "456789012  b\r\n"),
	    BYTES_LIT("012345678901234567890123456789012345678901234567890123"
		      "456789012 b\r\n") },
	{ "two blocks and more", BYTES_LIT(LONG_WORD LONG_WORD "  \tx \r\n"),
	    BYTES_LIT(LONG_WORD LONG_WORD "  \tx \r\n"),
	    BYTES_LIT(LONG_WORD LONG_WORD " x\r\n") },
	{ "blocks of line ends",
	    BYTES_LIT(LONG_WORD "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
				"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
				"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
				"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"),
	    BYTES_LIT(LONG_WORD "\r\n"), BYTES_LIT(LONG_WORD "\r\n") },
};

static void
test_body(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 63, 64, 65, 1000 };
	struct buf out;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bodies); i++)
		for (j = 0; j < ARRAY_LEN(pieces); j++) {
			buf_init(&out, 10000);
			run_body(CANON_SIMPLE, bodies[i].in, pieces[j], &out);
			if (!bytes_equal(buf_bytes(&out), bodies[i].simple))
				case_fail(bodies[i].label, "simple, by %zu",
				    pieces[j]);
			buf_reset(&out);
			run_body(CANON_RELAXED, bodies[i].in, pieces[j], &out);
			if (!bytes_equal(buf_bytes(&out), bodies[i].relaxed))
				case_fail(bodies[i].label, "relaxed, by %zu",
				    pieces[j]);
			buf_free(&out);
		}
}

/* The definition itself, slow and plain, over a whole body: RFC 6376
 * section 3.4.4 for relaxed, 3.4.3 for simple. */
static void
reference(enum canon canon, struct bytes in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.len;) {
		if (canon == CANON_RELAXED &&
		    (in.data[i] == ' ' || in.data[i] == '\t')) {
			while (i < in.len &&
			    (in.data[i] == ' ' || in.data[i] == '\t'))
				i++;
			if (i < in.len &&
			    !(in.data[i] == '\r' && i + 1 < in.len &&
				in.data[i + 1] == '\n'))
				buf_append_char(out, ' ');
			continue;
		}
		buf_append_char(out, in.data[i++]);
	}
	while (out->len >= 2 && out->data[out->len - 2] == '\r' &&
	    out->data[out->len - 1] == '\n')
		out->len -= 2;
	if (out->len > 0 || canon == CANON_SIMPLE)
		buf_append(out, "\r\n", 2);
}

static void
test_body_against_definition(void **state)
{
	static const char alphabet[] = "ab   \t\r\n\r\n\r\n\rc\nxyz0123456789";
	struct buf got, want;
	uint32_t seed = 1;
	char body[300];
	size_t i, len;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		enum canon canon = round % 2 ? CANON_RELAXED : CANON_SIMPLE;

		seed = seed * 1664525 + 1013904223;
		len = (seed >> 8) % sizeof(body);
		for (i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			body[i] = (seed >> 28) < 10
			    ? 'w'
			    : alphabet[(seed >> 8) % (sizeof(alphabet) - 1)];
		}
		buf_init(&got, 1000);
		buf_init(&want, 1000);
		run_body(canon, (struct bytes){ body, len },
		    1 + (seed >> 8) % 150, &got);
		reference(canon, (struct bytes){ body, len }, &want);
		if (!bytes_equal(buf_bytes(&got), buf_bytes(&want)))
			case_fail("random body", "round %d", round);
		buf_free(&got);
		buf_free(&want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_signature_without_value),
		cmocka_unit_test(test_full_buffer_is_told),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_against_definition),
	};

	return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
