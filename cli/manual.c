/*
 * manual.c - sekimori manual: fills the tables into the manual pages, when
 * they are built.
 *
 * A line "@COMMANDS@" becomes the commands, "@OPTIONS@" the options of the
 * configuration file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"

#include "cli/commands.h"

#define PAGE_MAX (1024UL * 1024)

static void
fill_in(const char *text, struct buf *out)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		len = strcspn(text, "\n");
		len += text[len] == '\n';
		if (strncmp(text, "@COMMANDS@\n", len) == 0)
			args_manual(&cli_groups, out);
		else if (strncmp(text, "@OPTIONS@\n", len) == 0)
			(void)conf_write_manual(out);
		else
			buf_append(out, text, len);
	}
}

static int
manual(struct cli *cli, const struct cli_args *args)
{
	struct buf page, out;
	struct err err;
	int rc;

	buf_init(&page, PAGE_MAX);
	buf_init(&out, PAGE_MAX);
	rc = file_read(args->operands[0], &page, &err);
	if (rc == 0) {
		fill_in(buf_str(&page), &out);
		fputs(buf_str(&out), stdout);
	}
	buf_free(&page);
	buf_free(&out);
	return rc == 0 ? EXIT_DONE : cli_fail(cli, &err);
}

static const struct cli_command commands[] = {
	{ .group = "manual",
	    .name = "",
	    .operands = "FILE",
	    .least = 1,
	    .most = 1,
	    .help = "Writes a manual page from its source.",
	    .run = manual },
};

const struct cli_group group_manual = {
	.name = "manual",
	.help = "write a manual page",
	.commands = commands,
	.count = 1,
	.hidden = true,
};
