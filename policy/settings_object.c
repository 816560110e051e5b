/*
 * settings_object.c - reads an object as the store has it.
 *
 * Each field is one row, named by a prefix; a table says who reads it.
 * What is not known is passed over: a newer program of the same
 * installation may have written it.  What is known and wrong is an error,
 * for settings must not be guessed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "policy/settings_parts.h"

/* What is gathered while fields are read. */
struct reading {
	struct settings_object *object;
	enum list_level level;
	/* by row of the option table, NULL when not set */
	const char **options;
	struct policy scratch; /* where option texts are tried */
};

static struct bytes
rest_of(struct bytes bytes, size_t n)
{
	return (struct bytes){ bytes.data + n, bytes.len - n };
}

static const char *
keep(const struct reading *reading, struct bytes text)
{
	return arena_memdup(reading->object->arena, text.data, text.len);
}

static json_t *
parse_json(struct bytes value, json_type type, struct err *err)
{
	json_error_t why;
	json_t *json = json_loadb(value.data != NULL ? value.data : "",
	    value.len, JSON_REJECT_DUPLICATES, &why);

	if (json == NULL) {
		err_set(err, ERR_INPUT, "not JSON: %s", why.text);
		return NULL;
	}
	if (json_typeof(json) != type) {
		json_decref(json);
		err_set(err, ERR_INPUT, "not of the right JSON type");
		return NULL;
	}
	return json;
}

/* ---- options ---- */

static int
read_option(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	const char *text = keep(reading, name);
	const struct option *option =
	    option_find(policy_options, policy_option_count, text);

	if (option == NULL)
		return 0;
	if (memchr(value.data != NULL ? value.data : "", '\0', value.len))
		return err_set(err, ERR_INPUT, "holds a NUL");
	if (option_set(option, &reading->scratch, value, err) < 0)
		return -1;
	reading->options[option - policy_options] = keep(reading, value);
	return 0;
}

static void
finish_options(struct reading *reading)
{
	struct settings_object *object = reading->object;
	struct policy_setting *settings;
	size_t i, n = 0;

	for (i = 0; i < policy_option_count; i++)
		n += reading->options[i] != NULL;
	settings = arena_calloc(object->arena, n, sizeof(*settings));
	object->options = settings;
	for (i = 0; i < policy_option_count; i++)
		if (reading->options[i] != NULL) {
			settings->option = &policy_options[i];
			settings->text = reading->options[i];
			settings++;
		}
	object->option_count = n;
}

/* ---- list rows ---- */

static int
take_word(struct bytes *text, const char *const *words, size_t n)
{
	const char *colon = memchr(text->data, ':', text->len);
	struct bytes word = { text->data, 0 };
	size_t i;

	if (colon == NULL)
		return -1;
	word.len = (size_t)(colon - text->data);
	for (i = 0; i < n; i++)
		if (bytes_equal(word, bytes_of(words[i]))) {
			*text = rest_of(*text, word.len + 1);
			return (int)i;
		}
	return -1;
}

static const char *
json_text(const struct reading *reading, const json_t *row, const char *name)
{
	const json_t *value = json_object_get(row, name);

	if (!json_is_string(value))
		return "";
	return arena_strdup(reading->object->arena, json_string_value(value));
}

static int
read_row_json(const struct reading *reading, const json_t *json,
    struct list_row *row, struct err *err)
{
	const json_t *action = json_object_get(json, "action");

	row->action = -1;
	if (action != NULL && !json_is_null(action)) {
		if (!json_is_string(action))
			return err_set(err, ERR_INPUT, "action: not a word");
		row->action = action_parse(bytes_of(json_string_value(action)));
		if (row->action < 0)
			return err_set(err, ERR_INPUT,
			    "action: there is no action '%s'",
			    json_string_value(action));
	}
	row->unauthenticated =
	    json_is_true(json_object_get(json, "unauthenticated"));
	row->lifts_dmarc = json_is_true(json_object_get(json, "lifts_dmarc"));
	row->expires_s = json_integer_value(json_object_get(json, "expires_s"));
	row->added_s = json_integer_value(json_object_get(json, "added_s"));
	row->comment = json_text(reading, json, "comment");
	row->added_by = json_text(reading, json, "added_by");
	row->added_from = json_text(reading, json, "added_from");
	return 0;
}

