/*
 * settings_show.c - settings as JSON: options, rows, routes out of a
 * snapshot.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "mail/address.h"
#include "policy/settings_parts.h"
#include "policy/settings_show.h"

#define VALUE_MAX (2u << 20)

/* Text that came through our own checks; else as it can be shown. */
static json_t *
text_json(const char *text)
{
	json_t *json = json_string(text);

	return json != NULL ? json : json_string("");
}

const char *
show_address(struct arena *arena, const char *key)
{
	struct buf buf;

	buf_init(&buf, 4 * ADDRESS_MAX);
	if (address_append_key(&buf, key) == 0)
		key = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return key;
}

const char *
show_pattern(struct arena *arena, enum list_side side, const char *pattern)
{
	if (side == LIST_CLIENT || strchr(pattern, '@') == NULL ||
	    list_pattern_kind(pattern) != PATTERN_ADDRESS)
		return pattern;
	return show_address(arena, pattern);
}

/* ---- the object of a target ---- */

static const struct settings_object *
object_of(const struct settings *settings, struct edit_target target)
{
	const struct settings_mailbox *mailbox;
	const struct settings_domain *domain;
	struct bytes local;
	const char *name;

	if (target.mailbox != NULL) {
		settings_split_key(target.mailbox, &local, &name);
		domain = settings_find_domain(settings, name);
		mailbox = domain != NULL ? strmap_get(&domain->by_local, local)
					 : NULL;
		return mailbox != NULL ? mailbox->object : NULL;
	}
	if (target.domain != NULL) {
		domain = settings_find_domain(settings, target.domain);
		return domain != NULL ? domain->object : NULL;
	}
	return settings->system->object;
}

/* ---- options ---- */

static json_t *
option_json(const struct option *option, const struct policy *policy)
{
	struct buf buf;
	json_t *json;

	buf_init(&buf, VALUE_MAX);
	json = option_format(option, policy, &buf) == 0
	    ? text_json(buf_str(&buf))
	    : json_null();
	buf_free(&buf);
	return json;
}

static const char *
level_of_option(const struct settings *settings, struct edit_target target,
    const char *option)
{
	char *probe;
	const char *level;

	if (target.mailbox != NULL)
		return settings_option_level(settings, target.mailbox, option);
	if (target.domain == NULL)
		return settings_option_level(settings, NULL, option);
	/* No mailbox has an empty local part. */
	probe = xprintf("@%s", target.domain);
	level = settings_option_level(settings, probe, option);
	free(probe);
	return level;
}

json_t *
show_options(const struct settings *settings, struct edit_target target)
{
	const struct settings_object *object = object_of(settings, target);
	const struct policy *policy = target.mailbox != NULL
	    ? settings_policy(settings, target.mailbox)
	    : target.domain != NULL
	    ? settings_domain_policy(settings, target.domain)
	    : settings->system->policy;
	json_t *set = json_object(), *effective = json_object(),
	       *levels = json_object();
	const struct option *option;
	size_t i;

	for (i = 0; object != NULL && i < object->option_count; i++)
		json_object_set_new(set, object->options[i].option->name,
		    text_json(object->options[i].text));
	for (i = 0; i < policy_option_count; i++) {
		option = &policy_options[i];
		json_object_set_new(effective, option->name,
		    option_json(option, policy));
		json_object_set_new(levels, option->name,
		    json_string(
			level_of_option(settings, target, option->name)));
	}
	return json_pack("{s:o, s:o, s:o}", "options", set, "effective",
	    effective, "levels", levels);
}

static const char *const type_names[] = {
	[OPT_BOOL] = "bool",
	[OPT_NUMBER] = "number",
	[OPT_MODE] = "mode",
	[OPT_SIZE] = "size",
	[OPT_SECONDS] = "seconds",
	[OPT_PERCENT] = "percent",
	[OPT_POINTS] = "points",
	[OPT_STRING] = "string",
	[OPT_WORD] = "word",
	[OPT_LIST] = "list",
	[OPT_SECRET] = "secret",
};

static json_t *
levels_json(const struct option *option)
{
	static const unsigned bits[] = { POLICY_LEVEL_SYSTEM,
		POLICY_LEVEL_DOMAIN, POLICY_LEVEL_MAILBOX };
	json_t *levels = json_array();
	size_t i;

	for (i = 0; i < LIST_LEVEL_COUNT; i++)
		if (policy_option_levels(option->name) & bits[i])
			json_array_append_new(levels,
			    json_string(list_level_words[i]));
	return levels;
}

