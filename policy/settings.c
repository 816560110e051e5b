/*
 * settings.c - look-ups in the immutable snapshot.
 *
 * Nothing here locks or allocates, as every mail passes: all is found by
 * hash in tables that were built before the snapshot was handed out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "mail/address.h"
#include "policy/settings_parts.h"

const char *const list_side_words[LIST_SIDE_COUNT] = {
	[LIST_SENDER] = "sender",
	[LIST_RECIPIENT] = "recipient",
	[LIST_CLIENT] = "client",
};
const char *const list_kind_words[LIST_KIND_COUNT] = {
	[LIST_ALLOW] = "allow",
	[LIST_BLOCK] = "block",
};
const char *const list_level_words[LIST_LEVEL_COUNT] = {
	[LIST_SYSTEM] = "system",
	[LIST_DOMAIN] = "domain",
	[LIST_MAILBOX] = "mailbox",
};

/* ---- life ---- */

struct settings *
settings_new_empty(void)
{
	struct settings_build *build = settings_build_new(NULL);
	struct settings *settings = settings_build_finish(build, 0);

	settings_build_free(build);
	return settings;
}

struct settings *
settings_ref(struct settings *settings)
{
	atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
	return settings;
}

void
settings_system_unref(struct settings_system *system)
{
	if (system == NULL ||
	    atomic_fetch_sub_explicit(&system->refs, 1, memory_order_acq_rel) >
		1)
		return;
	policy_pool_put(system->pool, system->policy);
	policy_pool_free(system->pool);
	settings_object_unref(system->object);
	free(system);
}

void
settings_domain_unref(struct settings_domain *domain)
{
	struct policy_pool *pool;
	size_t i;

	if (domain == NULL ||
	    atomic_fetch_sub_explicit(&domain->refs, 1, memory_order_acq_rel) >
		1)
		return;
	pool = domain->system->pool;
	for (i = 0; i < domain->mailbox_count; i++) {
		policy_pool_put(pool, domain->mailboxes[i].policy);
		settings_object_unref(domain->mailboxes[i].object);
	}
	free(domain->mailboxes);
	strmap_free(&domain->by_local);
	policy_pool_put(pool, domain->policy);
	settings_object_unref(domain->object);
	settings_system_unref(domain->system);
	free(domain);
}

void
settings_unref(struct settings *settings)
{
	size_t i;

	if (settings == NULL ||
	    atomic_fetch_sub_explicit(&settings->refs, 1,
		memory_order_acq_rel) > 1)
		return;
	for (i = 0; i < settings->domain_count; i++)
		settings_domain_unref(settings->domains[i]);
	free(settings->domains);
	strmap_free(&settings->by_name);
	settings_system_unref(settings->system);
	secret_wipe(settings->secret, sizeof(settings->secret));
	free(settings);
}

uint64_t
settings_generation(const struct settings *settings)
{
	return settings->generation;
}

const uint8_t *
settings_secret(const struct settings *settings)
{
	return settings->has_secret ? settings->secret : NULL;
}

/* ---- finding ---- */

void
settings_split_key(const char *key, struct bytes *local, const char **domain)
{
	const char *at = strrchr(key, '@');

	if (at == NULL) {
		*local = bytes_of(key);
		*domain = "";
		return;
	}
	*local = (struct bytes){ key, (size_t)(at - key) };
	*domain = at + 1;
}

const struct settings_domain *
settings_find_domain(const struct settings *settings, const char *domain)
{
	return strmap_get(&settings->by_name, bytes_of(domain));
}

/* What the levels above the system say of a mailbox; NULL where nothing. */
struct levels {
	const struct settings_domain *domain;
	const struct settings_mailbox *mailbox;
};

static struct levels
find_levels(const struct settings *settings, const char *address_key)
{
	struct levels levels = { NULL, NULL };
	const char *domain;
	struct bytes local;

	if (address_key == NULL)
		return levels;
	settings_split_key(address_key, &local, &domain);
	levels.domain = settings_find_domain(settings, domain);
	if (levels.domain != NULL)
		levels.mailbox = strmap_get(&levels.domain->by_local, local);
	return levels;
}

/* ---- policy ---- */

const struct policy *
settings_policy(const struct settings *settings, const char *address_key)
{
	struct levels levels = find_levels(settings, address_key);

	if (levels.mailbox != NULL)
		return levels.mailbox->policy;
	if (levels.domain != NULL)
		return levels.domain->policy;
	return settings->system->policy;
}

const struct policy *
settings_domain_policy(const struct settings *settings, const char *domain)
{
	const struct settings_domain *found =
	    settings_find_domain(settings, domain);

	return found != NULL ? found->policy : settings->system->policy;
}

