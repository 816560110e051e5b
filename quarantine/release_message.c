/*
 * release_message.c - the stored bytes of a held message on their way out.
 *
 * The header is collected up to its empty line and then gone through field
 * by field; whatever no rule names goes out byte for byte, as does the body.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/authres.h"
#include "mail/subject.h"
#include "quarantine/release_message.h"

/* More than any milter lets pass (conf header_max). */
#define HEADER_MAX (64 * 1024 * 1024)
#define RESULTS "Authentication-Results"
#define OUR_PREFIX "X-Sekimori-"

struct release_message {
	const struct release_header_rules *rules;
	release_sink *sink;
	void *context;
	struct buf header; /* while it is not complete */
	bool has_body;
	bool has_subject;
	char last[2]; /* the last octets that came */
};

struct release_message *
release_message_new(const struct release_header_rules *rules,
    release_sink *sink, void *context)
{
	struct release_message *message = xcalloc(1, sizeof(*message));

	message->rules = rules;
	message->sink = sink;
	message->context = context;
	buf_init(&message->header, HEADER_MAX);
	return message;
}

void
release_message_free(struct release_message *message)
{
	if (message == NULL)
		return;
	buf_free(&message->header);
	free(message);
}

/* ---- fields ---- */

/* The first field of header with its line end, folds included. */
static struct bytes
first_field(struct bytes header)
{
	const char *p = header.data, *end = p + header.len, *lf;

	while ((lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p = lf + 1;
		if (p == end || (*p != ' ' && *p != '\t'))
			return (struct bytes){ header.data,
				(size_t)(p - header.data) };
	}
	return header;
}

/* A line without colon has no name. */
static void
split_field(struct bytes field, struct bytes *name, struct bytes *value)
{
	struct cursor c = cursor_of(field);

	*name = bytes_trim(cursor_until(&c, ":"));
	if (!cursor_char(&c, ':'))
		name->len = 0;
	*value = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	if (value->len > 0 && value->data[value->len - 1] == '\n')
		value->len--;
	if (value->len > 0 && value->data[value->len - 1] == '\r')
		value->len--;
}

/* Only we may have written it. */
static bool
is_forged(const struct release_header_rules *rules, struct bytes name,
    struct bytes value)
{
	const struct bytes prefix = BYTES_LIT(OUR_PREFIX);

	if (name.len >= prefix.len &&
	    bytes_equal_nocase((struct bytes){ name.data, prefix.len }, prefix))
		return true;
	return rules->authserv_id[0] != '\0' &&
	    bytes_equal_nocase(name, BYTES_LIT(RESULTS)) &&
	    authres_claims(value, rules->authserv_id);
}

static int
give(struct release_message *message, struct bytes piece, struct err *err)
{
	return piece.len > 0 ? message->sink(message->context, piece, err) : 0;
}

/* A Subject with its mark; name is given as it stood, colon included. */
static int
give_marked(struct release_message *message, struct bytes name_and_colon,
    struct bytes value, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct bytes marked;
	int rc;

	(void)subject_mark(arena, value, message->rules->subject_mark, &marked);
	rc = give(message, name_and_colon, err);
	if (rc == 0)
		rc = give(message, marked, err);
	if (rc == 0)
		rc = give(message, BYTES_LIT("\r\n"), err);
	arena_free(arena);
	return rc;
}

static bool
has_subject(struct bytes header)
{
	struct bytes field, name, value;

	while (header.len > 0) {
		field = first_field(header);
		split_field(field, &name, &value);
		if (bytes_equal_nocase(name, BYTES_LIT("Subject")))
			return true;
		header.data += field.len;
		header.len -= field.len;
	}
	return false;
}

static int
give_field(struct release_message *message, struct bytes field, struct err *err)
{
	struct bytes name, value;

	split_field(field, &name, &value);
	if (is_forged(message->rules, name, value))
		return 0;
	if (message->rules->subject_mark == NULL ||
	    !bytes_equal_nocase(name, BYTES_LIT("Subject")))
		return give(message, field, err);
	return give_marked(message,
	    (struct bytes){ field.data, (size_t)(value.data - field.data) },
	    value, err);
}

static int
give_header(struct release_message *message, struct bytes header,
    struct err *err)
{
	struct bytes field;
	int rc = 0;

	if (message->rules->subject_mark != NULL && !has_subject(header))
		rc = give_marked(message, BYTES_LIT("Subject:"), BYTES_LIT(""),
		    err);
	while (rc == 0 && header.len > 0) {
		field = first_field(header);
		rc = give_field(message, field, err);
		header.data += field.len;
		header.len -= field.len;
	}
	return rc;
}

/* ---- the stream ---- */

/* Where the header ends, with its last line end and before the empty line;
 * false when the empty line has not come yet.  seen: how much was looked
 * through before. */
static bool
find_header_end(struct bytes header, size_t seen, size_t *end)
{
	const char *found;

	if (header.len >= 2 && memcmp(header.data, "\r\n", 2) == 0) {
		*end = 0;
		return true;
	}
	seen = seen > 3 ? seen - 3 : 0;
	found = memmem(header.data + seen, header.len - seen, "\r\n\r\n", 4);
	if (found != NULL)
		*end = (size_t)(found - header.data) + 2;
	return found != NULL;
}

static void
note_last(struct release_message *message, struct bytes piece)
{
	if (piece.len == 0)
		return;
	message->last[0] =
	    piece.len > 1 ? piece.data[piece.len - 2] : message->last[1];
	message->last[1] = piece.data[piece.len - 1];
}

int
release_message_piece(void *context, struct bytes piece, struct err *err)
{
	struct release_message *message = context;
	size_t seen = message->header.len, end;
	struct bytes all;
	int rc;

	note_last(message, piece);
	if (message->has_body)
		return give(message, piece, err);
	if (buf_append_bytes(&message->header, piece) < 0)
		return err_set(err, ERR_LIMIT,
		    "the stored header is larger than %d bytes", HEADER_MAX);
	all = buf_bytes(&message->header);
	if (!find_header_end(all, seen, &end))
		return 0;
	message->has_body = true;
	rc = give_header(message, (struct bytes){ all.data, end }, err);
	if (rc == 0)
		rc = give(message,
		    (struct bytes){ all.data + end, all.len - end }, err);
	buf_free(&message->header);
	return rc;
}

int
release_message_end(struct release_message *message, struct err *err)
{
	if (message->has_body)
		return 0;
	return give_header(message, buf_bytes(&message->header), err);
}

bool
release_message_has_body(const struct release_message *message)
{
	return message->has_body;
}

bool
release_message_is_terminated(const struct release_message *message)
{
	return message->last[0] == '\r' && message->last[1] == '\n';
}
