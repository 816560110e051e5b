/*
 * manual.c - sekimori manual: fills the tables into the manual pages, when
 * they are built.
 *
 * A line "@COMMANDS@" becomes the commands, "@OPTIONS@" the options of the
 * configuration file, "@POLICY@" those of domains and mailboxes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/mdoc.h"
#include "policy/policy.h"

#include "cli/commands.h"

#define PAGE_MAX (1024UL * 1024)

/* "Of the system, domains and mailboxes." */
static void
append_levels(const struct option *option, struct buf *out)
{
	static const struct {
		unsigned level;
		const char *name;
	} levels[] = {
		{ POLICY_LEVEL_SYSTEM, "the system" },
		{ POLICY_LEVEL_DOMAIN, "domains" },
		{ POLICY_LEVEL_MAILBOX, "mailboxes" },
	};
	unsigned left = policy_option_levels(option->name);
	const char *between = "Of ";
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if ((left & levels[i].level) == 0)
			continue;
		left &= ~levels[i].level;
		buf_printf(out, "%s%s", between, levels[i].name);
		between = (left & (left - 1)) != 0 ? ", " : " and ";
	}
	buf_append_char(out, '.');
}

static void
write_setting(const struct option *option, struct buf *out)
{
	struct buf text;

	buf_init(&text, PAGE_MAX);
	buf_printf(out, ".It Ic %s\n", option->name);
	mdoc_text(option->help, out);
	option_range(option, &text);
	buf_append_str(out, ".br\n");
	if (text.len > 0) {
		buf_append_str(out, "Values:\n");
		mdoc_text(buf_str(&text), out);
		buf_append_str(out, ".br\n");
	}
	buf_reset(&text);
	append_levels(option, &text);
	mdoc_text(buf_str(&text), out);
	buf_append_str(out, ".br\nDefault:\n");
	if (option->preset[0] == '\0') {
		buf_append_str(out, "none.\n");
	} else {
		buf_append_str(out, ".Li ");
		mdoc_argument(option->preset, out);
		buf_append_char(out, '\n');
	}
	buf_free(&text);
}

static void
write_policy(struct buf *out)
{
	const char *section = "";
	size_t i;

	for (i = 0; i < policy_option_count; i++) {
		if (strcmp(section, policy_options[i].section) != 0) {
			if (i > 0)
				buf_append_str(out, ".El\n");
			section = policy_options[i].section;
			buf_printf(out, ".Ss %s\n.Bl -tag -width Ds\n",
			    section);
		}
		write_setting(&policy_options[i], out);
	}
	buf_append_str(out, ".El\n");
}

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
		else if (strncmp(text, "@POLICY@\n", len) == 0)
			write_policy(out);
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
