/*
 * fuzz_dmarc_record.c - a DMARC policy record.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/dmarc_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts go into headers and logs as they are. */
static void
check_text(const char *text)
{
	if (text == NULL)
		return;
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct dmarc_record record;

	if (dmarc_record_read(arena, text, &record) == 1) {
		if (size < strlen("v=DMARC1") || (*data | 0x20) != 'v')
			abort();
		if (!record.applies && record.p != DMARC_NONE)
			abort();
		check_text(record.rua);
		check_text(record.ruf);
		check_text(record.fo);
	}
	arena_free(arena);
	return 0;
}
