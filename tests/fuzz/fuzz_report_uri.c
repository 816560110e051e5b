/*
 * fuzz_report_uri.c - where strangers want reports sent to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/report_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct report_uri uris[REPORT_URIS_MAX];
	size_t i, n;

	n = report_uris_read(arena, arena_memdup(arena, data, size), uris);
	for (i = 0; i < n; i++) {
		if ((uris[i].address == NULL) == (uris[i].problem == NULL))
			abort();
		/* Nothing that could end a command of SMTP. */
		if (uris[i].address != NULL &&
		    strpbrk(uris[i].address, "\r\n <>") != NULL &&
		    uris[i].address[0] != '"')
			abort();
	}
	arena_free(arena);
	return 0;
}
