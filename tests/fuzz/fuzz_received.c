/*
 * fuzz_received.c - Received fields: what is read is an address and names
 * without anything that has a meaning elsewhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes value = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct received received;
	struct err err;

	if (received_read(arena, value, &received, &err) == 0 &&
	    (received.ip.family == IP_NONE ||
		strpbrk(received.helo, " \t\r\n()<>\";=\\") != NULL ||
		strpbrk(received.name, " \t\r\n()<>\";=\\") != NULL))
		abort();
	arena_free(arena);
	return 0;
}
