/*
 * edit_work.h - one change of the settings: read, decide, write at once.
 *
 * For settings_edit.c and its neighbours.  A change is prepared from what
 * the store has, and written by one script only if the generation is still
 * the one that was read; else it is prepared again.  So every check that
 * `prepare` makes holds for what is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_EDIT_WORK_H
#define POLICY_EDIT_WORK_H

#include "base/arena.h"
#include "policy/settings_edit.h"

struct edit_op;

struct edit_work {
	struct edit *edit;
	struct arena *arena;
	uint64_t generation; /* of what is read */
	bool stale;          /* it was another when something was read */
	size_t op_count, op_size;
	struct edit_op *ops;
	size_t change_count;
	json_t *changes; /* for the audit: the first of them */
};

/* Where an audit entry belongs; strings may be NULL. */
struct edit_subject {
	const char *action; /* "list.add" */
	const char *domain;
	const char *mailbox;
};

/* Prepares and writes; prepare may be called again, each time on new work.
 * *changed (may be NULL): was anything written? */
int edit_run(struct edit *edit, const struct edit_subject *subject,
    int (*prepare)(struct edit_work *work, void *context, struct err *err),
    void *context, bool *changed, struct err *err);

/* -1 with ERR_INPUT, and field and problem of the edit. */
int edit_refuse(struct edit *edit, enum edit_problem problem, const char *field,
    struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- reading ---- */

struct edit_fields {
	size_t count;
	struct bytes *names, *values;
};

/* A field's value, in the arena: 1, 0 not there, -1. */
int edit_read(struct edit_work *work, const char *object, const char *field,
    struct bytes *value, struct err *err);
/* n of them; data is NULL where there is none. */
int edit_read_many(struct edit_work *work, const char *object, size_t n,
    const char *const *fields, struct bytes *values, struct err *err);
/* All of an object, none when it is not there. */
int edit_read_all(struct edit_work *work, const char *object,
    struct edit_fields *fields, struct err *err);
/* Number of its fields. */
int edit_count(struct edit_work *work, const char *object, size_t *count,
    struct err *err);
/* Names of the mailboxes of a domain that have settings of their own. */
int edit_read_mailboxes(struct edit_work *work, const char *domain,
    struct edit_fields *names, struct err *err);
/* Names of the users' objects. */
int edit_read_users(struct edit_work *work, struct edit_fields *names,
    struct err *err);
/* The snapshot of exactly this generation, kept by the edit. */
struct settings *edit_snapshot(struct edit_work *work, struct err *err);

/* ---- writing ---- */

/* value becomes the field's when it differs from before (as read). */
void edit_set(struct edit_work *work, const char *object, const char *field,
    struct bytes before, struct bytes value);
/* The same for what nobody may read: the audit only says that it changed. */
void edit_set_secret(struct edit_work *work, const char *object,
    const char *field, struct bytes before, struct bytes value);
void edit_unset(struct edit_work *work, const char *object, const char *field,
    struct bytes before);
/* The whole object; before for the audit (without what is secret), NULL: not
 * read. */
void edit_drop(struct edit_work *work, const char *object,
    const struct edit_fields *before);

/* If the ith operation unsets a field: the field and its object, else NULL.
 * work->op_count says how many there are. */
const char *edit_unset_field(const struct edit_work *work, size_t i,
    const char **object);

/* ---- names ---- */

const char *edit_object_of(struct arena *arena, struct edit_target target);
/* JSON as it is stored: compact, sorted. */
struct bytes edit_json_bytes(struct arena *arena, const json_t *json);

/* A snapshot in which the work is done: for checks of the whole. */
struct settings *edit_would_be(struct edit_work *work, struct err *err);

#endif
