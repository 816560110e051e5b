/*
 * text.c - a text/plain body as paragraphs with their level of quoting.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/str.h"
#include "mail/text.h"

/* Up to CRLF, LF or CR. */
static struct bytes
take_line(struct cursor *c)
{
	struct bytes line = cursor_until(c, "\r\n");

	cursor_char(c, '\r');
	cursor_char(c, '\n');
	return line;
}

/* Takes the quote marks off; of text that is not flowed, also those with
 * spaces between them. */
static unsigned
take_quotes(struct bytes *line, bool flowed)
{
	struct cursor c = cursor_of(*line);
	unsigned quotes = 0;

	while (cursor_char(&c, '>')) {
		quotes++;
		if (!flowed && c.end - c.p > 1 && c.p[0] == ' ' &&
		    c.p[1] == '>')
			c.p++;
	}
	/* Space-stuffing; of other text, the space behind the marks. */
	if (flowed || quotes > 0)
		cursor_char(&c, ' ');
	line->data = c.p;
	line->len = (size_t)(c.end - c.p);
	return quotes < TEXT_QUOTES_MAX ? quotes : TEXT_QUOTES_MAX;
}

/* Does the paragraph go on?  The line before a signature does not. */
static bool
is_soft(struct bytes line)
{
	return line.len > 0 && line.data[line.len - 1] == ' ' &&
	    !bytes_equal(line, BYTES_LIT("-- "));
}

static void
each_plain(struct bytes utf8,
    bool (*line)(void *context, unsigned quotes, struct bytes text),
    void *context)
{
	struct cursor c = cursor_of(utf8);
	struct bytes text;
	unsigned quotes;

	while (!cursor_at_end(&c)) {
		text = take_line(&c);
		quotes = take_quotes(&text, false);
		if (!line(context, quotes, text))
			return;
	}
}

static void
each_flowed(struct bytes utf8, bool delsp,
    bool (*line)(void *context, unsigned quotes, struct bytes text),
    void *context)
{
	struct cursor c = cursor_of(utf8);
	unsigned quotes, before = 0;
	bool open = false, go_on = true, soft;
	struct buf paragraph;
	struct bytes text;

	buf_init(&paragraph, TEXT_LINE_MAX);
	while (!cursor_at_end(&c) && go_on) {
		text = take_line(&c);
		quotes = take_quotes(&text, true);
		soft = is_soft(text);
		/* Another depth ends a paragraph that did not end itself, and
		 * so does the ceiling. */
		if (open &&
		    (quotes != before ||
			text.len > paragraph.max - paragraph.len ||
			bytes_equal(text, BYTES_LIT("-- ")))) {
			go_on = line(context, before, buf_bytes(&paragraph));
			buf_reset(&paragraph);
		}
		before = quotes;
		if (soft && delsp)
			text.len--;
		open = soft && text.len <= paragraph.max - paragraph.len;
		if (open) {
			buf_append_bytes(&paragraph, text);
			continue;
		}
		if (paragraph.len > 0) {
			buf_append_bytes(&paragraph, text);
			text = buf_bytes(&paragraph);
		}
		go_on = go_on && line(context, quotes, text);
		buf_reset(&paragraph);
	}
	if (open && go_on)
		line(context, before, buf_bytes(&paragraph));
	buf_free(&paragraph);
}

void
text_each_line(struct bytes utf8, const struct text_form *form,
    bool (*line)(void *context, unsigned quotes, struct bytes text),
    void *context)
{
	if (form->flowed)
		each_flowed(utf8, form->delsp, line, context);
	else
		each_plain(utf8, line, context);
}
