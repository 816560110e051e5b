/*
 * fuzz_csv.c - tables as text; what is read and written is read the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(struct arena *arena, const struct csv_row *row)
{
	struct csv_reader reader;
	struct csv_row again;
	struct buf out;
	size_t i;

	buf_init(&out, 1UL << 30);
	if (csv_write(&out, row->count, row->fields) < 0)
		abort();
	csv_begin(&reader, arena, buf_bytes(&out));
	/* A row of one empty field looks like an empty line. */
	if (row->count > 1 || row->fields[0][0] != '\0') {
		if (csv_read(&reader, &again, NULL) != 1 ||
		    again.count != row->count)
			abort();
		for (i = 0; i < row->count; i++)
			if (strcmp(again.fields[i], row->fields[i]) != 0)
				abort();
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct csv_reader reader;
	struct csv_row row;

	csv_begin(&reader, arena, (struct bytes){ (const char *)data, size });
	while (csv_read(&reader, &row, NULL) > 0)
		check_again(arena, &row);
	arena_free(arena);
	return 0;
}