static bool
object_sets(const struct settings_object *object, const char *option)
{
	size_t i;

	for (i = 0; object != NULL && i < object->option_count; i++)
		if (strcmp(object->options[i].option->name, option) == 0)
			return true;
	return false;
}

const char *
settings_option_level(const struct settings *settings, const char *address_key,
    const char *option)
{
	struct levels levels = find_levels(settings, address_key);

	if (levels.mailbox != NULL &&
	    object_sets(levels.mailbox->object, option))
		return list_level_words[LIST_MAILBOX];
	if (levels.domain != NULL && object_sets(levels.domain->object, option))
		return list_level_words[LIST_DOMAIN];
	if (object_sets(settings->system->object, option))
		return list_level_words[LIST_SYSTEM];
	return "default";
}

/* ---- lists ---- */

/* The lists that count for a mailbox, the nearest first. */
static size_t
lists_of(const struct settings *settings, const char *mailbox_key,
    const struct lists *lists[LIST_LEVEL_COUNT])
{
	struct levels levels = find_levels(settings, mailbox_key);
	size_t n = 0;

	if (levels.mailbox != NULL && levels.mailbox->object->lists != NULL)
		lists[n++] = levels.mailbox->object->lists;
	if (levels.domain != NULL && levels.domain->object->lists != NULL)
		lists[n++] = levels.domain->object->lists;
	if (settings->system->object != NULL &&
	    settings->system->object->lists != NULL)
		lists[n++] = settings->system->object->lists;
	return n;
}

const struct list_row *
settings_list_sender(const struct settings *settings, const char *mailbox_key,
    const struct address *sender, unsigned kinds)
{
	const struct lists *lists[LIST_LEVEL_COUNT];
	const struct list_row *row = NULL;
	size_t n = lists_of(settings, mailbox_key, lists), i;

	for (i = 0; i < n && row == NULL; i++)
		row = lists_find_sender(lists[i], sender, kinds);
	return row;
}

const struct list_row *
settings_list_recipient(const struct settings *settings,
    const char *mailbox_key, unsigned kinds)
{
	const struct lists *lists[LIST_LEVEL_COUNT];
	const struct list_row *row = NULL;
	size_t n = lists_of(settings, mailbox_key, lists), i;

	for (i = 0; i < n && row == NULL && mailbox_key != NULL; i++)
		row = lists_find_recipient(lists[i], mailbox_key, kinds);
	return row;
}

const struct list_row *
settings_list_client(const struct settings *settings, const char *mailbox_key,
    const struct ip *ip, unsigned kinds)
{
	const struct lists *lists[LIST_LEVEL_COUNT];
	const struct list_row *row = NULL;
	size_t n = lists_of(settings, mailbox_key, lists), i;

	for (i = 0; i < n && row == NULL; i++)
		row = lists_find_client(lists[i], ip, kinds);
	return row;
}

/* How narrow a pattern is: 0 a single value, more for wider ones. */
static unsigned
pattern_width(const struct list_row *row)
{
	struct network network;
	size_t len;

	if (row->side == LIST_CLIENT) {
		if (network_parse(bytes_of(row->pattern), &network, NULL) < 0)
			return 0;
		return (network.ip.family == IP_V4 ? 32 : 128) - network.bits;
	}
	switch (list_pattern_kind(row->pattern)) {
	case PATTERN_ADDRESS:
		return 0;
	case PATTERN_DOMAIN:
		return 1;
	case PATTERN_BELOW:
		break;
	}
	len = strlen(row->pattern);
	return len < DOMAIN_MAX ? 2 + DOMAIN_MAX - (unsigned)len : 2;
}

unsigned
list_row_rank(const struct list_row *row)
{
	return (unsigned)(LIST_MAILBOX - row->level) << 16 |
	    pattern_width(row) << 1 | (row->kind == LIST_ALLOW ? 1u : 0u);
}

/* ---- domains ---- */

bool
settings_has_domain(const struct settings *settings, const char *domain)
{
	return settings_find_domain(settings, domain) != NULL;
}

size_t
settings_domain_count(const struct settings *settings)
{
	return settings->domain_count;
}

const char *
settings_domain_at(const struct settings *settings, size_t i)
{
	return settings->domains[i]->name;
}

size_t
directory_routes(const struct settings *settings, const char *domain,
    const struct directory_route **routes)
{
	const struct settings_domain *found =
	    settings_find_domain(settings, domain);

	if (found == NULL)
		return 0;
	*routes = found->object->routes;
	return found->object->route_count;
}
