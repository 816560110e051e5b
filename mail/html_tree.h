/*
 * html_tree.h - a hostile document as a tree of gumbo's, within bounds.
 *
 * For html.c and html_text.c alone.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_HTML_TREE_H
#define MAIL_HTML_TREE_H

#include <gumbo.h>

#include "base/buf.h"

struct html_tree;

/* root is NULL when the parser ran out of its memory or time; *cut when
 * only the first HTML_INPUT_MAX bytes were read.  Never NULL. */
struct html_tree *html_tree_new(struct bytes utf8, const GumboNode **root,
    bool *cut);
void html_tree_free(struct html_tree *tree);

/*
 * Calls enter for each node, parents first, and leave for those elements
 * whose enter returned true (go into it); ends when stop is set.  Without
 * recursion: the depth of a tree is the sender's.
 */
struct html_walker {
	void *context;
	bool (*enter)(void *context, const GumboNode *node);
	void (*leave)(void *context, const GumboNode *node);
	bool stop;
};
void html_tree_walk(const GumboNode *root, struct html_walker *walker);

/* GUMBO_TAG_UNKNOWN for what is no element of HTML (SVG, MathML). */
GumboTag html_tag(const GumboNode *node);
/* The value of an attribute, or NULL. */
const char *html_attribute(const GumboNode *node, const char *name);
/* Text for the text kinds of nodes, else NULL. */
const char *html_node_text(const GumboNode *node);

/* All that looks like text, when there is no tree. */
void html_strip(struct bytes utf8, struct buf *out);

#endif
