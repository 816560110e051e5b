/*
 * directory.c - from a recipient address to its final mailboxes.
 *
 * Most addresses are no aliases and take two or three look-ups.  Aliases
 * are walked depth first.  An address that is met again is not walked
 * again; when it is met on the way down from itself, that is a circle.
 * Circles and depth are refused when aliases are saved, so what is found
 * here came in by another way, and an operator must act.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "mail/address.h"
#include "policy/settings_parts.h"

/* Addresses on the way, so that a web of aliases ends. */
#define WALK_MAX 1000

enum visit {
	VISIT_OPEN, /* we are below it */
	VISIT_DONE,
};

struct visited {
	enum visit state;
};

struct walk {
	const struct settings *settings;
	struct arena *arena;
	const char *delimiter;
	struct strmap visited; /* key -> struct visited */
	struct strmap found;   /* final mailboxes, each once */
	struct directory_result *result;
};

/* What one look-up says of an address. */
enum step {
	STEP_FINAL,   /* key is a mailbox */
	STEP_TARGETS, /* an alias: targets */
	STEP_MOVED,   /* a domain alias: key is the address there */
	STEP_UNKNOWN,
	STEP_NOT_OURS,
};

struct step_result {
	const char *key;
	const struct directory_entry *entry;
};

static struct directory_entry *
find_entry(const struct settings_domain *domain, struct bytes local)
{
	return strmap_get(&domain->object->locals, local);
}

/* user of user+tag; the whole when there is no delimiter in it. */
static struct bytes
strip_tag(struct bytes local, const char *delimiter)
{
	size_t i;

	for (i = 1; i < local.len; i++)
		if (local.data[i] != '\0' &&
		    strchr(delimiter, local.data[i]) != NULL)
			return (struct bytes){ local.data, i };
	return local;
}

static const char *
join(struct arena *arena, struct bytes local, const char *domain)
{
	size_t len = strlen(domain);
	char *key = arena_alloc(arena, local.len + 1 + len + 1);

	memcpy(key, local.data, local.len);
	key[local.len] = '@';
	memcpy(key + local.len + 1, domain, len + 1);
	return key;
}

static enum step
look_up(const struct settings *settings, struct arena *arena,
    const char *delimiter, const char *key, struct step_result *result)
{
	const struct settings_domain *domain;
	struct bytes local, base;
	const char *name;

	result->key = key;
	settings_split_key(key, &local, &name);
	domain = settings_find_domain(settings, name);
	if (domain == NULL)
		return STEP_NOT_OURS;
	result->entry = find_entry(domain, local);
	base = local;
	if (result->entry == NULL) {
		base = strip_tag(local, delimiter);
		if (base.len < local.len)
			result->entry = find_entry(domain, base);
	}
	if (result->entry != NULL && result->entry->target_count > 0) {
		if (base.len < local.len)
			result->key = join(arena, base, name);
		return STEP_TARGETS;
	}
	if (result->entry == NULL && domain->object->alias_domain != NULL) {
		result->key = join(arena, local, domain->object->alias_domain);
		return STEP_MOVED;
	}
	if (result->entry == NULL && domain->policy->restrict_recipients)
		return STEP_UNKNOWN;
	if (base.len < local.len)
		result->key = join(arena, base, name);
	return STEP_FINAL;
}

