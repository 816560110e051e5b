/*
 * page_audit.c - changes of settings as people read them.
 *
 * The audit speaks of fields as they lie in the store
 * ("list:sender:block:@example.net") and of values as JSON
 * (doc/redis-keys.md).  Here they become a name in the reader's language
 * and a line of text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "webui/page_audit.h"
#include "webui/page_words.h"

/* Of a name or value on the page; an alias may have hundreds of targets. */
#define TEXT_MAX 4096
/* Objects in lists in objects; deeper ones are not of ours. */
#define DEPTH_MAX 4

/* ---- values ---- */

/* Who added it and when stands beside the change already. */
static bool
is_said_elsewhere(const char *key)
{
	return strncmp(key, "added_", strlen("added_")) == 0;
}

static void append_value(struct buf *out, const json_t *value, unsigned depth);

static void
append_list(struct buf *out, const json_t *list, unsigned depth)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		(void)buf_append_str(out, i > 0 ? ", " : "");
		append_value(out, item, depth);
	}
}

/* A server of a route. */
static void
append_server(struct buf *out, const json_t *server)
{
	(void)buf_printf(out,
	    "%s:%" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT ")",
	    json_string_value(json_object_get(server, "host")),
	    json_integer_value(json_object_get(server, "port")),
	    json_integer_value(json_object_get(server, "priority")));
}

static void
append_object(struct buf *out, const json_t *object, unsigned depth)
{
	const char *key, *sep = "";
	json_t *value;

	if (json_is_string(json_object_get(object, "host"))) {
		append_server(out, object);
		return;
	}
	json_object_foreach((json_t *)object, key, value)
	{
		if (is_said_elsewhere(key))
			continue;
		(void)buf_printf(out, "%s%s: ", sep, key);
		append_value(out, value, depth);
		sep = "; ";
	}
}

static void
append_value(struct buf *out, const json_t *value, unsigned depth)
{
	if (depth == 0) {
		(void)buf_append_str(out, "...");
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		append_object(out, value, depth - 1);
		break;
	case JSON_ARRAY:
		append_list(out, value, depth - 1);
		break;
	case JSON_STRING:
		(void)buf_append_bytes(out,
		    (struct bytes){ json_string_value(value),
			json_string_length(value) });
		break;
	case JSON_INTEGER:
		(void)buf_printf(out, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		break;
	case JSON_REAL:
		(void)buf_printf(out, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		(void)buf_append_str(out, "yes");
		break;
	case JSON_FALSE:
		(void)buf_append_str(out, "no");
		break;
	case JSON_NULL:
		break;
	}
}

/* What does not fit is left out whole, so that what stays is valid UTF-8. */
static json_t *
text_of(struct buf *out)
{
	json_t *text =
	    json_sprintf(out->overflow ? "%s..." : "%s", buf_str(out));

	buf_free(out);
	return text != NULL ? text : json_string("");
}

/* NULL where there was nothing, or will be nothing. */
static json_t *
value_text(const json_t *value)
{
	struct buf out;

	if (value == NULL || json_is_null(value))
		return NULL;
	buf_init(&out, TEXT_MAX);
	append_value(&out, value, DEPTH_MAX);
	return text_of(&out);
}

/* ---- names ---- */

static const char *
label(enum language language, const char *kind, const char *name)
{
	const struct page_word *word = page_word_find(kind, name);

	return word != NULL ? i18n_text(language, word->label) : name;
}

/* What stands before the next colon of *rest, which moves behind it; all of
 * it, and *rest NULL, when there is none. */
static const char *
next_part(struct arena *arena, const char **rest)
{
	const char *part = *rest, *colon = strchr(part, ':');

	*rest = colon != NULL ? colon + 1 : NULL;
	return colon != NULL ? arena_memdup(arena, part, (size_t)(colon - part))
			     : part;
}

/* "SIDE:KIND:PATTERN" */
static void
append_row_name(struct buf *out, enum language language, struct arena *arena,
    const char *rest)
{
	const char *side = next_part(arena, &rest), *kind = NULL;

	if (rest != NULL)
		kind = next_part(arena, &rest);
	if (rest == NULL)
		(void)buf_append_str(out, side);
	else
		(void)buf_printf(out, "%s, %s: %s",
		    label(language, "side", side),
		    label(language, "kind", kind), rest);
}

/* A field is "NAME" or "NAME:REST". */
static json_t *
field_text(enum language language, const char *field)
{
	struct arena *arena = arena_new(0);
	const char *rest = field, *name = next_part(arena, &rest);
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (rest == NULL)
		(void)buf_append_str(&out, label(language, "field", name));
	else if (strcmp(name, "list") == 0)
		append_row_name(&out, language, arena, rest);
	else if (strcmp(name, "option") == 0)
		(void)buf_append_str(&out, label(language, "option", rest));
	else
		(void)buf_printf(&out, "%s %s", label(language, "field", name),
		    rest);
	arena_free(arena);
	return text_of(&out);
}

/* ---- changes ---- */

/* Where the value says nothing of its own, that it came or went does. */
static json_t *
change_text(enum language language, const json_t *change)
{
	const char *field = json_string_value(json_object_get(change, "field"));
	json_t *before = value_text(json_object_get(change, "before"));
	json_t *after = value_text(json_object_get(change, "after"));
	const char *mark = NULL;

	if (before == NULL && after != NULL && json_string_length(after) == 0)
		mark = i18n_text(language, N_("added"));
	if (after == NULL && before != NULL && json_string_length(before) == 0)
		mark = i18n_text(language, N_("removed"));
	return json_pack("{s:o, s:o*, s:o*, s:s?}", "name",
	    field_text(language, field != NULL ? field : ""), "before", before,
	    "after", after, "mark", mark);
}

json_t *
page_audit_entries(enum language language, const json_t *entries)
{
	json_t *out = json_array(), *copy, *texts;
	const json_t *entry, *change;
	size_t i, k;

	json_array_foreach(entries, i, entry)
	{
		copy = json_copy((json_t *)(uintptr_t)entry);
		texts = json_array();
		json_array_foreach(json_object_get(entry, "changes"), k, change)
		    json_array_append_new(texts, change_text(language, change));
		json_object_set_new(copy, "changes", texts);
		json_array_append_new(out, copy);
	}
	return out;
}
