/*
 * directory.c - sekimori domain, system, recipient, alias: who there is and
 * what they want.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/route.h"
#include "cli/show.h"
#include "cli/table_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPERANDS_MAX 1000

#define SETTINGS_HELP                                                          \
	"Settings are name=value; a value is checked, and the message says "   \
	"what would be right."
#define UNSET                                                                  \
	{                                                                      \
		"unset", "NAME",                                               \
		    "Take the setting away, so that the level above counts.",  \
		    true                                                       \
	}
#define REPLACE                                                                \
	{                                                                      \
		"replace", NULL,                                               \
		    "Change it when it is there already, instead of failing.", \
		    false                                                      \
	}

#define DOMAIN_ONLY                                                            \
	{                                                                      \
		"domain", "DOMAIN",                                            \
		    "Everything in the file is of this domain.", false         \
	}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* What was removed, or was not there. */
static void
say_removed(const json_t *model, const char *name)
{
	printf("%s %s.\n", name,
	    json_is_true(json_object_get(model, "changed")) ? "is removed"
							    : "was not there");
}

/* The settings of an object, and where they come from. */
static void
show_settings(struct cli *cli, const json_t *model)
{
	static const struct show_column columns[] = {
		{ "SETTING", "name", SHOW_TEXT, false },
		{ "VALUE", "value", SHOW_TEXT, false },
		{ "", "set", SHOW_TEXT, false },
	};
	json_t *set = json_object_get(model, "options");
	json_t *effective = json_object_get(model, "effective");
	json_t *rows = json_array(), *value;
	const char *name;

	if (effective == NULL)
		effective = set;
	json_object_foreach(effective, name, value) json_array_append_new(rows,
	    json_pack("{s:s, s:O, s:s}", "name", name, "value", value, "set",
		json_object_get(set, name) != NULL ? "(set here)" : ""));
	show_table(cli, rows, COUNT(columns), columns,
	    "No settings of its own.");
	json_decref(rows);
}

/* ---- domains ---- */

static const struct show_column domain_columns[] = {
	{ "DOMAIN", "domain", SHOW_DOMAIN, false },
	{ "SETTINGS", "options", SHOW_OPTIONS, true },
};

static void
show_domains(struct cli *cli, json_t *model)
{
	show_table(cli, json_object_get(model, "domains"),
	    COUNT(domain_columns), domain_columns, "There are no domains.");
}

static void
show_domain(struct cli *cli, json_t *model)
{
	printf("%s\n\n", show_value(cli, model, &domain_columns[0]));
	show_settings(cli, model);
}

static void
say_domain_added(struct cli *cli, json_t *model)
{
	printf("%s is a domain of ours now.\n",
	    show_value(cli, model, &domain_columns[0]));
}

static void
say_domain_removed(struct cli *cli, json_t *model)
{
	say_removed(model, show_value(cli, model, &domain_columns[0]));
}

static const struct cli_request domain_list = { METHOD_GET, "/domains",
	{ { NULL, FIELD_END, 0, NULL } }, show_domains };
static const struct cli_request domain_show = { METHOD_GET, "/domains/:domain",
	{ { ":", FIELD_OPERAND, 0, NULL } }, show_domain };
static const struct cli_request domain_add = { METHOD_POST, "/domains",
	{ { "domain", FIELD_OPERAND, 0, NULL },
	    { "options", FIELD_ASSIGNMENTS, 1, NULL },
	    { "replace", FIELD_FLAG, 0, NULL } },
	say_domain_added };
static const struct cli_request domain_set = { METHOD_POST, "/domains/:domain",
	{ { ":", FIELD_OPERAND, 0, NULL },
	    { "options", FIELD_ASSIGNMENTS, 1, NULL } },
	show_domain };
static const struct cli_request domain_remove = { METHOD_POST,
	"/domains/:domain/remove", { { ":", FIELD_OPERAND, 0, NULL } },
	say_domain_removed };

static const struct cli_request domain_import = { METHOD_POST,
	"/domains/import", { TABLE_IMPORT_FIELDS }, NULL };
static const struct cli_request domain_export = { METHOD_GET, "/domains/export",
	{ TABLE_EXPORT_FIELDS }, NULL };

