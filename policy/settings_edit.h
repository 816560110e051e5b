/*
 * settings_edit.h - changes to policy, lists and directory.
 *
 * Each change is one script in the store: data, generation, audit entry and
 * notice together or not at all.  Input is checked here, so every way in
 * (command line, pages, import) has the same rules and messages.  actor is
 * who did it: "cli:root", "user:NAME", "link:ADDRESS".
 *
 * The objects and their JSON are described in doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_EDIT_H
#define POLICY_SETTINGS_EDIT_H

#include <jansson.h>

#include "policy/settings.h"

struct edit {
	struct store *store;
	const char *actor;
	bool replace; /* adding what exists is an update, not an error */
};

/* Where an option or list row hangs. */
struct edit_target {
	const char *domain;  /* NULL: system */
	const char *mailbox; /* key, or NULL; its domain must exist */
};

/* -1: ERR_INPUT (what and where), ERR_TEMP.  Removing what is not there
 * returns 0; whether something changed is in *changed (may be NULL). */
int edit_domain_add(struct edit *edit, const char *domain, json_t *options,
    struct err *err);
int edit_domain_remove(struct edit *edit, const char *domain, bool *changed,
    struct err *err);
/* options: {"name": "text" or null to inherit}. */
int edit_options(struct edit *edit, struct edit_target target, json_t *options,
    struct err *err);
/* row: side, kind, pattern, action, flags, expires, comment, added_from. */
int edit_list_add(struct edit *edit, struct edit_target target, json_t *row,
    struct err *err);
int edit_list_remove(struct edit *edit, struct edit_target target,
    enum list_side side, enum list_kind kind, const char *pattern,
    bool *changed, struct err *err);
/* routes: [{"host", "port", "priority", "lookup_mx"}], replaces all. */
int edit_routes(struct edit *edit, const char *domain, json_t *routes,
    struct err *err);
int edit_recipient_add(struct edit *edit, const char *address, json_t *options,
    struct err *err);
int edit_recipient_remove(struct edit *edit, const char *address, bool *changed,
    struct err *err);
/* source "a@d" to addresses, or "@d" to one domain "@e"; circles and more
 * than DIRECTORY_DEPTH_MAX steps are refused. */
int edit_alias_add(struct edit *edit, const char *source, json_t *targets,
    struct err *err);
int edit_alias_remove(struct edit *edit, const char *source, bool *changed,
    struct err *err);

/* Everything as JSON, as the API shows it; NULL on error.  domain NULL: of
 * the system, or of all domains. */
json_t *edit_show_domain(struct store *store, const char *domain,
    struct err *err);
json_t *edit_show_lists(struct store *store, struct edit_target target,
    struct err *err);
json_t *edit_show_routes(struct store *store, const char *domain,
    struct err *err);
json_t *edit_show_recipients(struct store *store, const char *domain,
    struct err *err);
json_t *edit_show_aliases(struct store *store, const char *domain,
    struct err *err);
/* The newest first; at most limit; before: id of an entry, or NULL. */
json_t *edit_show_audit(struct store *store, const char *before, size_t limit,
    struct err *err);

#endif
