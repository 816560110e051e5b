/*
 * html_text.c - the HTML of a mail as plain text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/html.h"
#include "mail/html_tree.h"
#include "mail/link.h"

#define QUOTE_MAX 20

enum layout {
	LAYOUT_INLINE,
	LAYOUT_LINE,  /* on a line of its own */
	LAYOUT_BLOCK, /* with an empty line before and behind it */
	LAYOUT_ITEM,  /* a line that begins with a bullet */
	LAYOUT_CELL,  /* a tab behind it */
	LAYOUT_BREAK,
	LAYOUT_QUOTE,
	LAYOUT_PRE,
	LAYOUT_LINK,
	LAYOUT_IMAGE,
	LAYOUT_SKIP,
};

static const enum layout layouts[GUMBO_TAG_LAST] = {
	[GUMBO_TAG_BR] = LAYOUT_BREAK,
	[GUMBO_TAG_DIV] = LAYOUT_LINE,
	[GUMBO_TAG_TR] = LAYOUT_LINE,
	[GUMBO_TAG_DT] = LAYOUT_LINE,
	[GUMBO_TAG_DD] = LAYOUT_LINE,
	[GUMBO_TAG_CENTER] = LAYOUT_LINE,
	[GUMBO_TAG_ADDRESS] = LAYOUT_LINE,
	[GUMBO_TAG_SECTION] = LAYOUT_LINE,
	[GUMBO_TAG_ARTICLE] = LAYOUT_LINE,
	[GUMBO_TAG_HEADER] = LAYOUT_LINE,
	[GUMBO_TAG_FOOTER] = LAYOUT_LINE,
	[GUMBO_TAG_FORM] = LAYOUT_LINE,
	[GUMBO_TAG_HR] = LAYOUT_BLOCK,
	[GUMBO_TAG_P] = LAYOUT_BLOCK,
	[GUMBO_TAG_H1] = LAYOUT_BLOCK,
	[GUMBO_TAG_H2] = LAYOUT_BLOCK,
	[GUMBO_TAG_H3] = LAYOUT_BLOCK,
	[GUMBO_TAG_H4] = LAYOUT_BLOCK,
	[GUMBO_TAG_H5] = LAYOUT_BLOCK,
	[GUMBO_TAG_H6] = LAYOUT_BLOCK,
	[GUMBO_TAG_UL] = LAYOUT_BLOCK,
	[GUMBO_TAG_OL] = LAYOUT_BLOCK,
	[GUMBO_TAG_DL] = LAYOUT_BLOCK,
	[GUMBO_TAG_TABLE] = LAYOUT_BLOCK,
	[GUMBO_TAG_FIELDSET] = LAYOUT_BLOCK,
	[GUMBO_TAG_PRE] = LAYOUT_PRE,
	[GUMBO_TAG_LISTING] = LAYOUT_PRE,
	[GUMBO_TAG_BLOCKQUOTE] = LAYOUT_QUOTE,
	[GUMBO_TAG_LI] = LAYOUT_ITEM,
	[GUMBO_TAG_TD] = LAYOUT_CELL,
	[GUMBO_TAG_TH] = LAYOUT_CELL,
	[GUMBO_TAG_A] = LAYOUT_LINK,
	[GUMBO_TAG_IMG] = LAYOUT_IMAGE,
	[GUMBO_TAG_IMAGE] = LAYOUT_IMAGE,
	[GUMBO_TAG_HEAD] = LAYOUT_SKIP,
	[GUMBO_TAG_TITLE] = LAYOUT_SKIP,
	[GUMBO_TAG_SCRIPT] = LAYOUT_SKIP,
	[GUMBO_TAG_STYLE] = LAYOUT_SKIP,
	[GUMBO_TAG_NOSCRIPT] = LAYOUT_SKIP,
	[GUMBO_TAG_TEMPLATE] = LAYOUT_SKIP,
	[GUMBO_TAG_IFRAME] = LAYOUT_SKIP,
	[GUMBO_TAG_NOFRAMES] = LAYOUT_SKIP,
	[GUMBO_TAG_NOEMBED] = LAYOUT_SKIP,
	[GUMBO_TAG_OBJECT] = LAYOUT_SKIP,
	[GUMBO_TAG_VIDEO] = LAYOUT_SKIP,
	[GUMBO_TAG_AUDIO] = LAYOUT_SKIP,
	[GUMBO_TAG_SVG] = LAYOUT_SKIP,
	[GUMBO_TAG_MATH] = LAYOUT_SKIP,
	[GUMBO_TAG_MAP] = LAYOUT_SKIP,
};

struct text_writer {
	struct buf *out;
	struct arena *arena;
	struct html_walker walker;
	unsigned newlines; /* that stand at the end; at the start, two */
	unsigned wanted;   /* newlines due before more text */
	bool space;        /* a space is due before more text */
	bool empty;        /* nothing is written yet */
	bool item;         /* a bullet is, and nothing behind it */
	unsigned quotes, pre;
	size_t link_start;
};

