/*
 * settings_edit.c - domains, options and routes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/netaddr.h"
#include "base/str.h"
#include "mail/address.h"
#include "policy/edit_rows.h"
#include "policy/settings_parts.h"

#define OPTION_JSON_MAX 4096
#define PORT_DEFAULT 25
#define PRIORITY_DEFAULT 10
#define MAKE_FIELD "made"

/* ---- options ---- */

/* JSON as the text that option_set reads; false: no such thing. */
static bool
option_text(const json_t *value, struct buf *out)
{
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return buf_append(out, json_string_value(value),
			   json_string_length(value)) == 0;
	case JSON_TRUE:
		return buf_append_str(out, "yes") == 0;
	case JSON_FALSE:
		return buf_append_str(out, "no") == 0;
	case JSON_INTEGER:
		return buf_printf(out, "%" JSON_INTEGER_FORMAT,
			   json_integer_value(value)) == 0;
	case JSON_REAL:
		return buf_printf(out, "%.3f", json_real_value(value)) == 0;
	case JSON_ARRAY:
		for (i = 0; i < json_array_size(value); i++) {
			const json_t *item = json_array_get(value, i);

			if (!json_is_string(item) ||
			    buf_printf(out, "%s%s", i > 0 ? ", " : "",
				json_string_value(item)) < 0)
				return false;
		}
		return true;
	default:
		return false;
	}
}

static int
refuse_unknown(struct edit *edit, const char *name, struct err *err)
{
	const struct option *guess =
	    option_guess(policy_options, policy_option_count, name);

	if (guess != NULL)
		return edit_refuse(edit, EDIT_INVALID, "options", err,
		    "options: there is no option %s; did you mean %s?", name,
		    guess->name);
	return edit_refuse(edit, EDIT_INVALID, "options", err,
	    "options: there is no option %s", name);
}

static enum list_level
level_of(struct edit_target target)
{
	if (target.mailbox != NULL)
		return LIST_MAILBOX;
	return target.domain != NULL ? LIST_DOMAIN : LIST_SYSTEM;
}

/* The one way to write a value, which is what is stored. */
static const char *
canonical(struct arena *arena, const struct option *option, struct bytes text,
    struct err *err)
{
	struct policy scratch;
	const char *copy = NULL;
	struct buf out;

	memset(&scratch, 0, sizeof(scratch));
	buf_init(&out, SIZE_MAX / 2);
	if (option_set(option, &scratch, text, err) == 0 &&
	    option_format(option, &scratch, &out) == 0)
		copy = arena_strdup(arena, buf_str(&out));
	option_free_all(policy_options, policy_option_count, &scratch);
	buf_free(&out);
	return copy;
}

int
edit_check_option(struct edit *edit, struct arena *arena,
    struct edit_target target, const char *name, const json_t *value,
    const struct option **option, const char **text, struct err *err)
{
	static const unsigned levels[] = { POLICY_LEVEL_SYSTEM,
		POLICY_LEVEL_DOMAIN, POLICY_LEVEL_MAILBOX };
	enum list_level level = level_of(target);
	struct buf buf;
	bool readable;

	*option = option_find(policy_options, policy_option_count, name);
	if (*option == NULL)
		return refuse_unknown(edit, name, err);
	if (!(policy_option_levels(name) & levels[level]))
		return edit_refuse(edit, EDIT_INVALID, (*option)->name, err,
		    "%s: cannot be set for a %s", name,
		    list_level_words[level]);
	*text = NULL;
	if (json_is_null(value))
		return 0;
	buf_init(&buf, OPTION_JSON_MAX);
	readable = option_text(value, &buf);
	if (readable)
		*text = canonical(arena, *option, buf_bytes(&buf), err);
	buf_free(&buf);
	if (!readable)
		return edit_refuse(edit, EDIT_INVALID, (*option)->name, err,
		    "%s: must be text of at most %d octets", name,
		    OPTION_JSON_MAX);
	if (*text == NULL) {
		edit->problem = EDIT_INVALID;
		edit->field = (*option)->name;
		return -1;
	}
	return 0;
}

