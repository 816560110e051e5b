/*
 * mdoc.c - our own words inside a manual page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/mdoc.h"
#include "base/str.h"

/* Of a line in the source of the page. */
#define LINE_MAX_LEN 78

/* One word; nothing in it is a macro or an escape. */
static void
write_word(struct bytes word, bool line_start, struct buf *out)
{
	size_t i;

	if (line_start && (word.data[0] == '.' || word.data[0] == '\''))
		buf_append_str(out, "\\&");
	for (i = 0; i < word.len; i++) {
		if (word.data[i] == '\\')
			buf_append_str(out, "\\e");
		else
			buf_append_char(out, word.data[i]);
	}
}

void
mdoc_text(const char *text, struct buf *out)
{
	struct cursor c = cursor_of(bytes_of(text));
	size_t column = 0;
	struct bytes word;
	bool sentence;

	while (!cursor_at_end(&c)) {
		word = cursor_until(&c, " ");
		sentence = cursor_literal(&c, "  ") && word.len > 0 &&
		    word.data[word.len - 1] == '.';
		(void)cursor_space(&c);
		if (word.len == 0)
			continue;
		if (column > 0) {
			column += 1 + word.len;
			buf_append_char(out,
			    column > LINE_MAX_LEN ? '\n' : ' ');
		}
		if (column == 0 || column > LINE_MAX_LEN) {
			write_word(word, true, out);
			column = word.len;
		} else {
			write_word(word, false, out);
		}
		if (sentence && !cursor_at_end(&c)) {
			buf_append_char(out, '\n');
			column = 0;
		}
	}
	buf_append_char(out, '\n');
}

void
mdoc_argument(const char *text, struct buf *out)
{
	buf_append_char(out, '"');
	for (; *text != '\0'; text++)
		if (*text == '"')
			buf_append_str(out, "\\(dq");
		else if (*text == '\\')
			buf_append_str(out, "\\e");
		else
			buf_append_char(out, *text);
	buf_append_char(out, '"');
}