static int
read_list(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	struct settings_object *object = reading->object;
	struct list_row *row = arena_calloc(object->arena, 1, sizeof(*row));
	int side = take_word(&name, list_side_words, LIST_SIDE_COUNT);
	int kind = take_word(&name, list_kind_words, LIST_KIND_COUNT);
	json_t *json;
	int rc;

	if (side < 0 || kind < 0 || name.len == 0)
		return err_set(err, ERR_INPUT,
		    "must be list:SIDE:KIND:PATTERN");
	json = parse_json(value, JSON_OBJECT, err);
	if (json == NULL)
		return -1;
	rc = read_row_json(reading, json, row, err);
	json_decref(json);
	if (rc < 0)
		return -1;
	row->level = reading->level;
	row->side = (enum list_side)side;
	row->kind = (enum list_kind)kind;
	row->pattern = keep(reading, name);
	if (object->lists == NULL) {
		object->lists =
		    arena_alloc(object->arena, sizeof(*object->lists));
		lists_init(object->lists);
	}
	return lists_add(object->lists, object->arena, row, err);
}

/* ---- directory ---- */

static struct directory_entry *
entry_of(struct reading *reading, struct bytes local)
{
	struct settings_object *object = reading->object;
	void **slot;

	local.data = keep(reading, local);
	slot = strmap_put(&object->locals, local);
	if (*slot == NULL)
		*slot = arena_calloc(object->arena, 1,
		    sizeof(struct directory_entry));
	return *slot;
}

/* What else is kept about a recipient is for lists of them only. */
static int
read_recipient(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	(void)value;
	(void)err;
	entry_of(reading, name)->listed = true;
	return 0;
}

static int
read_targets(struct reading *reading, const json_t *to,
    struct directory_entry *entry, struct err *err)
{
	size_t n = json_array_size(to), i;
	const char *target;

	if (n == 0 || n > DIRECTORY_FANOUT_MAX)
		return err_set(err, ERR_INPUT, "to: must be 1 to %d addresses",
		    DIRECTORY_FANOUT_MAX);
	entry->targets =
	    arena_calloc(reading->object->arena, n, sizeof(*entry->targets));
	for (i = 0; i < n; i++) {
		target = json_string_value(json_array_get(to, i));
		if (target == NULL || strchr(target, '@') == NULL)
			return err_set(err, ERR_INPUT, "to: not an address");
		entry->targets[i] =
		    arena_strdup(reading->object->arena, target);
	}
	entry->target_count = n;
	return 0;
}

static int
read_alias(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	json_t *json = parse_json(value, JSON_OBJECT, err);
	int rc;

	if (json == NULL)
		return -1;
	rc = read_targets(reading, json_object_get(json, "to"),
	    entry_of(reading, name), err);
	json_decref(json);
	return rc;
}

static int
read_alias_domain(struct reading *reading, struct bytes name,
    struct bytes value, struct err *err)
{
	json_t *json = parse_json(value, JSON_OBJECT, err);

	(void)name;
	if (json == NULL)
		return -1;
	reading->object->alias_domain = json_text(reading, json, "to");
	json_decref(json);
	if (reading->object->alias_domain[0] == '\0')
		return err_set(err, ERR_INPUT, "to: not a domain");
	return 0;
}

static int
compare_routes(const void *a, const void *b)
{
	const struct directory_route *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->host, y->host);
}

static int
read_route(struct reading *reading, const json_t *json,
    struct directory_route *route, struct err *err)
{
	json_int_t port = json_integer_value(json_object_get(json, "port"));
	json_int_t priority =
	    json_integer_value(json_object_get(json, "priority"));

	route->host = json_text(reading, json, "host");
	if (route->host[0] == '\0')
		return err_set(err, ERR_INPUT, "host: not a name");
	if (port < 1 || port > 65535)
		return err_set(err, ERR_INPUT, "port: must be 1 to 65535");
	if (priority < 0 || priority > 65535)
		return err_set(err, ERR_INPUT, "priority: must be 0 to 65535");
	route->port = (unsigned)port;
	route->priority = (unsigned)priority;
	route->lookup_mx = json_is_true(json_object_get(json, "lookup_mx"));
	return 0;
}

