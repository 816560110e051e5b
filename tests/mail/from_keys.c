/*
 * from_keys.c - reads From values, prints the keys of their addresses.
 *
 * For test_from_peer.py.  Each value on stdin is its length in decimal, a
 * line feed, and the bytes; each answer is one line: the keys in order,
 * behind "ok" or "bad".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/from.h"

int
main(void)
{
	struct arena *arena;
	struct from_list list;
	char line[32], *value;
	uint64_t len;
	size_t i;
	int rc;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (parse_u64(bytes_trim(bytes_of(line)), 0, 1000000, &len) < 0)
			return 1;
		value = xmalloc((size_t)len);
		if (fread(value, 1, (size_t)len, stdin) != len)
			return 1;
		arena = arena_new(0);
		rc = from_parse(arena, (struct bytes){ value, (size_t)len },
		    &list, NULL);
		printf("%s", rc == 0 ? "ok" : "bad");
		for (i = 0; i < list.count; i++)
			printf("\t%s", list.addresses[i].key);
		printf("\n");
		arena_free(arena);
		free(value);
	}
	return 0;
}
