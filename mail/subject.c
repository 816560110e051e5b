/*
 * subject.c - the mark that `tag` puts before a Subject.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/charset.h"
#include "mail/subject.h"

/* Longer lines are folded behind the mark (RFC 5322: at most 998). */
#define LINE_MAX_LEN 900

static size_t
leading_space(struct bytes value)
{
	size_t n = 0;

	while (n < value.len && (value.data[n] == ' ' || value.data[n] == '\t'))
		n++;
	return n;
}

/* The mark and nothing, or the mark and a space; room for one character
 * behind it tells. */
static bool
is_marked(struct arena *arena, struct bytes value, const char *mark)
{
	const char *want = charset_header_text(arena, bytes_of(mark), SIZE_MAX);
	size_t len = strlen(want);
	const char *text = charset_header_text(arena, value, len + 4);

	return len > 0 && strncmp(text, want, len) == 0 &&
	    (text[len] == '\0' || text[len] == ' ');
}

static size_t
first_line_len(struct bytes value)
{
	const char *cr = memchr(value.data, '\r', value.len);

	return cr != NULL ? (size_t)(cr - value.data) : value.len;
}

/* The mark in a form that a header can carry.  Space between two encoded
 * words is not shown, so before one the mark holds its space itself. */
static void
append_mark(struct arena *arena, const char *mark, struct bytes rest,
    struct buf *out)
{
	struct buf plain;

	buf_init(&plain, SIZE_MAX);
	(void)charset_encode_header(bytes_of(mark), &plain);
	if (plain.len == strlen(mark) || rest.len < 2 ||
	    memcmp(rest.data, "=?", 2) != 0)
		buf_append_bytes(out, buf_bytes(&plain));
	else
		(void)charset_encode_header(bytes_of(arena_printf(arena, "%s ",
						mark)),
		    out);
	buf_free(&plain);
}

bool
subject_mark(struct arena *arena, struct bytes value, const char *mark,
    struct bytes *marked)
{
	size_t space = leading_space(value);
	struct bytes rest = { value.data + space, value.len - space };
	struct buf out;

	*marked = value;
	if (is_marked(arena, value, mark))
		return false;
	buf_init(&out, SIZE_MAX);
	buf_append(&out, value.len > 0 ? value.data : " ",
	    value.len > 0 ? space : 1);
	append_mark(arena, mark, rest, &out);
	if (rest.len > 0) {
		buf_append_str(&out,
		    first_line_len(rest) + out.len > LINE_MAX_LEN ? "\r\n "
								  : " ");
		buf_append_bytes(&out, rest);
	}
	*marked =
	    (struct bytes){ arena_memdup(arena, out.data, out.len), out.len };
	buf_free(&out);
	return true;
}
