/*
 * header.c - the header of a message, field by field, bytes as received.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/header.h"

#define FIELDS_FIRST 32
#define SLOTS_FIRST 64
#define INDEXES_FIRST 2

/* All fields of one name, by their place in the header. */
struct header_name {
	struct bytes name;
	uint32_t hash;
	uint32_t count;
	uint32_t size;
	uint32_t *indexes;
	struct header_name *next; /* in the same slot */
};

void
header_init(struct header *header, struct arena *arena, size_t bytes_max,
    size_t count_max)
{
	memset(header, 0, sizeof(*header));
	header->arena = arena;
	header->bytes_max = bytes_max;
	header->count_max = count_max < UINT32_MAX ? count_max : UINT32_MAX;
}

/* FNV-1a without case, from a start that a sender cannot know. */
static uint32_t
name_hash(const struct header *header, struct bytes name)
{
	uint32_t hash = 2166136261u ^ (uint32_t)((uintptr_t)header->arena >> 4);
	size_t i;

	for (i = 0; i < name.len; i++) {
		hash ^= (unsigned char)ascii_lower(name.data[i]);
		hash *= 16777619u;
	}
	return hash ^ (hash >> 15);
}

static struct header_name *
name_find(const struct header *header, struct bytes name, uint32_t hash)
{
	struct header_name *entry;

	if (header->slot_count == 0)
		return NULL;
	entry = header->slots[hash & (header->slot_count - 1)];
	while (entry != NULL &&
	    (entry->hash != hash || !bytes_equal_nocase(entry->name, name)))
		entry = entry->next;
	return entry;
}

static void
name_link(struct header *header, struct header_name *entry)
{
	struct header_name **slot =
	    &header->slots[entry->hash & (header->slot_count - 1)];

	entry->next = *slot;
	*slot = entry;
}

/* Twice as many slots, once names fill half of them. */
static void
slots_grow(struct header *header)
{
	struct header_name **old = header->slots, *entry, *next;
	size_t i, old_count = header->slot_count;

	if (header->name_count < old_count / 2)
		return;
	header->slot_count = old_count > 0 ? old_count * 2 : SLOTS_FIRST;
	header->slots = arena_calloc(header->arena, header->slot_count,
	    sizeof(*header->slots));
	for (i = 0; i < old_count; i++)
		for (entry = old[i]; entry != NULL; entry = next) {
			next = entry->next;
			name_link(header, entry);
		}
}

/* Notes that the field to be added stands under its name. */
static void
name_add(struct header *header, struct bytes name)
{
	uint32_t hash = name_hash(header, name), *grown;
	struct header_name *entry = name_find(header, name, hash);

	if (entry == NULL) {
		slots_grow(header);
		entry = arena_calloc(header->arena, 1, sizeof(*entry));
		entry->name = name;
		entry->hash = hash;
		entry->size = INDEXES_FIRST;
		entry->indexes = arena_alloc(header->arena,
		    entry->size * sizeof(*entry->indexes));
		name_link(header, entry);
		header->name_count++;
	} else if (entry->count == entry->size) {
		entry->size *= 2;
		grown = arena_alloc(header->arena,
		    entry->size * sizeof(*entry->indexes));
		memcpy(grown, entry->indexes,
		    entry->count * sizeof(*entry->indexes));
		entry->indexes = grown;
	}
	entry->indexes[entry->count++] = (uint32_t)header->count;
}

/* Lone LFs of value, each of which takes one byte more when it is kept. */
static size_t
count_lone_lf(struct bytes value)
{
	const char *p = value.data, *end = value.data + value.len, *lf;
	size_t n = 0;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (lf == value.data || lf[-1] != '\r')
			n++;
		p = lf + 1;
	}
	return n;
}

/* Writes value with lone LF as CRLF; returns where it ends. */
static char *
put_value(char *out, struct bytes value, size_t lone_lf)
{
	size_t i;

	if (lone_lf == 0) {
		if (value.len > 0)
			memcpy(out, value.data, value.len);
		return out + value.len;
	}
	for (i = 0; i < value.len; i++) {
		if (value.data[i] == '\n' &&
		    (i == 0 || value.data[i - 1] != '\r'))
			*out++ = '\r';
		*out++ = value.data[i];
	}
	return out;
}

static void
fields_grow(struct header *header)
{
	struct header_field *fields;

	if (header->count < header->size)
		return;
	header->size = header->size > 0 ? header->size * 2 : FIELDS_FIRST;
	fields =
	    arena_calloc(header->arena, header->size, sizeof(*header->fields));
	if (header->count > 0)
		memcpy(fields, header->fields, header->count * sizeof(*fields));
	header->fields = fields;
}

int
header_add(struct header *header, struct bytes name, struct bytes value,
    struct err *err)
{
	struct header_field *field;
	size_t lone_lf, room = header->bytes_max - header->bytes, len;
	char *raw, *end;

	if (header->count >= header->count_max)
		return err_set(err, ERR_LIMIT, "more than %zu header fields",
		    header->count_max);
	lone_lf = count_lone_lf(value);
	if (name.len >= room || value.len >= room ||
	    (len = name.len + 1 + value.len + lone_lf + 2) > room)
		return err_set(err, ERR_LIMIT, "header larger than %zu bytes",
		    header->bytes_max);
	fields_grow(header);
	raw = arena_alloc(header->arena, len + 1);
	if (name.len > 0)
		memcpy(raw, name.data, name.len);
	raw[name.len] = ':';
	end = put_value(raw + name.len + 1, value, lone_lf);
	memcpy(end, "\r\n", sizeof("\r\n"));
	field = &header->fields[header->count];
	field->raw = (struct bytes){ raw, len };
	field->name = (struct bytes){ raw, name.len };
	field->value = (struct bytes){ raw + name.len + 1, len - name.len - 3 };
	while (field->name.len > 0 && ascii_is_space(raw[field->name.len - 1]))
		field->name.len--;
	name_add(header, field->name);
	header->count++;
	header->bytes += len;
	return 0;
}

const struct header_field *
header_find(const struct header *header, const char *name, size_t nth)
{
	struct bytes want = bytes_of(name);
	const struct header_name *entry;

	entry = name_find(header, want, name_hash(header, want));
	if (entry == NULL || nth >= entry->count)
		return NULL;
	return &header->fields[entry->indexes[nth]];
}

size_t
header_count_named(const struct header *header, const char *name)
{
	struct bytes want = bytes_of(name);
	const struct header_name *entry;

	entry = name_find(header, want, name_hash(header, want));
	return entry != NULL ? entry->count : 0;
}

struct bytes
header_field_text(struct arena *arena, const struct header_field *field)
{
	struct bytes value = bytes_trim(field->value);
	char *text = arena_alloc(arena, value.len + 1);
	size_t i, len = 0;

	for (i = 0; i < value.len; i++) {
		if (value.data[i] == '\n' ||
		    (value.data[i] == '\r' && i + 1 < value.len &&
			value.data[i + 1] == '\n'))
			continue;
		text[len++] = value.data[i];
	}
	text[len] = '\0';
	return (struct bytes){ text, len };
}
