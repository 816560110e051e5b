/*
 * edit_directory.c - recipients and aliases.
 *
 * Whether aliases still lead somewhere is asked of the snapshot that the
 * change would make, by the code that mail is delivered by.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "policy/edit_rows.h"
#include "policy/settings_parts.h"

#define ALIAS_DOMAIN_FIELD "alias_domain"
/* A local part that nobody lists: does the domain itself lead somewhere? */
#define NOBODY "no-such-mailbox-here"

/* ---- recipients ---- */

struct recipient_edit {
	const char *key;
	json_t *options; /* or NULL */
	const char *comment;
};

json_t *
edit_comment_json(const char *comment)
{
	json_t *json = json_object();

	if (comment != NULL && comment[0] != '\0')
		json_object_set_new(json, "comment", json_string(comment));
	return json;
}

static int
prepare_recipient_add(struct edit_work *work, void *context, struct err *err)
{
	const struct recipient_edit *recipient = context;
	const char *local, *domain, *object, *field;
	struct bytes before;
	json_t *json;
	int there;

	edit_split(work->arena, recipient->key, &local, &domain);
	object = arena_printf(work->arena, "domain:%s", domain);
	field = arena_printf(work->arena, "recipient:%s", local);
	if (edit_require_domain(work, "address", domain, err) < 0 ||
	    edit_require_room(work, object, err) < 0)
		return -1;
	there = edit_read(work, object, field, &before, err);
	if (there < 0)
		return -1;
	json = edit_comment_json(recipient->comment);
	/* A comment that is not given is no wish to remove the one there. */
	if (there == 0 || recipient->comment != NULL)
		if (edit_put_json(work, object, field, json, before) ==
		    EDIT_DIFFERS)
			there = 2;
	json_decref(json);
	if (edit_put_options(work,
		(struct edit_target){ domain, recipient->key },
		recipient->options, err) < 0)
		return -1;
	if (there == 2 ||
	    (there == 1 && !work->edit->replace && work->op_count > 0))
		return edit_refuse(work->edit, EDIT_EXISTS, "address", err,
		    "address: %s is listed already, with other settings",
		    recipient->key);
	return 0;
}

int
edit_recipient_add(struct edit *edit, const char *address, json_t *options,
    const char *comment, bool *changed, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct edit_subject subject = { "recipient.add", NULL, NULL };
	struct recipient_edit recipient = { NULL, options, comment };
	int rc;

	rc = edit_take_address(edit, arena, "address", address, &recipient.key,
	    err);
	if (rc == 0 && comment != NULL)
		rc = edit_check_text(edit, "comment", comment, err);
	if (rc == 0) {
		subject.mailbox = recipient.key;
		subject.domain = strrchr(recipient.key, '@') + 1;
		rc = edit_run(edit, &subject, prepare_recipient_add, &recipient,
		    changed, err);
	}
	arena_free(arena);
	return rc;
}

static int
prepare_recipient_remove(struct edit_work *work, void *context, struct err *err)
{
	const struct recipient_edit *recipient = context;
	const char *local, *domain, *object, *field, *mailbox;
	struct edit_fields fields;
	struct bytes before;

	edit_split(work->arena, recipient->key, &local, &domain);
	object = arena_printf(work->arena, "domain:%s", domain);
	field = arena_printf(work->arena, "recipient:%s", local);
	mailbox = arena_printf(work->arena, "mailbox:%s", recipient->key);
	if (edit_read(work, object, field, &before, err) < 0 ||
	    edit_read_all(work, mailbox, &fields, err) < 0)
		return -1;
	edit_unset(work, object, field, before);
	edit_drop(work, mailbox, &fields);
	return 0;
}

int
edit_recipient_remove(struct edit *edit, const char *address, bool *changed,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	struct edit_subject subject = { "recipient.remove", NULL, NULL };
	struct recipient_edit recipient = { NULL, NULL, NULL };
	int rc;

	rc = edit_take_address(edit, arena, "address", address, &recipient.key,
	    err);
	if (rc == 0) {
		subject.mailbox = recipient.key;
		subject.domain = strrchr(recipient.key, '@') + 1;
		rc = edit_run(edit, &subject, prepare_recipient_remove,
		    &recipient, changed, err);
	}
	arena_free(arena);
	return rc;
}

