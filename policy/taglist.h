/*
 * taglist.h - lists of tag=value, as DKIM and ARC write them.
 *
 * RFC 6376 section 3.2, by the letter: names and values are compared with
 * case, a name may stand only once, nothing but white space may follow the
 * last semicolon.  White space is space, tab and folds (CRLF with white
 * space behind it).  Octets above 127 must be UTF-8 (RFC 8616).
 *
 * Limit: TAGLIST_MAX tags.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_TAGLIST_H
#define POLICY_TAGLIST_H

#include "base/buf.h"
#include "base/err.h"

#define TAGLIST_MAX 64

struct tag {
	struct bytes name;
	struct bytes value; /* without white space around it */
	struct bytes room;  /* all from '=' to ';', white space included */
};

/* Borrows from the text that was parsed. */
struct taglist {
	size_t count;
	struct tag tags[TAGLIST_MAX];
};

/* 0, or -1 with ERR_INPUT or ERR_LIMIT. */
int taglist_parse(struct bytes text, struct taglist *list, struct err *err);
/* NULL when there is no such tag. */
const struct tag *taglist_find(const struct taglist *list, const char *name);

/*
 * The next element of a value that is a list ("h=from:to"), without white
 * space around it; rest begins as the whole value.  False at the end.  An
 * empty value is a list of one empty element.
 */
struct taglist_items {
	struct bytes rest;
	bool more;
};
struct taglist_items taglist_items_of(struct bytes value);
bool taglist_next_item(struct taglist_items *items, struct bytes *item);
/* Is word one of them?  ASCII case ignored. */
bool taglist_has_item(struct bytes value, const char *word);

#endif