/* Without a name: all of them. */
static int
run_domain_show(struct cli *cli, const struct cli_args *args)
{
	struct cli_command command = *args->command;
	struct cli_args again = *args;

	command.context = args->operand_count > 0 ? &domain_show : &domain_list;
	again.command = &command;
	return request_run(cli, &again);
}

static const struct cli_command domain_commands[] = {
	{ .group = "domain",
	    .name = "show",
	    .operands = "[DOMAIN]",
	    .most = 1,
	    .help = "Shows the settings in force for a domain, or all "
		    "domains.",
	    .run = run_domain_show,
	    .context = &domain_show },
	{ .group = "domain",
	    .name = "add",
	    .operands = "DOMAIN [name=value...]",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help = "Adds a domain whose mail is accepted and judged. "
		    " " SETTINGS_HELP,
	    .options = { REPLACE },
	    .run = request_run,
	    .context = &domain_add },
	{ .group = "domain",
	    .name = "set",
	    .operands = "DOMAIN name=value...",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help = "Changes settings of a domain.  " SETTINGS_HELP,
	    .options = { UNSET },
	    .run = request_run,
	    .context = &domain_set },
	{ .group = "domain",
	    .name = "remove",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Removes a domain with its recipients, aliases, routes "
		    "and lists.  What is held for it stays held.",
	    .run = request_run,
	    .context = &domain_remove },
	{ .group = "domain",
	    .name = "export",
	    .operands = "",
	    .help = "Writes all domains as CSV: a column for each setting "
		    "that any of them has.",
	    .options = { TABLE_EXPORT_OPTIONS },
	    .run = table_file_export,
	    .context = &domain_export },
	{ .group = "domain",
	    .name = "import",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Reads CSV as export writes it, all of it or nothing.",
	    .options = { TABLE_IMPORT_OPTIONS },
	    .run = table_file_import,
	    .context = &domain_import },
};

const struct cli_group group_domain = {
	.name = "domain",
	.help = "domains of ours and what they want",
	.commands = domain_commands,
	.count = COUNT(domain_commands),
};

/* ---- the system ---- */

static void
show_system(struct cli *cli, json_t *model)
{
	show_settings(cli, model);
}

static const struct cli_request system_show = { METHOD_GET, "/system",
	{ { NULL, FIELD_END, 0, NULL } }, show_system };
static const struct cli_request system_set = { METHOD_POST, "/system",
	{ { "options", FIELD_ASSIGNMENTS, 0, NULL } }, show_system };

static const struct cli_command system_commands[] = {
	{ .group = "system",
	    .name = "show",
	    .operands = "",
	    .help = "Shows what counts where no domain or mailbox says "
		    "otherwise.",
	    .run = request_run,
	    .context = &system_show },
	{ .group = "system",
	    .name = "set",
	    .operands = "name=value...",
	    .most = OPERANDS_MAX,
	    .help = "Changes what counts where no domain or mailbox says "
		    "otherwise.  " SETTINGS_HELP,
	    .options = { UNSET },
	    .run = request_run,
	    .context = &system_set },
};

const struct cli_group group_system = {
	.name = "system",
	.help = "what counts where a domain says nothing",
	.commands = system_commands,
	.count = COUNT(system_commands),
};

/* ---- recipients ---- */

static const struct show_column recipient_columns[] = {
	{ "ADDRESS", "address", SHOW_TEXT, false },
	{ "SETTINGS", "options", SHOW_OPTIONS, true },
};

static void
show_recipients(struct cli *cli, json_t *model)
{
	show_table(cli, json_object_get(model, "recipients"),
	    COUNT(recipient_columns), recipient_columns,
	    "There are no recipients.");
}

static void
show_recipient(struct cli *cli, json_t *model)
{
	show_fields(cli, model, COUNT(recipient_columns), recipient_columns);
}

static void
say_recipient_added(struct cli *cli, json_t *model)
{
	(void)cli;
	printf("%s is a recipient now.\n", text_of(model, "address"));
}

static void
say_recipient_removed(struct cli *cli, json_t *model)
{
	(void)cli;
	say_removed(model, text_of(model, "address"));
}