/* ---- aliases: input ---- */

static json_t *
check_domain_alias(struct edit *edit, struct arena *arena, const char *source,
    const json_t *targets, const char **key, struct err *err)
{
	const char *target = json_string_value(json_array_get(targets, 0));
	const char *from, *to;

	if (edit_take_domain(edit, arena, "source", source + 1, &from, err) < 0)
		return NULL;
	if (json_array_size(targets) != 1 || target == NULL ||
	    target[0] != '@') {
		edit_refuse(edit, EDIT_INVALID, "targets", err,
		    "targets: an alias of a whole domain leads to one domain, "
		    "written @example.net");
		return NULL;
	}
	if (edit_take_domain(edit, arena, "targets", target + 1, &to, err) < 0)
		return NULL;
	if (strcmp(from, to) == 0) {
		edit_refuse(edit, EDIT_INVALID, "targets", err,
		    "targets: @%s would lead to itself", from);
		return NULL;
	}
	*key = arena_printf(arena, "@%s", from);
	return json_pack("[s]", arena_printf(arena, "@%s", to));
}

static bool
array_has(const json_t *array, const char *text)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++)
		if (strcmp(json_string_value(json_array_get(array, i)), text) ==
		    0)
			return true;
	return false;
}

static json_t *
check_targets(struct edit *edit, struct arena *arena, const json_t *targets,
    struct err *err)
{
	size_t n = json_array_size(targets), i;
	json_t *checked;
	const char *key;

	if (n == 0 || n > DIRECTORY_FANOUT_MAX) {
		edit_refuse(edit, EDIT_INVALID, "targets", err,
		    "targets: must be 1 to %d addresses", DIRECTORY_FANOUT_MAX);
		return NULL;
	}
	checked = json_array();
	for (i = 0; i < n; i++) {
		if (edit_take_address(edit, arena, "targets",
			json_string_value(json_array_get(targets, i)), &key,
			err) < 0) {
			json_decref(checked);
			return NULL;
		}
		if (!array_has(checked, key))
			json_array_append_new(checked, json_string(key));
	}
	return checked;
}

json_t *
edit_check_alias(struct edit *edit, struct arena *arena, const char *source,
    const json_t *targets, const char **key, struct err *err)
{
	if (source != NULL && source[0] == '@')
		return check_domain_alias(edit, arena, source, targets, key,
		    err);
	if (edit_take_address(edit, arena, "source", source, key, err) < 0)
		return NULL;
	return check_targets(edit, arena, targets, err);
}

const char *
edit_alias_field(struct arena *arena, const char *source_key,
    const char **domain)
{
	const char *local;

	edit_split(arena, source_key, &local, domain);
	if (local[0] == '\0')
		return ALIAS_DOMAIN_FIELD;
	return arena_printf(arena, "alias:%s", local);
}

json_t *
edit_alias_json(const char *source_key, json_t *targets, const char *comment)
{
	json_t *json = edit_comment_json(comment);

	if (source_key[0] == '@')
		json_object_set_new(json, "to",
		    json_string(
			json_string_value(json_array_get(targets, 0)) + 1));
	else
		json_object_set(json, "to", targets);
	return json;
}

/* ---- aliases: where they lead ---- */

struct check {
	struct edit_work *work;
	const struct settings *future;
	struct err *err;
};

static enum directory_answer
resolve(const struct check *check, const struct settings *settings,
    struct arena *arena, const char *key, struct directory_result *result)
{
	const char *delimiter = check->work->edit->delimiter;
	struct address address = { .raw = key, .key = key };

	return directory_resolve(settings, arena, &address,
	    delimiter != NULL ? delimiter : "", result);
}

/* What was broken before is not this change's fault. */
static int
check_address(const struct check *check, const char *key)
{
	struct arena *arena = arena_new(0);
	struct directory_result result;
	int rc = 0;

	if (resolve(check, check->future, arena, key, &result) ==
		DIRECTORY_BROKEN &&
	    resolve(check, check->work->edit->settings, arena, key,
		&(struct directory_result){ 0 }) != DIRECTORY_BROKEN)
		rc = edit_refuse(check->work->edit, EDIT_INVALID, "targets",
		    check->err, "targets: mail for %s would not arrive: %s",
		    key, result.problem);
	arena_free(arena);
	return rc;
}

