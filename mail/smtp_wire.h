/*
 * smtp_wire.h - what goes over an SMTP connection, without the connection:
 * reading replies, stuffing dots.  For mail/smtp.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SMTP_WIRE_H
#define MAIL_SMTP_WIRE_H

#include "mail/smtp.h"

#define SMTP_LINE_MAX 4096
#define SMTP_LINES_MAX 200

/*
 * Takes the first line off input, which must not change while line is used
 * before smtp_line_drop.  1 a line (without its end), 0 not complete yet,
 * -1 longer than SMTP_LINE_MAX.
 */
int smtp_line_take(const struct buf *input, struct bytes *line);
/* Removes that line from input. */
void smtp_line_drop(struct buf *input);

/* A reply being put together from its lines. */
struct smtp_reply_reader {
	int code;
	size_t lines;
	struct buf text;
	char enhanced[12];
};

void smtp_reply_reader_init(struct smtp_reply_reader *reader);
void smtp_reply_reader_free(struct smtp_reply_reader *reader);
/* 1 the reply is complete, 0 more lines follow, -1 this is no SMTP.  *text:
 * the line behind its code. */
int smtp_reply_reader_line(struct smtp_reply_reader *reader, struct bytes line,
    struct bytes *text);
void smtp_reply_reader_get(const struct smtp_reply_reader *reader,
    struct smtp_reply *reply);

/* Fills in a reply; text is cleaned, and cut with "..." when too long. */
void smtp_reply_set(struct smtp_reply *reply, int code, const char *enhanced,
    struct bytes text);

/* Where in a line the message stands. */
enum smtp_dot_state {
	SMTP_DOT_LINE_START, /* behind CRLF, or at the very start */
	SMTP_DOT_TEXT,
	SMTP_DOT_CR,
	SMTP_DOT_LONE_LF,
	SMTP_DOT_CR_DOT, /* lone CR and a dot, not written yet */
};

/* Appends piece with dots stuffed; out must have room for twice its size
 * and one more. */
void smtp_dots_append(enum smtp_dot_state *state, struct bytes piece,
    struct buf *out);
/* Appends what ends the message: CRLF if it is missing, dot, CRLF. */
void smtp_dots_end(enum smtp_dot_state *state, struct buf *out);

#endif
