/*
 * charset.c - text of mails as UTF-8, for people and for rules.
 *
 * Japanese double bytes, however they are written, are brought into their
 * Shift_JIS form and read as CP932: the one table of iconv that holds the
 * NEC and IBM rows as mails use them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/charset.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ICONV_CHUNK 4096
/* A guess looks at this much of a text. */
#define GUESS_MAX (16 * 1024)
#define ESC '\x1b'
#define SHIFT_OUT '\x0e'
#define SHIFT_IN '\x0f'

struct charset {
	const char *name; /* lower case */
	/* Appends UTF-8; returns how many places it could not read. */
	size_t (*decode)(const struct charset *charset, struct bytes in,
	    struct buf *out);
	const char *iconv_name;
	size_t unit; /* octets to pass over at a place that is no text */
};

/* ---- UTF-8 ---- */

/* Appends valid UTF-8, or what fits of it in whole characters. */
static void
append(struct buf *out, struct bytes text)
{
	size_t room = out->max - out->len;

	if (text.len > room) {
		while (room > 0 && (text.data[room] & 0xc0) == 0x80)
			room--;
		buf_append(out, text.data, room);
		out->overflow = true;
	} else if (!out->overflow) {
		buf_append(out, text.data, text.len);
	}
}

static size_t
decode_utf8(const struct charset *charset, struct bytes in, struct buf *out)
{
	const char *start = in.data;
	size_t n, errors = 0;

	(void)charset;
	while (in.len > 0) {
		n = (in.data[0] & 0x80) == 0 ? 1 : utf8_char_len(in);
		if (n == 0) {
			errors++;
			append(out,
			    (struct bytes){ start, (size_t)(in.data - start) });
			append(out, BYTES_LIT(REPLACEMENT));
			start = in.data + 1;
			n = 1;
		}
		in.data += n;
		in.len -= n;
	}
	if (in.data > start)
		append(out, (struct bytes){ start, (size_t)(in.data - start) });
	return errors;
}

/* ---- by iconv ---- */

static size_t
run_iconv(iconv_t cd, size_t unit, struct bytes in, struct buf *out)
{
	char chunk[ICONV_CHUNK], *to, *from = (char *)(uintptr_t)in.data;
	size_t from_left = in.len, to_left, rc, errors = 0;

	while (from_left > 0 && !out->overflow) {
		to = chunk;
		to_left = sizeof(chunk);
		rc = iconv(cd, &from, &from_left, &to, &to_left);
		errors += decode_utf8(NULL,
		    (struct bytes){ chunk, (size_t)(to - chunk) }, out);
		if (rc != (size_t)-1 || errno == E2BIG)
			continue;
		errors++;
		append(out, BYTES_LIT(REPLACEMENT));
		if (from_left < unit)
			break;
		from += unit;
		from_left -= unit;
	}
	/* what a decoder still holds back (UTF-7, combining characters) */
	to = chunk;
	to_left = sizeof(chunk);
	if (iconv(cd, NULL, NULL, &to, &to_left) != (size_t)-1)
		errors += decode_utf8(NULL,
		    (struct bytes){ chunk, (size_t)(to - chunk) }, out);
	return errors;
}

static size_t
decode_iconv(const struct charset *charset, struct bytes in, struct buf *out)
{
	iconv_t cd = iconv_open("UTF-8", charset->iconv_name);
	size_t errors;

	if (cd == (iconv_t)-1)
		return 1 + decode_utf8(charset, in, out);
	errors = run_iconv(cd, charset->unit, in, out);
	iconv_close(cd);
	return errors;
}

/* ---- Japanese ---- */

#define SJIS "CP932"
#define SJIS_NOTHING '\xfd' /* stands for no character */
#define JIS_X_0212 "EUC-JP-MS"

/* JIS text on its way: what has been read and CP932 can say, and the
 * conversions, opened when first needed. */
struct jis {
	struct buf sjis;
	struct buf *out;
	size_t errors;
	iconv_t from_sjis;
	iconv_t from_supplement;
};

static void
jis_init(struct jis *jis, struct buf *out)
{
	buf_init(&jis->sjis, SIZE_MAX);
	jis->out = out;
	jis->errors = 0;
	jis->from_sjis = jis->from_supplement = (iconv_t)-1;
}