static json_t *
words_json(const struct option *option)
{
	json_t *words = json_array();
	size_t i;

	for (i = 0; option->words != NULL && option->words[i] != NULL; i++)
		json_array_append_new(words, json_string(option->words[i]));
	return words;
}

json_t *
show_option_table(void)
{
	json_t *table = json_array();
	const struct option *option;
	struct buf range;
	size_t i;

	buf_init(&range, VALUE_MAX);
	for (i = 0; i < policy_option_count; i++) {
		option = &policy_options[i];
		buf_reset(&range);
		option_range(option, &range);
		json_array_append_new(table,
		    json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s}",
			"name", option->name, "type", type_names[option->type],
			"range", buf_str(&range), "default", option->preset,
			"levels", levels_json(option), "words",
			words_json(option), "section", option->section, "help",
			option->help));
	}
	buf_free(&range);
	return table;
}

/* ---- rows ---- */

static json_t *
time_json(int64_t wall_s)
{
	return wall_s != 0 ? json_integer(wall_s * 1000) : json_null();
}

json_t *
show_row(const struct list_row *row, struct edit_target target)
{
	struct arena *arena = arena_new(1024);
	const char *domain = target.domain, *mailbox = NULL;
	json_t *json;

	if (target.mailbox != NULL) {
		domain = strrchr(target.mailbox, '@') + 1;
		mailbox = show_address(arena, target.mailbox);
	}
	json = json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:o, s:s?, s:b, s:b,"
			 " s:o, s:o, s:o, s:o, s:o}",
	    "level", list_level_words[row->level], "domain", domain, "mailbox",
	    mailbox, "side", list_side_words[row->side], "kind",
	    list_kind_words[row->kind], "pattern",
	    text_json(show_pattern(arena, row->side, row->pattern)), "action",
	    row->action >= 0 ? action_name((enum action)row->action) : NULL,
	    "unauthenticated", row->unauthenticated, "lifts_dmarc",
	    row->lifts_dmarc, "expires", time_json(row->expires_s), "comment",
	    text_json(row->comment), "added_by", text_json(row->added_by),
	    "added_from", text_json(row->added_from), "added",
	    time_json(row->added_s));
	arena_free(arena);
	return json;
}

/* What rows are sorted by, and cursors: "sender @x block". */
static const char *
row_cursor(struct arena *arena, const struct list_row *row)
{
	return arena_printf(arena, "%s %s %s", list_side_words[row->side],
	    row->pattern, list_kind_words[row->kind]);
}

struct found_row {
	const char *cursor;
	const struct list_row *row;
};

struct found_rows {
	struct arena *arena;
	size_t count, size;
	struct found_row *items;
};

static bool
row_passes(const struct list_row *row, const struct show_row_filter *filter)
{
	if (filter->side >= 0 && (int)row->side != filter->side)
		return false;
	if (filter->kind >= 0 && (int)row->kind != filter->kind)
		return false;
	return filter->part == NULL ||
	    str_has_nocase(row->pattern, filter->part) ||
	    str_has_nocase(row->comment, filter->part);
}

static void
collect_rows(struct found_rows *rows, const struct strmap *map,
    const struct show_row_filter *filter)
{
	const struct strmap_slot *slot;
	const struct list_row *row;
	size_t pos = 0, kind;

	while ((slot = strmap_next(map, &pos)) != NULL)
		for (kind = 0; kind < LIST_KIND_COUNT; kind++) {
			row = ((struct list_pair *)slot->value)->rows[kind];
			if (row == NULL || !row_passes(row, filter))
				continue;
			if (rows->count == rows->size) {
				rows->size =
				    rows->size > 0 ? 2 * rows->size : 64;
				rows->items = xrealloc(rows->items,
				    rows->size * sizeof(*rows->items));
			}
			rows->items[rows->count].row = row;
			rows->items[rows->count++].cursor =
			    row_cursor(rows->arena, row);
		}
}

static int
compare_rows(const void *a, const void *b)
{
	const struct found_row *x = a, *y = b;

	return strcmp(x->cursor, y->cursor);
}

