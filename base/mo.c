/*
 * mo.c - reads compiled gettext catalogues.
 *
 * Layout (GNU gettext manual, "The Format of GNU MO Files"): magic,
 * revision, count, offset of the table of ids, offset of that of texts;
 * a table has length and offset of each string.  The ids are sorted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/mo.h"

#define MAGIC 0x950412deu
#define MAGIC_SWAPPED 0xde120495u

/* Octets from the start of the file. */
#define AT_COUNT 8
#define AT_IDS 12
#define AT_TEXTS 16
#define HEADER_SIZE 20
#define ENTRY_SIZE 8

static uint32_t
little_endian(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static bool
read_u32(struct bytes mo, uint64_t at, uint32_t *value)
{
	uint32_t v;

	if (at > mo.len || mo.len - at < 4)
		return false;
	v = little_endian(mo.data + at);
	if (little_endian(mo.data) == MAGIC_SWAPPED)
		v = v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
	*value = v;
	return true;
}

/* A string of the table, with its NUL. */
static bool
read_string(struct bytes mo, uint64_t table, uint32_t number, struct bytes *s)
{
	uint64_t at = table + (uint64_t)number * ENTRY_SIZE;
	uint32_t len, offset;

	if (!read_u32(mo, at, &len) || !read_u32(mo, at + 4, &offset))
		return false;
	if (offset >= mo.len || len >= mo.len - offset ||
	    mo.data[offset + len] != '\0')
		return false;
	*s = (struct bytes){ mo.data + offset, len };
	return true;
}

uint32_t
mo_count(struct bytes mo)
{
	uint32_t magic, count;

	if (mo.len < HEADER_SIZE)
		return 0;
	magic = little_endian(mo.data);
	if ((magic != MAGIC && magic != MAGIC_SWAPPED) ||
	    !read_u32(mo, AT_COUNT, &count) || count > mo.len / ENTRY_SIZE)
		return 0;
	return count;
}

bool
mo_message(struct bytes mo, uint32_t number, struct mo_message *message)
{
	uint32_t ids, texts;

	return number < mo_count(mo) && read_u32(mo, AT_IDS, &ids) &&
	    read_u32(mo, AT_TEXTS, &texts) &&
	    read_string(mo, ids, number, &message->id) &&
	    read_string(mo, texts, number, &message->text);
}

bool
mo_find(struct bytes mo, const char *id, struct mo_message *message)
{
	uint32_t low = 0, high = mo_count(mo), middle;
	struct mo_message found;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (!mo_message(mo, middle, &found))
			return false;
		order = strcmp(id, found.id.data);
		if (order == 0) {
			*message = found;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
