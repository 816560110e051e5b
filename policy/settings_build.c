/*
 * settings_build.c - builds a snapshot out of objects, sharing with the old
 * one whatever did not change.
 *
 * A domain is shared when neither its object, nor an object of its
 * mailboxes, nor that of the system (whose policy is its parent) was put.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/log.h"
#include "policy/settings_parts.h"

/* An object that was put: NULL when it is gone. */
struct change {
	struct settings_object *object;
	bool made; /* put at all */
};

/* What was put of a domain and its mailboxes. */
struct domain_change {
	const char *name;
	struct change domain;
	struct strmap mailboxes; /* local part -> struct change */
};

struct settings_build {
	struct arena *arena;
	struct settings *old; /* may be NULL */
	struct change system;
	struct strmap domains; /* name -> struct domain_change */
	bool has_secret;
	uint8_t secret[SETTINGS_SECRET_SIZE];
};

struct settings_build *
settings_build_new(struct settings *old)
{
	struct settings_build *build = xcalloc(1, sizeof(*build));

	build->arena = arena_new(0);
	strmap_init(&build->domains);
	if (old == NULL)
		return build;
	build->old = settings_ref(old);
	build->has_secret = old->has_secret;
	memcpy(build->secret, old->secret, sizeof(build->secret));
	return build;
}

void
settings_build_free(struct settings_build *build)
{
	const struct strmap_slot *slot, *inner;
	struct domain_change *change;
	size_t pos = 0, inner_pos;

	if (build == NULL)
		return;
	while ((slot = strmap_next(&build->domains, &pos)) != NULL) {
		change = slot->value;
		settings_object_unref(change->domain.object);
		inner_pos = 0;
		while ((inner = strmap_next(&change->mailboxes, &inner_pos)) !=
		    NULL)
			settings_object_unref(
			    ((struct change *)inner->value)->object);
		strmap_free(&change->mailboxes);
	}
	strmap_free(&build->domains);
	settings_object_unref(build->system.object);
	settings_unref(build->old);
	secret_wipe(build->secret, sizeof(build->secret));
	arena_free(build->arena);
	free(build);
}

void
settings_build_secret(struct settings_build *build, const uint8_t *secret,
    size_t len)
{
	assert(len == SETTINGS_SECRET_SIZE);
	memcpy(build->secret, secret, len);
	build->has_secret = true;
}

static struct domain_change *
domain_change_of(struct settings_build *build, const char *domain)
{
	void **slot;
	struct domain_change *change =
	    strmap_get(&build->domains, bytes_of(domain));

	if (change != NULL)
		return change;
	change = arena_calloc(build->arena, 1, sizeof(*change));
	change->name = arena_strdup(build->arena, domain);
	strmap_init(&change->mailboxes);
	slot = strmap_put(&build->domains, bytes_of(change->name));
	*slot = change;
	return change;
}

static struct change *
mailbox_change_of(struct settings_build *build, const char *address_key)
{
	struct domain_change *domain_change;
	struct bytes local;
	const char *domain;
	void **slot;

	settings_split_key(address_key, &local, &domain);
	domain_change = domain_change_of(build, domain);
	local.data = arena_memdup(build->arena, local.data, local.len);
	slot = strmap_put(&domain_change->mailboxes, local);
	if (*slot == NULL)
		*slot = arena_calloc(build->arena, 1, sizeof(struct change));
	return *slot;
}

static struct change *
change_of(struct settings_build *build, const char *name)
{
	if (strcmp(name, "system") == 0)
		return &build->system;
	if (strncmp(name, "domain:", 7) == 0)
		return &domain_change_of(build, name + 7)->domain;
	if (strncmp(name, "mailbox:", 8) == 0)
		return mailbox_change_of(build, name + 8);
	return NULL;
}

int
settings_build_put(struct settings_build *build, const char *name, size_t n,
    const struct bytes *fields, struct err *err)
{
	struct change *change = change_of(build, name);
	struct settings_object *object = NULL;

	if (change == NULL) /* of a newer program */
		return 0;
	if (n > 0) {
		object = settings_object_new(name, n, fields, err);
		if (object == NULL)
			return err_prefix(err, "%s", name);
	}
	settings_object_unref(change->object);
	change->object = object;
	change->made = true;
	return 0;
}

/* ---- putting it together ---- */

struct settings_system *
settings_system_new(struct settings_object *take_object)
{
	struct settings_system *system = xcalloc(1, sizeof(*system));

	atomic_init(&system->refs, 1);
	system->object = take_object;
	system->pool = policy_pool_new();
	system->policy =
	    policy_pool_get(system->pool, policy_pool_defaults(system->pool),
		take_object != NULL ? take_object->option_count : 0,
		take_object != NULL ? take_object->options : NULL);
	return system;
}

static void
add_mailbox(struct settings_domain *domain, struct settings_object *object)
{
	struct settings_mailbox *mailbox =
	    &domain->mailboxes[domain->mailbox_count++];
	struct bytes local;
	const char *name;

	settings_split_key(object->name + strlen("mailbox:"), &local, &name);
	mailbox->object = settings_object_ref(object);
	mailbox->policy = policy_pool_get(domain->system->pool, domain->policy,
	    object->option_count, object->options);
	*strmap_put(&domain->by_local, local) = mailbox;
}