static void
jis_convert(struct jis *jis, iconv_t *cd, const char *name, size_t unit,
    struct bytes text)
{
	if (*cd == (iconv_t)-1)
		*cd = iconv_open("UTF-8", name);
	if (*cd == (iconv_t)-1)
		jis->errors += 1 + decode_utf8(NULL, text, jis->out);
	else
		jis->errors += run_iconv(*cd, unit, text, jis->out);
}

static void
jis_flush(struct jis *jis)
{
	if (jis->sjis.len > 0)
		jis_convert(jis, &jis->from_sjis, SJIS, 1,
		    buf_bytes(&jis->sjis));
	buf_reset(&jis->sjis);
}

static size_t
jis_end(struct jis *jis)
{
	jis_flush(jis);
	buf_free(&jis->sjis);
	if (jis->from_sjis != (iconv_t)-1)
		iconv_close(jis->from_sjis);
	if (jis->from_supplement != (iconv_t)-1)
		iconv_close(jis->from_supplement);
	return jis->errors;
}

static void
jis_error(struct jis *jis)
{
	buf_append_char(&jis->sjis, SJIS_NOTHING);
}

static bool
is_jis_byte(unsigned char c)
{
	return c >= 0x21 && c <= 0x7e;
}

/* A character of JIS X 0208, both octets 0x21..0x7e, in Shift_JIS. */
static void
jis_double(struct jis *jis, unsigned char row, unsigned char cell)
{
	unsigned char lead = (unsigned char)(((row - 0x21) >> 1) + 0x81);

	if (lead > 0x9f)
		lead += 0x40;
	if (row % 2 == 0)
		cell += 0x7e;
	else
		cell += cell >= 0x60 ? 0x20 : 0x1f;
	buf_append_char(&jis->sjis, (char)lead);
	buf_append_char(&jis->sjis, (char)cell);
}

/* A character of JIS X 0212, which Shift_JIS does not have. */
static void
jis_supplement(struct jis *jis, unsigned char row, unsigned char cell)
{
	const char euc[] = { '\x8f', (char)(row | 0x80), (char)(cell | 0x80) };

	jis_flush(jis);
	jis_convert(jis, &jis->from_supplement, JIS_X_0212, sizeof(euc),
	    (struct bytes){ euc, sizeof(euc) });
}

enum jis_mode {
	JIS_ASCII,
	JIS_KANA,
	JIS_DOUBLE,
	JIS_SUPPLEMENT
};

/* Longer ones first.  JIS X 0201 Roman is read as ASCII, as Windows does;
 * the sets of ISO-2022-JP-3 share most of JIS X 0208. */
static const struct {
	const char *text;
	enum jis_mode mode;
} jis_escapes[] = {
	{ "\x1b$(D", JIS_SUPPLEMENT },
	{ "\x1b$(O", JIS_DOUBLE },
	{ "\x1b$(Q", JIS_DOUBLE },
	{ "\x1b$(B", JIS_DOUBLE },
	{ "\x1b$(@", JIS_DOUBLE },
	{ "\x1b$B", JIS_DOUBLE },
	{ "\x1b$@", JIS_DOUBLE },
	{ "\x1b(B", JIS_ASCII },
	{ "\x1b(J", JIS_ASCII },
	{ "\x1b(H", JIS_ASCII },
	{ "\x1b(I", JIS_KANA },
};

static bool
take_escape(struct cursor *c, enum jis_mode *mode)
{
	size_t i, len;

	for (i = 0; i < sizeof(jis_escapes) / sizeof(*jis_escapes); i++) {
		len = strlen(jis_escapes[i].text);
		if ((size_t)(c->end - c->p) >= len &&
		    memcmp(c->p, jis_escapes[i].text, len) == 0) {
			c->p += len;
			*mode = jis_escapes[i].mode;
			return true;
		}
	}
	return false;
}

