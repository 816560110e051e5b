/*
 * strmap.c - a hash table from bytes to a pointer.
 *
 * Linear probing over a table that is at most three quarters full; removal
 * moves what follows back, so that there are no tombstones.  FNV-1a with a
 * final mix: keys are put in by operators and users, bounded in number, not
 * by mail, so collisions on purpose gain nobody anything.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strmap.h"

#define SIZE_FIRST 8

static uint32_t
hash_of(struct bytes key)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * 0x100000001b3ULL;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	return (uint32_t)(hash ^ (hash >> 32));
}

static bool
slot_is(const struct strmap_slot *slot, uint32_t hash, struct bytes key)
{
	return slot->hash == hash && slot->len == key.len &&
	    (key.len == 0 || memcmp(slot->key, key.data, key.len) == 0);
}

/* The slot of key, or the free one where it belongs. */
static struct strmap_slot *
find(const struct strmap *map, uint32_t hash, struct bytes key)
{
	size_t mask = map->size - 1, i = hash & mask;

	while (map->slots[i].key != NULL && !slot_is(&map->slots[i], hash, key))
		i = (i + 1) & mask;
	return &map->slots[i];
}

static void
resize(struct strmap *map, size_t size)
{
	struct strmap old = *map;
	const struct strmap_slot *slot;
	size_t i;

	map->slots = xcalloc(size, sizeof(*map->slots));
	map->size = size;
	for (i = 0; i < old.size; i++) {
		slot = &old.slots[i];
		if (slot->key != NULL)
			*find(map, slot->hash,
			    (struct bytes){ slot->key, slot->len }) = *slot;
	}
	free(old.slots);
}

void
strmap_init(struct strmap *map)
{
	memset(map, 0, sizeof(*map));
}

void
strmap_free(struct strmap *map)
{
	free(map->slots);
	strmap_init(map);
}

void
strmap_reserve(struct strmap *map, size_t count)
{
	size_t size = map->size > 0 ? map->size : SIZE_FIRST;

	if (count == 0)
		return;
	while (count > size / 4 * 3)
		size *= 2;
	if (size > map->size)
		resize(map, size);
}

void *
strmap_get(const struct strmap *map, struct bytes key)
{
	if (map->count == 0)
		return NULL;
	return find(map, hash_of(key), key)->value;
}

void **
strmap_put(struct strmap *map, struct bytes key)
{
	uint32_t hash = hash_of(key);
	struct strmap_slot *slot;

	assert(key.len <= UINT32_MAX);
	strmap_reserve(map, map->count + 1);
	slot = find(map, hash, key);
	if (slot->key == NULL) {
		slot->key = key.data != NULL ? key.data : "";
		slot->len = (uint32_t)key.len;
		slot->hash = hash;
		slot->value = NULL;
		map->count++;
	}
	return &slot->value;
}

void *
strmap_remove(struct strmap *map, struct bytes key)
{
	size_t mask = map->size - 1, hole, i, home;
	struct strmap_slot *slot;
	void *value;

	if (map->count == 0)
		return NULL;
	slot = find(map, hash_of(key), key);
	if (slot->key == NULL)
		return NULL;
	value = slot->value;
	hole = (size_t)(slot - map->slots);
	for (i = (hole + 1) & mask; map->slots[i].key != NULL;
	     i = (i + 1) & mask) {
		/* May it stand in the hole, that is, not before its home? */
		home = map->slots[i].hash & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	memset(&map->slots[hole], 0, sizeof(map->slots[hole]));
	map->count--;
	return value;
}

const struct strmap_slot *
strmap_next(const struct strmap *map, size_t *pos)
{
	while (*pos < map->size) {
		const struct strmap_slot *slot = &map->slots[(*pos)++];

		if (slot->key != NULL)
			return slot;
	}
	return NULL;
}
