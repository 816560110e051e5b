/*
 * strmap.h - a hash table from bytes to a pointer.
 *
 * Open addressing, no allocation when looking up.  Keys and values are
 * borrowed: they must outlive the table.  Reading is safe from any thread
 * while nobody writes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct strmap_slot {
	const char *key; /* NULL: free */
	uint32_t len;
	uint32_t hash;
	void *value;
};

struct strmap {
	struct strmap_slot *slots; /* NULL while empty */
	size_t size;               /* of slots: 0 or a power of two */
	size_t count;
};

void strmap_init(struct strmap *map);
void strmap_free(struct strmap *map);
/* Room for count keys, so that adding them does not move the table. */
void strmap_reserve(struct strmap *map, size_t count);

/* NULL when there is no such key. */
void *strmap_get(const struct strmap *map, struct bytes key);
/* The place of the key's value: made, with NULL in it, when there is none.
 * Valid until the next put or remove. */
void **strmap_put(struct strmap *map, struct bytes key);
/* Its value, or NULL when there is no such key. */
void *strmap_remove(struct strmap *map, struct bytes key);

/* Each entry in no order: *pos is 0 at first; NULL at the end. */
const struct strmap_slot *strmap_next(const struct strmap *map, size_t *pos);

#endif
