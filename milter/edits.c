/*
 * edits.c - what is changed in a message and its envelope when it passes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "mail/authres.h"
#include "mail/charset.h"

#include "milter/edits.h"

#define FIRST_EDITS 8
#define RESULTS "Authentication-Results"
#define SUBJECT "Subject"
#define OUR_PREFIX BYTES_LIT("X-Sekimori-")
#define SUBJECT_VALUE_MAX (1024 * 1024)

void
edits_init(struct edit_list *list, struct arena *arena)
{
	memset(list, 0, sizeof(*list));
	list->arena = arena;
}

static struct edit *
add(struct edit_list *list, enum edit_kind kind, struct bytes name)
{
	struct edit *edits, *edit;

	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : FIRST_EDITS;
		edits = arena_calloc(list->arena, list->size, sizeof(*edits));
		if (list->count > 0)
			memcpy(edits, list->edits,
			    list->count * sizeof(*edits));
		list->edits = edits;
	}
	edit = &list->edits[list->count++];
	memset(edit, 0, sizeof(*edit));
	edit->kind = kind;
	edit->name = arena_memdup(list->arena, name.data, name.len);
	return edit;
}

/* libmilter wants LF alone as line end inside a value. */
static char *
wire_value(struct arena *arena, struct bytes value, bool space)
{
	char *out = arena_alloc(arena, value.len + 2), *p = out;
	size_t i;

	if (space)
		*p++ = ' ';
	for (i = 0; i < value.len; i++)
		if (value.data[i] != '\r')
			*p++ = value.data[i];
	*p = '\0';
	return out;
}

static bool
has_our_prefix(struct bytes name)
{
	return name.len >= OUR_PREFIX.len &&
	    bytes_equal_nocase((struct bytes){ name.data, OUR_PREFIX.len },
		OUR_PREFIX);
}

/* Which of the fields of its name is field i?  From 1. */
static int
index_of(const struct header *header, size_t i)
{
	struct bytes name = header->fields[i].name;
	int index = 1;

	while (i-- > 0)
		if (bytes_equal_nocase(header->fields[i].name, name))
			index++;
	return index;
}

static void
remove_field(struct edit_list *list, const struct header *header, size_t i)
{
	add(list, EDIT_DELETE_HEADER, header->fields[i].name)->index =
	    index_of(header, i);
}

void
edits_remove_foreign(struct edit_list *list, const struct header *header,
    const char *authserv_id, size_t from)
{
	const struct header_field *field;
	size_t i;

	for (i = header->count; i-- > from;) {
		field = &header->fields[i];
		if (has_our_prefix(field->name) ||
		    (bytes_equal_nocase(field->name, BYTES_LIT(RESULTS)) &&
			authres_claims(field->value, authserv_id)))
			remove_field(list, header, i);
	}
}

/* ---- Subject ---- */

/* The mark as it stands in a header, with one space behind. */
static const char *
encode_mark(struct arena *arena, const char *mark)
{
	struct buf buf;
	const char *encoded;

	buf_init(&buf, SUBJECT_VALUE_MAX);
	(void)charset_encode_header(bytes_of(mark), &buf);
	encoded = arena_printf(arena, "%s ", buf_str(&buf));
	buf_free(&buf);
	return encoded;
}

static struct bytes
without_leading_space(struct bytes value)
{
	while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
		value = (struct bytes){ value.data + 1, value.len - 1 };
	return value;
}

static bool
starts_with(struct bytes value, const char *prefix)
{
	size_t len = strlen(prefix);

	return value.len >= len && memcmp(value.data, prefix, len) == 0;
}

void
edits_mark_subject(struct edit_list *list, const struct header *header,
    const char *mark, bool leading_space)
{
	const char *encoded = encode_mark(list->arena, mark);
	struct bytes value, old;
	struct edit *edit;
	bool any = false;
	size_t i;

	for (i = header->count; i-- > 0;) {
		if (!bytes_equal_nocase(header->fields[i].name,
			BYTES_LIT(SUBJECT)))
			continue;
		any = true;
		old = without_leading_space(header->fields[i].value);
		if (starts_with(old, encoded))
			continue;
		value = bytes_of(arena_printf(list->arena, "%s%.*s", encoded,
		    (int)old.len, old.len > 0 ? old.data : ""));
		edit = add(list, EDIT_CHANGE_HEADER, header->fields[i].name);
		edit->index = index_of(header, i);
		edit->value = wire_value(list->arena, value, leading_space);
	}
	if (any)
		return;
	edit = add(list, EDIT_INSERT_HEADER, BYTES_LIT(SUBJECT));
	edit->value = wire_value(list->arena, bytes_of(encoded), leading_space);
}

void
edits_insert(struct edit_list *list, const struct own_field *fields, size_t n,
    bool leading_space)
{
	struct edit *edit;

	while (n-- > 0) {
		edit = add(list, EDIT_INSERT_HEADER, bytes_of(fields[n].name));
		edit->value = wire_value(list->arena, bytes_of(fields[n].value),
		    leading_space);
	}
}

void
edits_delete_recipient(struct edit_list *list, const char *rcpt)
{
	add(list, EDIT_DELETE_RECIPIENT, bytes_of(rcpt));
}