/* The mailboxes of old that were not put again, and those that were. */
static void
add_mailboxes(struct settings_domain *domain, const struct settings_domain *old,
    const struct domain_change *change)
{
	const struct strmap_slot *slot;
	struct settings_object *object;
	size_t most = 0, pos = 0;

	if (old != NULL)
		most += old->mailbox_count;
	if (change != NULL)
		most += change->mailboxes.count;
	domain->mailboxes =
	    xcalloc(most > 0 ? most : 1, sizeof(*domain->mailboxes));
	strmap_reserve(&domain->by_local, most);
	while (
	    old != NULL && (slot = strmap_next(&old->by_local, &pos)) != NULL)
		if (change == NULL ||
		    strmap_get(&change->mailboxes,
			(struct bytes){ slot->key, slot->len }) == NULL)
			add_mailbox(domain,
			    ((struct settings_mailbox *)slot->value)->object);
	pos = 0;
	while (change != NULL &&
	    (slot = strmap_next(&change->mailboxes, &pos)) != NULL) {
		object = ((struct change *)slot->value)->object;
		if (object != NULL)
			add_mailbox(domain, object);
	}
}

static struct settings_domain *
domain_new(struct settings_system *system, struct settings_object *object,
    const struct settings_domain *old, const struct domain_change *change)
{
	struct settings_domain *domain = xcalloc(1, sizeof(*domain));

	atomic_init(&domain->refs, 1);
	atomic_fetch_add_explicit(&system->refs, 1, memory_order_relaxed);
	domain->system = system;
	domain->object = settings_object_ref(object);
	domain->name = object->name + strlen("domain:");
	domain->policy = policy_pool_get(system->pool, system->policy,
	    object->option_count, object->options);
	strmap_init(&domain->by_local);
	add_mailboxes(domain, old, change);
	return domain;
}

static void
push_domain(struct settings *settings, struct settings_domain *domain)
{
	settings->domains[settings->domain_count++] = domain;
	*strmap_put(&settings->by_name, bytes_of(domain->name)) = domain;
}

static void
take_old_domain(struct settings *settings, const struct settings_build *build,
    struct settings_domain *old)
{
	const struct domain_change *change =
	    strmap_get(&build->domains, bytes_of(old->name));
	struct settings_object *object = old->object;

	if (change == NULL && old->system == settings->system) {
		atomic_fetch_add_explicit(&old->refs, 1, memory_order_relaxed);
		push_domain(settings, old);
		return;
	}
	if (change != NULL && change->domain.made)
		object = change->domain.object;
	if (object != NULL)
		push_domain(settings,
		    domain_new(settings->system, object, old, change));
}

static void
take_new_domains(struct settings *settings, const struct settings_build *build)
{
	const struct strmap_slot *slot;
	const struct domain_change *change;
	size_t pos = 0;

	while ((slot = strmap_next(&build->domains, &pos)) != NULL) {
		change = slot->value;
		if (build->old != NULL &&
		    settings_has_domain(build->old, change->name))
			continue;
		if (change->domain.object != NULL)
			push_domain(settings,
			    domain_new(settings->system, change->domain.object,
				NULL, change));
		else if (!change->domain.made)
			log_warn("settings of mailboxes in %s are ignored: "
				 "there is no such domain",
			    change->name);
	}
}

static int
compare_domains(const void *a, const void *b)
{
	struct settings_domain *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static struct settings_system *
system_of(const struct settings_build *build)
{
	if (build->system.made)
		return settings_system_new(
		    settings_object_ref(build->system.object));
	if (build->old == NULL)
		return settings_system_new(NULL);
	atomic_fetch_add_explicit(&build->old->system->refs, 1,
	    memory_order_relaxed);
	return build->old->system;
}

struct settings *
settings_build_finish(struct settings_build *build, uint64_t generation)
{
	struct settings *settings = xcalloc(1, sizeof(*settings));
	size_t most = build->domains.count, i;

	if (build->old != NULL)
		most += build->old->domain_count;
	atomic_init(&settings->refs, 1);
	settings->generation = generation;
	settings->has_secret = build->has_secret;
	memcpy(settings->secret, build->secret, sizeof(settings->secret));
	settings->system = system_of(build);
	settings->domains =
	    xcalloc(most > 0 ? most : 1, sizeof(struct settings_domain *));
	strmap_init(&settings->by_name);
	strmap_reserve(&settings->by_name, most);
	for (i = 0; build->old != NULL && i < build->old->domain_count; i++)
		take_old_domain(settings, build, build->old->domains[i]);
	take_new_domains(settings, build);
	qsort(settings->domains, settings->domain_count,
	    sizeof(struct settings_domain *), compare_domains);
	return settings;
}

/* ---- from JSON ---- */

static struct bytes
value_bytes(struct arena *arena, const json_t *value)
{
	struct bytes bytes;
	char *text;

	if (json_is_string(value))
		return (struct bytes){ json_string_value(value),
			json_string_length(value) };
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	bytes = bytes_of(arena_strdup(arena, text != NULL ? text : ""));
	free(text);
	return bytes;
}

static int
put_json(struct settings_build *build, const char *name, json_t *object,
    struct err *err)
{
	size_t n = json_object_size(object), i = 0;
	struct bytes *fields =
	    arena_calloc(build->arena, 2 * n, sizeof(*fields));
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		fields[i++] = bytes_of(field);
		fields[i++] = value_bytes(build->arena, value);
	}
	return settings_build_put(build, name, n, fields, err);
}

struct settings *
settings_new_from_json(json_t *objects, struct err *err)
{
	struct settings_build *build = settings_build_new(NULL);
	struct settings *settings = NULL;
	const char *name;
	json_t *object;

	json_object_foreach(objects, name, object)
	{
		if (put_json(build, name, object, err) < 0)
			goto out;
	}
	settings = settings_build_finish(build, 1);
out:
	settings_build_free(build);
	return settings;
}
