/*
 * edits.h - what is changed in a message and its envelope when it passes.
 *
 * Made here, carried out by callbacks.c.  The order is the one in which
 * they must be sent: deletions from the highest index down, so that the
 * index of what is still to come stays right; the Subject; insertions at
 * index 0, the last one becoming the topmost; recipients.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_EDITS_H
#define MILTER_EDITS_H

#include "base/arena.h"
#include "mail/envelope.h"
#include "mail/header.h"

enum edit_kind {
	EDIT_DELETE_HEADER,   /* name, index */
	EDIT_CHANGE_HEADER,   /* name, index, value */
	EDIT_INSERT_HEADER,   /* name, value, at the top */
	EDIT_DELETE_RECIPIENT /* name: the bytes RCPT gave */
};

struct edit {
	enum edit_kind kind;
	char *name;
	int index;    /* of the fields of that name, from 1 at the top */
	size_t field; /* of the header that is edited: deleted, changed */
	char *value;  /* as the wire wants it: folds are LF, leading space
		       * where the MTA expects ours */
};

struct edit_list {
	size_t count, size;
	struct edit *edits;
	struct arena *arena;
};

/* A field that we add; value without leading space, folds as CRLF. */
struct own_field {
	const char *name;
	const char *value;
};

void edits_init(struct edit_list *list, struct arena *arena);

/* Fields that only we may have written, or that we are the first to read:
 * X-Sekimori-* and results in our name (RFC 8601 section 5).  From
 * field number `from` on (0: all). */
void edits_remove_foreign(struct edit_list *list, const struct header *header,
    const char *authserv_id, size_t from);
/* Puts mark (UTF-8) before the Subject, unless it is there already; a
 * message without Subject gets one. */
void edits_mark_subject(struct edit_list *list, const struct header *header,
    const char *mark, bool leading_space);
/* fields[0] becomes the topmost. */
void edits_insert(struct edit_list *list, const struct own_field *fields,
    size_t n, bool leading_space);
void edits_delete_recipient(struct edit_list *list, const char *rcpt);

/* The header as it leaves when the MTA has carried out the list, in the
 * arena; what signatures are made over. */
struct header *edits_apply(const struct edit_list *list,
    const struct header *header, bool leading_space);

#endif