json_t *
show_rows(const struct settings *settings, struct edit_target target,
    const struct show_row_filter *filter)
{
	const struct settings_object *object = object_of(settings, target);
	struct found_rows rows = { .arena = arena_new(0) };
	json_t *array = json_array(), *next = json_null();
	size_t i, n = 0;

	if (object != NULL && object->lists != NULL) {
		collect_rows(&rows, &object->lists->senders, filter);
		collect_rows(&rows, &object->lists->recipients, filter);
		collect_rows(&rows, &object->lists->clients, filter);
	}
	if (rows.count > 0)
		qsort(rows.items, rows.count, sizeof(*rows.items),
		    compare_rows);
	for (i = 0; i < rows.count; i++) {
		if (filter->after != NULL &&
		    strcmp(rows.items[i].cursor, filter->after) <= 0)
			continue;
		if (filter->limit > 0 && n == filter->limit) {
			next = json_string(rows.items[i - 1].cursor);
			break;
		}
		json_array_append_new(array,
		    show_row(rows.items[i].row, target));
		n++;
	}
	free(rows.items);
	arena_free(rows.arena);
	return json_pack("{s:o, s:I, s:o}", "rows", array, "count",
	    (json_int_t)rows.count, "next", next);
}

const struct list_row *
show_find_row(const struct settings *settings, struct edit_target target,
    enum list_side side, enum list_kind kind, const char *pattern)
{
	const struct settings_object *object = object_of(settings, target);
	const struct strmap *map;
	const struct strmap_slot *slot;
	const struct list_row *row;
	size_t pos = 0;

	if (object == NULL || object->lists == NULL)
		return NULL;
	map = side == LIST_SENDER    ? &object->lists->senders
	    : side == LIST_RECIPIENT ? &object->lists->recipients
				     : &object->lists->clients;
	while ((slot = strmap_next(map, &pos)) != NULL) {
		row = ((struct list_pair *)slot->value)->rows[kind];
		if (row != NULL && strcmp(row->pattern, pattern) == 0)
			return row;
	}
	return NULL;
}

/* ---- domains ---- */

json_t *
show_routes(const struct settings *settings, const char *domain)
{
	const struct directory_route *routes = NULL;
	size_t n = directory_routes(settings, domain, &routes), i;
	json_t *array = json_array();

	for (i = 0; i < n; i++)
		json_array_append_new(array,
		    json_pack("{s:s, s:I, s:I, s:b}", "host", routes[i].host,
			"port", (json_int_t)routes[i].port, "priority",
			(json_int_t)routes[i].priority, "lookup_mx",
			routes[i].lookup_mx));
	return array;
}

static size_t
count_rows(const struct settings_object *object)
{
	const struct strmap *maps[LIST_SIDE_COUNT];
	const struct strmap_slot *slot;
	const struct list_pair *pair;
	size_t n = 0, i, pos;

	if (object->lists == NULL)
		return 0;
	maps[0] = &object->lists->senders;
	maps[1] = &object->lists->recipients;
	maps[2] = &object->lists->clients;
	for (i = 0; i < LIST_SIDE_COUNT; i++) {
		pos = 0;
		while ((slot = strmap_next(maps[i], &pos)) != NULL) {
			pair = slot->value;
			n += pair->rows[LIST_ALLOW] != NULL;
			n += pair->rows[LIST_BLOCK] != NULL;
		}
	}
	return n;
}

json_t *
show_domain_summary(const struct settings *settings, const char *domain)
{
	const struct settings_domain *found =
	    settings_find_domain(settings, domain);
	const struct directory_entry *entry;
	const struct strmap_slot *slot;
	size_t pos = 0, recipients = 0, aliases = 0;
	struct arena *arena;
	json_t *json;

	if (found == NULL)
		return NULL;
	while ((slot = strmap_next(&found->object->locals, &pos)) != NULL) {
		entry = slot->value;
		recipients += entry->listed;
		aliases += entry->target_count > 0;
	}
	arena = arena_new(0);
	json = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s?}", "domain",
	    domain, "display", domain_for_display(arena, domain), "recipients",
	    (json_int_t)recipients, "aliases", (json_int_t)aliases, "routes",
	    (json_int_t)found->object->route_count, "rows",
	    (json_int_t)count_rows(found->object), "alias_of",
	    found->object->alias_domain);
	arena_free(arena);
	return json;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *
show_mailboxes(const struct settings *settings, const char *domain)
{
	const struct settings_domain *found =
	    settings_find_domain(settings, domain);
	size_t n = found != NULL ? found->mailbox_count : 0, i;
	const char **names = xcalloc(n > 0 ? n : 1, sizeof(*names));
	json_t *array = json_array();

	for (i = 0; i < n; i++)
		names[i] =
		    found->mailboxes[i].object->name + strlen("mailbox:");
	qsort(names, n, sizeof(*names), compare_texts);
	for (i = 0; i < n; i++)
		json_array_append_new(array, text_json(names[i]));
	free(names);
	return array;
}