/* Which mailboxes an address leads to, and where their mail goes. */
static void
show_resolved(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "MAILBOX", "mailbox", SHOW_TEXT, false },
		{ "SERVERS", "servers", SHOW_LIST, true },
	};
	const json_t *mailboxes = json_object_get(model, "mailboxes");
	const char *answer = text_of(model, "answer");
	json_t *mailbox, *servers;
	const json_t *route;
	size_t i, k;

	if (json_array_size(mailboxes) == 0) {
		printf("%s\n", answer);
		return;
	}
	json_array_foreach(mailboxes, i, mailbox)
	{
		servers = json_array();
		json_array_foreach(json_object_get(mailbox, "routes"), k, route)
		    json_array_append_new(servers,
			json_string(route_server_text(cli, route)));
		json_object_set_new(mailbox, "servers", servers);
	}
	show_table(cli, mailboxes, COUNT(columns), columns, "");
}

static const struct cli_request recipient_resolve = { METHOD_GET, "/resolve",
	{ { "address", FIELD_OPERAND, 0, NULL } }, show_resolved };
static const struct cli_request recipient_show = { METHOD_GET, "/recipients",
	{ { "domain", FIELD_OPERAND, 0, NULL } }, show_recipients };
static const struct cli_request recipient_add = { METHOD_POST, "/recipients",
	{ { "address", FIELD_OPERAND, 0, NULL },
	    { "options", FIELD_ASSIGNMENTS, 1, NULL },
	    { "replace", FIELD_FLAG, 0, NULL } },
	say_recipient_added };
static const struct cli_request recipient_set = { METHOD_POST,
	"/recipients/set",
	{ { "address", FIELD_OPERAND, 0, NULL },
	    { "options", FIELD_ASSIGNMENTS, 1, NULL } },
	show_recipient };
static const struct cli_request recipient_remove = { METHOD_POST,
	"/recipients/remove", { { "address", FIELD_OPERAND, 0, NULL } },
	say_recipient_removed };

static const struct cli_request recipient_import = { METHOD_POST,
	"/recipients/import",
	{ { "domain", FIELD_OPTION, 0, NULL }, TABLE_IMPORT_FIELDS }, NULL };
static const struct cli_request recipient_export = { METHOD_GET,
	"/recipients/export",
	{ { "domain", FIELD_OPERAND, 0, NULL }, TABLE_EXPORT_FIELDS }, NULL };

static const struct cli_command recipient_commands[] = {
	{ .group = "recipient",
	    .name = "show",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Shows the recipients of a domain.",
	    .run = request_run,
	    .context = &recipient_show },
	{ .group = "recipient",
	    .name = "resolve",
	    .operands = "ADDRESS",
	    .least = 1,
	    .most = 1,
	    .help = "Shows to which mailboxes an address leads, through "
		    "aliases, and to which servers their mail goes.",
	    .run = request_run,
	    .context = &recipient_resolve },
	{ .group = "recipient",
	    .name = "add",
	    .operands = "ADDRESS [name=value...]",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help =
		"Adds a recipient.  Whether others of the domain are "
		"refused is its setting restrict_recipients.  " SETTINGS_HELP,
	    .options = { REPLACE },
	    .run = request_run,
	    .context = &recipient_add },
	{ .group = "recipient",
	    .name = "set",
	    .operands = "ADDRESS name=value...",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help = "Changes settings of a mailbox.  " SETTINGS_HELP,
	    .options = { UNSET },
	    .run = request_run,
	    .context = &recipient_set },
	{ .group = "recipient",
	    .name = "remove",
	    .operands = "ADDRESS",
	    .least = 1,
	    .most = 1,
	    .help = "Removes a recipient, with its settings and lists.",
	    .run = request_run,
	    .context = &recipient_remove },
	{ .group = "recipient",
	    .name = "export",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Writes the recipients of a domain as CSV.",
	    .options = { TABLE_EXPORT_OPTIONS },
	    .run = table_file_export,
	    .context = &recipient_export },
	{ .group = "recipient",
	    .name = "import",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Reads CSV as export writes it; one column, address, is "
		    "enough.",
	    .options = { DOMAIN_ONLY, TABLE_IMPORT_OPTIONS },
	    .run = table_file_import,
	    .context = &recipient_import },
};