/* Says once what is wrong; returns -1. */
static int broken(struct walk *walk, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
broken(struct walk *walk, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	walk->result->problem = arena_vprintf(walk->arena, fmt, ap);
	va_end(ap);
	return -1;
}

static int
add_final(struct walk *walk, const char *key)
{
	void **slot = strmap_put(&walk->found, bytes_of(key));

	if (*slot != NULL)
		return 0;
	*slot = walk;
	if (walk->result->count == DIRECTORY_FANOUT_MAX)
		return broken(walk, "more than %d mailboxes",
		    DIRECTORY_FANOUT_MAX);
	walk->result->mailboxes[walk->result->count++] = key;
	return 0;
}

/* 0, or -1: too deep, too wide or in a circle. */
static int walk_address(struct walk *walk, const char *key, unsigned depth);

static int
walk_targets(struct walk *walk, const struct step_result *at, unsigned depth)
{
	size_t i;

	for (i = 0; i < at->entry->target_count; i++) {
		/* An alias that names itself keeps a copy. */
		if (strcmp(at->entry->targets[i], at->key) == 0) {
			if (add_final(walk, at->key) < 0)
				return -1;
			continue;
		}
		if (walk_address(walk, at->entry->targets[i], depth + 1) < 0)
			return -1;
	}
	return 0;
}

static int
walk_step(struct walk *walk, const char *key, unsigned depth)
{
	struct step_result at;

	switch (
	    look_up(walk->settings, walk->arena, walk->delimiter, key, &at)) {
	case STEP_FINAL:
	case STEP_NOT_OURS:
		return add_final(walk, at.key);
	case STEP_TARGETS:
		return walk_targets(walk, &at, depth);
	case STEP_MOVED:
		return walk_address(walk, at.key, depth + 1);
	case STEP_UNKNOWN:
		break;
	}
	return 0;
}

/* The recursion is bounded by DIRECTORY_DEPTH_MAX. */
static int
walk_address(struct walk *walk, const char *key, unsigned depth)
{
	struct visited *visited;
	void **slot;

	if (depth > DIRECTORY_DEPTH_MAX)
		return broken(walk, "more than %d aliases in a row, at %s",
		    DIRECTORY_DEPTH_MAX, key);
	if (walk->visited.count >= WALK_MAX)
		return broken(walk, "more than %d aliases", WALK_MAX);
	slot = strmap_put(&walk->visited, bytes_of(key));
	visited = *slot;
	if (visited != NULL)
		return visited->state == VISIT_OPEN
		    ? broken(walk, "%s leads back to itself", key)
		    : 0;
	*slot = visited = arena_alloc(walk->arena, sizeof(*visited));
	visited->state = VISIT_OPEN;
	if (walk_step(walk, key, depth) < 0)
		return -1;
	visited->state = VISIT_DONE;
	return 0;
}

static enum directory_answer
resolve_aliases(const struct settings *settings, struct arena *arena,
    const char *key, const char *delimiter, struct directory_result *result)
{
	struct directory_result found = { .aliased = true };
	struct walk walk = {
		.settings = settings,
		.arena = arena,
		.delimiter = delimiter,
		.result = &found,
	};
	int rc;

	found.mailboxes =
	    arena_calloc(arena, DIRECTORY_FANOUT_MAX, sizeof(char *));
	strmap_init(&walk.visited);
	strmap_init(&walk.found);
	rc = walk_address(&walk, key, 0);
	strmap_free(&walk.visited);
	strmap_free(&walk.found);
	if (rc < 0) {
		result->problem = found.problem;
		return DIRECTORY_BROKEN;
	}
	if (found.count == 0)
		return DIRECTORY_UNKNOWN;
	*result = found;
	return DIRECTORY_FOUND;
}

enum directory_answer
directory_resolve(const struct settings *settings, struct arena *arena,
    const struct address *address, const char *delimiter,
    struct directory_result *result)
{
	struct step_result at;

	switch (look_up(settings, arena, delimiter, address->key, &at)) {
	case STEP_NOT_OURS:
		return DIRECTORY_NOT_OURS;
	case STEP_UNKNOWN:
		return DIRECTORY_UNKNOWN;
	case STEP_FINAL:
		result->count = 1;
		result->mailboxes = arena_alloc(arena, sizeof(char *));
		result->mailboxes[0] = at.key;
		result->aliased = false;
		result->problem = NULL;
		return DIRECTORY_FOUND;
	case STEP_TARGETS:
	case STEP_MOVED:
		break;
	}
	return resolve_aliases(settings, arena, address->key, delimiter,
	    result);
}
