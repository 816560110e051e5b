/*
 * settings_show.h - settings as JSON, as the API shows them.
 *
 * Times are milliseconds since 1970.  What is shown a part at a time is
 * sorted; `after` is the key of the last one of the part ahead (NULL: from
 * the start), limit 0 means all.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_SHOW_H
#define POLICY_SETTINGS_SHOW_H

#include <jansson.h>

#include "policy/settings_edit.h"

struct arena;

/* A key as people write the address: the local part in quotes where it
 * needs them.  In the arena. */
const char *show_address(struct arena *arena, const char *key);
/* The same of the pattern of a row. */
const char *show_pattern(struct arena *arena, enum list_side side,
    const char *pattern);

/* ---- from a snapshot: never fails ---- */

/* Of a level: {"options": set there, "effective": in force, "levels": which
 * level each comes from}. */
json_t *show_options(const struct settings *settings,
    struct edit_target target);
/* Every option: {"name", "type", "range", "default", "levels", "section",
 * "help", "words"}. */
json_t *show_option_table(void);

struct show_row_filter {
	int side;         /* enum list_side, -1 any */
	int kind;         /* enum list_kind, -1 any */
	const char *part; /* of the pattern or comment, NULL any */
	const char *after;
	size_t limit;
};
/* {"rows": [...], "count": matching, "next": cursor or null}: those of the
 * target itself, by side, pattern and kind. */
json_t *show_rows(const struct settings *settings, struct edit_target target,
    const struct show_row_filter *filter);
/* One row: level, domain, mailbox, side, kind, pattern... */
json_t *show_row(const struct list_row *row, struct edit_target target);
/* The row itself; NULL when there is none.  Pattern in normal form. */
const struct list_row *show_find_row(const struct settings *settings,
    struct edit_target target, enum list_side side, enum list_kind kind,
    const char *pattern);

/* [{"host", "port", "priority", "lookup_mx"}] */
json_t *show_routes(const struct settings *settings, const char *domain);
/* {"domain", "display", "recipients", "aliases", "routes", "rows",
 * "alias_of" or null}: numbers; NULL when there is no such domain. */
json_t *show_domain_summary(const struct settings *settings,
    const char *domain);

/* ["a@d", ...]: mailboxes of a domain that have settings of their own. */
json_t *show_mailboxes(const struct settings *settings, const char *domain);

/* ---- from the store; NULL with *err ---- */

/* {"recipients": [{"address", "comment", "added_by", "added", "options"}],
 * "next"} */
json_t *show_recipients(struct store *store, const struct settings *settings,
    const char *domain, const char *after, size_t limit, struct err *err);
/* {"aliases": [{"source", "targets", "comment", "added_by", "added"}],
 * "next"}: that of the whole domain first. */
json_t *show_aliases(struct store *store, const char *domain, const char *after,
    size_t limit, struct err *err);
/* {"entries": [{"id", "generation", "time", "actor", "action", "domain",
 * "mailbox", "count", "changes"}], "next"}, newest first, of a domain or all
 * (NULL); before: next of the part ahead. */
json_t *show_audit(struct store *store, const char *domain, const char *before,
    size_t limit, struct err *err);

#endif
