/*
 * fuzz_heartbeat.c - what a milter tells of itself; what is read is bounded
 * and can be written for Prometheus, a line a number.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "quarantine/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct heartbeat heartbeat = { 0 };
	struct metrics_instance instance;
	struct buf out;

	buf_init(&out, 1UL << 20);
	if (heartbeat_parse(arena, (struct bytes){ (const char *)data, size },
		&heartbeat, NULL) == 0) {
		instance = (struct metrics_instance){ heartbeat.metrics, "" };
		if (metrics_write(&milter_metrics, 1, &instance, &out) < 0)
			abort();
		heartbeat_free(&heartbeat, 1);
	}
	buf_free(&out);
	arena_free(arena);
	return 0;
}