/* One character of text in the given mode. */
static void
jis_character(struct jis *jis, struct cursor *c, enum jis_mode mode)
{
	unsigned char row = (unsigned char)*c->p++, cell;

	if (mode == JIS_ASCII || row <= ' ') {
		buf_append_char(&jis->sjis, (char)row);
		return;
	}
	if (mode == JIS_KANA) {
		if (row <= 0x5f || row >= 0xa0)
			buf_append_char(&jis->sjis, (char)(row | 0x80));
		else
			jis_error(jis);
		return;
	}
	cell = cursor_at_end(c) ? 0 : (unsigned char)*c->p;
	if (!is_jis_byte(row) || !is_jis_byte(cell)) {
		jis_error(jis);
		return;
	}
	c->p++;
	if (mode == JIS_DOUBLE)
		jis_double(jis, row, cell);
	else
		jis_supplement(jis, row, cell);
}

/* ISO-2022-JP with all that is sent under this name: NEC and IBM rows,
 * half-width kana by escape or by shift, JIS X 0212, lines that end without
 * the way back to ASCII. */
static size_t
decode_iso2022_jp(const struct charset *charset, struct bytes in,
    struct buf *out)
{
	struct cursor c = cursor_of(in);
	enum jis_mode mode = JIS_ASCII;
	struct jis jis;

	(void)charset;
	jis_init(&jis, out);
	while (!cursor_at_end(&c) && !out->overflow) {
		if (*c.p == ESC && take_escape(&c, &mode))
			continue;
		if (*c.p == SHIFT_OUT || *c.p == SHIFT_IN) {
			mode = *c.p++ == SHIFT_OUT ? JIS_KANA : JIS_ASCII;
			continue;
		}
		if (*c.p == '\n' || *c.p == '\r')
			mode = JIS_ASCII;
		if (*c.p == ESC) {
			c.p++;
			jis_error(&jis);
		} else {
			jis_character(&jis, &c, mode);
		}
	}
	return jis_end(&jis);
}

static bool
is_euc_byte(unsigned char c)
{
	return c >= 0xa1 && c <= 0xfe;
}

/* A character of EUC-JP that begins with an octet above 127. */
static void
euc_character(struct jis *jis, struct cursor *c)
{
	unsigned char p[3] = { 0, 0, 0 };
	size_t left = (size_t)(c->end - c->p);

	memcpy(p, c->p, left < 3 ? left : 3);
	if (is_euc_byte(p[0]) && is_euc_byte(p[1])) {
		jis_double(jis, p[0] & 0x7f, p[1] & 0x7f);
		c->p += 2;
	} else if (p[0] == 0x8e && p[1] >= 0xa1 && p[1] <= 0xdf) {
		buf_append_char(&jis->sjis, (char)p[1]);
		c->p += 2;
	} else if (p[0] == 0x8f && is_euc_byte(p[1]) && is_euc_byte(p[2])) {
		jis_supplement(jis, p[1] & 0x7f, p[2] & 0x7f);
		c->p += 3;
	} else {
		jis_error(jis);
		c->p++;
	}
}

static size_t
decode_euc_jp(const struct charset *charset, struct bytes in, struct buf *out)
{
	struct cursor c = cursor_of(in);
	struct jis jis;

	(void)charset;
	jis_init(&jis, out);
	while (!cursor_at_end(&c) && !out->overflow) {
		if ((*c.p & 0x80) == 0)
			buf_append_char(&jis.sjis, *c.p++);
		else
			euc_character(&jis, &c);
	}
	return jis_end(&jis);
}

/* ---- guessing ---- */

static const struct charset sjis = { "shift_jis", decode_iconv, SJIS, 1 };
static const struct charset utf8 = { "utf-8", decode_utf8, NULL, 1 };
static const struct charset iso2022_jp = { "iso-2022-jp", decode_iso2022_jp,
	NULL, 1 };
static const struct charset euc_jp = { "euc-jp", decode_euc_jp, NULL, 1 };
static const struct charset windows_1252 = { "windows-1252", decode_iconv,
	"WINDOWS-1252", 1 };

/* How much a character speaks for a text being Japanese.  Octets of other
 * charsets read as private use, or as one or two half-width kana. */
static long
likeness_of(uint32_t c)
{
	if (c >= 0x3040 && c <= 0x30ff)
		return 3;
	if (c >= 0x4e00 && c <= 0x9fff)
		return 1;
	if (c == 0xfffd || (c >= 0xe000 && c <= 0xf8ff))
		return -20;
	return c >= 0x80 && c < 0xa0 ? -5 : 0;
}

