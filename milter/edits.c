/*
 * edits.c - what is changed in a message and its envelope when it passes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "mail/authres.h"
#include "mail/subject.h"

#include "milter/edits.h"

#define FIRST_EDITS 8
#define RESULTS "Authentication-Results"
#define SUBJECT "Subject"
#define OUR_PREFIX BYTES_LIT("X-Sekimori-")

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

static struct edit *
add_for_field(struct edit_list *list, enum edit_kind kind,
    const struct header *header, size_t i)
{
	struct edit *edit = add(list, kind, header->fields[i].name);

	edit->index = index_of(header, i);
	edit->field = i;
	return edit;
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
			add_for_field(list, EDIT_DELETE_HEADER, header, i);
	}
}

/* ---- Subject ---- */

static struct bytes
without_leading_space(struct bytes value)
{
	while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
		value = (struct bytes){ value.data + 1, value.len - 1 };
	return value;
}

void
edits_mark_subject(struct edit_list *list, const struct header *header,
    const char *mark, bool leading_space)
{
	struct bytes marked;
	struct edit *edit;
	bool any = false;
	size_t i;

	for (i = header->count; i-- > 0;) {
		if (!bytes_equal_nocase(header->fields[i].name,
			BYTES_LIT(SUBJECT)))
			continue;
		any = true;
		if (!subject_mark(list->arena, header->fields[i].value, mark,
			&marked))
			continue;
		edit = add_for_field(list, EDIT_CHANGE_HEADER, header, i);
		edit->value = wire_value(list->arena,
		    without_leading_space(marked), leading_space);
	}
	if (any)
		return;
	subject_mark(list->arena, BYTES_LIT(""), mark, &marked);
	edit = add(list, EDIT_INSERT_HEADER, BYTES_LIT(SUBJECT));
	edit->value = wire_value(list->arena, without_leading_space(marked),
	    leading_space);
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

/* ---- the header as it leaves ---- */

/* What is done to each field of the header, or NULL. */
static const struct edit **
edits_by_field(const struct edit_list *list, const struct header *header)
{
	const struct edit **edits =
	    arena_calloc(list->arena, header->count + 1, sizeof(*edits));
	const struct edit *edit = list->edits;

	for (; edit < list->edits + list->count; edit++)
		if (edit->kind == EDIT_DELETE_HEADER ||
		    edit->kind == EDIT_CHANGE_HEADER)
			edits[edit->field] = edit;
	return edits;
}

/* The MTA puts the space where we do not. */
static void
add_edited(struct header *out, const struct edit *edit, bool leading_space)
{
	struct bytes value = bytes_of(edit->value);

	if (!leading_space)
		value = bytes_of(arena_printf(out->arena, " %s", edit->value));
	/* There was room for it as it came. */
	(void)header_add(out, bytes_of(edit->name), value, NULL);
}

struct header *
edits_apply(const struct edit_list *list, const struct header *header,
    bool leading_space)
{
	const struct edit **edits = edits_by_field(list, header), *edit;
	struct header *out = arena_alloc(list->arena, sizeof(*out));
	size_t i;

	header_init(out, list->arena, SIZE_MAX, SIZE_MAX);
	for (i = list->count; i-- > 0;)
		if (list->edits[i].kind == EDIT_INSERT_HEADER)
			add_edited(out, &list->edits[i], leading_space);
	for (i = 0; i < header->count; i++) {
		edit = edits[i];
		if (edit == NULL)
			(void)header_add(out, header->fields[i].name,
			    header->fields[i].value, NULL);
		else if (edit->kind == EDIT_CHANGE_HEADER)
			add_edited(out, edit, leading_space);
	}
	return out;
}
