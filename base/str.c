/*
 * str.c - ASCII without locale, checked numbers, and a cursor for parsers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"

int
ascii_hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void
ascii_lowercase(char *s)
{
	for (; *s != '\0'; s++)
		*s = ascii_lower(*s);
}

bool
str_equal_nocase(const char *a, const char *b)
{
	return bytes_equal_nocase(bytes_of(a), bytes_of(b));
}

bool
str_ends_nocase(const char *s, const char *suffix)
{
	size_t len = strlen(s), want = strlen(suffix);

	return len >= want && str_equal_nocase(s + (len - want), suffix);
}

bool
str_has_nocase(const char *s, const char *part)
{
	size_t i;

	for (;; s++) {
		for (i = 0; part[i] != '\0'; i++)
			if (ascii_lower(s[i]) != ascii_lower(part[i]))
				break;
		if (part[i] == '\0')
			return true;
		if (*s == '\0')
			return false;
	}
}

void
str_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = '\0';
}

int
parse_u64(struct bytes s, uint64_t least, uint64_t most, uint64_t *out)
{
	struct cursor c = cursor_of(s);
	uint64_t n;

	if (!cursor_u64(&c, most, &n) || !cursor_at_end(&c) || n < least)
		return -1;
	*out = n;
	return 0;
}

/* A number and at most one unit letter out of units, scaled by factors. */
static int
parse_scaled(struct bytes s, const char *units, const uint64_t *factors,
    uint64_t *out)
{
	struct cursor c = cursor_of(s);
	uint64_t n, factor = 1;
	const char *unit;
	int ch;

	if (!cursor_u64(&c, UINT64_MAX, &n))
		return -1;
	ch = cursor_peek(&c);
	if (ch > 0) {
		unit = strchr(units, ascii_lower((char)ch));
		if (unit == NULL)
			return -1;
		factor = factors[unit - units];
		c.p++;
	}
	if (!cursor_at_end(&c) || n > UINT64_MAX / factor)
		return -1;
	*out = n * factor;
	return 0;
}

int
parse_size(struct bytes s, uint64_t *out)
{
	static const uint64_t factors[] = { 1ULL << 10, 1ULL << 20, 1ULL << 30,
		1ULL << 40 };

	return parse_scaled(s, "kmgt", factors, out);
}

int
parse_seconds(struct bytes s, uint64_t *out)
{
	static const uint64_t factors[] = { 1, 60, 3600, 86400, 7 * 86400 };

	return parse_scaled(s, "smhdw", factors, out);
}

struct cursor
cursor_of(struct bytes bytes)
{
	const char *p = bytes.data != NULL ? bytes.data : "";

	return (struct cursor){ p, p + bytes.len };
}

bool
cursor_at_end(const struct cursor *c)
{
	return c->p == c->end;
}

int
cursor_peek(const struct cursor *c)
{
	return c->p < c->end ? (unsigned char)*c->p : -1;
}

bool
cursor_char(struct cursor *c, char want)
{
	if (c->p == c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

bool
cursor_literal(struct cursor *c, const char *want)
{
	size_t len = strlen(want);

	if ((size_t)(c->end - c->p) < len ||
	    !bytes_equal_nocase((struct bytes){ c->p, len },
		(struct bytes){ want, len }))
		return false;
	c->p += len;
	return true;
}

bool
cursor_space(struct cursor *c)
{
	const char *start = c->p;

	while (c->p < c->end && ascii_is_space(*c->p))
		c->p++;
	return c->p > start;
}

struct bytes
cursor_until(struct cursor *c, const char *stops)
{
	const char *start = c->p;

	while (c->p < c->end && (*c->p == '\0' || strchr(stops, *c->p) == NULL))
		c->p++;
	return (struct bytes){ start, (size_t)(c->p - start) };
}

bool
cursor_span(struct cursor *c, const char *set, struct bytes *out)
{
	const char *start = c->p;

	while (c->p < c->end && *c->p != '\0' && strchr(set, *c->p) != NULL)
		c->p++;
	if (c->p == start)
		return false;
	*out = (struct bytes){ start, (size_t)(c->p - start) };
	return true;
}

bool
cursor_u64(struct cursor *c, uint64_t most, uint64_t *out)
{
	const char *p = c->p;
	uint64_t n = 0, digit;

	for (; p < c->end && ascii_is_digit(*p); p++) {
		digit = (uint64_t)(*p - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (p == c->p || n > most)
		return false;
	c->p = p;
	*out = n;
	return true;
}
