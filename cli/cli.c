/*
 * cli.c - what the commands share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const char *
cli_option(const struct cli_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < args->option_count; i++)
		if (strcmp(args->options[i].option->name, name) == 0)
			return args->options[i].value;
	return NULL;
}

bool
cli_flag(const struct cli_args *args, const char *name)
{
	return cli_option(args, name) != NULL;
}

int
cli_error(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", cli->program);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_NOT_DONE;
}

int
cli_fail(const struct cli *cli, const struct err *err)
{
	return cli_error(cli, "%s", err->text);
}

int
cli_misuse(const struct cli *cli, const struct cli_command *command,
    const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s", cli->program);
	if (command != NULL)
		fprintf(stderr, " %s%s%s", command->group,
		    command->name[0] != '\0' ? " " : "", command->name);
	fputs(": ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (command == NULL)
		fprintf(stderr, "; see `%s --help`\n", cli->program);
	else
		fprintf(stderr, "; see `%s %s --help`\n", cli->program,
		    command->group);
	return EXIT_WRONG_USE;
}

void
cli_print_json(json_t *take_json)
{
	json_dumpf(take_json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
	json_decref(take_json);
}
