/*
 * settings_show_store.c - settings as JSON: recipients, aliases and the
 * audit out of the store, which has more of them than a snapshot keeps.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/store.h"
#include "base/str.h"
#include "policy/settings_keys.h"
#include "policy/settings_show.h"

#define RECIPIENT_PREFIX "recipient:"
#define ALIAS_PREFIX "alias:"
#define ALIAS_DOMAIN "alias_domain"
/* Entries asked for at once, when only some of them are wanted. */
#define AUDIT_BATCH 500
/* Entries looked at for one answer. */
#define AUDIT_SCAN_MAX 20000

/* ---- fields of a domain ---- */

struct field {
	const char *name; /* behind the prefix */
	struct bytes value;
};

struct fields {
	struct arena *arena;
	struct store_reply *reply;
	size_t count;
	struct field *items;
};

static void
fields_free(struct fields *fields)
{
	store_reply_free(fields->reply);
	arena_free(fields->arena);
}

static int
compare_fields(const void *a, const void *b)
{
	const struct field *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* All fields with this prefix, sorted.  0, or -1 and nothing to free. */
static int
read_fields(struct store *store, const char *domain, const char *prefix,
    struct fields *fields, struct err *err)
{
	size_t len = strlen(prefix), i;
	struct bytes name;

	fields->arena = arena_new(0);
	fields->count = 0;
	if (store_runf(store, SETTINGS_KEY_GENERATION, &fields->reply, err,
		"HGETALL " SETTINGS_KEY_PREFIX "domain:%s", domain) < 0) {
		arena_free(fields->arena);
		return -1;
	}
	fields->items = arena_calloc(fields->arena,
	    fields->reply->count / 2 + 1, sizeof(*fields->items));
	for (i = 0; i + 1 < fields->reply->count; i += 2) {
		name = fields->reply->items[i].text;
		if (name.len < len || memcmp(name.data, prefix, len) != 0)
			continue;
		fields->items[fields->count].name = name.data + len;
		fields->items[fields->count++].value =
		    fields->reply->items[i + 1].text;
	}
	qsort(fields->items, fields->count, sizeof(*fields->items),
	    compare_fields);
	return 0;
}

/* Where the part behind `after` begins. */
static size_t
start_of(const struct fields *fields, const char *after)
{
	size_t i = 0;

	while (after != NULL && i < fields->count &&
	    strcmp(fields->items[i].name, after) <= 0)
		i++;
	return i;
}

static size_t
end_of(const struct fields *fields, size_t start, size_t limit)
{
	if (limit == 0 || limit > fields->count - start)
		return fields->count;
	return start + limit;
}

static json_t *
next_of(const struct fields *fields, size_t end)
{
	if (end == fields->count || end == 0)
		return json_null();
	return json_string(fields->items[end - 1].name);
}

static json_t *
parse_value(struct bytes value)
{
	json_t *json = json_loadb(value.data, value.len, 0, NULL);

	if (json_is_object(json))
		return json;
	json_decref(json);
	return json_object();
}

/* comment, added_by and added of a stored value. */
static void
add_origin(json_t *item, const json_t *stored)
{
	const char *comment =
	    json_string_value(json_object_get(stored, "comment"));
	const char *by = json_string_value(json_object_get(stored, "added_by"));
	json_int_t added_s =
	    json_integer_value(json_object_get(stored, "added_s"));

	json_object_set_new(item, "comment",
	    json_string(comment != NULL ? comment : ""));
	json_object_set_new(item, "added_by",
	    json_string(by != NULL ? by : ""));
	json_object_set_new(item, "added",
	    added_s > 0 ? json_integer(added_s * 1000) : json_null());
}

/* ---- recipients ---- */

static json_t *
recipient_json(const struct settings *settings, struct arena *arena,
    const char *local, const char *domain, struct bytes value)
{
	const char *key = arena_printf(arena, "%s@%s", local, domain);
	json_t *stored = parse_value(value), *options;
	json_t *item = json_pack("{s:s}", "address", show_address(arena, key));

	add_origin(item, stored);
	json_decref(stored);
	options = show_options(settings, (struct edit_target){ NULL, key });
	json_object_set(item, "options", json_object_get(options, "options"));
	json_decref(options);
	return item;
}

json_t *
show_recipients(struct store *store, const struct settings *settings,
    const char *domain, const char *after, size_t limit, struct err *err)
{
	json_t *array, *next;
	struct fields fields;
	size_t i, end;

	if (read_fields(store, domain, RECIPIENT_PREFIX, &fields, err) < 0)
		return NULL;
	array = json_array();
	i = start_of(&fields, after);
	end = end_of(&fields, i, limit);
	next = next_of(&fields, end);
	for (; i < end; i++)
		json_array_append_new(array,
		    recipient_json(settings, fields.arena, fields.items[i].name,
			domain, fields.items[i].value));
	fields_free(&fields);
	return json_pack("{s:o, s:o}", "recipients", array, "next", next);
}

/* ---- aliases ---- */

static json_t *
targets_json(struct arena *arena, const json_t *to)
{
	json_t *targets = json_array();
	const char *key;
	size_t i;

	for (i = 0; i < json_array_size(to); i++) {
		key = json_string_value(json_array_get(to, i));
		if (key != NULL)
			json_array_append_new(targets,
			    json_string(show_address(arena, key)));
	}
	return targets;
}

static json_t *
alias_json(struct arena *arena, const char *local, const char *domain,
    struct bytes value)
{
	json_t *stored = parse_value(value);
	json_t *to = json_object_get(stored, "to"), *item, *targets;
	const char *key;

	if (json_is_string(to))
		targets = json_pack("[s]",
		    arena_printf(arena, "@%s", json_string_value(to)));
	else
		targets = targets_json(arena, to);
	key = arena_printf(arena, "%s@%s", local, domain);
	item = json_pack("{s:s, s:o}", "source",
	    local[0] != '\0' ? show_address(arena, key) : key, "targets",
	    targets);
	add_origin(item, stored);
	json_decref(stored);
	return item;
}

json_t *
show_aliases(struct store *store, const char *domain, const char *after,
    size_t limit, struct err *err)
{
	struct fields fields, whole;
	json_t *array, *next;
	size_t i, end;

	if (read_fields(store, domain, ALIAS_DOMAIN, &whole, err) < 0)
		return NULL;
	if (read_fields(store, domain, ALIAS_PREFIX, &fields, err) < 0) {
		fields_free(&whole);
		return NULL;
	}
	array = json_array();
	if (whole.count > 0 && after == NULL)
		json_array_append_new(array,
		    alias_json(whole.arena, "", domain, whole.items[0].value));
	i = start_of(&fields, after);
	end = end_of(&fields, i, limit);
	next = next_of(&fields, end);
	for (; i < end; i++)
		json_array_append_new(array,
		    alias_json(fields.arena, fields.items[i].name, domain,
			fields.items[i].value));
	fields_free(&whole);
	fields_free(&fields);
	return json_pack("{s:o, s:o}", "aliases", array, "next", next);
}

/* ---- audit ---- */

/* ["id", ["generation", "7", "entry", "{...}"]]; NULL: not ours. */
static json_t *
audit_json(const struct store_reply *item)
{
	const struct store_reply *fields;
	uint64_t generation = 0;
	json_t *entry = NULL;
	size_t i;

	if (item->type != STORE_ARRAY || item->count != 2)
		return NULL;
	fields = &item->items[1];
	for (i = 0; i + 1 < fields->count; i += 2) {
		if (bytes_equal(fields->items[i].text, BYTES_LIT("entry")) &&
		    entry == NULL)
			entry = json_loadb(fields->items[i + 1].text.data,
			    fields->items[i + 1].text.len, 0, NULL);
		else if (parse_u64(fields->items[i + 1].text, 0, INT64_MAX,
			     &generation) < 0)
			generation = 0;
	}
	if (!json_is_object(entry)) {
		json_decref(entry);
		return NULL;
	}
	json_object_set_new(entry, "id",
	    json_stringn(item->items[0].text.data, item->items[0].text.len));
	json_object_set_new(entry, "generation",
	    json_integer((json_int_t)generation));
	return entry;
}

static bool
is_about(const json_t *entry, const char *domain)
{
	const char *about = json_string_value(json_object_get(entry, "domain"));

	return domain == NULL || (about != NULL && strcmp(about, domain) == 0);
}

/* Ids of a stream: two numbers. */
static bool
is_stream_id(const char *text)
{
	struct cursor c = cursor_of(bytes_of(text));
	uint64_t number;

	return cursor_u64(&c, UINT64_MAX, &number) && cursor_char(&c, '-') &&
	    cursor_u64(&c, UINT64_MAX, &number) && cursor_at_end(&c);
}

struct audit_page {
	const char *domain;
	size_t limit, scanned;
	json_t *entries;
	struct buf last; /* id of the entry looked at last */
	bool ended;
};

static int
read_audit_batch(struct store *store, struct audit_page *page, struct err *err)
{
	size_t most = page->domain != NULL || page->limit > AUDIT_BATCH
	    ? AUDIT_BATCH
	    : page->limit + 1;
	struct store_reply *reply;
	char *from = page->last.len > 0 ? xprintf("(%s", buf_str(&page->last))
					: xstrdup("+");
	json_t *entry;
	size_t i;
	int rc;

	rc = store_runf(store, SETTINGS_KEY_AUDIT, &reply, err,
	    "XREVRANGE %s %s - COUNT %d", SETTINGS_KEY_AUDIT, from,
	    (int64_t)most);
	free(from);
	if (rc < 0)
		return -1;
	page->ended = reply->count < most;
	for (i = 0; i < reply->count; i++) {
		/* One more than wanted tells that there are more. */
		if (json_array_size(page->entries) == page->limit) {
			page->ended = false;
			break;
		}
		page->scanned++;
		entry = audit_json(&reply->items[i]);
		buf_reset(&page->last);
		buf_append_bytes(&page->last, reply->items[i].items[0].text);
		if (entry != NULL && is_about(entry, page->domain))
			json_array_append_new(page->entries, entry);
		else
			json_decref(entry);
	}
	store_reply_free(reply);
	return 0;
}

json_t *
show_audit(struct store *store, const char *domain, const char *before,
    size_t limit, struct err *err)
{
	struct audit_page page = { .domain = domain, .limit = limit };
	json_t *next = NULL;

	if (before != NULL && !is_stream_id(before)) {
		err_set(err, ERR_INPUT, "before: not an id of the audit");
		return NULL;
	}
	buf_init(&page.last, 100);
	if (before != NULL)
		buf_append_str(&page.last, before);
	page.entries = json_array();
	while (!page.ended && json_array_size(page.entries) < limit &&
	    page.scanned < AUDIT_SCAN_MAX)
		if (read_audit_batch(store, &page, err) < 0) {
			json_decref(page.entries);
			buf_free(&page.last);
			return NULL;
		}
	next = page.ended ? json_null() : json_string(buf_str(&page.last));
	buf_free(&page.last);
	return json_pack("{s:o, s:o}", "entries", page.entries, "next", next);
}
