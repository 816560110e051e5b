/*
 * test_corpora.c - some thousand real and hostile messages through the
 * parsers of mail/.
 *
 * Read, taken apart and written out again each message is what it was;
 * everything made for people is valid UTF-8 within its bounds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mail/corpora.h"
#include "tests/unit.h"

#include "base/utf8.h"
#include "mail/authres.h"
#include "mail/charset.h"
#include "mail/from.h"
#include "mail/message.h"

#define TEXT_MAX 500

struct counts {
	size_t messages, not_messages;
	size_t authors_read, authors_anonymous, authors_malformed;
};

static int
collect(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

/* LF as CRLF: what the MTA would have sent us. */
static void
as_sent(struct bytes raw, struct buf *out)
{
	size_t i;

	for (i = 0; i < raw.len; i++) {
		if (raw.data[i] == '\n' && (i == 0 || raw.data[i - 1] != '\r'))
			buf_append_char(out, '\r');
		buf_append_char(out, raw.data[i]);
	}
}

static void
check_bytes(const char *path, struct message *message, struct bytes raw)
{
	const char *line_end = memchr(raw.data, '\n', raw.len);
	struct buf want, got;

	if (raw.len > 5 && memcmp(raw.data, "From ", 5) == 0 &&
	    memcmp(message->header.fields[0].raw.data, "From ", 5) != 0) {
		raw.len -= (size_t)(line_end + 1 - raw.data);
		raw.data = line_end + 1;
	}
	buf_init(&want, SIZE_MAX);
	buf_init(&got, SIZE_MAX);
	as_sent(raw, &want);
	assert_int_equal(message_each(message, collect, &got, NULL), 0);
	/* a line that is no field gets an empty line before it, a header
	 * without line end gets one */
	if (!bytes_equal(buf_bytes(&want), buf_bytes(&got)) &&
	    got.len != want.len + 2 &&
	    memmem(want.data, want.len, "\r\n\r\n", 4) != NULL)
		case_fail(path, "%zu bytes became %zu", want.len, got.len);
	assert_int_equal(message_size(message), got.len);
	buf_free(&want);
	buf_free(&got);
}

static void
check_texts(const char *path, const struct message *message,
    struct arena *arena)
{
	const struct header_field *field;
	const char *text;
	size_t i;

	for (i = 0; i < message->header.count; i++) {
		field = &message->header.fields[i];
		text = charset_header_text(arena, field->value, TEXT_MAX);
		if (strlen(text) > TEXT_MAX || !utf8_is_valid(bytes_of(text)))
			case_fail(path, "text of '%.*s'", (int)field->name.len,
			    field->name.data);
		text = charset_phrase_text(arena, field->value, TEXT_MAX);
		if (strlen(text) > TEXT_MAX || !utf8_is_valid(bytes_of(text)))
			case_fail(path, "phrase of '%.*s'",
			    (int)field->name.len, field->name.data);
		authres_claims(field->value, "mx.example.net");
	}
}

static void
check_body(const char *path, struct bytes raw)
{
	static const char *const charsets[] = { NULL, "utf-8", "iso-2022-jp",
		"shift_jis", "euc-jp" };
	struct buf out;
	size_t i;

	for (i = 0; i < ARRAY_LEN(charsets); i++) {
		buf_init(&out, 100000);
		(void)charset_to_utf8(charsets[i], raw, &out);
		if (!utf8_is_valid(buf_bytes(&out)))
			case_fail(path, "body as %s", charsets[i]);
		buf_free(&out);
	}
}

static void
count_authors(const struct message *message, struct arena *arena,
    struct counts *counts)
{
	const struct header_field *from;
	struct from_list list;

	from = header_find(&message->header, "From", 0);
	if (from == NULL)
		return;
	if (from_parse(arena, from->value, &list, NULL) == 0)
		counts->authors_read++;
	else if (list.anonymous)
		counts->authors_anonymous++;
	else
		counts->authors_malformed++;
}

static void
check_message(void *context, const char *path, struct bytes raw)
{
	static const struct message_limits limits = { 1024 * 1024, 1000, 10000,
		"/tmp" };
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	struct counts *counts = context;

	if (message_read(message, raw, NULL) < 0) {
		counts->not_messages++;
	} else {
		counts->messages++;
		assert_null(message->limit);
		check_bytes(path, message, raw);
		check_texts(path, message, arena);
		count_authors(message, arena, counts);
	}
	check_body(path, raw);
	message_fini(message);
	arena_free(arena);
}

static void
test_messages(void **state)
{
	struct counts counts = { 0, 0, 0, 0, 0 };
	struct charset_set *set = charset_open(NULL);
	size_t files;

	(void)state;
	files = corpora_each_message(1, check_message, &counts);
	charset_close(set);
	if (files == 0)
		skip();
	printf("%zu messages, %zu files that are none; From: %zu read, "
	       "%zu without domain, %zu malformed\n",
	    counts.messages, counts.not_messages, counts.authors_read,
	    counts.authors_anonymous, counts.authors_malformed);
	assert_true(counts.messages > 100 * counts.not_messages);
	assert_true(counts.authors_read > 500 * counts.authors_malformed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("corpora", tests, NULL, NULL);
}
