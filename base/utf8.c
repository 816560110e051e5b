/*
 * utf8.c - UTF-8 by the letter of RFC 3629.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

size_t
utf8_decode(struct bytes s, uint32_t *code_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s.data;
	uint32_t c;
	size_t len, i;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80) {
		*code_point = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s.len < len)
		return 0;
	c = p[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code_point = c;
	return len;
}

size_t
utf8_char_len(struct bytes s)
{
	uint32_t c;

	return utf8_decode(s, &c);
}

bool
utf8_is_valid(struct bytes s)
{
	size_t n;

	while (s.len > 0) {
		n = (unsigned char)*s.data < 0x80 ? 1 : utf8_char_len(s);
		if (n == 0)
			return false;
		s.data += n;
		s.len -= n;
	}
	return true;
}

size_t
utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c >= 0xd800 && c <= 0xdfff)
		return 0;
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	if (c > 0x10ffff)
		return 0;
	out[0] = (char)(0xf0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

int
utf8_append_clean(struct buf *buf, struct bytes s)
{
	uint32_t c;
	size_t n;
	int rc;

	while (s.len > 0) {
		n = utf8_decode(s, &c);
		if (n == 0 || (c < 0x20 && c != '\t') ||
		    (c >= 0x7f && c < 0xa0)) {
			rc = buf_append_str(buf, REPLACEMENT);
			n = n > 0 ? n : 1;
		} else {
			rc = buf_append(buf, s.data, n);
		}
		if (rc < 0)
			return -1;
		s.data += n;
		s.len -= n;
	}
	return 0;
}
