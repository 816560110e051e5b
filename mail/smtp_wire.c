/*
 * smtp_wire.c - what goes over an SMTP connection, without the connection.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/smtp_wire.h"

#define TEXT_MAX (16 * 1024)
#define CUT "..."

/* ---- replies ---- */

int
smtp_line_take(const struct buf *input, struct bytes *line)
{
	const char *lf =
	    input->len > 0 ? memchr(input->data, '\n', input->len) : NULL;
	size_t len = lf != NULL ? (size_t)(lf - input->data) : input->len;

	if (len > SMTP_LINE_MAX)
		return -1;
	if (lf == NULL)
		return 0;
	if (len > 0 && lf[-1] == '\r')
		len--;
	*line = (struct bytes){ input->data, len };
	return 1;
}

void
smtp_line_drop(struct buf *input)
{
	const char *lf = memchr(input->data, '\n', input->len);

	buf_consume(input, (size_t)(lf + 1 - input->data));
}

void
smtp_reply_reader_init(struct smtp_reply_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
	buf_init(&reader->text, TEXT_MAX);
}

void
smtp_reply_reader_free(struct smtp_reply_reader *reader)
{
	buf_free(&reader->text);
}

/* "5.7.1 " at the start of text (RFC 2034): taken off, if it goes with the
 * code. */
static void
take_enhanced(struct smtp_reply_reader *reader, struct bytes *text)
{
	struct cursor c = cursor_of(*text);
	uint64_t class, subject, detail;
	size_t len;

	if (!cursor_u64(&c, 5, &class) || !cursor_char(&c, '.') ||
	    !cursor_u64(&c, 999, &subject) || !cursor_char(&c, '.') ||
	    !cursor_u64(&c, 999, &detail) ||
	    class != (unsigned)reader->code / 100)
		return;
	len = (size_t)(c.p - text->data);
	if (len >= sizeof(reader->enhanced) ||
	    (!cursor_at_end(&c) && !cursor_space(&c)))
		return;
	memcpy(reader->enhanced, text->data, len);
	reader->enhanced[len] = '\0';
	*text = (struct bytes){ c.p, (size_t)(c.end - c.p) };
}

int
smtp_reply_reader_line(struct smtp_reply_reader *reader, struct bytes line,
    struct bytes *text)
{
	struct bytes words;
	uint64_t code;
	char behind = line.len > 3 ? line.data[3] : ' ';

	if (line.len < 3 || ++reader->lines > SMTP_LINES_MAX ||
	    parse_u64((struct bytes){ line.data, 3 }, 200, 599, &code) < 0 ||
	    (behind != ' ' && behind != '-') ||
	    (reader->code != 0 && reader->code != (int)code))
		return -1;
	reader->code = (int)code;
	*text = line.len > 4 ? (struct bytes){ line.data + 4, line.len - 4 }
			     : (struct bytes){ NULL, 0 };
	words = *text;
	take_enhanced(reader, &words);
	if (reader->text.len > 0 && words.len > 0)
		buf_append_char(&reader->text, ' ');
	buf_append_bytes(&reader->text, words);
	return behind == ' ' ? 1 : 0;
}

void
smtp_reply_set(struct smtp_reply *reply, int code, const char *enhanced,
    struct bytes text)
{
	struct buf clean;
	size_t len;

	memset(reply, 0, sizeof(*reply));
	reply->code = code;
	memcpy(reply->enhanced, enhanced, strlen(enhanced) + 1);
	buf_init(&clean, SIZE_MAX);
	(void)utf8_append_clean(&clean, text);
	len = clean.len;
	if (len >= sizeof(reply->text)) {
		len = sizeof(reply->text) - sizeof(CUT);
		while (len > 0 && (clean.data[len] & 0xc0) == 0x80)
			len--;
		memcpy(reply->text + len, CUT, sizeof(CUT));
	}
	memcpy(reply->text, buf_str(&clean), len);
	buf_free(&clean);
}

void
smtp_reply_reader_get(const struct smtp_reply_reader *reader,
    struct smtp_reply *reply)
{
	smtp_reply_set(reply, reader->code, reader->enhanced,
	    buf_bytes(&reader->text));
}

/* ---- dots ---- */

/* Behind CRLF a dot is doubled (RFC 5321 section 4.5.2).  Some servers take
 * a lone LF for a line end, and take the dot behind it away: there too.  To
 * those that take even a lone CR for one, only CR, dot and a line end
 * would be the end of the message. */
void
smtp_dots_append(enum smtp_dot_state *state, struct bytes piece,
    struct buf *out)
{
	const char *p = piece.data, *end = p + piece.len, *start = p;

	for (; p < end; p++) {
		if (*state == SMTP_DOT_TEXT && *p != '\r' && *p != '\n')
			continue;
		if (*state == SMTP_DOT_CR_DOT) {
			buf_append_str(out,
			    *p == '\r' || *p == '\n' ? ".." : ".");
			*state = SMTP_DOT_TEXT;
		}
		if (*p == '\r') {
			*state = SMTP_DOT_CR;
		} else if (*p == '\n') {
			*state = *state == SMTP_DOT_CR ? SMTP_DOT_LINE_START
						       : SMTP_DOT_LONE_LF;
		} else if (*p == '.' && *state == SMTP_DOT_CR) {
			buf_append(out, start, (size_t)(p - start));
			start = p + 1;
			*state = SMTP_DOT_CR_DOT;
		} else {
			if (*p == '.' && *state != SMTP_DOT_TEXT) {
				buf_append(out, start, (size_t)(p - start));
				buf_append_char(out, '.');
				start = p;
			}
			*state = SMTP_DOT_TEXT;
		}
	}
	buf_append(out, start, (size_t)(end - start));
}

void
smtp_dots_end(enum smtp_dot_state *state, struct buf *out)
{
	if (*state == SMTP_DOT_CR_DOT)
		buf_append_str(out, "..");
	if (*state != SMTP_DOT_LINE_START)
		buf_append_str(out, "\r\n");
	buf_append_str(out, ".\r\n");
	*state = SMTP_DOT_LINE_START;
}
