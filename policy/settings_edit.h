/*
 * settings_edit.h - changes to policy, lists and directory.
 *
 * Each change is one script in the store: data, generation, audit entry and
 * notice together or not at all.  Input is checked here, so every way in
 * (command line, pages, import) has the same rules and messages.  Doing a
 * change twice is doing it once.
 *
 * What is stored is described in doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_EDIT_H
#define POLICY_SETTINGS_EDIT_H

#include <jansson.h>

#include "policy/settings.h"

struct store;

/* Why an edit was refused (ERR_INPUT). */
enum edit_problem {
	EDIT_OK,
	EDIT_INVALID,   /* a value is at fault */
	EDIT_NOT_FOUND, /* what it refers to is not there */
	EDIT_EXISTS,    /* it is there already, and differs */
	EDIT_IN_USE,    /* something else depends on it */
};

/* Who edits, how; and after a failure: what was at fault. */
struct edit {
	struct store *store;
	const char *actor; /* "cli:root", "user:NAME", "link:ADDRESS" */
	bool replace;      /* adding what exists is an update, not an error */
	bool dry_run;      /* check all, write nothing */
	const char *delimiter; /* recipient_delimiter; NULL: none */
	/* The newest snapshot that is known, or NULL: some edits look at the
	 * whole and put a newer one here.  The caller unrefs it. */
	struct settings *settings;
	/* out, with ERR_INPUT */
	enum edit_problem problem;
	const char *field; /* the parameter at fault (static), or NULL */
	size_t row;        /* of a list of routes: which one, from 1; or 0 */
};

/* Where an option or list row hangs; names in their key form. */
struct edit_target {
	const char *domain;  /* NULL: system */
	const char *mailbox; /* key, or NULL; its domain must exist */
};

/*
 * All return 0, or -1: ERR_INPUT (see edit.problem), ERR_LIMIT, ERR_TEMP.
 * Whether anything was changed is in *changed (may be NULL).  Removing what
 * is not there is no error.  Names are given as people write them.
 */

/* options: {"name": "text", or null to inherit}; or NULL. */
int edit_domain_add(struct edit *edit, const char *domain, json_t *options,
    bool *changed, struct err *err);
/* With all that hangs on it.  EDIT_IN_USE: aliases elsewhere point to it. */
int edit_domain_remove(struct edit *edit, const char *domain, bool *changed,
    struct err *err);
int edit_options(struct edit *edit, struct edit_target target, json_t *options,
    bool *changed, struct err *err);

/*
 * row: side, kind, pattern; of a block row action; of an allow row
 * unauthenticated (sender rows), lifts_dmarc; expires (milliseconds since
 * 1970, "30d", "2027-01-31", RFC 3339; null never); comment; added_from.
 */
int edit_list_add(struct edit *edit, struct edit_target target, json_t *row,
    bool *changed, struct err *err);
int edit_list_remove(struct edit *edit, struct edit_target target,
    enum list_side side, enum list_kind kind, const char *pattern,
    bool *changed, struct err *err);
/* The one form of a pattern: 0, or -1 with ERR_INPUT. */
int list_pattern_normalize(struct arena *arena, enum list_side side,
    const char *text, const char **pattern, struct err *err);

/* routes: [{"host", "port" (25), "priority" (10), "lookup_mx" (false)}],
 * replaces all. */
int edit_routes(struct edit *edit, const char *domain, json_t *routes,
    bool *changed, struct err *err);

/* options (of the mailbox) and comment may be NULL. */
int edit_recipient_add(struct edit *edit, const char *address, json_t *options,
    const char *comment, bool *changed, struct err *err);
/* With the mailbox's options and rows. */
int edit_recipient_remove(struct edit *edit, const char *address, bool *changed,
    struct err *err);

/*
 * source "a@d" to addresses, or "@d" to one domain "@e".  Refused:
 * circles, more than DIRECTORY_DEPTH_MAX steps or DIRECTORY_FANOUT_MAX
 * mailboxes, targets of ours that do not exist.
 */
int edit_alias_add(struct edit *edit, const char *source, json_t *targets,
    const char *comment, bool *changed, struct err *err);
int edit_alias_remove(struct edit *edit, const char *source, bool *changed,
    struct err *err);

/* Words between commas and white space, but not those within quotes:
 * addresses may hold both.  A new array. */
json_t *edit_split_list(const char *text);

/* ---- tables (settings_import.c, settings_export.c) ---- */

enum table {
	TABLE_LISTS,
	TABLE_RECIPIENTS,
	TABLE_ALIASES,
	TABLE_ROUTES,
	TABLE_DOMAINS,
	TABLE_COUNT
};

struct import_problem {
	unsigned line;
	const char *field; /* column, or "" */
	const char *text;
};
#define IMPORT_PROBLEMS_MAX 20
#define IMPORT_ROWS_MAX 100000
#define IMPORT_SIZE_MAX (32u << 20)

struct import_result {
	size_t rows, added, changed, removed, unchanged;
	size_t problem_count; /* shown; all or nothing: none if 0 is returned */
	struct import_problem problems[IMPORT_PROBLEMS_MAX]; /* in the arena */
};

/* What the rows may touch, and what is meant where they do not say. */
struct import_scope {
	const char *domain;  /* NULL: any */
	const char *mailbox; /* lists only; NULL: any within domain */
	bool replace_all;    /* rows of the scope that are not in the table
			      * are removed */
};

/*
 * The table is CSV as doc/csv.md says, UTF-8 or CP932.  Everything is
 * written by one change or nothing is: -1 with ERR_INPUT and the problems,
 * the first of them in *err.
 */
int edit_import(struct edit *edit, enum table table,
    const struct import_scope *scope, struct bytes csv, struct arena *arena,
    struct import_result *result, struct err *err);
/* The same table, in UTF-8, as the snapshot has it. */
int edit_export(struct store *store, const struct settings *settings,
    enum table table, const struct import_scope *scope, struct buf *out,
    struct err *err);

#endif
