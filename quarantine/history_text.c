/*
 * history_text.c - text as the history searches it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "quarantine/history_text.h"

#define REPLACEMENT 0xfffdu
#define VOICED 0x3099u      /* combining; also 0x309b, half-width 0xff9e */
#define SEMI_VOICED 0x309au /* also 0x309c, 0xff9f */

/* ---- folding one character ---- */

/* Half-width U+FF61..U+FF9F as U+30xx: the low octet. */
static const uint8_t half_width[] = { 0x02, 0x0c, 0x0d, 0x01, 0xfb, 0xf2, 0xa1,
	0xa3, 0xa5, 0xa7, 0xa9, 0xe3, 0xe5, 0xe7, 0xc3, 0xfc, 0xa2, 0xa4, 0xa6,
	0xa8, 0xaa, 0xab, 0xad, 0xaf, 0xb1, 0xb3, 0xb5, 0xb7, 0xb9, 0xbb, 0xbd,
	0xbf, 0xc1, 0xc4, 0xc6, 0xc8, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd2,
	0xd5, 0xd8, 0xdb, 0xde, 0xdf, 0xe0, 0xe1, 0xe2, 0xe4, 0xe6, 0xe8, 0xe9,
	0xea, 0xeb, 0xec, 0xed, 0xef, 0xf3, 0x99, 0x9a };

/* Runs of capitals: a distance to the small letters, or every second one
 * (even or odd) is a capital and the small letter follows it. */
static const struct {
	uint32_t first, last;
	uint32_t distance; /* 0: every second */
} capitals[] = {
	{ 'A', 'Z', 0x20 },
	{ 0x00c0, 0x00d6, 0x20 },
	{ 0x00d8, 0x00de, 0x20 },
	{ 0x0100, 0x0137, 0 },
	{ 0x0139, 0x0148, 0 },
	{ 0x014a, 0x0177, 0 },
	{ 0x0179, 0x017e, 0 },
	{ 0x0391, 0x03a1, 0x20 },
	{ 0x03a3, 0x03a9, 0x20 },
	{ 0x0400, 0x040f, 0x50 },
	{ 0x0410, 0x042f, 0x20 },
	{ 0x0460, 0x0481, 0 },
	{ 0x048a, 0x04bf, 0 },
	{ 0x04d0, 0x052f, 0 },
	{ 0x1e00, 0x1e95, 0 },
	{ 0x1ea0, 0x1eff, 0 },
};

static uint32_t
fold_case(uint32_t c)
{
	size_t i;

	if (c < 'A' || (c > 'Z' && c < 0xc0))
		return c;
	for (i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++) {
		if (c < capitals[i].first)
			break;
		if (c > capitals[i].last)
			continue;
		if (capitals[i].distance > 0)
			return c + capitals[i].distance;
		return (c - capitals[i].first) % 2 == 0 ? c + 1 : c;
	}
	return c == 0x03c2 ? 0x03c3 : c; /* final sigma */
}

static uint32_t
fold_width(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		return c - 0xfee0;
	if (c >= 0xff61 && c <= 0xff9f)
		return 0x3000u + half_width[c - 0xff61];
	switch (c) {
	case '\t':
	case '\n':
	case '\r':
	case 0x00a0:
	case 0x3000:
		return ' ';
	case 0x309b:
		return VOICED;
	case 0x309c:
		return SEMI_VOICED;
	default:
		return c;
	}
}

/* A kana and the voicing mark behind it as one character; 0: no such. */
static uint32_t
compose_kana(uint32_t kana, uint32_t mark)
{
	uint32_t c = kana >= 0x30a0 ? kana - 0x60 : kana; /* as hiragana */
	bool h_row = c >= 0x306f && c <= 0x307b && (c - 0x306f) % 3 == 0;

	if (mark == SEMI_VOICED)
		return h_row ? kana + 2 : 0;
	if (mark != VOICED)
		return 0;
	if (h_row)
		return kana + 1;
	if (c == 0x3046) /* u: vu */
		return kana + 0x4e;
	if (c >= 0x304b && c <= 0x3061 && c % 2 == 1) /* ka to chi */
		return kana + 1;
	if (c >= 0x3064 && c <= 0x3068 && c % 2 == 0) /* tsu, te, to */
		return kana + 1;
	return 0;
}

static uint32_t
next_plain(struct cursor *c)
{
	struct bytes rest = { c->p, (size_t)(c->end - c->p) };
	uint32_t code_point;
	size_t len = utf8_decode(rest, &code_point);

	if (len == 0) {
		c->p++;
		return REPLACEMENT;
	}
	c->p += len;
	return fold_case(fold_width(code_point));
}

/* The next folded character; the cursor is not at its end. */
static uint32_t
next_folded(struct cursor *c)
{
	uint32_t folded = next_plain(c), composed;
	struct cursor ahead = *c;

	if (folded < 0x3041 || folded > 0x30ff || cursor_at_end(c))
		return folded;
	composed = compose_kana(folded, next_plain(&ahead));
	if (composed == 0)
		return folded;
	*c = ahead;
	return composed;
}

/* ---- text ---- */

int
history_fold(struct bytes text, struct buf *out)
{
	struct cursor c = cursor_of(text);
	char utf8[4];

	while (!cursor_at_end(&c))
		buf_append(out, utf8, utf8_encode(next_folded(&c), utf8));
	return out->overflow ? -1 : 0;
}

/* Scripts whose words are often two characters long. */
static bool
is_cjk(uint32_t c)
{
	return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
	    (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static size_t
gram_length(uint32_t first)
{
	return is_cjk(first) ? 2 : 3;
}

/* The last characters read, three at most. */
struct window {
	size_t count;
	struct {
		uint32_t character;
		size_t start, end; /* octets of the text */
	} at[3];
};

static bool
window_fill(struct window *window, struct cursor *c, const char *text)
{
	while (window->count < 3 && !cursor_at_end(c)) {
		window->at[window->count].start = (size_t)(c->p - text);
		window->at[window->count].character = next_folded(c);
		window->at[window->count].end = (size_t)(c->p - text);
		window->count++;
	}
	return window->count > 0 &&
	    window->count >= gram_length(window->at[0].character);
}

int
history_grams(struct bytes text,
    int (*each)(void *context, struct bytes gram, size_t start, size_t end),
    void *context)
{
	struct window window = { 0 };
	struct cursor c = cursor_of(text);
	const char *begin = c.p;
	char gram[3 * 4];
	size_t i, n, len;
	int rc;

	while (window_fill(&window, &c, begin)) {
		n = gram_length(window.at[0].character);
		for (i = len = 0; i < n; i++)
			len += utf8_encode(window.at[i].character, gram + len);
		rc = each(context, (struct bytes){ gram, len },
		    window.at[0].start, window.at[n - 1].end);
		if (rc != 0)
			return rc;
		window.count--;
		memmove(&window.at[0], &window.at[1], sizeof(window.at[0]) * 2);
	}
	return 0;
}

bool
history_has_grams(struct bytes text)
{
	struct window window = { 0 };
	struct cursor c = cursor_of(text);

	return window_fill(&window, &c, c.p);
}
