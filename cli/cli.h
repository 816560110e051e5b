/*
 * cli.h - the tool `sekimori`: what its commands share.
 *
 * A command is a row of a table; the row holds all that the parser of the
 * command line, the help and the manual need.
 *
 * Exit status: 0 done; 1 not done, or something was found wrong; 2 the
 * command line is at fault.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	EXIT_DONE = 0,
	EXIT_NOT_DONE = 1,
	EXIT_WRONG_USE = 2
};

struct cli {
	const char *program; /* argv[0], for errors */
	const char *config;  /* file, or NULL: the default */
	bool json;
	struct arena *arena; /* lives as long as the program */
};

/* An option of a command, without its dashes. */
struct cli_option {
	const char *name;
	const char *value; /* "FILE"; NULL: a flag */
	const char *help;
	bool many; /* may be given more than once */
};

struct cli_command;

/* A command line taken apart. */
struct cli_args {
	const struct cli_command *command;
	size_t option_count; /* as given, in order */
	struct cli_given {
		const struct cli_option *option;
		const char *value; /* "" for a flag */
	} * options;
	size_t operand_count;
	const char *const *operands;
};

#define CLI_OPTIONS_MAX 16

struct cli_command {
	const char *group;    /* "config" */
	const char *name;     /* "check"; "" when the group is the command */
	const char *operands; /* "[FILE]"; for people */
	size_t least, most;   /* how many operands */
	const char *help;     /* a sentence or two */
	/* ends with a row without name */
	struct cli_option options[CLI_OPTIONS_MAX];
	int (*run)(struct cli *cli, const struct cli_args *args);
	/* of the table of requests: what `run` works by */
	const void *context;
};

/* A family of commands: its own file, its own table. */
struct cli_group {
	const char *name;
	const char *help; /* half a sentence, for the list of commands */
	const struct cli_command *commands;
	size_t count;
	bool hidden; /* not for operators: left out of help and manual */
};

/* NULL: not given (a flag: ""). */
const char *cli_option(const struct cli_args *args, const char *name);
bool cli_flag(const struct cli_args *args, const char *name);

/* Prints "sekimori: ..." to stderr; returns EXIT_NOT_DONE. */
int cli_fail(const struct cli *cli, const struct err *err);
int cli_error(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints "sekimori GROUP NAME: ..." and how to get help; returns
 * EXIT_WRONG_USE. */
int cli_misuse(const struct cli *cli, const struct cli_command *command,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Prints JSON to stdout, a line end behind it; takes the reference. */
void cli_print_json(json_t *take_json);

#endif