static int
check_local(const struct check *check, struct bytes local, const char *domain)
{
	return check_address(check,
	    arena_printf(check->work->arena, "%.*s@%s", (int)local.len,
		local.data, domain));
}

/* Every alias that mail for `domain` can meet, as mail for `name`. */
static int
check_locals(const struct check *check, const struct settings_domain *domain,
    const char *name)
{
	const struct directory_entry *entry;
	const struct strmap_slot *slot;
	size_t pos = 0;

	while ((slot = strmap_next(&domain->object->locals, &pos)) != NULL) {
		entry = slot->value;
		if (entry->target_count > 0 &&
		    check_local(check, (struct bytes){ slot->key, slot->len },
			name) < 0)
			return -1;
	}
	return 0;
}

static int
check_domain(const struct check *check, const struct settings_domain *domain)
{
	const struct settings_domain *at = domain;
	const char *next;
	unsigned depth;

	if (check_locals(check, domain, domain->name) < 0)
		return -1;
	if (domain->object->alias_domain == NULL)
		return 0;
	if (check_local(check, BYTES_LIT(NOBODY), domain->name) < 0)
		return -1;
	for (depth = 0; depth < DIRECTORY_DEPTH_MAX; depth++) {
		next = at->object->alias_domain;
		at = next != NULL ? settings_find_domain(check->future, next)
				  : NULL;
		if (at == NULL)
			return 0;
		if (check_locals(check, at, domain->name) < 0)
			return -1;
	}
	return 0;
}

/* Does any alias lead to this address, or a domain alias to its domain? */
static bool
is_pointed_at(const struct settings *settings, const char *key)
{
	const struct settings_object *object;
	const struct directory_entry *entry;
	const struct strmap_slot *slot;
	const char *domain = strrchr(key, '@') + 1;
	size_t i, t, pos;

	for (i = 0; i < settings->domain_count; i++) {
		object = settings->domains[i]->object;
		if (object->alias_domain != NULL &&
		    strcmp(object->alias_domain, domain) == 0)
			return true;
		pos = 0;
		while ((slot = strmap_next(&object->locals, &pos)) != NULL) {
			entry = slot->value;
			/* The domain is enough: a tag may lead to the key. */
			for (t = 0; t < entry->target_count; t++)
				if (strcmp(entry->targets[t], key) != 0 &&
				    strcmp(strrchr(entry->targets[t], '@') + 1,
					domain) == 0)
					return true;
		}
	}
	return false;
}

int
edit_check_aliases(struct edit_work *work, const struct settings *future,
    const char *source_key, struct err *err)
{
	const struct check check = { work, future, err };
	size_t i;

	if (source_key != NULL && source_key[0] != '@') {
		if (check_address(&check, source_key) < 0)
			return -1;
		if (!is_pointed_at(future, source_key))
			return 0;
	}
	for (i = 0; i < future->domain_count; i++)
		if (check_domain(&check, future->domains[i]) < 0)
			return -1;
	return 0;
}

int
edit_check_targets(struct edit_work *work, const struct settings *future,
    const char *source_key, const json_t *targets, struct err *err)
{
	const struct check check = { work, future, err };
	struct directory_result result;
	const char *target;
	size_t i;

	for (i = 0; i < json_array_size(targets); i++) {
		target = json_string_value(json_array_get(targets, i));
		if (target[0] == '@') {
			if (!settings_has_domain(future, target + 1))
				return edit_refuse(work->edit, EDIT_NOT_FOUND,
				    "targets", err,
				    "targets: there is no domain %s",
				    target + 1);
		} else if (strcmp(target, source_key) != 0 &&
		    resolve(&check, future, work->arena, target, &result) ==
			DIRECTORY_UNKNOWN) {
			return edit_refuse(work->edit, EDIT_NOT_FOUND,
			    "targets", err, "targets: there is no recipient %s",
			    target);
		}
	}
	return 0;
}