int
edit_put_options(struct edit_work *work, struct edit_target target,
    json_t *options, struct err *err)
{
	const char *object = edit_object_of(work->arena, target);
	const struct option *option;
	const char *name, *text, *field;
	struct bytes before;
	json_t *value;

	json_object_foreach(options, name, value)
	{
		if (edit_check_option(work->edit, work->arena, target, name,
			value, &option, &text, err) < 0)
			return -1;
		field = arena_printf(work->arena, "option:%s", option->name);
		if (edit_read(work, object, field, &before, err) < 0)
			return -1;
		if (text == NULL)
			edit_unset(work, object, field, before);
		else
			edit_set(work, object, field, before, bytes_of(text));
	}
	return 0;
}

struct options_edit {
	struct edit_target target;
	json_t *options;
};

static int
prepare_options(struct edit_work *work, void *context, struct err *err)
{
	const struct options_edit *options_edit = context;

	if (!json_is_object(options_edit->options))
		return edit_refuse(work->edit, EDIT_INVALID, "options", err,
		    "options: must be names with their values");
	if (edit_require_target(work, options_edit->target, err) < 0)
		return -1;
	return edit_put_options(work, options_edit->target,
	    options_edit->options, err);
}

int
edit_options(struct edit *edit, struct edit_target target, json_t *options,
    bool *changed, struct err *err)
{
	const struct edit_subject subject = { "option.set", target.domain,
		target.mailbox };
	struct options_edit options_edit = { target, options };

	return edit_run(edit, &subject, prepare_options, &options_edit, changed,
	    err);
}

/* ---- domains ---- */

struct domain_edit {
	const char *domain; /* key form */
	json_t *options;    /* or NULL */
};

static int
prepare_domain_add(struct edit_work *work, void *context, struct err *err)
{
	const struct domain_edit *domain_edit = context;
	struct edit_target target = { domain_edit->domain, NULL };
	const char *object = edit_object_of(work->arena, target);
	json_t *made = json_object();
	struct bytes before;
	int rc;

	rc = edit_read(work, object, MAKE_FIELD, &before, err);
	if (rc >= 0)
		edit_put_json(work, object, MAKE_FIELD, made, before);
	json_decref(made);
	if (rc < 0 ||
	    edit_put_options(work, target, domain_edit->options, err) < 0)
		return -1;
	if (rc == 1 && !work->edit->replace && work->op_count > 0)
		return edit_refuse(work->edit, EDIT_EXISTS, "domain", err,
		    "domain: %s is there already, with other settings",
		    domain_edit->domain);
	return 0;
}

int
edit_domain_add(struct edit *edit, const char *domain, json_t *options,
    bool *changed, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct edit_subject subject = { "domain.add", NULL, NULL };
	struct domain_edit domain_edit = { NULL, options };
	int rc;

	rc = edit_take_domain(edit, arena, "domain", domain,
	    &domain_edit.domain, err);
	subject.domain = domain_edit.domain;
	if (rc == 0)
		rc = edit_run(edit, &subject, prepare_domain_add, &domain_edit,
		    changed, err);
	arena_free(arena);
	return rc;
}

/* An alias of another domain that leads into this one, or NULL. */
static const char *
find_pointer(struct edit_work *work, const struct settings *settings,
    const char *domain)
{
	const struct settings_domain *other;
	const struct directory_entry *entry;
	const struct strmap_slot *slot;
	size_t i, t, pos;

	for (i = 0; i < settings->domain_count; i++) {
		other = settings->domains[i];
		if (strcmp(other->name, domain) == 0)
			continue;
		if (other->object->alias_domain != NULL &&
		    strcmp(other->object->alias_domain, domain) == 0)
			return arena_printf(work->arena, "@%s", other->name);
		pos = 0;
		while ((slot = strmap_next(&other->object->locals, &pos)) !=
		    NULL) {
			entry = slot->value;
			for (t = 0; t < entry->target_count; t++)
				if (strcmp(strrchr(entry->targets[t], '@') + 1,
					domain) == 0)
					return arena_printf(work->arena,
					    "%.*s@%s", (int)slot->len,
					    slot->key, other->name);
		}
	}
	return NULL;
}

