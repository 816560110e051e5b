/*
 * fuzz_key_record.c - a DKIM key record, and what it proves.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "policy/key_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t digest[DIGEST_MAX] = { 1, 2, 3 };
	struct bytes record = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct err err = { ERR_NONE, "" };
	struct key_record key;

	if (key_record_read(arena, record, &key, &err) == 0) {
		if (key.bits == 0 || key.bits > KEY_BITS_MAX)
			abort();
		/* No signature is that short. */
		if (key_record_verifies(&key, NULL, DIGEST_SHA256, digest,
			(struct bytes){ record.data, size < 8 ? size : 8 }))
			abort();
	} else if (err.kind == ERR_NONE) {
		abort();
	}
	arena_free(arena);
	return 0;
}
