/*
 * csv.c - tables as text: RFC 4180.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/csv.h"
#include "base/utf8.h"

#define BOM "\xef\xbb\xbf"

void
csv_begin(struct csv_reader *reader, struct arena *arena, struct bytes text)
{
	memset(reader, 0, sizeof(*reader));
	reader->arena = arena;
	reader->p = text.len > 0 ? text.data : "";
	reader->end = reader->p + text.len;
	reader->lines_at = 1;
	if (text.len >= 3 && memcmp(text.data, BOM, 3) == 0)
		reader->p += 3;
}

static bool
at_line_end(const struct csv_reader *reader)
{
	const char *p = reader->p;

	return p == reader->end || *p == '\n' ||
	    (*p == '\r' && reader->end - p > 1 && p[1] == '\n');
}

static void
skip_line_end(struct csv_reader *reader)
{
	if (reader->p == reader->end)
		return;
	reader->p += *reader->p == '\r' ? 2 : 1;
	reader->lines_at++;
}

static int
take_field(struct csv_reader *reader, struct csv_row *row, const char *data,
    size_t len, struct err *err)
{
	const struct bytes text = { data, len };

	if (row->count == CSV_FIELDS_MAX)
		return err_set(err, ERR_INPUT, "more than %d fields",
		    CSV_FIELDS_MAX);
	if (len > 0 && memchr(data, '\0', len) != NULL)
		return err_set(err, ERR_INPUT, "a NUL in a field");
	if (!utf8_is_valid(text))
		return err_set(err, ERR_INPUT, "a field is not UTF-8");
	row->fields[row->count++] =
	    arena_memdup(reader->arena, len > 0 ? data : "", len);
	return 0;
}

/* The cursor is behind the opening quote. */
static int
read_quoted(struct csv_reader *reader, struct csv_row *row, struct err *err)
{
	const char *start = reader->p, *from;
	char *plain, *to;
	size_t len = 0;

	/* First its length, then the text without doubled quotes. */
	for (from = start; from < reader->end; from++) {
		if (*from == '"' && (from + 1 == reader->end || from[1] != '"'))
			break;
		if (*from == '"')
			from++;
		len++;
	}
	if (from == reader->end)
		return err_set(err, ERR_INPUT, "a quote has no end");
	to = plain = arena_alloc(reader->arena, len + 1);
	for (from = start; len > 0; len--) {
		if (*from == '\n')
			reader->lines_at++;
		from += *from == '"';
		*to++ = *from++;
	}
	reader->p = from + 1;
	if (!at_line_end(reader) && *reader->p != ',')
		return err_set(err, ERR_INPUT, "text behind a closing quote");
	return take_field(reader, row, plain, (size_t)(to - plain), err);
}

static int
read_plain(struct csv_reader *reader, struct csv_row *row, struct err *err)
{
	const char *start = reader->p;

	while (!at_line_end(reader) && *reader->p != ',') {
		if (*reader->p == '"')
			return err_set(err, ERR_INPUT,
			    "a quote within a field that does not begin with "
			    "one");
		reader->p++;
	}
	return take_field(reader, row, start, (size_t)(reader->p - start), err);
}

int
csv_read(struct csv_reader *reader, struct csv_row *row, struct err *err)
{
	int rc;

	row->count = 0;
	while (reader->p < reader->end && at_line_end(reader))
		skip_line_end(reader);
	if (reader->p == reader->end)
		return 0;
	reader->line = reader->lines_at;
	for (;;) {
		if (reader->p < reader->end && *reader->p == '"') {
			reader->p++;
			rc = read_quoted(reader, row, err);
		} else {
			rc = read_plain(reader, row, err);
		}
		if (rc < 0)
			return -1;
		if (at_line_end(reader))
			break;
		reader->p++; /* the comma */
	}
	skip_line_end(reader);
	return 1;
}

static int
write_field(struct buf *out, const char *field)
{
	/* Leading space is quoted for programs that would drop it, a byte
	 * order mark because we do. */
	if (field[strcspn(field, ",\"\r\n")] == '\0' && field[0] != ' ' &&
	    strncmp(field, BOM, strlen(BOM)) != 0)
		return buf_append_str(out, field);
	buf_append_char(out, '"');
	for (; *field != '\0'; field++) {
		if (*field == '"')
			buf_append_char(out, '"');
		buf_append_char(out, *field);
	}
	return buf_append_char(out, '"');
}

int
csv_write(struct buf *out, size_t count, const char *const *fields)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		(void)write_field(out, fields[i]);
	}
	buf_append_str(out, "\r\n");
	return out->overflow ? -1 : 0;
}
