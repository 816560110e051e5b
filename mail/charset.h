/*
 * charset.h - text of mails as UTF-8, for people and for rules.
 *
 * Conversion never fails: what cannot be read becomes U+FFFD.  The charsets
 * known are those of a table; mail cannot make iconv load anything else.
 * Japanese mail is read as it is written, not as it is labelled: Shift_JIS
 * is CP932; ISO-2022-JP and EUC-JP hold the NEC and IBM characters too
 * (glibc's own decoders turn ①㈱髙 to rubbish); text whose label is wrong or
 * missing is guessed.  All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * At start, to be kept until the end: loads the conversions we rely on, so
 * that they are known to be there and need not be loaded mail by mail.
 * NULL with ERR_CONFIG naming the one that is missing.
 */
struct charset_set;
struct charset_set *charset_open(struct err *err);
void charset_close(struct charset_set *set); /* NULL is fine */

/* Text in a charset (its MIME name, any case, NULL or "" when there is none)
 * to valid UTF-8; control characters stay.  Returns 0, or -1 when out is
 * full: what fits is there, no character is cut. */
int charset_to_utf8(const char *charset, struct bytes in, struct buf *out);
/* The same for text whose charset nobody named: UTF-8, ISO-2022-JP, EUC-JP,
 * CP932, else Windows-1252. */
int charset_guess_to_utf8(struct bytes in, struct buf *out);

/* ---- header fields (charset_header.c) ---- */

/*
 * An unstructured header value (Subject) decoded: encoded words (RFC 2047,
 * also the broken ones seen in the wild: characters split between words,
 * no space around them, no padding), raw octets guessed; folds and white
 * space as single spaces, control characters as U+FFFD; at most max bytes
 * of valid UTF-8, in the arena.
 */
const char *charset_header_text(struct arena *arena, struct bytes value,
    size_t max);
/* A display name or a whole From header for people: the same, and quoted
 * strings without their quotes and backslashes.  Never to be parsed. */
const char *charset_phrase_text(struct arena *arena, struct bytes value,
    size_t max);

/* UTF-8 text as it may stand in a header: printable ASCII as it is, else as
 * encoded words (UTF-8, B) folded by "\r\n ".  Malformed octets and control
 * characters become U+FFFD.  0, or -1 when out is full. */
int charset_encode_header(struct bytes utf8, struct buf *out);

#endif