static void
put(struct text_writer *w, const char *data, size_t len)
{
	if (buf_append(w->out, data, len) < 0)
		w->walker.stop = true;
}

/* What is due before text. */
static void
put_due(struct text_writer *w)
{
	unsigned i;

	if (w->item)
		w->wanted = w->newlines = 0;
	while (!w->item && !w->empty && w->newlines < w->wanted) {
		put(w, "\n", 1);
		w->newlines++;
	}
	if (w->item) {
		w->item = false;
	} else if (w->newlines > 0 || w->empty) {
		for (i = 0; i < w->quotes && i < QUOTE_MAX; i++)
			put(w, "> ", 2);
	} else if (w->space) {
		put(w, " ", 1);
	}
	w->wanted = w->newlines = 0;
	w->space = w->empty = false;
}

static void
want(struct text_writer *w, unsigned newlines)
{
	if (w->wanted < newlines)
		w->wanted = newlines;
	w->space = false;
}

static void
put_words(struct text_writer *w, struct bytes text)
{
	struct cursor c = cursor_of(text);
	struct bytes word;

	while (!cursor_at_end(&c)) {
		if (w->pre > 0 && *c.p == '\n') {
			w->wanted++;
			c.p++;
			continue;
		}
		if (w->pre == 0 && cursor_space(&c)) {
			w->space = true;
			continue;
		}
		word = cursor_until(&c, w->pre > 0 ? "\n" : " \t\r\n");
		put_due(w);
		put(w, word.data, word.len);
	}
}

static void
put_target(struct text_writer *w, const GumboNode *node)
{
	const char *href = html_attribute(node, "href");
	struct bytes words = { buf_str(w->out) + w->link_start,
		w->out->len - w->link_start };
	struct link link;

	if (href == NULL || href[0] == '#')
		return;
	link_read(w->arena, bytes_of(href), NULL, &link);
	if (bytes_equal(bytes_trim(words), bytes_of(link.text)))
		return;
	w->space = true;
	put_due(w);
	put(w, "<", 1);
	put(w, link.text, strlen(link.text));
	put(w, ">", 1);
}

static bool
enter(void *context, const GumboNode *node)
{
	struct text_writer *w = context;
	const char *text = html_node_text(node), *alt;

	if (text != NULL) {
		put_words(w, bytes_of(text));
		return false;
	}
	if (node->type != GUMBO_NODE_ELEMENT ||
	    node->v.element.tag_namespace != GUMBO_NAMESPACE_HTML)
		return false;
	switch (layouts[html_tag(node)]) {
	case LAYOUT_SKIP:
		return false;
	case LAYOUT_BREAK:
		w->wanted++;
		return false;
	case LAYOUT_IMAGE:
		alt = html_attribute(node, "alt");
		if (alt != NULL)
			put_words(w, bytes_of(alt));
		return false;
	case LAYOUT_LINE:
		want(w, 1);
		return true;
	case LAYOUT_ITEM:
		want(w, 1);
		put_due(w);
		put(w, "- ", 2);
		w->item = true;
		return true;
	case LAYOUT_QUOTE:
		want(w, 2);
		w->quotes++;
		return true;
	case LAYOUT_PRE:
		want(w, 2);
		w->pre++;
		return true;
	case LAYOUT_BLOCK:
		want(w, 2);
		return true;
	case LAYOUT_LINK:
		w->link_start = w->out->len;
		return true;
	case LAYOUT_CELL:
	case LAYOUT_INLINE:
		return true;
	}
	return true;
}

static void
leave(void *context, const GumboNode *node)
{
	struct text_writer *w = context;

	switch (layouts[html_tag(node)]) {
	case LAYOUT_LINE:
	case LAYOUT_ITEM:
		want(w, 1);
		break;
	case LAYOUT_QUOTE:
		w->quotes--;
		want(w, 2);
		break;
	case LAYOUT_PRE:
		w->pre--;
		want(w, 2);
		break;
	case LAYOUT_BLOCK:
		want(w, 2);
		break;
	case LAYOUT_CELL:
		w->space = true;
		break;
	case LAYOUT_LINK:
		put_target(w, node);
		break;
	default:
		break;
	}
}

int
html_to_text(struct bytes utf8, struct buf *out)
{
	struct text_writer w = {
		.out = out,
		.walker = { .enter = enter, .leave = leave },
		.empty = true,
	};
	const GumboNode *root;
	struct html_tree *tree;
	bool cut;

	w.walker.context = &w;
	w.arena = arena_new(0);
	tree = html_tree_new(utf8, &root, &cut);
	if (root != NULL) {
		html_tree_walk(root, &w.walker);
	} else {
		cut = true;
		html_strip(utf8, out);
	}
	if (out->len > 0 && !out->overflow)
		buf_append_char(out, '\n');
	html_tree_free(tree);
	arena_free(w.arena);
	return cut || out->overflow ? -1 : 0;
}
