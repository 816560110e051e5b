/*
 * taglist.c - lists of tag=value, as DKIM and ARC write them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "policy/taglist.h"

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of the white space at the cursor: 1, 3 for a fold, or 0. */
static size_t
fws_len(const struct cursor *c)
{
	if (c->p < c->end && is_wsp(*c->p))
		return 1;
	if (c->end - c->p >= 3 && c->p[0] == '\r' && c->p[1] == '\n' &&
	    is_wsp(c->p[2]))
		return 3;
	return 0;
}

static void
skip_fws(struct cursor *c)
{
	size_t len;

	while ((len = fws_len(c)) > 0)
		c->p += len;
}

static bool
take_name(struct cursor *c, struct bytes *name)
{
	const char *start = c->p;

	if (c->p == c->end || !ascii_is_alpha(*c->p))
		return false;
	while (c->p < c->end && (ascii_is_alnum(*c->p) || *c->p == '_'))
		c->p++;
	*name = (struct bytes){ start, (size_t)(c->p - start) };
	return true;
}

/* Everything printable but the semicolon; UTF-8 was checked before. */
static bool
is_valchar(char c)
{
	return (c > 0x20 && c < 0x7f && c != ';') || (c & 0x80) != 0;
}

static void
take_value(struct cursor *c, struct bytes *value)
{
	const char *start, *last;

	skip_fws(c);
	start = last = c->p;
	while (c->p < c->end && is_valchar(*c->p)) {
		while (c->p < c->end && is_valchar(*c->p))
			c->p++;
		last = c->p;
		skip_fws(c);
	}
	*value = (struct bytes){ start, (size_t)(last - start) };
}

/* How much of a name a message shows. */
static int
shown_len(struct bytes name)
{
	return name.len < 32 ? (int)name.len : 32;
}

static int
take_tag(struct cursor *c, struct tag *tag, struct err *err)
{
	const char *start;

	skip_fws(c);
	if (!take_name(c, &tag->name))
		return err_set(err, ERR_INPUT, "no tag name where one must be");
	skip_fws(c);
	if (!cursor_char(c, '='))
		return err_set(err, ERR_INPUT, "tag %.*s has no '='",
		    shown_len(tag->name), tag->name.data);
	start = c->p;
	take_value(c, &tag->value);
	if (c->p < c->end && *c->p != ';')
		return err_set(err, ERR_INPUT,
		    "forbidden character in tag %.*s", shown_len(tag->name),
		    tag->name.data);
	tag->room = (struct bytes){ start, (size_t)(c->p - start) };
	return 0;
}

static const struct tag *
find(const struct taglist *list, struct bytes name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (bytes_equal(list->tags[i].name, name))
			return &list->tags[i];
	return NULL;
}

int
taglist_parse(struct bytes text, struct taglist *list, struct err *err)
{
	struct cursor c = cursor_of(text);
	struct tag tag = { .name = { NULL, 0 } };

	list->count = 0;
	if (!utf8_is_valid(text))
		return err_set(err, ERR_INPUT, "tag list is not UTF-8");
	do {
		if (take_tag(&c, &tag, err) < 0)
			return -1;
		if (find(list, tag.name) != NULL)
			return err_set(err, ERR_INPUT, "tag %.*s is repeated",
			    shown_len(tag.name), tag.name.data);
		if (list->count == TAGLIST_MAX)
			return err_set(err, ERR_LIMIT, "more than %d tags",
			    TAGLIST_MAX);
		list->tags[list->count++] = tag;
		if (cursor_char(&c, ';'))
			skip_fws(&c);
	} while (!cursor_at_end(&c));
	return 0;
}

const struct tag *
taglist_find(const struct taglist *list, const char *name)
{
	return find(list, bytes_of(name));
}

struct taglist_items
taglist_items_of(struct bytes value)
{
	return (struct taglist_items){ value, true };
}

bool
taglist_next_item(struct taglist_items *items, struct bytes *item)
{
	const char *colon;

	if (!items->more)
		return false;
	colon = items->rest.len > 0
	    ? memchr(items->rest.data, ':', items->rest.len)
	    : NULL;
	item->data = items->rest.data;
	item->len =
	    colon != NULL ? (size_t)(colon - item->data) : items->rest.len;
	items->more = colon != NULL;
	if (colon != NULL) {
		items->rest.data += item->len + 1;
		items->rest.len -= item->len + 1;
	}
	*item = bytes_trim(*item);
	return true;
}

bool
taglist_has_item(struct bytes value, const char *word)
{
	struct taglist_items items = taglist_items_of(value);
	struct bytes item;

	while (taglist_next_item(&items, &item))
		if (bytes_equal_nocase(item, bytes_of(word)))
			return true;
	return false;
}
