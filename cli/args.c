/*
 * args.c - the command line, taken apart by the tables of commands, and
 * the help made from them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mdoc.h"

#include "cli/args.h"
#include "cli/wrap.h"

#define HELP_INDENT 26
#define LINE_COLUMNS 78

static const struct cli_option global_options[] = {
	{ "config", "FILE",
	    "Read this file instead of " SEKIMORI_CONFDIR
	    "/sekimori.conf; also -c.",
	    false },
	{ "json", NULL, "Print JSON, for programs.", false },
	{ "help", NULL, "Say how the command is used; also -h.", false },
	{ "version", NULL, "Print the version; also -V.", false },
};

#define GLOBAL_COUNT (sizeof(global_options) / sizeof(global_options[0]))

/* ---- parsing ---- */

struct parser {
	struct cli *cli;
	const struct cli_groups *groups;
	int argc, at;
	char **argv;
	const struct cli_group *group;
	const struct cli_command *command;
	struct cli_given *options;
	size_t option_count;
	const char **operands;
	size_t operand_count;
	bool help, version;
};

static const struct cli_group *
find_group(const struct cli_groups *groups, const char *name)
{
	size_t i;

	for (i = 0; i < groups->count; i++)
		if (strcmp(groups->groups[i]->name, name) == 0)
			return groups->groups[i];
	return NULL;
}

static const struct cli_command *
find_command(const struct cli_group *group, const char *name)
{
	size_t i;

	for (i = 0; i < group->count; i++)
		if (strcmp(group->commands[i].name, name) == 0)
			return &group->commands[i];
	return NULL;
}

static int
misuse_group(const struct parser *parser, const char *text, const char *word)
{
	const struct cli_command group = { .group = parser->group->name,
		.name = "" };

	return cli_misuse(parser->cli, &group, "%s%s%s", text,
	    word[0] != '\0' ? ": " : "", word);
}

/* A word that is no option: group, then command, then operands. */
static int
take_word(struct parser *parser, const char *word)
{
	if (parser->group == NULL && strcmp(word, "help") == 0) {
		parser->help = true;
		return EXIT_DONE;
	}
	if (parser->group == NULL) {
		parser->group = find_group(parser->groups, word);
		if (parser->group == NULL)
			return cli_misuse(parser->cli, NULL,
			    "there is no command '%s'", word);
		/* A group of one, like scan. */
		parser->command = find_command(parser->group, "");
		return EXIT_DONE;
	}
	if (parser->command == NULL) {
		parser->command = find_command(parser->group, word);
		if (parser->command == NULL)
			return misuse_group(parser, "there is no such command",
			    word);
		return EXIT_DONE;
	}
	parser->operands[parser->operand_count++] = word;
	return EXIT_DONE;
}

static const struct cli_option *
find_option(const struct parser *parser, const char *name, size_t len)
{
	const struct cli_option *option;
	size_t i;

	for (i = 0; i < GLOBAL_COUNT; i++) {
		option = &global_options[i];
		if (strlen(option->name) == len &&
		    strncmp(option->name, name, len) == 0)
			return option;
	}
	if (parser->command == NULL)
		return NULL;
	for (option = parser->command->options; option->name != NULL; option++)
		if (strlen(option->name) == len &&
		    strncmp(option->name, name, len) == 0)
			return option;
	return NULL;
}

static int
take_global(struct parser *parser, const struct cli_option *option,
    const char *value)
{
	if (strcmp(option->name, "config") == 0)
		parser->cli->config = value;
	else if (strcmp(option->name, "json") == 0)
		parser->cli->json = true;
	else if (strcmp(option->name, "help") == 0)
		parser->help = true;
	else
		parser->version = true;
	return EXIT_DONE;
}

