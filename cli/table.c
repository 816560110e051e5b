/*
 * table.c - rows under headings, aligned by what a terminal shows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"

#include "cli/table.h"
#include "cli/wrap.h"

#define GAP 2            /* columns between columns */
#define FLEXIBLE_LEAST 8 /* no column is cut below this */
#define CELL_MAX 4096
#define OUTPUT_MAX (64UL * 1024 * 1024)
#define ELLIPSIS "\xe2\x80\xa6"

struct row {
	struct row *next;
	const char **cells;
};

struct table {
	struct arena *arena;
	size_t columns;
	const struct table_column *column;
	struct row *first, **end;
	size_t rows;
	size_t *widths; /* widest cell of each column */
};

static void
widen(struct table *table, size_t column, const char *cell)
{
	size_t width = text_width(bytes_of(cell));

	if (width > table->widths[column])
		table->widths[column] = width;
}

struct table *
table_new(struct arena *arena, size_t count, const struct table_column *columns)
{
	struct table *table = arena_calloc(arena, 1, sizeof(*table));
	size_t i;

	table->arena = arena;
	table->columns = count;
	table->column = columns;
	table->end = &table->first;
	table->widths = arena_calloc(arena, count, sizeof(table->widths[0]));
	for (i = 0; i < count; i++)
		widen(table, i, columns[i].heading);
	return table;
}

static const char *
clean(struct arena *arena, const char *text)
{
	struct buf buf;
	const char *copy;

	buf_init(&buf, CELL_MAX);
	if (text != NULL && utf8_append_clean(&buf, bytes_of(text)) < 0) {
		/* Longer than any line; what it begins with must do. */
		buf.max += sizeof(ELLIPSIS);
		(void)buf_append_str(&buf, ELLIPSIS);
	}
	copy = arena_memdup(arena, buf_str(&buf), buf.len);
	buf_free(&buf);
	return copy;
}

void
table_row(struct table *table, const char *const *cells)
{
	struct row *row = arena_calloc(table->arena, 1, sizeof(*row));
	size_t i;

	row->cells =
	    arena_calloc(table->arena, table->columns, sizeof(row->cells[0]));
	for (i = 0; i < table->columns; i++) {
		row->cells[i] = clean(table->arena, cells[i]);
		widen(table, i, row->cells[i]);
	}
	*table->end = row;
	table->end = &row->next;
	table->rows++;
}

size_t
table_count(const struct table *table)
{
	return table->rows;
}

static void
spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_append_char(out, ' ');
}

static void
write_cell(const struct table_column *column, const char *cell, size_t width,
    bool last, struct buf *out)
{
	struct bytes text = bytes_of(cell);
	size_t shown = text_width(text);
	bool cut = shown > width;

	if (cut) {
		text.len = text_fit(text, width - 1);
		shown = text_width(text) + 1;
	}
	if (column->right)
		spaces(out, width - shown);
	buf_append_bytes(out, text);
	if (cut)
		buf_append_str(out, ELLIPSIS);
	/* No trailing space. */
	if (!last)
		spaces(out, (column->right ? 0 : width - shown) + GAP);
}

/* The last column that has something in it, so that lines end there. */
static size_t
last_filled(const struct table *table, const char *const *cells)
{
	size_t i = table->columns;

	while (i > 1 && cells[i - 1][0] == '\0')
		i--;
	return i - 1;
}

static void
write_line(const struct table *table, const char *const *cells,
    const size_t *widths, struct buf *out)
{
	size_t i, last = last_filled(table, cells);

	for (i = 0; i <= last; i++)
		write_cell(&table->column[i], cells[i], widths[i], i == last,
		    out);
	buf_append_char(out, '\n');
}

/* The widest flexible column; table->columns when none can give way. */
static size_t
widest_flexible(const struct table *table, const size_t *widths)
{
	size_t i, widest = table->columns;

	for (i = 0; i < table->columns; i++)
		if (table->column[i].flexible && widths[i] > FLEXIBLE_LEAST &&
		    (widest == table->columns || widths[i] > widths[widest]))
			widest = i;
	return widest;
}

static void
fit(const struct table *table, size_t width, size_t *widths)
{
	size_t i, total = GAP * (table->columns - 1);

	for (i = 0; i < table->columns; i++)
		total += widths[i];
	for (; total > width; total--) {
		i = widest_flexible(table, widths);
		if (i == table->columns)
			return;
		widths[i]--;
	}
}

void
table_write(const struct table *table, size_t width, struct buf *out)
{
	size_t *widths =
	    arena_calloc(table->arena, table->columns, sizeof(widths[0]));
	const char **headings =
	    arena_calloc(table->arena, table->columns, sizeof(headings[0]));
	const struct row *row;
	size_t i;

	for (i = 0; i < table->columns; i++) {
		widths[i] = table->widths[i];
		headings[i] = table->column[i].heading;
	}
	if (width > 0)
		fit(table, width, widths);
	write_line(table, headings, widths, out);
	for (row = table->first; row != NULL; row = row->next)
		write_line(table, row->cells, widths, out);
}

static size_t
terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

void
table_print(const struct table *table)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	table_write(table, terminal_width(), &out);
	fwrite(buf_str(&out), 1, out.len, stdout);
	buf_free(&out);
}
