/*
 * charset_header.c - header fields as people read them: encoded words.
 *
 * RFC 2047 is read generously: words stand anywhere, also inside quotes and
 * glued to other text; the octets of neighbours in the same charset are
 * joined before they are converted, because mailers cut characters in two.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define VALUE_MAX (256 * 1024)
#define CHARSET_NAME_MAX 40
/* UTF-8 octets in an encoded word of ours: with all around it 72 columns,
 * and fewer in the first, which stands behind "Subject: ". */
#define WORD_MAX 45
#define WORD_FIRST 36

struct word {
	struct bytes charset;
	bool base64;
	struct bytes text;
};

/* The first "?=" at or behind a place, so that it is not looked for anew
 * at each word, which would be quadratic.  NULL: not known yet; the end of
 * the value: there is none. */
struct word_end {
	const char *at;
};

struct reading {
	struct buf text; /* UTF-8 so far */
	bool unquote;
	/* encoded words not converted yet, all of one charset */
	char charset[CHARSET_NAME_MAX + 1];
	struct buf octets;
	bool after_word;
};

/* ---- one encoded word ---- */

static bool
is_base64_text(char c)
{
	return ascii_is_alnum(c) || c == '+' || c == '/' || c == '=' ||
	    c == ' ' || c == '\t';
}

/* Base64 may end with the value, as some mailers cut long fields. */
static bool
take_base64(struct cursor *c, struct bytes *text)
{
	const char *start = c->p;

	while (!cursor_at_end(c) && is_base64_text(*c->p))
		c->p++;
	*text = (struct bytes){ start, (size_t)(c->p - start) };
	return cursor_literal(c, "?=") || cursor_at_end(c);
}

static const char *
find_end(struct word_end *end, const struct cursor *c)
{
	if (end->at == NULL || end->at < c->p)
		end->at = memmem(c->p, (size_t)(c->end - c->p), "?=", 2);
	if (end->at == NULL)
		end->at = c->end;
	return end->at < c->end ? end->at : NULL;
}

/* Up to "?=", or to where the next word begins when that comes first. */
static bool
take_quoted(struct cursor *c, struct bytes *text, struct word_end *word_end)
{
	const char *start = c->p, *end = find_end(word_end, c), *next;

	if (end == NULL)
		return false;
	next = memmem(start, (size_t)(end - start), "=?", 2);
	*text = (struct bytes){ start,
		(size_t)((next != NULL ? next : end) - start) };
	c->p = next != NULL ? next : end + 2;
	return true;
}

/* =?charset[*language]?B|Q?text?= at the cursor. */
static bool
take_word(struct cursor *c, struct word *word, struct word_end *end)
{
	struct cursor at = *c, name;

	if (!cursor_literal(&at, "=?"))
		return false;
	if (at.end - at.p > 2 * CHARSET_NAME_MAX)
		at.end = at.p + 2 * CHARSET_NAME_MAX;
	name = cursor_of(cursor_until(&at, "? \t\"<>"));
	at.end = c->end;
	word->charset = cursor_until(&name, "*");
	word->base64 = cursor_literal(&at, "?b?");
	if (word->charset.len == 0 || word->charset.len > CHARSET_NAME_MAX ||
	    (!word->base64 && !cursor_literal(&at, "?q?")))
		return false;
	if (!(word->base64 ? take_base64(&at, &word->text)
			   : take_quoted(&at, &word->text, end)))
		return false;
	*c = at;
	return true;
}

/* Padding may be missing, or stand in the middle where an encoder glued
 * its lines together; what is no base64 is passed over. */
static void
decode_base64(struct bytes text, struct buf *out)
{
	unsigned bits = 0, count = 0;
	size_t i;
	int value;

	for (i = 0; i < text.len; i++) {
		value = base64_digit(text.data[i]);
		if (value < 0) {
			count = text.data[i] == '=' ? 0 : count;
			continue;
		}
		bits = (bits << 6) | (unsigned)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_append_char(out, (char)(bits >> count & 0xff));
		}
	}
}

static void
decode_quoted(struct bytes text, struct buf *out)
{
	size_t i;
	int high, low;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '_') {
			buf_append_char(out, ' ');
			continue;
		}
		if (text.data[i] == '=' && text.len - i > 2) {
			high = ascii_hex_value(text.data[i + 1]);
			low = ascii_hex_value(text.data[i + 2]);
			if (high >= 0 && low >= 0) {
				buf_append_char(out, (char)(high * 16 + low));
				i += 2;
				continue;
			}
		}
		buf_append_char(out, text.data[i]);
	}
}

/* ---- the value ---- */

/* Converts the encoded words read so far. */
static void
flush_words(struct reading *reading)
{
	if (reading->octets.len > 0)
		(void)charset_to_utf8(reading->charset,
		    buf_bytes(&reading->octets), &reading->text);
	buf_reset(&reading->octets);
}