static long
likeness(struct bytes text)
{
	long score = 0, half_width = 0;
	uint32_t c;
	size_t n;

	for (; text.len > 0; text.data += n, text.len -= n) {
		n = utf8_decode(text, &c);
		if (c >= 0xff61 && c <= 0xff9f) {
			half_width++;
			continue;
		}
		if (half_width < 3)
			score -= 2 * half_width;
		half_width = 0;
		score += likeness_of(c);
	}
	return half_width < 3 ? score - 2 * half_width : score;
}

static bool
has_iso2022_escape(struct bytes in)
{
	struct cursor c = cursor_of(in);
	enum jis_mode mode;

	while (!cursor_at_end(&c) &&
	    (c.p = memchr(c.p, ESC, (size_t)(c.end - c.p))) != NULL) {
		if (take_escape(&c, &mode) && mode != JIS_ASCII)
			return true;
		if (!cursor_at_end(&c))
			c.p++;
	}
	return false;
}

static long
likeness_as(const struct charset *charset, struct bytes in)
{
	struct buf text;
	long score;

	buf_init(&text, SIZE_MAX);
	charset->decode(charset, in, &text);
	score = likeness(buf_bytes(&text));
	buf_free(&text);
	return score;
}

static const struct charset *
guess(struct bytes in)
{
	struct bytes start = in;
	long as_euc, as_sjis;

	if (has_iso2022_escape(in))
		return &iso2022_jp;
	if (utf8_is_valid(in))
		return &utf8;
	if (start.len > GUESS_MAX)
		start.len = GUESS_MAX;
	as_euc = likeness_as(&euc_jp, start);
	as_sjis = likeness_as(&sjis, start);
	if (as_euc < 0 && as_sjis < 0)
		return &windows_1252;
	return as_euc >= as_sjis ? &euc_jp : &sjis;
}

int
charset_guess_to_utf8(struct bytes in, struct buf *out)
{
	const struct charset *charset = guess(in);

	charset->decode(charset, in, out);
	return out->overflow ? -1 : 0;
}

/* ---- names ---- */

/* What mails name a charset, sorted by what it is.  Labels that are often
 * used for a larger set mean the larger one. */
