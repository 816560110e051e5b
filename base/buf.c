/*
 * buf.c - bytes: a view of somebody's, and a growing buffer with a ceiling.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define BUF_FIRST 64

struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ s, strlen(s) };
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
bytes_equal_nocase(struct bytes a, struct bytes b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
			return false;
	return true;
}

struct bytes
bytes_trim(struct bytes b)
{
	while (b.len > 0 && ascii_is_space(b.data[0])) {
		b.data++;
		b.len--;
	}
	while (b.len > 0 && ascii_is_space(b.data[b.len - 1]))
		b.len--;
	return b;
}

void
buf_init(struct buf *buf, size_t max)
{
	memset(buf, 0, sizeof(*buf));
	buf->max = max;
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

char *
buf_steal(struct buf *buf)
{
	char *data = buf->data;

	if (data == NULL)
		data = xstrdup("");
	buf_init(buf, buf->max);
	return data;
}

/* Makes room for len more bytes and the NUL. */
static int
buf_reserve(struct buf *buf, size_t len)
{
	size_t size;

	if (len > buf->max - buf->len) {
		buf->overflow = true;
		return -1;
	}
	if (buf->len + len < buf->size)
		return 0;
	size = buf->size > 0 ? buf->size : BUF_FIRST;
	while (size <= buf->len + len)
		size *= 2;
	buf->data = xrealloc(buf->data, size);
	buf->size = size;
	return 0;
}

int
buf_append(struct buf *buf, const void *data, size_t len)
{
	if (buf_reserve(buf, len) < 0)
		return -1;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_append_str(struct buf *buf, const char *s)
{
	return buf_append(buf, s, strlen(s));
}

int
buf_append_bytes(struct buf *buf, struct bytes bytes)
{
	return buf_append(buf, bytes.data, bytes.len);
}

int
buf_append_char(struct buf *buf, char c)
{
	if (buf_reserve(buf, 1) < 0)
		return -1;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_vprintf(struct buf *buf, const char *fmt, va_list ap)
{
	size_t room = buf->data != NULL ? buf->size - buf->len : 0;
	va_list again;
	int len;

	/* Once is enough when it fits, as it mostly does. */
	va_copy(again, ap);
	len =
	    vsnprintf(room > 0 ? buf->data + buf->len : NULL, room, fmt, again);
	va_end(again);
	if (len < 0 || buf_reserve(buf, (size_t)len) < 0) {
		if (room > 0)
			buf->data[buf->len] = '\0';
		return -1;
	}
	if ((size_t)len >= room)
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	buf->len += (size_t)len;
	return 0;
}

int
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vprintf(buf, fmt, ap);
	va_end(ap);
	return rc;
}

void
buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	if (n == 0)
		return;
	memmove(buf->data, buf->data + n, buf->len - n);
	buf->len -= n;
	buf->data[buf->len] = '\0';
}

struct bytes
buf_bytes(const struct buf *buf)
{
	return (struct bytes){ buf->data, buf->len };
}

const char *
buf_str(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}
