/*
 * edit_rows.h - checked input and stored rows, shared by single edits and
 * imports.
 *
 * For edit_*.c and settings_import.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_EDIT_ROWS_H
#define POLICY_EDIT_ROWS_H

#include "policy/edit_work.h"

/* Ceilings of what one object may hold: rows, recipients and aliases. */
#define EDIT_FIELDS_MAX 500000
#define EDIT_MAILBOX_FIELDS_MAX 5000
#define EDIT_COMMENT_MAX 500 /* octets */
#define EDIT_ROUTES_MAX 20

/* ---- input (edit_input.c) ---- */

/* Absent and null leave false; true, "yes", "on", "1"... are true. */
int edit_take_bool(struct edit *edit, const json_t *object, const char *field,
    bool *out, struct err *err);
/* "" when absent or null; one line of UTF-8, at most EDIT_COMMENT_MAX. */
int edit_take_text(struct edit *edit, const json_t *object, const char *field,
    struct arena *arena, const char **out, struct err *err);
int edit_check_text(struct edit *edit, const char *field, const char *text,
    struct err *err);
/* "30d" from now, "2027-01-31" (its end, local time), RFC 3339; "" is 0. */
int edit_parse_time(const char *text, int64_t *wall_s);
/* -1 sets the edit's problem, naming field. */
int edit_take_domain(struct edit *edit, struct arena *arena, const char *field,
    const char *text, const char **domain, struct err *err);
int edit_take_address(struct edit *edit, struct arena *arena, const char *field,
    const char *text, const char **key, struct err *err);
/* "a@b" apart; both point into the arena. */
void edit_split(struct arena *arena, const char *key, const char **local,
    const char **domain);

/* ---- what must hold ---- */

/* The domain is there. */
int edit_require_domain(struct edit_work *work, const char *field,
    const char *domain, struct err *err);
int edit_require_target(struct edit_work *work, struct edit_target target,
    struct err *err);
/* The object may take one more field. */
int edit_require_room(struct edit_work *work, const char *object,
    struct err *err);

/* ---- storing ---- */

enum edit_outcome {
	EDIT_ADDED,
	EDIT_CHANGED,
	EDIT_SAME,
	EDIT_DIFFERS, /* it is there, differs, and replace is off: not put */
};

/*
 * json becomes the field's value, with who and when added: of the first
 * time when it is there already.  What is the same but for that stays.
 */
enum edit_outcome edit_put_json(struct edit_work *work, const char *object,
    const char *field, json_t *json, struct bytes before);

/* ---- rows ---- */

int edit_check_row(struct edit *edit, struct arena *arena,
    struct edit_target target, const json_t *json, struct list_row *row,
    struct err *err);
const char *edit_row_field(struct arena *arena, enum list_side side,
    enum list_kind kind, const char *pattern);
json_t *edit_row_json(const struct list_row *row);
enum edit_outcome edit_put_row(struct edit_work *work, const char *object,
    const struct list_row *row, struct bytes before);

/* One option: its stored text into *text, NULL to inherit. */
int edit_check_option(struct edit *edit, struct arena *arena,
    struct edit_target target, const char *name, const json_t *value,
    const struct option **option, const char **text, struct err *err);
/* All of options over what is stored at object. */
int edit_put_options(struct edit_work *work, struct edit_target target,
    json_t *options, struct err *err);

/* [{"host",...}] checked and in stored form: new reference, NULL. */
json_t *edit_check_routes(struct edit *edit, struct arena *arena,
    json_t *routes, struct err *err);

/* source and targets in key form; targets a new array, NULL on error. */
json_t *edit_check_alias(struct edit *edit, struct arena *arena,
    const char *source, const json_t *targets, const char **key,
    struct err *err);
/* "alias:LOCAL" or "alias_domain", and the domain whose object has it. */
const char *edit_alias_field(struct arena *arena, const char *source_key,
    const char **domain);
/* {"comment"} when there is one; NULL is fine. */
json_t *edit_comment_json(const char *comment);
json_t *edit_alias_json(const char *source_key, json_t *targets,
    const char *comment);
/* Do aliases still lead somewhere, in what the work would make of the
 * settings?  Looks at this one, and at all when others lead to it or it is
 * that of a domain.  source_key NULL: at all. */
int edit_check_aliases(struct edit_work *work, const struct settings *future,
    const char *source_key, struct err *err);
/* Are the targets that are ours there? */
int edit_check_targets(struct edit_work *work, const struct settings *future,
    const char *source_key, const json_t *targets, struct err *err);

#endif
