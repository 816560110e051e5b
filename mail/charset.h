/*
 * charset.h - text of mails as UTF-8, for people and for rules.
 *
 * By GMime and iconv, with the aliases Japanese mail needs: Shift_JIS is
 * read as CP932, ISO-2022-JP as ISO-2022-JP-MS.  Never fails: what cannot
 * be read becomes U+FFFD.  charset_open must have been called once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/arena.h"
#include "base/buf.h"

/* Once a process, before threads start. */
void charset_open(void);

/* An unstructured header value (Subject) decoded: encoded words (also
 * broken ones seen in the wild), raw UTF-8, raw ISO-2022-JP, raw CP932 and
 * EUC-JP; control characters become U+FFFD; at most max bytes. */
const char *charset_header_text(struct arena *arena, struct bytes value,
    size_t max);
/* A display name or address header, the same. */
const char *charset_phrase_text(struct arena *arena, struct bytes value,
    size_t max);
/* Encode UTF-8 text as encoded words (UTF-8, B), folded; for the Subject
 * that we mark and for mails of ours. */
int charset_encode_header(struct bytes utf8, struct buf *out);
/* Body text of a charset to UTF-8. */
int charset_to_utf8(const char *charset, struct bytes in, struct buf *out);

#endif
