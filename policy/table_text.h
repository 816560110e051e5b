/*
 * table_text.h - tables as files of people: which charset they are in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_TABLE_TEXT_H
#define POLICY_TABLE_TEXT_H

#include "base/buf.h"
#include "base/err.h"

/*
 * UTF-8, with or without a byte order mark, or CP932 (what Japanese
 * spreadsheets write), to UTF-8 without a mark.  -1 with ERR_INPUT and the
 * line in *line (0: the whole file).
 */
int table_decode(struct bytes file, struct buf *out, unsigned *line,
    struct err *err);

enum table_charset {
	TABLE_UTF8,
	TABLE_UTF8_BOM,
	TABLE_CP932,
	TABLE_CHARSET_COUNT
};
extern const char *const table_charset_words[TABLE_CHARSET_COUNT];

/* For a spreadsheet.  -1 with ERR_INPUT: CP932 lacks a character. */
int table_encode(enum table_charset charset, struct bytes text, struct buf *out,
    struct err *err);

#endif
