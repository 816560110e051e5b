/*
 * csv.h - tables as text: RFC 4180, read with forgiveness, written strictly.
 *
 * Lines may end with CRLF or LF, the last one with nothing; a byte order
 * mark is skipped; space beside a comma belongs to the value.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define CSV_FIELDS_MAX 64

struct csv_reader {
	struct arena *arena;
	const char *p, *end;
	unsigned line;     /* of the row that was read last, from 1 */
	unsigned lines_at; /* private: where the cursor is */
};

struct csv_row {
	size_t count;
	const char *fields[CSV_FIELDS_MAX]; /* in the arena */
};

void csv_begin(struct csv_reader *reader, struct arena *arena,
    struct bytes text);
/* 1 a row (empty lines are passed over), 0 the end, -1 ERR_INPUT: a quote
 * out of place, a NUL, text that is not UTF-8, too many fields.  The text
 * of the error does not name the line. */
int csv_read(struct csv_reader *reader, struct csv_row *row, struct err *err);

/* A row with its line end; fields quoted where they must be.  -1: out is
 * full. */
int csv_write(struct buf *out, size_t count, const char *const *fields);

#endif