/* value NULL: the next word, if one is wanted. */
static int
take_option(struct parser *parser, const struct cli_option *option,
    const char *value)
{
	size_t i;

	if (option->value == NULL && value != NULL)
		return cli_misuse(parser->cli, parser->command,
		    "--%s takes no value", option->name);
	if (option->value != NULL && value == NULL) {
		if (parser->at + 1 >= parser->argc)
			return cli_misuse(parser->cli, parser->command,
			    "--%s wants a value: %s", option->name,
			    option->value);
		value = parser->argv[++parser->at];
	}
	if (option >= global_options && option < global_options + GLOBAL_COUNT)
		return take_global(parser, option, value);
	for (i = 0; i < parser->option_count && !option->many; i++)
		if (parser->options[i].option == option)
			return cli_misuse(parser->cli, parser->command,
			    "--%s is given twice", option->name);
	parser->options[parser->option_count].option = option;
	parser->options[parser->option_count++].value =
	    value != NULL ? value : "";
	return EXIT_DONE;
}

static int
take_long(struct parser *parser, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct cli_option *option = find_option(parser, word, len);

	if (option == NULL)
		return cli_misuse(parser->cli, parser->command,
		    "there is no option --%.*s", (int)len, word);
	return take_option(parser, option,
	    word[len] == '=' ? word + len + 1 : NULL);
}

static int
take_short(struct parser *parser, const char *word)
{
	static const struct {
		char letter;
		const struct cli_option *option;
	} letters[] = { { 'c', &global_options[0] },
		{ 'h', &global_options[2] }, { 'V', &global_options[3] } };
	size_t i;

	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (word[0] == letters[i].letter)
			return take_option(parser, letters[i].option,
			    word[1] != '\0' ? word + 1 : NULL);
	return cli_misuse(parser->cli, parser->command,
	    "there is no option -%c", word[0]);
}

static int
take_all(struct parser *parser)
{
	bool options_end = false;
	const char *word;
	int rc;

	for (parser->at = 1; parser->at < parser->argc; parser->at++) {
		word = parser->argv[parser->at];
		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
			continue;
		}
		/* "-" is standard input. */
		if (options_end || word[0] != '-' || word[1] == '\0')
			rc = take_word(parser, word);
		else if (word[1] == '-')
			rc = take_long(parser, word + 2);
		else
			rc = take_short(parser, word + 1);
		if (rc != EXIT_DONE)
			return rc;
	}
	return EXIT_DONE;
}

/* As many operands as the command wants? */
static int
check_operands(const struct parser *parser)
{
	const struct cli_command *command = parser->command;

	if (parser->operand_count < command->least)
		return cli_misuse(parser->cli, command, "wants %s",
		    command->operands);
	if (parser->operand_count > command->most)
		return cli_misuse(parser->cli, command,
		    "does not know what to do with '%s'",
		    parser->operands[command->most]);
	return EXIT_DONE;
}

enum args_what
args_parse(struct cli *cli, const struct cli_groups *groups, int argc,
    char **argv, struct cli_args *args, const struct cli_group **group)
{
	struct parser parser = { .cli = cli,
		.groups = groups,
		.argc = argc,
		.argv = argv };

	parser.options = arena_calloc(cli->arena, (size_t)argc + 1,
	    sizeof(parser.options[0]));
	parser.operands = arena_calloc(cli->arena, (size_t)argc + 1,
	    sizeof(parser.operands[0]));
	if (take_all(&parser) != EXIT_DONE)
		return ARGS_MISUSE;
	args->command = parser.command;
	args->options = parser.options;
	args->option_count = parser.option_count;
	args->operands = parser.operands;
	args->operand_count = parser.operand_count;
	*group = parser.group;
	if (parser.version)
		return ARGS_VERSION;
	if (parser.help)
		return ARGS_HELP;
	if (parser.group == NULL) {
		cli_misuse(cli, NULL, "what is to be done?");
		return ARGS_MISUSE;
	}
	if (parser.command == NULL) {
		misuse_group(&parser, "which command?", "");
		return ARGS_MISUSE;
	}
	return check_operands(&parser) == EXIT_DONE ? ARGS_RUN : ARGS_MISUSE;
}

/* ---- help ---- */

/* "sekimori list add SIDE KIND PATTERN [options]" */
static void
write_usage(const struct cli_command *command, struct buf *out)
{
	buf_printf(out, "sekimori %s", command->group);
	if (command->name[0] != '\0')
		buf_printf(out, " %s", command->name);
	if (command->operands[0] != '\0')
		buf_printf(out, " %s", command->operands);
	if (command->options[0].name != NULL)
		buf_append_str(out, " [options]");
}