/* ---- aliases: edits ---- */

struct alias_edit {
	const char *source;
	json_t *targets;
	const char *comment;
};

static int
put_alias(struct edit_work *work, const struct alias_edit *alias,
    const char *key, json_t *targets, struct err *err)
{
	const char *domain, *object, *field;
	enum edit_outcome outcome;
	struct bytes before;
	json_t *json;

	field = edit_alias_field(work->arena, key, &domain);
	object = arena_printf(work->arena, "domain:%s", domain);
	if (edit_require_domain(work, "source", domain, err) < 0 ||
	    edit_require_room(work, object, err) < 0 ||
	    edit_read(work, object, field, &before, err) < 0)
		return -1;
	json = edit_alias_json(key, targets, alias->comment);
	outcome = edit_put_json(work, object, field, json, before);
	json_decref(json);
	if (outcome == EDIT_DIFFERS)
		return edit_refuse(work->edit, EDIT_EXISTS, "source", err,
		    "source: %s is an alias already, with other targets", key);
	return 0;
}

static int
check_alias_edit(struct edit_work *work, const char *key, const json_t *targets,
    struct err *err)
{
	struct settings *future;
	int rc;

	if (work->op_count == 0)
		return 0;
	future = edit_would_be(work, err);
	if (future == NULL)
		return -1;
	rc = edit_check_targets(work, future, key, targets, err);
	if (rc == 0)
		rc = edit_check_aliases(work, future, key, err);
	settings_unref(future);
	return rc;
}

static int
prepare_alias_add(struct edit_work *work, void *context, struct err *err)
{
	const struct alias_edit *alias = context;
	const char *key;
	json_t *targets;
	int rc;

	targets = edit_check_alias(work->edit, work->arena, alias->source,
	    alias->targets, &key, err);
	if (targets == NULL)
		return -1;
	rc = put_alias(work, alias, key, targets, err);
	if (rc == 0)
		rc = check_alias_edit(work, key, targets, err);
	json_decref(targets);
	return rc;
}

static const char *
domain_of_source(struct arena *arena, const char *source)
{
	const char *at = source != NULL ? strrchr(source, '@') : NULL;
	const char *domain;

	if (at == NULL ||
	    domain_normalize(arena, bytes_trim(bytes_of(at + 1)), &domain,
		NULL) < 0)
		return NULL;
	return domain;
}

int
edit_alias_add(struct edit *edit, const char *source, json_t *targets,
    const char *comment, bool *changed, struct err *err)
{
	struct arena *arena = arena_new(0);
	const struct edit_subject subject = { "alias.add",
		domain_of_source(arena, source), NULL };
	struct alias_edit alias = { source, targets, comment };
	int rc = 0;

	if (comment != NULL)
		rc = edit_check_text(edit, "comment", comment, err);
	if (rc == 0)
		rc = edit_run(edit, &subject, prepare_alias_add, &alias,
		    changed, err);
	arena_free(arena);
	return rc;
}

static int
prepare_alias_remove(struct edit_work *work, void *context, struct err *err)
{
	const struct alias_edit *alias = context;
	const char *key, *domain, *object, *field;
	struct bytes before;

	if (alias->source != NULL && alias->source[0] == '@') {
		if (edit_take_domain(work->edit, work->arena, "source",
			alias->source + 1, &domain, err) < 0)
			return -1;
		key = arena_printf(work->arena, "@%s", domain);
	} else if (edit_take_address(work->edit, work->arena, "source",
		       alias->source, &key, err) < 0) {
		return -1;
	}
	field = edit_alias_field(work->arena, key, &domain);
	object = arena_printf(work->arena, "domain:%s", domain);
	if (edit_read(work, object, field, &before, err) < 0)
		return -1;
	edit_unset(work, object, field, before);
	return 0;
}

int
edit_alias_remove(struct edit *edit, const char *source, bool *changed,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	const struct edit_subject subject = { "alias.remove",
		domain_of_source(arena, source), NULL };
	struct alias_edit alias = { source, NULL, NULL };
	int rc;

	rc = edit_run(edit, &subject, prepare_alias_remove, &alias, changed,
	    err);
	arena_free(arena);
	return rc;
}