const struct cli_group group_recipient = {
	.name = "recipient",
	.help = "mailboxes that exist, and what they want",
	.commands = recipient_commands,
	.count = COUNT(recipient_commands),
};

/* ---- aliases ---- */

static const struct show_column alias_columns[] = {
	{ "ALIAS", "source", SHOW_TEXT, false },
	{ "STANDS FOR", "targets", SHOW_LIST, true },
};

static void
show_aliases(struct cli *cli, json_t *model)
{
	show_table(cli, json_object_get(model, "aliases"), COUNT(alias_columns),
	    alias_columns, "There are no aliases.");
}

static void
say_alias(struct cli *cli, json_t *model)
{
	printf("%s stands for %s.\n", text_of(model, "source"),
	    show_value(cli, model, &alias_columns[1]));
}

static void
say_alias_removed(struct cli *cli, json_t *model)
{
	(void)cli;
	say_removed(model, text_of(model, "source"));
}

static const struct cli_request alias_show = { METHOD_GET, "/aliases",
	{ { "domain", FIELD_OPERAND, 0, NULL } }, show_aliases };
static const struct cli_request alias_add = { METHOD_POST, "/aliases",
	{ { "source", FIELD_OPERAND, 0, NULL },
	    { "targets", FIELD_OPERANDS, 1, NULL },
	    { "replace", FIELD_FLAG, 0, NULL } },
	say_alias };
static const struct cli_request alias_set = { METHOD_POST, "/aliases",
	{ { "source", FIELD_OPERAND, 0, NULL },
	    { "targets", FIELD_OPERANDS, 1, NULL },
	    { "replace", FIELD_TRUE, 0, NULL } },
	say_alias };
static const struct cli_request alias_remove = { METHOD_POST, "/aliases/remove",
	{ { "source", FIELD_OPERAND, 0, NULL } }, say_alias_removed };

static const struct cli_request alias_import = { METHOD_POST, "/aliases/import",
	{ { "domain", FIELD_OPTION, 0, NULL }, TABLE_IMPORT_FIELDS }, NULL };
static const struct cli_request alias_export = { METHOD_GET, "/aliases/export",
	{ { "domain", FIELD_OPERAND, 0, NULL }, TABLE_EXPORT_FIELDS }, NULL };

static const struct cli_command alias_commands[] = {
	{ .group = "alias",
	    .name = "show",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Shows the aliases of a domain.",
	    .run = request_run,
	    .context = &alias_show },
	{ .group = "alias",
	    .name = "add",
	    .operands = "ALIAS TARGET...",
	    .least = 2,
	    .most = OPERANDS_MAX,
	    .help = "Adds an alias: an address that stands for others, or "
		    "@domain for another @domain.  Circles are refused.",
	    .options = { REPLACE },
	    .run = request_run,
	    .context = &alias_add },
	{ .group = "alias",
	    .name = "set",
	    .operands = "ALIAS TARGET...",
	    .least = 2,
	    .most = OPERANDS_MAX,
	    .help = "The same, and replaces what the alias stood for.",
	    .run = request_run,
	    .context = &alias_set },
	{ .group = "alias",
	    .name = "remove",
	    .operands = "ALIAS",
	    .least = 1,
	    .most = 1,
	    .help = "Removes an alias.",
	    .run = request_run,
	    .context = &alias_remove },
	{ .group = "alias",
	    .name = "export",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Writes the aliases of a domain as CSV, targets "
		    "separated by space.",
	    .options = { TABLE_EXPORT_OPTIONS },
	    .run = table_file_export,
	    .context = &alias_export },
	{ .group = "alias",
	    .name = "import",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Reads CSV as export writes it.",
	    .options = { DOMAIN_ONLY, TABLE_IMPORT_OPTIONS },
	    .run = table_file_import,
	    .context = &alias_import },
};

const struct cli_group group_alias = {
	.name = "alias",
	.help = "addresses that stand for others",
	.commands = alias_commands,
	.count = COUNT(alias_commands),
};
