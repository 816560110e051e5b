/*
 * fuzz_smtp.c - replies of an SMTP server; and the dots of a message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/smtp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_replies(struct bytes in)
{
	struct smtp_reply_reader reader;
	struct smtp_reply reply;
	struct bytes line, text;
	struct buf input;
	int rc = 0;

	buf_init(&input, SIZE_MAX);
	buf_append_bytes(&input, in);
	smtp_reply_reader_init(&reader);
	while (rc >= 0 && smtp_line_take(&input, &line) == 1) {
		rc = smtp_reply_reader_line(&reader, line, &text);
		smtp_line_drop(&input);
		if (rc == 1) {
			smtp_reply_reader_get(&reader, &reply);
			if (reply.code < 200 || reply.code > 599 ||
			    !utf8_is_valid(bytes_of(reply.text)))
				abort();
			smtp_reply_reader_free(&reader);
			smtp_reply_reader_init(&reader);
		}
	}
	smtp_reply_reader_free(&reader);
	buf_free(&input);
}

/* What stands on the wire holds one end of a message, at its end, also for
 * servers that take a lone CR or LF for a line end. */
static void
check_one_end(struct bytes wire)
{
	size_t i;

	for (i = 0; i + 3 < wire.len; i++)
		if ((wire.data[i] == '\r' || wire.data[i] == '\n') &&
		    wire.data[i + 1] == '.' &&
		    (wire.data[i + 2] == '\r' || wire.data[i + 2] == '\n') &&
		    i + 4 < wire.len)
			abort();
}

static void
check_dots(struct bytes in, size_t step)
{
	enum smtp_dot_state dots = SMTP_DOT_LINE_START;
	struct bytes piece;
	struct buf wire;

	buf_init(&wire, 3 * in.len + 10);
	while (in.len > 0) {
		piece = in;
		if (piece.len > step)
			piece.len = step;
		smtp_dots_append(&dots, piece, &wire);
		in.data += piece.len;
		in.len -= piece.len;
	}
	smtp_dots_end(&dots, &wire);
	if (wire.overflow || wire.len < 3 ||
	    memcmp(wire.data + wire.len - 3, ".\r\n", 3) != 0)
		abort();
	check_one_end(buf_bytes(&wire));
	buf_free(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };

	check_replies(in);
	check_dots(in, 1);
	check_dots(in, 7);
	check_dots(in, size + 1);
	return 0;
}
