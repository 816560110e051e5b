/*
 * html_tree.c - a hostile document as a tree of gumbo's, within bounds.
 *
 * gumbo has no bounds of its own: nesting costs it quadratic time, and so
 * do the attributes of one tag [100,000 div: 20 s; 20,000 attributes in a
 * tag: 1 s].  All its memory comes from an allocator of ours, which looks at
 * the clock now and then and, when there is no more of either, leaves the
 * parser by longjmp.  That is safe as gumbo keeps nothing but memory, and
 * all of it is freed as one.  For the same reason the tree is never given
 * to gumbo_destroy_output, which recurses as deep as the tree is.  One
 * thing else does while it parses: a frameset that takes the place of the
 * body; so there is never one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"
#include "mail/html.h"
#include "mail/html_tree.h"

#define CLOCK_EVERY 64
/* Where browsers look for the charset. */
#define META_MAX 1024

struct html_tree {
	struct arena *arena;
	struct buf text; /* what gumbo reads; the tree points into it */
	size_t used, calls;
	int64_t deadline_ms;
	jmp_buf gave_up;
};

static void *
allocate(void *userdata, size_t size)
{
	struct html_tree *tree = userdata;

	tree->used += size;
	if (tree->used > HTML_TREE_BYTES_MAX ||
	    (++tree->calls % CLOCK_EVERY == 0 &&
		clock_thread_cpu_ms() > tree->deadline_ms))
		longjmp(tree->gave_up, 1);
	return arena_alloc(tree->arena, size > 0 ? size : 1);
}

static void
deallocate(void *userdata, void *p)
{
	(void)userdata;
	(void)p;
}

/* A copy without frameset tags, and without NUL. */
static void
copy_text(struct html_tree *tree, struct bytes utf8)
{
	struct cursor c;

	buf_init(&tree->text, HTML_INPUT_MAX);
	buf_append_bytes(&tree->text, utf8);
	c = cursor_of(buf_bytes(&tree->text));
	while (!cursor_at_end(&c)) {
		size_t at = (size_t)(c.p - tree->text.data);

		if (*c.p == '\0')
			tree->text.data[at] = ' ';
		if (cursor_literal(&c, "<frameset"))
			tree->text.data[at + 1] = 'x';
		else
			c.p++;
	}
}

/* Apart from its caller, whose variables longjmp must not touch. */
static const GumboNode *
parse(struct html_tree *tree)
{
	GumboOptions options = kGumboDefaultOptions;

	options.allocator = allocate;
	options.deallocator = deallocate;
	options.userdata = tree;
	options.max_errors = 0;
	if (setjmp(tree->gave_up) != 0)
		return NULL;
	return gumbo_parse_with_options(&options, buf_str(&tree->text),
	    tree->text.len)
	    ->document;
}

struct html_tree *
html_tree_new(struct bytes utf8, const GumboNode **root, bool *cut)
{
	struct html_tree *tree = xcalloc(1, sizeof(*tree));

	*cut = utf8.len > HTML_INPUT_MAX;
	if (*cut)
		utf8.len = HTML_INPUT_MAX;
	tree->arena = arena_new((size_t)64 * 1024);
	tree->deadline_ms = clock_thread_cpu_ms() + HTML_TREE_CPU_MAX_MS;
	copy_text(tree, utf8);
	*root = parse(tree);
	return tree;
}

void
html_tree_free(struct html_tree *tree)
{
	arena_free(tree->arena);
	buf_free(&tree->text);
	free(tree);
}

/* ---- walking ---- */

struct place {
	const GumboNode *node;
	unsigned next; /* child */
};

static const GumboVector *
children_of(const GumboNode *node)
{
	switch (node->type) {
	case GUMBO_NODE_DOCUMENT:
		return &node->v.document.children;
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		return &node->v.element.children;
	default:
		return NULL;
	}
}

void
html_tree_walk(const GumboNode *root, struct html_walker *walker)
{
	const GumboVector *children;
	const GumboNode *child;
	size_t depth = 0, size = 64;
	struct place *places = xmalloc(size * sizeof(*places));

	places[depth++] = (struct place){ root, 0 };
	while (depth > 0 && !walker->stop) {
		struct place *place = &places[depth - 1];

		children = children_of(place->node);
		if (place->next == children->length) {
			if (depth > 1)
				walker->leave(walker->context, place->node);
			depth--;
			continue;
		}
		child = children->data[place->next++];
		if (!walker->enter(walker->context, child) ||
		    children_of(child) == NULL)
			continue;
		if (depth == size) {
			size *= 2;
			places = xrealloc(places, size * sizeof(*places));
		}
		places[depth++] = (struct place){ child, 0 };
	}
	free(places);
}

GumboTag
html_tag(const GumboNode *node)
{
	if (node->type != GUMBO_NODE_ELEMENT ||
	    node->v.element.tag_namespace != GUMBO_NAMESPACE_HTML)
		return GUMBO_TAG_UNKNOWN;
	return node->v.element.tag;
}

const char *
html_attribute(const GumboNode *node, const char *name)
{
	const GumboAttribute *attribute =
	    gumbo_get_attribute(&node->v.element.attributes, name);

	return attribute != NULL ? attribute->value : NULL;
}

const char *
html_node_text(const GumboNode *node)
{
	switch (node->type) {
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_WHITESPACE:
	case GUMBO_NODE_CDATA:
		return node->v.text.text;
	default:
		return NULL;
	}
}

/* ---- without a tree ---- */

const char *
html_meta_charset(struct arena *arena, struct bytes raw)
{
	struct cursor c = cursor_of(raw), tag;
	struct bytes charset;

	if (raw.len > META_MAX)
		c.end = c.p + META_MAX;
	for (; !cursor_at_end(&c); c.p++) {
		if (!cursor_literal(&c, "<meta"))
			continue;
		tag = cursor_of(cursor_until(&c, ">"));
		for (; !cursor_at_end(&tag); tag.p++) {
			if (!cursor_literal(&tag, "charset"))
				continue;
			cursor_space(&tag);
			if (!cursor_char(&tag, '='))
				break;
			cursor_space(&tag);
			if (!cursor_char(&tag, '"'))
				cursor_char(&tag, '\'');
			charset = cursor_until(&tag, " \t\r\n\"';/");
			if (charset.len > 0)
				return arena_memdup(arena, charset.data,
				    charset.len);
			break;
		}
		if (cursor_at_end(&c))
			break;
	}
	return NULL;
}

void
html_strip(struct bytes utf8, struct buf *out)
{
	struct cursor c = cursor_of(utf8);
	bool space = true;

	while (!cursor_at_end(&c) && !out->overflow) {
		if (*c.p == '<') {
			(void)cursor_until(&c, ">");
			cursor_char(&c, '>');
		} else if (ascii_is_space(*c.p)) {
			c.p++;
		} else {
			buf_append_char(out, *c.p++);
			space = false;
			continue;
		}
		if (!space)
			buf_append_char(out, ' ');
		space = true;
	}
}
