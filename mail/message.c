/*
 * message.c - what DATA carried: header and body, byte for byte.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/message.h"

struct message *
message_new(struct arena *arena, const struct message_limits *limits)
{
	struct message *message = arena_calloc(arena, 1, sizeof(*message));

	header_init(&message->header, arena, limits->header_bytes,
	    limits->header_count);
	message->body = spool_new(limits->spool_dir, limits->memory);
	return message;
}

void
message_fini(struct message *message)
{
	if (message == NULL)
		return;
	spool_free(message->body);
	message->body = NULL;
}

/* RFC 5322 ftext; blanks before the colon are an old form. */
static bool
is_field_name(struct bytes name)
{
	size_t i;

	while (name.len > 0 &&
	    (name.data[name.len - 1] == ' ' || name.data[name.len - 1] == '\t'))
		name.len--;
	for (i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f ||
		    name.data[i] == ':')
			return false;
	return name.len > 0;
}

void
message_add_field(struct message *message, struct bytes name,
    struct bytes value)
{
	struct header *header = &message->header;

	if (message->limit != NULL)
		return;
	if (!is_field_name(name))
		message->limit = "malformed-header";
	else if (header_add(header, name, value, NULL) < 0)
		message->limit = header->count >= header->count_max
		    ? "header-count"
		    : "header-bytes";
}

uint64_t
message_size(const struct message *message)
{
	return message->header.bytes + (message->has_body ? 2 : 0) +
	    spool_size(message->body);
}

int
message_each(struct message *message,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < message->header.count; i++) {
		rc = each(context, message->header.fields[i].raw, err);
		if (rc != 0)
			return rc;
	}
	if (message->has_body) {
		rc = each(context, BYTES_LIT("\r\n"), err);
		if (rc != 0)
			return rc;
	}
	return spool_each(message->body, each, context, err);
}

/* ---- reading a raw message ---- */

/* The next line without its LF; *ended: whether there was one. */
static struct bytes
take_line(struct cursor *c, bool *ended)
{
	size_t rest = (size_t)(c->end - c->p);
	const char *lf = memchr(c->p, '\n', rest);
	struct bytes line = { c->p, lf != NULL ? (size_t)(lf - c->p) : rest };

	*ended = lf != NULL;
	c->p += line.len + (*ended ? 1 : 0);
	return line;
}

/* A line of the header, without CRLF or LF. */
static struct bytes
take_header_line(struct cursor *c)
{
	bool ended;
	struct bytes line = take_line(c, &ended);

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* From the start of a field to the end of its last line, without that
 * line's end. */
static struct bytes
with_folds(struct cursor *c, struct bytes field)
{
	struct bytes line;
	int next;

	while ((next = cursor_peek(c)) == ' ' || next == '\t') {
		line = take_header_line(c);
		field.len = (size_t)(line.data + line.len - field.data);
	}
	return field;
}

/* "From a@b Mon Nov 23 09:00:00 2026", but not "From : a@b". */
static bool
is_mbox_line(struct bytes raw)
{
	struct cursor c = cursor_of(raw);

	return raw.len > 5 && memcmp(raw.data, "From ", 5) == 0 &&
	    !is_field_name(cursor_until(&c, ":\n"));
}

/* Reads fields up to the body; c stands at the body then. */
static int
read_header(struct message *message, struct cursor *c, unsigned first_line,
    struct err *err)
{
	const char *start = c->p;
	struct bytes line, name;
	struct cursor in_line;

	while (!cursor_at_end(c)) {
		line = take_header_line(c);
		if (line.len == 0) {
			message->has_body = true;
			return 0;
		}
		in_line = cursor_of(line);
		name = cursor_until(&in_line, ":");
		if (!cursor_char(&in_line, ':') || !is_field_name(name)) {
			if (line.data == start)
				return err_set(err, ERR_INPUT,
				    "line %u is neither a header field "
				    "nor empty",
				    first_line);
			message->has_body = true;
			c->p = line.data;
			return 0;
		}
		line = with_folds(c, line);
		line.data += name.len + 1;
		line.len -= name.len + 1;
		message_add_field(message, name, line);
	}
	return 0;
}

/* LF without CR before it becomes CRLF; a lone CR stays what it is. */
static int
read_body(struct message *message, struct cursor *c, struct err *err)
{
	struct bytes line, end;
	bool ended;

	while (!cursor_at_end(c)) {
		line = take_line(c, &ended);
		if (spool_append(message->body, line.data, line.len, err) < 0)
			return -1;
		if (!ended)
			return 0;
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			end = BYTES_LIT("\n");
		else
			end = BYTES_LIT("\r\n");
		if (spool_append(message->body, end.data, end.len, err) < 0)
			return -1;
	}
	return 0;
}

int
message_read(struct message *message, struct bytes raw, struct err *err)
{
	struct cursor c = cursor_of(raw);
	unsigned first_line = 1;

	if (is_mbox_line(raw)) {
		take_header_line(&c);
		first_line = 2;
	}
	if (cursor_at_end(&c))
		return err_set(err, ERR_INPUT, "there is no message");
	if (read_header(message, &c, first_line, err) < 0)
		return -1;
	return read_body(message, &c, err);
}
