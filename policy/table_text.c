/*
 * table_text.c - tables as files of people: which charset they are in.
 *
 * What is valid UTF-8 is UTF-8: CP932 text with Japanese in it is not by
 * accident, as its second octets are not those of UTF-8.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/table_text.h"

#define BOM "\xef\xbb\xbf"
#define PIECE 4096

const char *const table_charset_words[TABLE_CHARSET_COUNT] = {
	[TABLE_UTF8] = "utf-8",
	[TABLE_UTF8_BOM] = "utf-8-bom",
	[TABLE_CP932] = "cp932",
};

static bool
starts_with(struct bytes text, const char *start, size_t len)
{
	return text.len >= len && memcmp(text.data, start, len) == 0;
}

static unsigned
line_of(struct bytes text, size_t at)
{
	unsigned line = 1;
	size_t i;

	for (i = 0; i < at && i < text.len; i++)
		line += text.data[i] == '\n';
	return line;
}

/* *at: how far it came. */
static int
convert(const char *to, const char *from, struct bytes in, struct buf *out,
    size_t *at, struct err *err)
{
	char piece[PIECE], *p, *data = (char *)(uintptr_t)in.data;
	size_t left = in.len, room;
	iconv_t cd = iconv_open(to, from);
	int rc = 0;

	if (cd == (iconv_t)-1) /* NOLINT(performance-no-int-to-ptr) */
		return err_set(err, ERR_CONFIG, "iconv knows no %s",
		    strcmp(to, "UTF-8") == 0 ? from : to);
	while (rc == 0 && left > 0) {
		p = piece;
		room = sizeof(piece);
		if (iconv(cd, &data, &left, &p, &room) == (size_t)-1 &&
		    errno != E2BIG)
			rc = err_set(err, ERR_INPUT, "not %s", from);
		if (buf_append(out, piece, sizeof(piece) - room) < 0)
			rc = err_set(err, ERR_LIMIT, "the table is too large");
	}
	iconv_close(cd);
	*at = in.len - left;
	return rc;
}

int
table_decode(struct bytes file, struct buf *out, unsigned *line,
    struct err *err)
{
	size_t at = 0;

	*line = 0;
	if (starts_with(file, "\xff\xfe", 2) ||
	    starts_with(file, "\xfe\xff", 2))
		return err_set(err, ERR_INPUT,
		    "the file is UTF-16; save it as CSV UTF-8");
	if (starts_with(file, BOM, 3)) {
		file.data += 3;
		file.len -= 3;
	}
	if (utf8_is_valid(file)) {
		if (buf_append_bytes(out, file) < 0)
			return err_set(err, ERR_LIMIT,
			    "the table is too large");
		return 0;
	}
	if (convert("UTF-8", "CP932", file, out, &at, err) == 0)
		return 0;
	if (err->kind == ERR_INPUT) {
		*line = line_of(file, at);
		err_set(err, ERR_INPUT, "the text is neither UTF-8 nor CP932");
	}
	return -1;
}

int
table_encode(enum table_charset charset, struct bytes text, struct buf *out,
    struct err *err)
{
	size_t at = 0;

	if (charset == TABLE_CP932) {
		if (convert("CP932", "UTF-8", text, out, &at, err) == 0)
			return 0;
		if (err->kind == ERR_INPUT)
			err_set(err, ERR_INPUT,
			    "charset: line %u has a character that cp932 "
			    "lacks",
			    line_of(text, at));
		return -1;
	}
	if ((charset == TABLE_UTF8_BOM && buf_append(out, BOM, 3) < 0) ||
	    buf_append_bytes(out, text) < 0)
		return err_set(err, ERR_LIMIT, "the table is too large");
	return 0;
}