static int
read_routes(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	struct settings_object *object = reading->object;
	json_t *json = parse_json(value, JSON_ARRAY, err);
	size_t i;
	int rc = -1;

	(void)name;
	if (json == NULL)
		return -1;
	object->route_count = json_array_size(json);
	object->routes = arena_calloc(object->arena, object->route_count,
	    sizeof(*object->routes));
	for (i = 0; i < object->route_count; i++)
		if (read_route(reading, json_array_get(json, i),
			&object->routes[i], err) < 0)
			goto out;
	qsort(object->routes, object->route_count, sizeof(*object->routes),
	    compare_routes);
	rc = 0;
out:
	json_decref(json);
	return rc;
}

/* ---- the object ---- */

#define AT_SYSTEM (1u << LIST_SYSTEM)
#define AT_DOMAIN (1u << LIST_DOMAIN)
#define AT_MAILBOX (1u << LIST_MAILBOX)

static const struct {
	const char *prefix;
	unsigned levels;
	bool whole; /* the prefix is the whole name */
	int (*read)(struct reading *reading, struct bytes name,
	    struct bytes value, struct err *err);
} readers[] = {
	{ "recipient:", AT_DOMAIN, false, read_recipient },
	{ "option:", AT_SYSTEM | AT_DOMAIN | AT_MAILBOX, false, read_option },
	{ "list:", AT_SYSTEM | AT_DOMAIN | AT_MAILBOX, false, read_list },
	{ "alias:", AT_DOMAIN, false, read_alias },
	{ "alias_domain", AT_DOMAIN, true, read_alias_domain },
	{ "routes", AT_DOMAIN, true, read_routes },
};

static int
read_field(struct reading *reading, struct bytes name, struct bytes value,
    struct err *err)
{
	size_t i, len;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		len = strlen(readers[i].prefix);
		if (name.len < len || (readers[i].whole && name.len != len) ||
		    memcmp(name.data, readers[i].prefix, len) != 0 ||
		    !(readers[i].levels & (1u << reading->level)))
			continue;
		return readers[i].read(reading, rest_of(name, len), value, err);
	}
	return 0;
}

static enum list_level
level_of(const char *name)
{
	if (strncmp(name, "domain:", 7) == 0)
		return LIST_DOMAIN;
	if (strncmp(name, "mailbox:", 8) == 0)
		return LIST_MAILBOX;
	assert(strcmp(name, "system") == 0);
	return LIST_SYSTEM;
}

/* A guess at what the object will take, so that one block mostly does. */
static size_t
arena_size(size_t n, const struct bytes *fields)
{
	size_t size = 256, i;

	for (i = 0; i < 2 * n; i++)
		size += fields[i].len + 16;
	return size;
}

static int
read_fields(struct reading *reading, size_t n, const struct bytes *fields,
    struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (read_field(reading, fields[2 * i], fields[2 * i + 1], err) <
		    0)
			return err_prefix(err, "field %.*s",
			    (int)(fields[2 * i].len < 100 ? fields[2 * i].len
							  : 100),
			    fields[2 * i].data);
	finish_options(reading);
	return 0;
}

struct settings_object *
settings_object_new(const char *name, size_t n, const struct bytes *fields,
    struct err *err)
{
	struct settings_object *object = xcalloc(1, sizeof(*object));
	struct reading reading = { .object = object, .level = level_of(name) };
	int rc;

	atomic_init(&object->refs, 1);
	object->arena = arena_new(arena_size(n, fields));
	object->name = arena_strdup(object->arena, name);
	strmap_init(&object->locals);
	reading.options = xcalloc(policy_option_count, sizeof(char *));
	rc = read_fields(&reading, n, fields, err);
	option_free_all(policy_options, policy_option_count, &reading.scratch);
	free(reading.options);
	if (rc < 0) {
		settings_object_unref(object);
		return NULL;
	}
	return object;
}

struct settings_object *
settings_object_ref(struct settings_object *object)
{
	if (object != NULL)
		atomic_fetch_add_explicit(&object->refs, 1,
		    memory_order_relaxed);
	return object;
}

void
settings_object_unref(struct settings_object *object)
{
	if (object == NULL ||
	    atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) >
		1)
		return;
	if (object->lists != NULL)
		lists_free(object->lists);
	strmap_free(&object->locals);
	arena_free(object->arena);
	free(object);
}
