/*
 * audit.c - sekimori audit: who changed what.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A value before or after: text as it is, else compact JSON. */
static json_t *
value_text(const json_t *value)
{
	char *text;
	json_t *json;

	if (value == NULL || json_is_null(value))
		return json_string("");
	if (json_is_string(value))
		return json_incref((json_t *)(uintptr_t)value);
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	json = json_string(text);
	free(text);
	return json;
}

/* A row for each change; only the first has when, who and what. */
static void
add_rows(json_t *rows, const json_t *entry)
{
	const json_t *changes = json_object_get(entry, "changes"), *change;
	json_t *row;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		row = json_object();
		if (i == 0) {
			json_object_set(row, "time",
			    json_object_get(entry, "time"));
			json_object_set(row, "actor",
			    json_object_get(entry, "actor"));
			json_object_set(row, "action",
			    json_object_get(entry, "action"));
		}
		json_object_set(row, "object",
		    json_object_get(change, "object"));
		json_object_set(row, "field", json_object_get(change, "field"));
		json_object_set_new(row, "before",
		    value_text(json_object_get(change, "before")));
		json_object_set_new(row, "after",
		    value_text(json_object_get(change, "after")));
		json_array_append_new(rows, row);
	}
}

static void
show_audit(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "WHEN", "time", SHOW_TIME, false },
		{ "WHO", "actor", SHOW_TEXT, false },
		{ "WHAT", "action", SHOW_TEXT, false },
		{ "OF", "object", SHOW_TEXT, true },
		{ "FIELD", "field", SHOW_TEXT, true },
		{ "BEFORE", "before", SHOW_TEXT, true },
		{ "AFTER", "after", SHOW_TEXT, true },
	};
	const json_t *entries = json_object_get(model, "entries"), *entry;
	const char *next = json_string_value(json_object_get(model, "next"));
	json_t *rows = json_array();
	size_t i;

	json_array_foreach(entries, i, entry) add_rows(rows, entry);
	show_table(cli, rows, COUNT(columns), columns,
	    "Nothing was ever changed.");
	json_decref(rows);
	if (next != NULL)
		printf("\nThere is more: --before %s\n", next);
}

static const struct cli_request audit_request = { METHOD_GET, "/audit",
	{ { "limit", FIELD_OPTION, 0, NULL },
	    { "before", FIELD_OPTION, 0, NULL } },
	show_audit };

static const struct cli_command commands[] = {
	{ .group = "audit",
	    .name = "",
	    .operands = "",
	    .help = "Shows who changed which setting, route, list or "
		    "recipient, the newest first, with what was there before "
		    "and after.",
	    .options = { { "limit", "N", "At most so many.", false },
		{ "before", "CURSOR", "Go on from an earlier list.", false } },
	    .run = request_run,
	    .context = &audit_request },
};

const struct cli_group group_audit = {
	.name = "audit",
	.help = "who changed what",
	.commands = commands,
	.count = COUNT(commands),
};
