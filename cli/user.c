/*
 * user.c - sekimori user: who may sign in to the pages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct show_column columns[] = {
	{ "NAME", "name", SHOW_TEXT, false },
	{ "ROLE", "role", SHOW_TEXT, false },
	{ "DOMAINS", "domains", SHOW_LIST, true },
	{ "MAILBOX", "mailbox", SHOW_TEXT, true },
	{ "DISABLED", "disabled", SHOW_FLAG, false },
	{ "ADDED", "added", SHOW_TIME, false },
	{ "ADDED BY", "added_by", SHOW_TEXT, true },
};

static const struct show_column one_columns[] = {
	{ "name", "name", SHOW_TEXT, false },
	{ "role", "role", SHOW_TEXT, false },
	{ "domains", "domains", SHOW_LIST, false },
	{ "mailbox", "mailbox", SHOW_TEXT, false },
	{ "language", "language", SHOW_TEXT, false },
	{ "disabled", "disabled", SHOW_FLAG, false },
	{ "must change", "must_change", SHOW_FLAG, false },
	{ "added", "added", SHOW_TIME, false },
	{ "added by", "added_by", SHOW_TEXT, false },
};

static void
show_users(struct cli *cli, json_t *model)
{
	show_table(cli, json_object_get(model, "users"), COUNT(columns),
	    columns, "There are no users.");
}

static void
show_user(struct cli *cli, json_t *model)
{
	json_int_t wait =
	    json_integer_value(json_object_get(model, "locked_for"));
	const char *password =
	    json_string_value(json_object_get(model, "password"));

	show_fields(cli, model, COUNT(one_columns), one_columns);
	if (wait > 0)
		printf("\nAfter too many wrong passwords: closed for another "
		       "%" JSON_INTEGER_FORMAT " s; user set NAME --unlock "
		       "opens it.\n",
		    wait);
	if (password != NULL)
		printf("\nThe password, shown this once: %s\n"
		       "It must be changed after the first sign-in.\n",
		    password);
}

static void
say_removed(struct cli *cli, json_t *model)
{
	const char *name = json_string_value(json_object_get(model, "name"));

	(void)cli;
	printf("%s is removed.\n", name != NULL ? name : "The user");
}

#define NAME_IN_PATH                                                           \
	{                                                                      \
		":", FIELD_OPERAND, 0, NULL                                    \
	}
#define DETAIL_FIELDS                                                          \
	{ "domains", FIELD_OPTION, 0, NULL },                                  \
	    { "mailbox", FIELD_OPTION, 0, NULL },                              \
	{                                                                      \
		"language", FIELD_OPTION, 0, NULL                              \
	}
#define DETAIL_OPTIONS                                                         \
	{ "domains", "DOMAIN,...",                                             \
		"Of a domain-admin or a releaser: the domains.", false },      \
	    { "mailbox", "ADDRESS", "Of a mail-user: the mailbox.", false },   \
	{                                                                      \
		"language", "TAG",                                             \
		    "Language of the pages: en, ja, or auto for that of the "  \
		    "browser.",                                                \
		    false                                                      \
	}

static const struct cli_request user_list = { METHOD_GET, "/users", { { 0 } },
	show_users };
static const struct cli_request user_show = { METHOD_GET, "/users/:x",
	{ NAME_IN_PATH }, show_user };
static const struct cli_request user_add = { METHOD_POST, "/users",
	{ { "name", FIELD_OPERAND, 0, NULL },
	    { "role", FIELD_OPERAND, 1, NULL }, DETAIL_FIELDS },
	show_user };
static const struct cli_request user_set = { METHOD_POST, "/users/:x",
	{ NAME_IN_PATH, DETAIL_FIELDS, { "role", FIELD_OPTION, 0, NULL },
	    { "disabled", FIELD_OPTION, 0, NULL },
	    { "unlock", FIELD_FLAG, 0, NULL } },
	show_user };
static const struct cli_request user_passwd = { METHOD_POST, "/users/:x",
	{ NAME_IN_PATH, { "generate", FIELD_TRUE, 0, NULL } }, show_user };
static const struct cli_request user_remove = { METHOD_POST, "/users/:x/remove",
	{ NAME_IN_PATH }, say_removed };

static const struct cli_command commands[] = {
	{ .group = "user",
	    .name = "list",
	    .operands = "",
	    .help = "Lists who may sign in to the pages.",
	    .run = request_run,
	    .context = &user_list },
	{ .group = "user",
	    .name = "show",
	    .operands = "NAME",
	    .least = 1,
	    .most = 1,
	    .help = "Shows one of them.",
	    .run = request_run,
	    .context = &user_show },
	{ .group = "user",
	    .name = "add",
	    .operands = "NAME ROLE",
	    .least = 2,
	    .most = 2,
	    .help = "Adds a user and prints a password, once.  ROLE is "
		    "operator, postmaster, domain-admin, releaser or "
		    "mail-user.",
	    .options = { DETAIL_OPTIONS },
	    .run = request_run,
	    .context = &user_add },
	{ .group = "user",
	    .name = "set",
	    .operands = "NAME",
	    .least = 1,
	    .most = 1,
	    .help = "Changes what is given and leaves the rest as it is.",
	    .options = { { "role", "ROLE", "Another role.", false },
		DETAIL_OPTIONS,
		{ "disabled", "yes|no", "Whether signing in is forbidden.",
		    false },
		{ "unlock", NULL,
		    "After too many wrong passwords: may try again at once.",
		    false } },
	    .run = request_run,
	    .context = &user_set },
	{ .group = "user",
	    .name = "passwd",
	    .operands = "NAME",
	    .least = 1,
	    .most = 1,
	    .help = "Makes a new password and prints it, once; sessions of "
		    "the user end.",
	    .run = request_run,
	    .context = &user_passwd },
	{ .group = "user",
	    .name = "remove",
	    .operands = "NAME",
	    .least = 1,
	    .most = 1,
	    .help = "Removes a user; sessions end at once.",
	    .run = request_run,
	    .context = &user_remove },
};

const struct cli_group group_user = {
	.name = "user",
	.help = "who may sign in to the pages",
	.commands = commands,
	.count = COUNT(commands),
};
