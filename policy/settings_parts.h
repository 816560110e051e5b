/*
 * settings_parts.h - what a snapshot is made of.
 *
 * Only for settings*.c and directory.c.  An object is what the store has
 * under one key; it is parsed once and shared by all snapshots in which it
 * did not change.  A snapshot adds what depends on more than one object:
 * the merged policies.
 *
 *	settings -> system -> object "system"
 *	         -> domain -> object "domain:D"
 *	                   -> mailbox -> object "mailbox:A"
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_PARTS_H
#define POLICY_SETTINGS_PARTS_H

#include <stdatomic.h>

#include "base/strmap.h"
#include "policy/policy_pool.h"
#include "policy/settings.h"
#include "policy/settings_build.h"

/* ---- lists (settings_lists.c) ---- */

/* The rows of one pattern: by enum list_kind, NULL when there is none. */
struct list_pair {
	const struct list_row *rows[2];
};

#define PREFIX_LENGTHS_MAX 129

/* The prefix lengths that occur, longest first. */
struct prefix_lengths {
	unsigned count;
	uint8_t bits[PREFIX_LENGTHS_MAX];
};

struct lists {
	struct strmap senders, recipients;        /* pattern -> list_pair */
	bool sender_suffixes, recipient_suffixes; /* are there .domain rows? */
	struct strmap clients;                    /* network key -> list_pair */
	struct prefix_lengths v4, v6;
};

void lists_init(struct lists *lists);
void lists_free(struct lists *lists);
/* row, its pattern and what is made for it live in the arena. */
int lists_add(struct lists *lists, struct arena *arena,
    const struct list_row *row, struct err *err);

const struct list_row *lists_find_sender(const struct lists *lists,
    const struct address *address, unsigned kinds);
const struct list_row *lists_find_recipient(const struct lists *lists,
    const char *mailbox_key, unsigned kinds);
const struct list_row *lists_find_client(const struct lists *lists,
    const struct ip *ip, unsigned kinds);

/* ---- objects (settings_object.c) ---- */

/* A listed recipient, an alias, or both. */
struct directory_entry {
	bool listed;
	size_t target_count; /* 0: no alias */
	const char **targets;
};

struct settings_object {
	atomic_uint refs;
	struct arena *arena;
	const char *name; /* "system", "domain:D", "mailbox:A" */
	size_t option_count;
	const struct policy_setting *options; /* in the order of the table */
	struct lists *lists;                  /* NULL: no rows */
	/* of a domain */
	struct strmap locals; /* local part -> struct directory_entry */
	const char *alias_domain;
	size_t route_count;
	struct directory_route *routes;
};

/* fields: name, value, name, value...; n of them.  NULL with ERR_INPUT that
 * names the field. */
struct settings_object *settings_object_new(const char *name, size_t n,
    const struct bytes *fields, struct err *err);
struct settings_object *settings_object_ref(struct settings_object *object);
void settings_object_unref(struct settings_object *object);

/* ---- the snapshot (settings.c, settings_build.c) ---- */

struct settings_system {
	atomic_uint refs;
	struct settings_object *object; /* NULL: all defaults */
	struct policy_pool *pool;
	const struct policy *policy;
};

struct settings_mailbox {
	struct settings_object *object;
	const struct policy *policy;
};

struct settings_domain {
	atomic_uint refs;
	const char *name; /* in object */
	struct settings_object *object;
	struct settings_system *system; /* whose policy is the parent */
	const struct policy *policy;
	size_t mailbox_count;
	struct settings_mailbox *mailboxes;
	struct strmap by_local; /* local part -> struct settings_mailbox */
};

#define SETTINGS_SECRET_SIZE 32

struct settings {
	atomic_uint refs;
	uint64_t generation;
	bool has_secret;
	uint8_t secret[SETTINGS_SECRET_SIZE];
	struct settings_system *system;
	struct strmap by_name; /* domain -> struct settings_domain */
	size_t domain_count;
	struct settings_domain **domains; /* by name */
};

/* "a@b" apart, at the last '@'; without one, domain is "". */
void settings_split_key(const char *key, struct bytes *local,
    const char **domain);
const struct settings_domain *
settings_find_domain(const struct settings *settings, const char *domain);

struct settings_system *settings_system_new(
    struct settings_object *take_object);
void settings_system_unref(struct settings_system *system);
void settings_domain_unref(struct settings_domain *domain);

#endif
