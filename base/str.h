/*
 * str.h - ASCII without locale, checked numbers, and a cursor for parsers.
 *
 * A cursor walks bytes from outside and cannot pass their end.  Its calls
 * return true and move, or return false and stay.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

static inline char
ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Space, tab, CR, LF. */
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* -1 when c is no hexadecimal digit. */
int ascii_hex_value(char c);

void ascii_lowercase(char *s);
bool str_equal_nocase(const char *a, const char *b);
/* Is s, or its end, suffix?  Without case. */
bool str_ends_nocase(const char *s, const char *suffix);
/* Does part occur in s?  Without ASCII case; "" occurs everywhere. */
bool str_has_nocase(const char *s, const char *part);
/* Writes 2 * len lower-case hexadecimal digits and a NUL. */
void str_hex(const void *data, size_t len, char *out);

/*
 * The whole of s is a decimal number within least..most: 0, else -1.
 * No sign, no space, no empty text.
 */
int parse_u64(struct bytes s, uint64_t least, uint64_t most, uint64_t *out);

/* 10, 10k, 10M, 10G (powers of 1024): 0, or -1. */
int parse_size(struct bytes s, uint64_t *out);
/* 90, 90s, 15m, 12h, 30d, 2w, in seconds: 0, or -1. */
int parse_seconds(struct bytes s, uint64_t *out);

struct cursor {
	const char *p;
	const char *end;
};

struct cursor cursor_of(struct bytes bytes);
bool cursor_at_end(const struct cursor *c);
/* The next byte without moving, or -1 at the end. */
int cursor_peek(const struct cursor *c);
bool cursor_char(struct cursor *c, char want);
/* ASCII case ignored. */
bool cursor_literal(struct cursor *c, const char *want);
/* Skips space, tab, CR and LF; true if there was any. */
bool cursor_space(struct cursor *c);
/* Bytes up to (not with) any of stops, or to the end; may be empty. */
struct bytes cursor_until(struct cursor *c, const char *stops);
/* The longest run of bytes out of set; false if empty. */
bool cursor_span(struct cursor *c, const char *set, struct bytes *out);
/* Digits as a number up to most; false if none or too large. */
bool cursor_u64(struct cursor *c, uint64_t most, uint64_t *out);

#endif
