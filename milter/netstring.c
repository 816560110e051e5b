/*
 * netstring.c - "5:hello,": length, colon, bytes, comma.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/str.h"

#include "milter/netstring.h"

/* As many digits as max has, and one, so that a number which is too large
 * is seen as such before it is complete. */
static size_t
digits_of(size_t max)
{
	size_t n = 1;

	for (; max >= 10; max /= 10)
		n++;
	return n;
}

int
netstring_parse(struct bytes in, size_t max, struct bytes *text, size_t *used)
{
	size_t digits = 0, len = 0;

	while (digits < in.len && ascii_is_digit(in.data[digits])) {
		if (digits == digits_of(max) ||
		    (digits == 1 && in.data[0] == '0'))
			return -1;
		len = len * 10 + (size_t)(in.data[digits] - '0');
		digits++;
	}
	if (len > max)
		return -1;
	if (digits == in.len)
		return 0;
	if (digits == 0 || in.data[digits] != ':')
		return -1;
	if (in.len - digits - 1 < len + 1)
		return 0;
	if (in.data[digits + 1 + len] != ',')
		return -1;
	*text = (struct bytes){ in.data + digits + 1, len };
	*used = digits + 1 + len + 1;
	return 1;
}

int
netstring_append(struct buf *out, struct bytes text)
{
	size_t before = out->len;

	if (buf_printf(out, "%zu:", text.len) == 0 &&
	    buf_append_bytes(out, text) == 0 && buf_append_char(out, ',') == 0)
		return 0;
	out->len = before;
	return -1;
}
