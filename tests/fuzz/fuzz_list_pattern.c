/*
 * fuzz_list_pattern.c - patterns of list rows, and times, as people write
 * them.
 *
 * What is taken has one form, is taken again as it is shown, and a snapshot
 * reads it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "policy/edit_rows.h"
#include "policy/settings_build.h"
#include "policy/settings_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_pattern(struct arena *arena, enum list_side side, const char *text)
{
	const char *pattern, *again;
	struct settings_build *build;
	struct bytes fields[2];
	struct err err;

	if (list_pattern_normalize(arena, side, text, &pattern, &err) < 0)
		return;
	if (list_pattern_normalize(arena, side,
		show_pattern(arena, side, pattern), &again, &err) < 0 ||
	    strcmp(pattern, again) != 0)
		abort();
	fields[0] = bytes_of(edit_row_field(arena, side, LIST_BLOCK, pattern));
	fields[1] = BYTES_LIT("{}");
	build = settings_build_new(NULL);
	if (settings_build_put(build, "system", 1, fields, &err) < 0)
		abort();
	settings_build_free(build);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	const char *text = arena_memdup(arena, data, size);
	int64_t time_s;
	int side;

	for (side = 0; side < LIST_SIDE_COUNT; side++)
		check_pattern(arena, (enum list_side)side, text);
	if (edit_parse_time(text, &time_s) == 0 && time_s < 0)
		abort();
	arena_free(arena);
	return 0;
}