static void
add_word(struct reading *reading, const struct word *word)
{
	if (!bytes_equal_nocase(bytes_of(reading->charset), word->charset)) {
		flush_words(reading);
		memcpy(reading->charset, word->charset.data, word->charset.len);
		reading->charset[word->charset.len] = '\0';
	}
	if (word->base64)
		decode_base64(word->text, &reading->octets);
	else
		decode_quoted(word->text, &reading->octets);
	reading->after_word = true;
}

/* Text outside encoded words. */
static void
add_raw(struct reading *reading, struct bytes raw)
{
	struct buf text;
	size_t i;

	flush_words(reading);
	reading->after_word = false;
	if (!reading->unquote) {
		(void)charset_guess_to_utf8(raw, &reading->text);
		return;
	}
	buf_init(&text, SIZE_MAX);
	(void)charset_guess_to_utf8(raw, &text);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '"')
			continue;
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		buf_append_char(&reading->text, text.data[i]);
	}
	buf_free(&text);
}

static void
read_value(struct reading *reading, struct bytes value)
{
	struct cursor c = cursor_of(value);
	const char *raw = c.p, *start;
	struct word word = { 0 };
	struct bytes between;
	struct word_end end = { NULL };

	while (!cursor_at_end(&c)) {
		start = c.p;
		if (*start != '=' || !take_word(&c, &word, &end)) {
			c.p++;
			continue;
		}
		between = (struct bytes){ raw, (size_t)(start - raw) };
		if (between.len > 0 &&
		    !(reading->after_word && bytes_trim(between).len == 0))
			add_raw(reading, between);
		add_word(reading, &word);
		raw = c.p;
	}
	if (c.p > raw)
		add_raw(reading, (struct bytes){ raw, (size_t)(c.p - raw) });
	flush_words(reading);
}

/* ---- for people ---- */

/* Control characters, line separators, and what changes the direction of
 * the text behind it. */
static bool
is_unfit_to_show(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	    c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069);
}

/* Valid UTF-8 with white space made single spaces and nothing unfit; stops
 * before the character that out has no room for. */
static void
append_for_people(struct buf *out, struct bytes text)
{
	bool space = false;
	struct bytes shown;
	uint32_t c;
	size_t n;

	for (; text.len > 0; text.data += n, text.len -= n) {
		n = utf8_decode(text, &c);
		if (c == ' ' || c == '\t') {
			space = out->len > 0;
			continue;
		}
		shown = (struct bytes){ text.data, n };
		if (is_unfit_to_show(c))
			shown = BYTES_LIT(REPLACEMENT);
		if (shown.len + (space ? 1 : 0) > out->max - out->len)
			return;
		if (space)
			buf_append_char(out, ' ');
		buf_append_bytes(out, shown);
		space = false;
	}
}

static struct bytes
without_line_ends(struct arena *arena, struct bytes value)
{
	char *out;
	size_t i, len = 0;

	if (value.len > VALUE_MAX)
		value.len = VALUE_MAX;
	out = arena_alloc(arena, value.len);
	for (i = 0; i < value.len; i++)
		if (value.data[i] != '\r' && value.data[i] != '\n')
			out[len++] = value.data[i];
	return (struct bytes){ out, len };
}

static const char *
text_of(struct arena *arena, struct bytes value, size_t max, bool unquote)
{
	struct reading reading = { .unquote = unquote };
	struct buf shown;
	const char *text;

	buf_init(&reading.text, SIZE_MAX);
	buf_init(&reading.octets, SIZE_MAX);
	buf_init(&shown, max);
	read_value(&reading, without_line_ends(arena, value));
	append_for_people(&shown, buf_bytes(&reading.text));
	text = arena_strdup(arena, buf_str(&shown));
	buf_free(&reading.text);
	buf_free(&reading.octets);
	buf_free(&shown);
	return text;
}

const char *
charset_header_text(struct arena *arena, struct bytes value, size_t max)
{
	return text_of(arena, value, max, false);
}

const char *
charset_phrase_text(struct arena *arena, struct bytes value, size_t max)
{
	return text_of(arena, value, max, true);
}

/* ---- writing ---- */

static bool
is_plain(struct bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] >= 0x7f)
			return false;
	return memmem(text.data, text.len, "=?", 2) == NULL;
}

int
charset_encode_header(struct bytes utf8, struct buf *out)
{
	size_t most = WORD_FIRST, len;
	struct bytes rest;
	struct buf clean;
	int rc = 0;

	if (utf8.len == 0 || is_plain(utf8))
		return buf_append_bytes(out, utf8);
	buf_init(&clean, SIZE_MAX);
	rc |= utf8_append_clean(&clean, utf8);
	rest = buf_bytes(&clean);
	while (rest.len > 0) {
		len = rest.len < most ? rest.len : most;
		while (len < rest.len && (rest.data[len] & 0xc0) == 0x80)
			len--;
		if (most == WORD_MAX)
			rc |= buf_append_str(out, "\r\n ");
		rc |= buf_append_str(out, "=?UTF-8?B?");
		rc |= base64_encode((struct bytes){ rest.data, len }, out);
		rc |= buf_append_str(out, "?=");
		rest.data += len;
		rest.len -= len;
		most = WORD_MAX;
	}
	buf_free(&clean);
	return rc;
}
