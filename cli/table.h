/*
 * table.h - rows under headings, aligned by what a terminal shows.
 *
 * Columns are as wide as their widest cell.  On a terminal that is too
 * narrow, columns marked flexible are cut with an ellipsis; into a pipe or a
 * file nothing is ever cut.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

struct table_column {
	const char *heading;
	bool right;    /* numbers */
	bool flexible; /* may be cut */
};

struct table;

/* columns: borrowed.  All lives in the arena. */
struct table *table_new(struct arena *arena, size_t count,
    const struct table_column *columns);
/* As many cells as columns; NULL is empty.  Texts are copied, control
 * characters and malformed UTF-8 replaced. */
void table_row(struct table *table, const char *const *cells);
size_t table_count(const struct table *table);
/* width: of the terminal, 0: do not cut. */
void table_write(const struct table *table, size_t width, struct buf *out);
/* To stdout, as wide as that is. */
void table_print(const struct table *table);

#endif
