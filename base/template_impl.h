/*
 * template_impl.h - a template as a tree.
 *
 * Shared by template_parse.c, which makes it, and template.c, which walks
 * it.  Everything lies in the arena of the set.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_TEMPLATE_IMPL_H
#define BASE_TEMPLATE_IMPL_H

#include "base/arena.h"
#include "base/template.h"

#define PATH_MAX_PARTS 8
#define ARGS_MAX 12

struct template_path {
	const char *parts[PATH_MAX_PARTS]; /* none: the scope itself */
	size_t count;
};

enum expr_kind {
	EXPR_PATH,
	EXPR_TEXT,    /* a text in quotes */
	EXPR_MESSAGE, /* t"..." */
};

struct template_expr {
	enum expr_kind kind;
	struct template_path path;
	const char *text;
	const struct template_filter *filter; /* or NULL */
	const char *argument;
};

struct template_arg {
	const char *name;
	struct template_expr expr;
	struct template_arg *next;
};

enum node_kind {
	NODE_LITERAL,
	NODE_VALUE,
	NODE_MESSAGE,
	NODE_SECTION,
	NODE_PART,
	NODE_BODY,
};

struct template_node {
	enum node_kind kind;
	unsigned line;
	struct template_node *next;
	struct template_node *children; /* of sections, of parts with a body */
	struct bytes literal;
	struct template_expr expr;  /* VALUE, SECTION; MESSAGE: the number */
	struct template_arg *args;  /* MESSAGE, PART */
	const char *text, *plural;  /* MESSAGE */
	bool inverted, compares;    /* SECTION */
	struct template_expr other; /* SECTION: compared with */
	const char *name;           /* PART */
	const struct template *part;
};

struct template
{
	const char *name; /* without .html */
	struct template_node *nodes;
	struct template *next;
};

struct template_set {
	struct arena *arena;
	struct template *templates;
	const struct template_filter *filters;
};

const struct template *template_find(const struct template_set *set,
    const char *name);
/* "{name}" in a message: its length, and the name; 0 when there is none at
 * the start of text. */
size_t template_placeholder(const char *text, struct bytes *name);

/* Reads one template into the set.  The parts it names are looked up later,
 * by template_link. */
int template_parse(struct template_set *set, const char *file,
    struct bytes source, struct err *err);
int template_link(struct template_set *set, struct err *err);

#endif
