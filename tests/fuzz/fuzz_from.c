/*
 * fuzz_from.c - the value of a From header.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/from.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes value = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	struct from_list list;
	struct err err = { ERR_NONE, "" };
	size_t i;
	int rc;

	rc = from_parse(arena, value, &list, &err);
	if ((rc == 0) != (err.kind == ERR_NONE) || (rc == 0 && list.count == 0))
		abort();
	for (i = 0; i < list.count; i++) {
		if (list.addresses[i].domain[0] == '\0' ||
		    strlen(list.addresses[i].key) > ADDRESS_MAX)
			abort();
		if (list.names[i].len > 0 &&
		    (list.names[i].data < value.data ||
			list.names[i].data + list.names[i].len >
			    value.data + value.len))
			abort();
	}
	arena_free(arena);
	return 0;
}
