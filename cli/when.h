/*
 * when.h - times as people write and read them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * "90m", "12h", "3d", "2w" ago; or "2026-11-22", "2026-11-22 09:00",
 * "2026-11-22T09:00:30", local time, or with "Z" UTC.  Milliseconds since
 * 1970.
 */
int when_parse_past(const char *text, int64_t *ms, struct err *err);
/* The same, but "30d" is from now on. */
int when_parse_future(const char *text, int64_t *ms, struct err *err);

/* "2026-11-22 09:00:30", local time; "" for 0. */
const char *when_format(struct arena *arena, int64_t ms);

#endif
