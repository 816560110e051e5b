/*
 * settings.h - the immutable snapshot of policy, lists and directory.
 *
 * Loaded from the store, swapped whole, kept by each transaction to its
 * end.  Look-ups never fail for lack of Redis: they read the snapshot.
 * All const functions are safe from any thread while a reference is held.
 *
 * Levels: system < domain < mailbox.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "policy/class.h"
#include "policy/policy.h"

struct address;
struct arena;
struct store;
struct settings;

/* All defaults, no domains: what `redis = none` works with. */
struct settings *settings_new_empty(void);
struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);
uint64_t settings_generation(const struct settings *settings);

/* Read all from the store, reusing what did not change from old (may be
 * NULL).  NULL: ERR_TEMP, or ERR_INPUT naming the key whose contents are
 * damaged (the old snapshot then stays in force). */
struct settings *settings_load(struct store *store, struct settings *old,
    struct err *err);

/* 1 and the generation, 0 when nothing was ever stored, -1 */
int settings_stored_generation(struct store *store, uint64_t *generation,
    struct err *err);

/*
 * Keeps the current snapshot fresh: a thread that listens for notices and
 * compares generations every second.
 */
struct settings_watch;
struct settings_watch *settings_watch_start(struct store *store,
    struct err *err);
/* A reference to the current snapshot; NULL when none could be loaded yet. */
struct settings *settings_watch_get(struct settings_watch *watch);
void settings_watch_stop(struct settings_watch *watch);

/* 32 octets shared by all programs of this installation (made by the first
 * that needs it): keys of HMACs.  NULL: not loaded. */
const uint8_t *settings_secret(const struct settings *settings);

/* ---- policy ---- */

/* Of a final mailbox; the domain's or the system's when it has none. */
const struct policy *settings_policy(const struct settings *settings,
    const char *address_key);
const struct policy *settings_domain_policy(const struct settings *settings,
    const char *domain);
/* "mailbox", "domain", "system" or "default": which level set the row. */
const char *settings_option_level(const struct settings *settings,
    const char *address_key, const char *option);

/* ---- lists ---- */

enum list_side {
	LIST_SENDER,
	LIST_RECIPIENT,
	LIST_CLIENT,
	LIST_SIDE_COUNT
};
enum list_kind {
	LIST_ALLOW,
	LIST_BLOCK,
	LIST_KIND_COUNT
};
enum list_level {
	LIST_SYSTEM,
	LIST_DOMAIN,
	LIST_MAILBOX,
	LIST_LEVEL_COUNT
};

/* "sender", "allow", "mailbox"...: by the enums. */
extern const char *const list_side_words[LIST_SIDE_COUNT];
extern const char *const list_kind_words[LIST_KIND_COUNT];
extern const char *const list_level_words[LIST_LEVEL_COUNT];

/* Of senders and recipients.  Local parts may begin with '@' and '.', too:
 * "@a@b" and ".a@b" are addresses. */
enum list_pattern {
	PATTERN_ADDRESS, /* a@b, and <> */
	PATTERN_DOMAIN,  /* @b */
	PATTERN_BELOW,   /* .b: b itself and all below it */
};
enum list_pattern list_pattern_kind(const char *pattern);

struct list_row {
	enum list_level level;
	enum list_side side;
	enum list_kind kind;
	const char *pattern; /* a@b, @b, .b, <>; address or network */
	int action; /* enum action of a block row; -1: policy block_action */
	bool unauthenticated; /* an allow row that needs no authentication */
	bool lifts_dmarc;
	int64_t expires_s; /* 0: never; checked when read */
	const char *comment;
	const char *added_by;
	const char *added_from; /* message id, or "" */
	int64_t added_s;
};

/*
 * The row that decides for this value: mailbox before domain before system;
 * within a level exact address, then @domain, then the longest .domain,
 * which stands for the domain itself and all below it (clients: the longest
 * prefix); on a tie block wins.  kinds: which to look at.  NULL when none.
 * Expired rows do not count.  mailbox_key NULL: system rows only.
 */
#define LIST_MASK_ALLOW                                                        \
	1u                                 /* allow rows that ask for an
					    * authenticated identity */
#define LIST_MASK_ALLOW_UNAUTHENTICATED 2u /* allow rows that do not */
#define LIST_MASK_BLOCK 4u
#define LIST_MASK_ALL 7u
const struct list_row *settings_list_sender(const struct settings *settings,
    const char *mailbox_key, const struct address *sender, unsigned kinds);
const struct list_row *settings_list_recipient(const struct settings *settings,
    const char *mailbox_key, unsigned kinds);
const struct list_row *settings_list_client(const struct settings *settings,
    const char *mailbox_key, const struct ip *ip, unsigned kinds);

/*
 * How near a row is, to compare rows found for different values of one mail:
 * the smaller goes first.  Mailbox before domain before system; exact before
 * @domain before .domain and networks, the longer first; block before allow.
 */
unsigned list_row_rank(const struct list_row *row);

/* ---- directory ---- */

bool settings_has_domain(const struct settings *settings, const char *domain);

/* What SMTP says of a recipient address. */
enum directory_answer {
	DIRECTORY_FOUND,    /* final mailboxes given */
	DIRECTORY_UNKNOWN,  /* our domain, no such recipient */
	DIRECTORY_NOT_OURS, /* not a domain of ours */
	DIRECTORY_BROKEN,   /* too deep or in a circle: an operator must act */
};

struct directory_result {
	size_t count;
	const char **mailboxes; /* keys, in the arena, each once */
	bool aliased;           /* an alias led there, mailbox or domain */
	const char *problem; /* of DIRECTORY_BROKEN: in words, in the arena */
};

#define DIRECTORY_DEPTH_MAX 10
#define DIRECTORY_FANOUT_MAX 200

/*
 * Expands mailbox and domain aliases, honours delimiter ("" none, else any
 * of its characters): user+tag@d is user@d when user+tag is neither listed
 * nor an alias itself.  An alias goes before a recipient of the same name;
 * one that names itself keeps a copy; both go before a domain alias.  A
 * target that is no domain of ours is final.  Targets that do not exist are
 * left out; UNKNOWN when none exists.  result is set for FOUND, its
 * problem for BROKEN.
 */
enum directory_answer directory_resolve(const struct settings *settings,
    struct arena *arena, const struct address *address, const char *delimiter,
    struct directory_result *result);

struct directory_route {
	const char *host;
	unsigned port;
	unsigned priority; /* lower first */
	bool lookup_mx;    /* false: the host itself, [host] for Postfix */
};
/* Of a domain, by priority; 0 when it has none. */
size_t directory_routes(const struct settings *settings, const char *domain,
    const struct directory_route **routes);

/* Every domain, sorted: for pages and maps. */
size_t settings_domain_count(const struct settings *settings);
const char *settings_domain_at(const struct settings *settings, size_t i);

#endif
