/*
 * fuzz_mo.c - compiled catalogues of any octets: read to the end, looked up
 * in, never beyond their end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/i18n.h"
#include "base/mo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_MAX 1000

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes mo = { (const char *)data, size };
	struct mo_message message;
	uint32_t count = mo_count(mo), i;

	for (i = 0; i < count && i < MESSAGES_MAX; i++) {
		if (!mo_message(mo, i, &message))
			continue;
		assert(message.id.data[message.id.len] == '\0');
		assert(message.text.data[message.text.len] == '\0');
		assert(strlen(message.text.data) <= message.text.len);
	}
	(void)mo_find(mo, "", &message);
	(void)mo_find(mo, "Quarantine", &message);
	return 0;
}
