/*
 * fuzz_dmarc_report.c - aggregate reports; what is read can be written, and
 * is then read the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dmarc_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct dmarc_report report, again;
	struct buf first, second;

	if (dmarc_report_read(arena, (struct bytes){ (const char *)data, size },
		&report, NULL) == 0) {
		buf_init(&first, 1UL << 30);
		buf_init(&second, 1UL << 30);
		if (dmarc_report_write(&report, &first) < 0 ||
		    dmarc_report_read(arena, buf_bytes(&first), &again, NULL) <
			0 ||
		    dmarc_report_write(&again, &second) < 0 ||
		    strcmp(buf_str(&first), buf_str(&second)) != 0)
			abort();
		buf_free(&first);
		buf_free(&second);
	}
	arena_free(arena);
	return 0;
}
