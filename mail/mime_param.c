/*
 * mime_param.c - Content-Type, Content-Disposition: a value with parameters.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/mime_param.h"

#define ESC '\x1b'
#define VALUE_MAX 100

/* One piece: NAME=, NAME*=, NAME*3=, NAME*3*=. */
struct piece {
	struct bytes name;
	unsigned number;
	bool numbered;
	bool encoded; /* percent escapes; the first one names the charset */
	struct bytes value;
	bool quoted;
};

/* ---- reading ---- */

static bool
is_value_char(char c)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr("!#$&-^_.+/", c));
}

const char *
mime_param_value(struct arena *arena, struct bytes field)
{
	struct cursor c = cursor_of(field);
	struct bytes value = bytes_trim(cursor_until(&c, ";"));
	char *text;
	size_t i;

	if (value.len > VALUE_MAX)
		return "";
	for (i = 0; i < value.len; i++)
		if (!is_value_char(value.data[i]))
			return "";
	text = arena_memdup(arena, value.data, value.len);
	ascii_lowercase(text);
	return text;
}

/*
 * What stands in quotes, without them.  The octets of ISO-2022-JP hold
 * quotes and backslashes that mean neither, so what its escapes enclose is
 * passed over.
 */
static struct bytes
take_quoted(struct cursor *c)
{
	struct bytes value = { c->p, 0 };
	bool double_bytes = false;

	for (; !cursor_at_end(c); c->p++) {
		if (*c->p == ESC && c->end - c->p > 1)
			double_bytes = c->p[1] == '$';
		else if (*c->p == '\r' || *c->p == '\n')
			double_bytes = false;
		if (double_bytes)
			continue;
		if (*c->p == '"')
			break;
		if (*c->p == '\\' && c->end - c->p > 1)
			c->p++;
	}
	value.len = (size_t)(c->p - value.data);
	cursor_char(c, '"');
	return value;
}

/* Up to the next semicolon, as names with spaces come without quotes. */
static struct bytes
take_plain(struct cursor *c)
{
	return bytes_trim(cursor_until(c, ";"));
}

/* "*3*", "*": what RFC 2231 puts behind a name. */
static bool
take_stars(struct cursor *c, struct piece *piece)
{
	uint64_t number;

	if (!cursor_char(c, '*'))
		return true;
	if (cursor_u64(c, MIME_PARAM_PIECES_MAX, &number)) {
		piece->numbered = true;
		piece->number = (unsigned)number;
		piece->encoded = cursor_char(c, '*');
		return true;
	}
	piece->encoded = true;
	return !ascii_is_digit((char)cursor_peek(c));
}

/* The next parameter; false at the end. */
static bool
next_piece(struct cursor *c, struct piece *piece)
{
	bool is_one;

	while (!cursor_at_end(c)) {
		memset(piece, 0, sizeof(*piece));
		cursor_space(c);
		piece->name = bytes_trim(cursor_until(c, "=;*\""));
		is_one = take_stars(c, piece);
		cursor_space(c);
		is_one &= cursor_char(c, '=');
		cursor_space(c);
		piece->quoted = cursor_char(c, '"');
		piece->value = piece->quoted ? take_quoted(c) : take_plain(c);
		(void)cursor_until(c, ";");
		cursor_char(c, ';');
		if (is_one)
			return true;
	}
	return false;
}

/* ---- decoding ---- */

static void
append_unquoted(struct buf *out, const struct piece *piece)
{
	struct bytes value = piece->value;
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (piece->quoted && value.data[i] == '\\' &&
		    i + 1 < value.len &&
		    (value.data[i + 1] == '"' || value.data[i + 1] == '\\'))
			i++;
		buf_append_char(out, value.data[i]);
	}
}

static void
append_unescaped(struct buf *out, struct bytes value)
{
	int high, low;
	size_t i;

	for (i = 0; i < value.len; i++) {
		high = low = -1;
		if (value.data[i] == '%' && value.len - i > 2) {
			high = ascii_hex_value(value.data[i + 1]);
			low = ascii_hex_value(value.data[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_append_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_append_char(out, value.data[i]);
		}
	}
}

/* Takes charset'language' off the front. */
static const char *
take_charset(struct arena *arena, struct bytes *value)
{
	struct cursor c = cursor_of(*value);
	struct bytes charset = cursor_until(&c, "'");

	if (!cursor_char(&c, '\''))
		return NULL;
	(void)cursor_until(&c, "'");
	if (!cursor_char(&c, '\''))
		return NULL;
	value->len = (size_t)(c.end - c.p);
	value->data = c.p;
	return arena_memdup(arena, charset.data, charset.len);
}

/* The pieces there are, by their number; which of them were found. */
struct pieces {
	struct piece at[MIME_PARAM_PIECES_MAX];
	bool found[MIME_PARAM_PIECES_MAX];
	struct piece plain, extended;
	bool has_plain, has_extended;
};

static void
collect(struct bytes field, const char *name, struct pieces *pieces)
{
	struct cursor c = cursor_of(field);
	struct piece piece;

	memset(pieces, 0, sizeof(*pieces));
	(void)cursor_until(&c, ";");
	cursor_char(&c, ';');
	while (next_piece(&c, &piece)) {
		if (!bytes_equal_nocase(piece.name, bytes_of(name)))
			continue;
		if (piece.numbered && piece.number < MIME_PARAM_PIECES_MAX &&
		    !pieces->found[piece.number]) {
			pieces->at[piece.number] = piece;
			pieces->found[piece.number] = true;
		} else if (piece.encoded && !pieces->has_extended) {
			pieces->extended = piece;
			pieces->has_extended = true;
		} else if (!piece.numbered && !piece.encoded &&
		    !pieces->has_plain) {
			pieces->plain = piece;
			pieces->has_plain = true;
		}
	}
}

/* Octets of RFC 2231 as text on one line. */
static const char *
text_of_octets(struct arena *arena, const char *charset, const struct buf *raw,
    size_t max)
{
	const char *line = NULL;
	struct buf text;

	buf_init(&text, MIME_PARAM_BYTES_MAX);
	/* What does not fit is the tail of something hostile. */
	(void)charset_to_utf8(charset, buf_bytes(raw), &text);
	/* Now UTF-8: the header's way keeps it, on one line, within max; what
	 * looks like an encoded word here was not meant as one by any
	 * standard, but is by many senders. */
	line = charset_header_text(arena, buf_bytes(&text), max);
	buf_free(&text);
	return line;
}

const char *
mime_param_text(struct arena *arena, struct bytes field, const char *name,
    size_t max)
{
	const char *charset = NULL, *text = NULL;
	struct pieces pieces;
	struct buf raw;
	size_t i;

	collect(field, name, &pieces);
	if (!pieces.found[0] && pieces.has_extended) {
		pieces.at[0] = pieces.extended;
		pieces.found[0] = true;
	}
	buf_init(&raw, MIME_PARAM_BYTES_MAX);
	for (i = 0; i < MIME_PARAM_PIECES_MAX && pieces.found[i]; i++) {
		struct piece *piece = &pieces.at[i];

		if (i == 0 && piece->encoded)
			charset = take_charset(arena, &piece->value);
		if (piece->encoded)
			append_unescaped(&raw, piece->value);
		else
			append_unquoted(&raw, piece);
	}
	if (pieces.found[0]) {
		text = text_of_octets(arena, charset, &raw, max);
	} else if (pieces.has_plain) {
		append_unquoted(&raw, &pieces.plain);
		text = charset_header_text(arena, buf_bytes(&raw), max);
	}
	buf_free(&raw);
	return text;
}
