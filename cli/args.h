/*
 * args.h - the command line, taken apart by the tables of commands, and
 * the help made from them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

struct cli_groups {
	size_t count;
	const struct cli_group *const *groups;
};

enum args_what {
	ARGS_RUN,
	ARGS_HELP, /* command, or group, or neither is set */
	ARGS_VERSION,
	ARGS_MISUSE, /* has been reported */
};

/*
 * Options may stand anywhere; "--" ends them.  -c FILE, --json, --help and
 * --version belong to every command and are put into cli.
 */
enum args_what args_parse(struct cli *cli, const struct cli_groups *groups,
    int argc, char **argv, struct cli_args *args,
    const struct cli_group **group);

/* group NULL: of the program; command NULL: of the group. */
void args_help(const struct cli_groups *groups, const struct cli_group *group,
    const struct cli_command *command, struct buf *out);
/* The section COMMANDS of sekimori(1), in mdoc. */
void args_manual(const struct cli_groups *groups, struct buf *out);

#endif
