/*
 * buf.h - bytes: a view of somebody's, and a growing buffer with a ceiling.
 *
 * A struct bytes borrows: pointer and length, NUL bytes are data.  A struct
 * buf owns its memory and never grows over its ceiling: an append that
 * would is not made at all, returns -1, and the buffer is marked as full
 * until reset, so that a series of appends needs one check at its end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct bytes {
	const char *data; /* may be NULL when len is 0 */
	size_t len;
};

#define BYTES_LIT(s) ((struct bytes){ "" s, sizeof(s) - 1 })

struct bytes bytes_of(const char *s);
bool bytes_equal(struct bytes a, struct bytes b);
/* ASCII letters compare without case; other bytes exactly. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
/* Without leading and trailing space, tab, CR and LF. */
struct bytes bytes_trim(struct bytes b);

struct buf {
	char *data; /* a NUL stands behind len, not counted; NULL when empty */
	size_t len;
	size_t size;
	size_t max;    /* ceiling of len */
	bool overflow; /* an append was refused */
};

void buf_init(struct buf *buf, size_t max);
void buf_free(struct buf *buf);
/* Empties, keeps the memory, forgets an overflow. */
void buf_reset(struct buf *buf);
/* Hands the memory to the caller (free()); never NULL; buf is empty then. */
char *buf_steal(struct buf *buf);

/* Each returns 0, or -1 when the ceiling forbids it (nothing appended). */
int buf_append(struct buf *buf, const void *data, size_t len);
int buf_append_str(struct buf *buf, const char *s);
int buf_append_bytes(struct buf *buf, struct bytes bytes);
int buf_append_char(struct buf *buf, char c);
int buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *buf, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Drops n bytes at the front (n <= len). */
void buf_consume(struct buf *buf, size_t n);

struct bytes buf_bytes(const struct buf *buf);
/* As a C string; "" when empty.  Valid until the next change. */
const char *buf_str(const struct buf *buf);

#endif
