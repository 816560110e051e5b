/*
 * list.c - sekimori list: who is allowed and who is blocked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/table_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DOMAIN_OPTION                                                          \
	{                                                                      \
		"domain", "DOMAIN",                                            \
		    "Of this domain, instead of the whole system.", false      \
	}
#define MAILBOX_OPTION                                                         \
	{                                                                      \
		"mailbox", "ADDRESS", "Of this mailbox.", false                \
	}

static const struct show_column columns[] = {
	{ "OF", "of", SHOW_TEXT, false },
	{ "SIDE", "side", SHOW_TEXT, false },
	{ "KIND", "kind", SHOW_TEXT, false },
	{ "PATTERN", "pattern", SHOW_TEXT, false },
	{ "ACTION", "action", SHOW_TEXT, false },
	{ "FLAGS", "flags", SHOW_LIST, false },
	{ "EXPIRES", "expires", SHOW_TIME, false },
	{ "ADDED BY", "added_by", SHOW_TEXT, false },
	{ "COMMENT", "comment", SHOW_TEXT, true },
};

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* Whose row it is, and its flags, each in one place. */
static void
add_summary(json_t *row)
{
	static const char *const flags[] = { "unauthenticated", "lifts_dmarc" };
	const char *mailbox = text_of(row, "mailbox");
	const char *domain = text_of(row, "domain");
	json_t *set = json_array();
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if (json_is_true(json_object_get(row, flags[i])))
			json_array_append_new(set, json_string(flags[i]));
	json_object_set_new(row, "flags", set);
	json_object_set_new(row, "of",
	    json_string(*mailbox != '\0' ? mailbox
		    : *domain != '\0'    ? domain
					 : "system"));
}

static void
show_rows(struct cli *cli, json_t *model)
{
	json_t *rows = json_object_get(model, "rows"), *row;
	size_t i;

	json_array_foreach(rows, i, row) add_summary(row);
	show_table(cli, rows, COUNT(columns), columns, "There are no rows.");
}

static void
say_row(struct cli *cli, json_t *model)
{
	(void)cli;
	add_summary(model);
	printf("%s: %s %s %s.\n", text_of(model, "of"), text_of(model, "kind"),
	    text_of(model, "side"), text_of(model, "pattern"));
}

static void
say_removed(struct cli *cli, json_t *model)
{
	const char *pattern =
	    json_string_value(json_object_get(model, "pattern"));

	(void)cli;
	printf("%s %s.\n", pattern != NULL ? pattern : "The row",
	    json_is_true(json_object_get(model, "changed")) ? "is removed"
							    : "was not there");
}

#define TARGET_FIELDS                                                          \
	{ "domain", FIELD_OPTION, 0, NULL },                                   \
	{                                                                      \
		"mailbox", FIELD_OPTION, 0, NULL                               \
	}
#define ROW_FIELDS                                                             \
	TARGET_FIELDS, { "side", FIELD_OPERAND, 0, NULL },                     \
	    { "kind", FIELD_OPERAND, 1, NULL },                                \
	{                                                                      \
		"pattern", FIELD_OPERAND, 2, NULL                              \
	}
#define DETAIL_FIELDS                                                          \
	{ "action", FIELD_OPTION, 0, NULL },                                   \
	    { "unauthenticated", FIELD_FLAG, 0, NULL },                        \
	    { "lifts_dmarc", FIELD_FLAG, 0, "lifts-dmarc" },                   \
	    { "expires", FIELD_EXPIRY, 0, NULL },                              \
	{                                                                      \
		"comment", FIELD_OPTION, 0, NULL                               \
	}

static const struct cli_request list_show = { METHOD_GET, "/lists",
	{ TARGET_FIELDS }, show_rows };
static const struct cli_request list_add = { METHOD_POST, "/lists",
	{ ROW_FIELDS, DETAIL_FIELDS, { "replace", FIELD_FLAG, 0, NULL } },
	say_row };
static const struct cli_request list_set = { METHOD_POST, "/lists",
	{ ROW_FIELDS, DETAIL_FIELDS, { "replace", FIELD_TRUE, 0, NULL } },
	say_row };
static const struct cli_request list_remove = { METHOD_POST, "/lists/remove",
	{ ROW_FIELDS }, say_removed };

static const struct cli_request list_import = { METHOD_POST, "/lists/import",
	{ TARGET_FIELDS, TABLE_IMPORT_FIELDS }, NULL };
static const struct cli_request list_export = { METHOD_GET, "/lists/export",
	{ TARGET_FIELDS, TABLE_EXPORT_FIELDS }, NULL };

#define DETAIL_OPTIONS                                                         \
	{ "action", "ACTION",                                                  \
		"What a block row does: reject, defer, quarantine, discard; "  \
		"else "                                                        \
		"what the policy says.",                                       \
		false },                                                       \
	    { "unauthenticated", NULL,                                         \
		    "An allow row counts even if the sender is not "           \
		    "authenticated "                                           \
		    "and may be forged.",                                      \
		    false },                                                   \
	    { "lifts-dmarc", NULL,                                             \
		    "An allow row counts even against a DMARC failure.",       \
		    false },                                                   \
	    { "expires", "TIME",                                               \
		    "Until then: 30d, or a date such as 2026-12-31.", false }, \
	{                                                                      \
		"comment", "TEXT", "Why it is there.", false                   \
	}

static const struct cli_command commands[] = {
	{ .group = "list",
	    .name = "show",
	    .operands = "",
	    .help = "Shows the rows of the system, of a domain or of a "
		    "mailbox.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION },
	    .run = request_run,
	    .context = &list_show },
	{ .group = "list",
	    .name = "add",
	    .operands = "SIDE KIND PATTERN",
	    .least = 3,
	    .most = 3,
	    .help = "Adds a row.  SIDE is sender, recipient or client; KIND "
		    "is allow or block; PATTERN is an address, @domain, "
		    ".domain (with all below it), or for clients an IP "
		    "address or network.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION, DETAIL_OPTIONS,
		{ "replace", NULL, "Change the row when it is there already.",
		    false } },
	    .run = request_run,
	    .context = &list_add },
	{ .group = "list",
	    .name = "set",
	    .operands = "SIDE KIND PATTERN",
	    .least = 3,
	    .most = 3,
	    .help = "The same, and changes the row when it is there already.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION, DETAIL_OPTIONS },
	    .run = request_run,
	    .context = &list_set },
	{ .group = "list",
	    .name = "remove",
	    .operands = "SIDE KIND PATTERN",
	    .least = 3,
	    .most = 3,
	    .help = "Removes a row.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION },
	    .run = request_run,
	    .context = &list_remove },
	{ .group = "list",
	    .name = "export",
	    .operands = "",
	    .help = "Writes the rows as CSV.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION, TABLE_EXPORT_OPTIONS },
	    .run = table_file_export,
	    .context = &list_export },
	{ .group = "list",
	    .name = "import",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Reads CSV as export writes it, all of it or nothing.  "
		    "Rows that are there are changed.",
	    .options = { DOMAIN_OPTION, MAILBOX_OPTION, TABLE_IMPORT_OPTIONS },
	    .run = table_file_import,
	    .context = &list_import },
};

const struct cli_group group_list = {
	.name = "list",
	.help = "who is allowed and who is blocked",
	.commands = commands,
	.count = COUNT(commands),
};
