/*
 * show.c - JSON models for people: tables, and fields below each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mail/address.h"

#include "cli/show.h"
#include "cli/table.h"
#include "cli/when.h"
#include "cli/wrap.h"

#define COLUMNS_MAX 16
#define TEXT_MAX_BYTES 65536
#define FIELD_INDENT 16

const json_t *
show_find(const json_t *object, const char *path)
{
	size_t len;

	while (object != NULL) {
		len = strcspn(path, ".");
		object = json_object_getn(object, path, len);
		if (path[len] == '\0')
			return object;
		path += len + 1;
	}
	return NULL;
}

static const char *
string_at(const json_t *object, const char *path)
{
	const char *text = json_string_value(show_find(object, path));

	return text != NULL ? text : "";
}

/* ---- values ---- */

static const char *
size_text(struct arena *arena, int64_t bytes)
{
	static const char units[] = "kMGT";
	double size = (double)bytes;
	size_t unit = 0;

	if (bytes < 1024)
		return arena_printf(arena, "%" PRId64 " B", bytes);
	size /= 1024;
	while (size >= 1024 && unit + 2 < sizeof(units)) {
		size /= 1024;
		unit++;
	}
	return arena_printf(arena, size < 10 ? "%.1f %cB" : "%.0f %cB", size,
	    units[unit]);
}

static const char *
join_list(struct arena *arena, const json_t *list)
{
	const json_t *item;
	const char *text;
	struct buf buf;
	size_t i;

	buf_init(&buf, TEXT_MAX_BYTES);
	json_array_foreach(list, i, item)
	{
		text = json_string_value(item);
		buf_printf(&buf, "%s%s", i > 0 ? ", " : "",
		    text != NULL ? text : "");
	}
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
join_options(struct arena *arena, json_t *options)
{
	const char *name, *text;
	json_t *value;
	struct buf buf;

	buf_init(&buf, TEXT_MAX_BYTES);
	json_object_foreach(options, name, value)
	{
		text = json_string_value(value);
		buf_printf(&buf, "%s%s=%s", buf.len > 0 ? " " : "", name,
		    text != NULL ? text : "");
	}
	text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
class_text(struct arena *arena, const json_t *class)
{
	const char *sub = string_at(class, "sub");

	return arena_printf(arena, "%s%s%s", string_at(class, "main"),
	    *sub != '\0' ? "/" : "", sub);
}

static const char *
number_text(struct arena *arena, const json_t *value)
{
	char text[64], *end;

	if (json_is_integer(value))
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
	if (!json_is_real(value))
		return "";
	/* Points have at most three places; no trailing zeros. */
	snprintf(text, sizeof(text), "%.3f", json_real_value(value));
	end = text + strlen(text);
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	*end = '\0';
	return arena_strdup(arena, text);
}

static const char *
flag_text(struct arena *arena, const json_t *value, const char *heading)
{
	char *text;

	if (!json_is_true(value))
		return "";
	text = arena_strdup(arena, heading);
	ascii_lowercase(text);
	return text;
}

static const char *
value_text(struct arena *arena, json_t *value, const struct show_column *column)
{
	switch (column->as) {
	case SHOW_TIME:
		return when_format(arena, json_integer_value(value));
	case SHOW_SIZE:
		return size_text(arena, json_integer_value(value));
	case SHOW_NUMBER:
		return number_text(arena, value);
	case SHOW_FLAG:
		return flag_text(arena, value, column->heading);
	case SHOW_LIST:
		return join_list(arena, value);
	case SHOW_OPTIONS:
		return join_options(arena, value);
	case SHOW_CLASS:
		return class_text(arena, value);
	case SHOW_DOMAIN:
		return json_is_string(value)
		    ? domain_for_display(arena, json_string_value(value))
		    : "";
	case SHOW_TEXT:
		break;
	}
	return json_is_string(value) ? json_string_value(value)
				     : number_text(arena, value);
}

const char *
show_value(struct cli *cli, const json_t *object,
    const struct show_column *column)
{
	json_t *value = (json_t *)(uintptr_t)show_find(object, column->path);

	if (value == NULL || json_is_null(value))
		return "";
	return value_text(cli->arena, value, column);
}

/* ---- tables and fields ---- */

void
show_table(struct cli *cli, const json_t *rows, size_t count,
    const struct show_column *columns, const char *nothing)
{
	struct table_column headings[COLUMNS_MAX];
	const char *cells[COLUMNS_MAX];
	const json_t *row;
	struct table *table;
	size_t i, k;

	if (json_array_size(rows) == 0) {
		puts(nothing);
		return;
	}
	for (i = 0; i < count && i < COLUMNS_MAX; i++) {
		headings[i].heading = columns[i].heading;
		headings[i].right =
		    columns[i].as == SHOW_NUMBER || columns[i].as == SHOW_SIZE;
		headings[i].flexible = columns[i].flexible;
	}
	table = table_new(cli->arena, i, headings);
	json_array_foreach(rows, k, row)
	{
		for (i = 0; i < count && i < COLUMNS_MAX; i++)
			cells[i] = show_value(cli, row, &columns[i]);
		table_row(table, cells);
	}
	table_print(table);
}

static void
print_field(const char *heading, const char *text)
{
	struct buf line;
	size_t i;

	buf_init(&line, TEXT_MAX_BYTES);
	buf_append_str(&line, heading);
	for (i = text_width(bytes_of(heading)); i < FIELD_INDENT; i++)
		buf_append_char(&line, ' ');
	(void)utf8_append_clean(&line, bytes_of(text));
	puts(buf_str(&line));
	buf_free(&line);
}

void
show_fields(struct cli *cli, const json_t *object, size_t count,
    const struct show_column *columns)
{
	const char *text;
	size_t i;

	for (i = 0; i < count; i++) {
		text = show_value(cli, object, &columns[i]);
		if (*text != '\0')
			print_field(columns[i].heading, text);
	}
}