static const struct charset charsets[] = {
	{ "utf-8", decode_utf8, NULL, 1 },
	{ "utf8", decode_utf8, NULL, 1 },
	{ "unicode-1-1-utf-8", decode_utf8, NULL, 1 },

	{ "iso-2022-jp", decode_iso2022_jp, NULL, 1 },
	{ "iso-2022-jp-1", decode_iso2022_jp, NULL, 1 },
	{ "iso-2022-jp-2", decode_iso2022_jp, NULL, 1 },
	{ "iso-2022-jp-3", decode_iso2022_jp, NULL, 1 },
	{ "iso-2022-jp-2004", decode_iso2022_jp, NULL, 1 },
	{ "iso-2022-jp-ms", decode_iso2022_jp, NULL, 1 },
	{ "csiso2022jp", decode_iso2022_jp, NULL, 1 },
	{ "iso2022jp", decode_iso2022_jp, NULL, 1 },
	{ "jis", decode_iso2022_jp, NULL, 1 },
	{ "cp50220", decode_iso2022_jp, NULL, 1 },
	{ "cp50221", decode_iso2022_jp, NULL, 1 },
	{ "cp50222", decode_iso2022_jp, NULL, 1 },

	{ "shift_jis", decode_iconv, SJIS, 1 },
	{ "shift-jis", decode_iconv, SJIS, 1 },
	{ "shiftjis", decode_iconv, SJIS, 1 },
	{ "x-sjis", decode_iconv, SJIS, 1 },
	{ "sjis", decode_iconv, SJIS, 1 },
	{ "csshiftjis", decode_iconv, SJIS, 1 },
	{ "ms_kanji", decode_iconv, SJIS, 1 },
	{ "windows-31j", decode_iconv, SJIS, 1 },
	{ "cswindows31j", decode_iconv, SJIS, 1 },
	{ "windows-932", decode_iconv, SJIS, 1 },
	{ "cp932", decode_iconv, SJIS, 1 },
	{ "ms932", decode_iconv, SJIS, 1 },

	{ "euc-jp", decode_euc_jp, NULL, 1 },
	{ "eucjp", decode_euc_jp, NULL, 1 },
	{ "x-euc-jp", decode_euc_jp, NULL, 1 },
	{ "euc_jp", decode_euc_jp, NULL, 1 },
	{ "euc-jp-ms", decode_euc_jp, NULL, 1 },
	{ "eucjp-win", decode_euc_jp, NULL, 1 },
	{ "cp51932", decode_euc_jp, NULL, 1 },
	{ "ujis", decode_euc_jp, NULL, 1 },

	{ "iso-8859-1", decode_iconv, "WINDOWS-1252", 1 },
	{ "iso_8859-1", decode_iconv, "WINDOWS-1252", 1 },
	{ "iso8859-1", decode_iconv, "WINDOWS-1252", 1 },
	{ "latin1", decode_iconv, "WINDOWS-1252", 1 },
	{ "windows-1252", decode_iconv, "WINDOWS-1252", 1 },
	{ "cp1252", decode_iconv, "WINDOWS-1252", 1 },
	{ "iso-8859-2", decode_iconv, "ISO-8859-2", 1 },
	{ "iso-8859-3", decode_iconv, "ISO-8859-3", 1 },
	{ "iso-8859-4", decode_iconv, "ISO-8859-4", 1 },
	{ "iso-8859-5", decode_iconv, "ISO-8859-5", 1 },
	{ "iso-8859-6", decode_iconv, "ISO-8859-6", 1 },
	{ "iso-8859-7", decode_iconv, "ISO-8859-7", 1 },
	{ "iso-8859-8", decode_iconv, "ISO-8859-8", 1 },
	{ "iso-8859-8-i", decode_iconv, "ISO-8859-8", 1 },
	{ "iso-8859-9", decode_iconv, "WINDOWS-1254", 1 },
	{ "iso-8859-10", decode_iconv, "ISO-8859-10", 1 },
	{ "iso-8859-11", decode_iconv, "CP874", 1 },
	{ "iso-8859-13", decode_iconv, "ISO-8859-13", 1 },
	{ "iso-8859-14", decode_iconv, "ISO-8859-14", 1 },
	{ "iso-8859-15", decode_iconv, "ISO-8859-15", 1 },
	{ "iso-8859-16", decode_iconv, "ISO-8859-16", 1 },
	{ "windows-1250", decode_iconv, "WINDOWS-1250", 1 },
	{ "windows-1251", decode_iconv, "WINDOWS-1251", 1 },
	{ "cp1251", decode_iconv, "WINDOWS-1251", 1 },
	{ "windows-1253", decode_iconv, "WINDOWS-1253", 1 },
	{ "windows-1254", decode_iconv, "WINDOWS-1254", 1 },
	{ "windows-1255", decode_iconv, "WINDOWS-1255", 1 },
	{ "windows-1256", decode_iconv, "WINDOWS-1256", 1 },
	{ "windows-1257", decode_iconv, "WINDOWS-1257", 1 },
	{ "windows-1258", decode_iconv, "WINDOWS-1258", 1 },
	{ "windows-874", decode_iconv, "CP874", 1 },
	{ "tis-620", decode_iconv, "CP874", 1 },
	{ "koi8-r", decode_iconv, "KOI8-R", 1 },
	{ "koi8-u", decode_iconv, "KOI8-U", 1 },
	{ "cp866", decode_iconv, "CP866", 1 },
	{ "ibm866", decode_iconv, "CP866", 1 },
	{ "macintosh", decode_iconv, "MACINTOSH", 1 },

	{ "gb2312", decode_iconv, "GB18030", 1 },
	{ "gbk", decode_iconv, "GB18030", 1 },
	{ "x-gbk", decode_iconv, "GB18030", 1 },
	{ "cp936", decode_iconv, "GB18030", 1 },
	{ "gb18030", decode_iconv, "GB18030", 1 },
	{ "big5", decode_iconv, "BIG5-HKSCS", 1 },
	{ "big5-hkscs", decode_iconv, "BIG5-HKSCS", 1 },
	{ "cp950", decode_iconv, "BIG5-HKSCS", 1 },
	{ "euc-kr", decode_iconv, "UHC", 1 },
	{ "ks_c_5601-1987", decode_iconv, "UHC", 1 },
	{ "ks_c_5601", decode_iconv, "UHC", 1 },
	{ "cp949", decode_iconv, "UHC", 1 },
	{ "uhc", decode_iconv, "UHC", 1 },
	{ "iso-2022-kr", decode_iconv, "ISO-2022-KR", 1 },

	{ "utf-7", decode_iconv, "UTF-7", 1 },
	{ "unicode-1-1-utf-7", decode_iconv, "UTF-7", 1 },
	{ "utf-16", decode_iconv, "UTF-16", 2 },
	{ "utf-16le", decode_iconv, "UTF-16LE", 2 },
	{ "utf-16be", decode_iconv, "UTF-16BE", 2 },
};