static int
prepare_domain_remove(struct edit_work *work, void *context, struct err *err)
{
	const struct domain_edit *domain_edit = context;
	struct edit_target target = { domain_edit->domain, NULL };
	const char *object = edit_object_of(work->arena, target), *pointer;
	struct edit_fields fields, mailboxes;
	struct settings *settings;
	size_t i;

	if (edit_read_all(work, object, &fields, err) < 0)
		return -1;
	if (fields.count == 0)
		return 0;
	settings = edit_snapshot(work, err);
	if (settings == NULL)
		return -1;
	pointer = find_pointer(work, settings, domain_edit->domain);
	if (pointer != NULL)
		return edit_refuse(work->edit, EDIT_IN_USE, "domain", err,
		    "domain: the alias %s points to %s; remove it first",
		    pointer, domain_edit->domain);
	if (edit_read_mailboxes(work, domain_edit->domain, &mailboxes, err) < 0)
		return -1;
	edit_drop(work, object, &fields);
	for (i = 0; i < mailboxes.count; i++)
		edit_drop(work, mailboxes.names[i].data, NULL);
	return 0;
}

int
edit_domain_remove(struct edit *edit, const char *domain, bool *changed,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	struct edit_subject subject = { "domain.remove", NULL, NULL };
	struct domain_edit domain_edit = { NULL, NULL };
	int rc;

	rc = edit_take_domain(edit, arena, "domain", domain,
	    &domain_edit.domain, err);
	subject.domain = domain_edit.domain;
	if (rc == 0)
		rc = edit_run(edit, &subject, prepare_domain_remove,
		    &domain_edit, changed, err);
	arena_free(arena);
	return rc;
}

/* ---- routes ---- */

/* A name, or an address with or without brackets: stored without. */
static int
take_host(struct edit *edit, struct arena *arena, const json_t *route,
    const char **host, bool *is_address, struct err *err)
{
	const char *text = json_string_value(json_object_get(route, "host"));
	struct bytes bytes = bytes_trim(bytes_of(text != NULL ? text : ""));
	char out[IP_TEXT_SIZE];
	struct ip ip;

	if (bytes.len > 2 && bytes.data[0] == '[' &&
	    bytes.data[bytes.len - 1] == ']') {
		bytes.data++;
		bytes.len -= 2;
	}
	*is_address = ip_parse(bytes, &ip) == 0;
	if (*is_address) {
		ip_format(&ip, out);
		*host = arena_strdup(arena, out);
		return 0;
	}
	return edit_take_domain(edit, arena, "host",
	    arena_memdup(arena, bytes.data, bytes.len), host, err);
}

/* A number within 0..most, as a number or as text; absent: preset. */
static int
take_number(struct edit *edit, const json_t *route, const char *field,
    uint64_t least, uint64_t most, uint64_t preset, uint64_t *out,
    struct err *err)
{
	const json_t *value = json_object_get(route, field);
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	*out = preset;
	if (value == NULL || json_is_null(value) ||
	    (text != NULL && text[0] == '\0'))
		return 0;
	if (json_is_integer(value) && number >= (json_int_t)least &&
	    number <= (json_int_t)most) {
		*out = (uint64_t)number;
		return 0;
	}
	if (text != NULL && parse_u64(bytes_of(text), least, most, out) == 0)
		return 0;
	return edit_refuse(edit, EDIT_INVALID, field, err,
	    "%s: must be %u to %u", field, (unsigned)least, (unsigned)most);
}

