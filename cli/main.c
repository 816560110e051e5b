/*
 * main.c - sekimori: the command-line tool.
 *
 * Which commands there are is in commands.h; each family has its file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "base/log.h"

#include "cli/commands.h"

static int
print_help(const struct cli_group *group, const struct cli_command *command)
{
	struct buf text;

	buf_init(&text, 100000);
	args_help(&cli_groups, group, command, &text);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	return EXIT_DONE;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	const struct cli_group *group = NULL;
	struct cli_args args;

	switch (args_parse(cli, &cli_groups, argc, argv, &args, &group)) {
	case ARGS_RUN:
		return args.command->run(cli, &args);
	case ARGS_HELP:
		return print_help(group, args.command);
	case ARGS_VERSION:
		puts("sekimori " PACKAGE_VERSION);
		return EXIT_DONE;
	case ARGS_MISUSE:
		break;
	}
	return EXIT_WRONG_USE;
}

int
main(int argc, char **argv)
{
	struct cli cli = { .program = "sekimori", .arena = arena_new(0) };
	int rc;

	log_open("sekimori", LOG_TARGET_STDERR, LOG_LEVEL_WARN);
	rc = run(&cli, argc, argv);
	arena_free(cli.arena);
	/* What could not be written was not done. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("sekimori: standard output");
		return EXIT_NOT_DONE;
	}
	return rc;
}