/* NULL: nobody's name, or one that says nothing (us-ascii with octets). */
static const struct charset *
find(const char *name)
{
	size_t i;

	for (i = 0; name != NULL && i < sizeof(charsets) / sizeof(*charsets);
	     i++)
		if (str_equal_nocase(charsets[i].name, name))
			return &charsets[i];
	return NULL;
}

/* ISO-2022-JP has seven bits: octets above that are UTF-8 and read as
 * Japanese are not half-width kana of old. */
static bool
is_japanese_utf8(struct bytes in)
{
	return utf8_is_valid(in) && likeness(in) > 0 && !has_iso2022_escape(in);
}

/* What the octets say better than the label: NULL when the label may be
 * right. */
static const struct charset *
better_than(const struct charset *labelled, struct bytes in, size_t errors)
{
	const struct charset *found;
	struct buf text;

	if (labelled == NULL)
		return guess(in);
	if (labelled->decode != decode_iso2022_jp && labelled->unit == 1 &&
	    has_iso2022_escape(in))
		return &iso2022_jp;
	if (labelled->decode == decode_iso2022_jp && is_japanese_utf8(in))
		return &utf8;
	if (errors == 0 || (found = guess(in)) == &windows_1252)
		return NULL;
	buf_init(&text, SIZE_MAX);
	errors = found->decode(found, in, &text);
	buf_free(&text);
	return errors == 0 ? found : NULL;
}

int
charset_to_utf8(const char *name, struct bytes in, struct buf *out)
{
	const struct charset *labelled = find(name), *better;
	struct buf text;
	size_t errors = 0;

	buf_init(&text, out->max - out->len);
	if (labelled != NULL)
		errors = labelled->decode(labelled, in, &text);
	better = better_than(labelled, in, errors);
	if (better != NULL) {
		buf_reset(&text);
		better->decode(better, in, &text);
	}
	append(out, buf_bytes(&text));
	out->overflow |= text.overflow;
	buf_free(&text);
	return out->overflow ? -1 : 0;
}

/* ---- keeping conversions loaded ---- */

static const char *const kept[] = { SJIS, JIS_X_0212, "WINDOWS-1252", "GB18030",
	"UHC", "BIG5-HKSCS" };

#define KEPT_COUNT (sizeof(kept) / sizeof(*kept))

struct charset_set {
	size_t count;
	iconv_t open[KEPT_COUNT];
};

struct charset_set *
charset_open(struct err *err)
{
	struct charset_set *set = xcalloc(1, sizeof(*set));
	iconv_t cd;

	while (set->count < KEPT_COUNT) {
		cd = iconv_open("UTF-8", kept[set->count]);
		if (cd == (iconv_t)-1) {
			err_set(err, ERR_CONFIG,
			    "iconv cannot convert %s to UTF-8: install the "
			    "gconv modules of the C library",
			    kept[set->count]);
			charset_close(set);
			return NULL;
		}
		set->open[set->count++] = cd;
	}
	return set;
}

void
charset_close(struct charset_set *set)
{
	if (set == NULL)
		return;
	while (set->count > 0)
		iconv_close(set->open[--set->count]);
	free(set);
}