static json_t *
check_route(struct edit *edit, struct arena *arena, const json_t *route,
    struct err *err)
{
	bool is_address, lookup_mx;
	uint64_t port, priority;
	const char *host;

	if (!json_is_object(route)) {
		edit_refuse(edit, EDIT_INVALID, "routes", err,
		    "routes: each must have a host");
		return NULL;
	}
	if (take_host(edit, arena, route, &host, &is_address, err) < 0 ||
	    take_number(edit, route, "port", 1, 65535, PORT_DEFAULT, &port,
		err) < 0 ||
	    take_number(edit, route, "priority", 0, 65535, PRIORITY_DEFAULT,
		&priority, err) < 0 ||
	    edit_take_bool(edit, route, "lookup_mx", &lookup_mx, err) < 0)
		return NULL;
	if (is_address && lookup_mx) {
		edit_refuse(edit, EDIT_INVALID, "lookup_mx", err,
		    "lookup_mx: an address has no MX records");
		return NULL;
	}
	return json_pack("{s:s, s:I, s:I, s:b}", "host", host, "port",
	    (json_int_t)port, "priority", (json_int_t)priority, "lookup_mx",
	    lookup_mx);
}

static bool
is_same_server(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "host"),
		   json_object_get(b, "host")) &&
	    json_equal(json_object_get(a, "port"), json_object_get(b, "port"));
}

json_t *
edit_check_routes(struct edit *edit, struct arena *arena, json_t *routes,
    struct err *err)
{
	json_t *checked, *route;
	size_t i, n;

	if (!json_is_array(routes) ||
	    json_array_size(routes) > EDIT_ROUTES_MAX) {
		edit_refuse(edit, EDIT_INVALID, "routes", err,
		    "routes: must be a list of at most %d servers",
		    EDIT_ROUTES_MAX);
		return NULL;
	}
	checked = json_array();
	for (i = 0; i < json_array_size(routes); i++) {
		edit->row = i + 1;
		route =
		    check_route(edit, arena, json_array_get(routes, i), err);
		if (route == NULL)
			goto fail;
		json_array_append_new(checked, route);
		for (n = 0; n < i; n++)
			if (is_same_server(route, json_array_get(checked, n))) {
				edit_refuse(edit, EDIT_INVALID, "host", err,
				    "host: %s is listed twice with this port",
				    json_string_value(
					json_object_get(route, "host")));
				goto fail;
			}
	}
	edit->row = 0;
	return checked;
fail:
	json_decref(checked);
	return NULL;
}

struct routes_edit {
	const char *domain;
	json_t *routes;
};

static int
prepare_routes(struct edit_work *work, void *context, struct err *err)
{
	const struct routes_edit *routes_edit = context;
	const char *object =
	    arena_printf(work->arena, "domain:%s", routes_edit->domain);
	struct bytes before;
	json_t *routes;

	routes = edit_check_routes(work->edit, work->arena, routes_edit->routes,
	    err);
	if (routes == NULL)
		return -1;
	if (edit_require_domain(work, "domain", routes_edit->domain, err) < 0 ||
	    edit_read(work, object, "routes", &before, err) < 0) {
		json_decref(routes);
		return -1;
	}
	if (json_array_size(routes) == 0)
		edit_unset(work, object, "routes", before);
	else
		edit_set(work, object, "routes", before,
		    edit_json_bytes(work->arena, routes));
	json_decref(routes);
	return 0;
}

int
edit_routes(struct edit *edit, const char *domain, json_t *routes,
    bool *changed, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct edit_subject subject = { "routes.set", NULL, NULL };
	struct routes_edit routes_edit = { NULL, routes };
	int rc;

	rc = edit_take_domain(edit, arena, "domain", domain,
	    &routes_edit.domain, err);
	subject.domain = routes_edit.domain;
	if (rc == 0)
		rc = edit_run(edit, &subject, prepare_routes, &routes_edit,
		    changed, err);
	arena_free(arena);
	return rc;
}