/* A term, and its explanation beside or below it. */
static void
write_entry(const char *term, const char *text, struct buf *out)
{
	size_t len = strlen(term) + 2;

	buf_printf(out, "  %s", term);
	if (len + 2 > HELP_INDENT) {
		buf_append_char(out, '\n');
		len = 0;
	}
	for (; len < HELP_INDENT; len++)
		buf_append_char(out, ' ');
	wrap_text(text, HELP_INDENT, LINE_COLUMNS, out);
}

static void
write_option(const struct cli_option *option, struct buf *out)
{
	struct buf term;

	buf_init(&term, 128);
	buf_printf(&term, "--%s", option->name);
	if (option->value != NULL)
		buf_printf(&term, " %s", option->value);
	write_entry(buf_str(&term), option->help, out);
	buf_free(&term);
}

static void
help_command(const struct cli_command *command, struct buf *out)
{
	const struct cli_option *option;

	buf_append_str(out, "usage: ");
	write_usage(command, out);
	buf_append_str(out, "\n\n");
	wrap_text(command->help, 0, LINE_COLUMNS, out);
	if (command->options[0].name == NULL)
		return;
	buf_append_str(out, "\noptions:\n");
	for (option = command->options; option->name != NULL; option++)
		write_option(option, out);
}

static void
help_group(const struct cli_group *group, struct buf *out)
{
	size_t i;

	for (i = 0; i < group->count; i++) {
		buf_append_str(out, i == 0 ? "usage: " : "       ");
		write_usage(&group->commands[i], out);
		buf_append_char(out, '\n');
	}
	buf_printf(out, "\n`sekimori %s COMMAND --help` says more.\n",
	    group->name);
}

static void
help_program(const struct cli_groups *groups, struct buf *out)
{
	size_t i;

	buf_append_str(out, "usage: sekimori COMMAND [operands] [options]\n\n");
	for (i = 0; i < groups->count; i++)
		if (!groups->groups[i]->hidden)
			write_entry(groups->groups[i]->name,
			    groups->groups[i]->help, out);
	buf_append_str(out, "\noptions of every command:\n");
	for (i = 0; i < GLOBAL_COUNT; i++)
		write_option(&global_options[i], out);
	buf_append_str(out,
	    "\n`sekimori COMMAND --help` and sekimori(1) say more.\n");
}

void
args_help(const struct cli_groups *groups, const struct cli_group *group,
    const struct cli_command *command, struct buf *out)
{
	if (command != NULL)
		help_command(command, out);
	else if (group != NULL)
		help_group(group, out);
	else
		help_program(groups, out);
}

/* ---- the manual ---- */

/* Operands as mdoc has them: "[FILE]" and "FILE ..." as arguments. */
static void
manual_command(const struct cli_command *command, struct buf *out)
{
	const struct cli_option *option;

	buf_printf(out, ".It Xo\n.Ic %s", command->group);
	if (command->name[0] != '\0')
		buf_printf(out, " %s", command->name);
	if (command->operands[0] != '\0')
		buf_printf(out, "\n.Ar \"%s\"", command->operands);
	buf_append_str(out, "\n.Xc\n");
	mdoc_text(command->help, out);
	if (command->options[0].name == NULL)
		return;
	buf_append_str(out, ".Bl -tag -width Ds -compact\n");
	for (option = command->options; option->name != NULL; option++) {
		buf_printf(out, ".It Fl Fl %s", option->name);
		if (option->value != NULL)
			buf_printf(out, " Ar %s", option->value);
		buf_append_char(out, '\n');
		mdoc_text(option->help, out);
	}
	buf_append_str(out, ".El\n");
}

void
args_manual(const struct cli_groups *groups, struct buf *out)
{
	size_t i, k;

	for (i = 0; i < groups->count; i++) {
		const struct cli_group *group = groups->groups[i];

		if (group->hidden)
			continue;
		buf_printf(out, ".Ss %s: %s\n.Bl -tag -width Ds\n", group->name,
		    group->help);
		for (k = 0; k < group->count; k++)
			manual_command(&group->commands[k], out);
		buf_append_str(out, ".El\n");
	}
}
