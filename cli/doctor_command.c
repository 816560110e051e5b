/*
 * doctor_command.c - sekimori doctor: says what is amiss.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/wrap.h"

#define REPORT_MAX (1024UL * 1024)
#define INDENT 9
#define COLUMNS 78

static const char *const level_names[] = {
	[FINDING_WRONG] = "wrong",
	[FINDING_ADVICE] = "advice",
};

/* Each line of text behind indent spaces. */
static void
write_lines(const char *text, size_t indent, struct buf *out)
{
	size_t i;

	while (*text != '\0') {
		for (i = 0; i < indent; i++)
			buf_append_char(out, ' ');
		for (; *text != '\0' && *text != '\n'; text++)
			buf_append_char(out, *text);
		buf_append_char(out, '\n');
		if (*text == '\n')
			text++;
	}
}

static void
write_finding(const struct finding *finding, struct buf *out)
{
	size_t i;

	buf_printf(out, "\n%-*s%s\n", INDENT, level_names[finding->level],
	    finding->found);
	for (i = 0; i < INDENT; i++)
		buf_append_char(out, ' ');
	wrap_text(finding->why, INDENT, COLUMNS, out);
	buf_printf(out, "%*sIn %s:\n", INDENT, "", finding->file);
	write_lines(finding->mend, INDENT + 4, out);
}

static void
write_report(const struct doctor *doctor, struct buf *out)
{
	const struct finding *finding;

	if (doctor->wrong == 0)
		buf_printf(out,
		    "Postfix asks Sekimori as it should: %zu things checked, "
		    "nothing is wrong.\n",
		    doctor->checked);
	else
		buf_printf(out, "%zu of %zu things checked are wrong.\n",
		    doctor->wrong, doctor->checked);
	for (finding = doctor->first; finding != NULL; finding = finding->next)
		write_finding(finding, out);
	if (doctor->first != NULL)
		buf_append_str(out,
		    "\nA change of main.cf or master.cf takes effect at "
		    "`postfix reload`.\n");
}

static json_t *
report_to_json(const struct doctor *doctor)
{
	const struct finding *finding;
	json_t *findings = json_array();

	for (finding = doctor->first; finding != NULL; finding = finding->next)
		json_array_append_new(findings,
		    json_pack("{s:s, s:s, s:s, s:s, s:s}", "level",
			level_names[finding->level], "found", finding->found,
			"why", finding->why, "file", finding->file, "mend",
			finding->mend));
	return json_pack("{s:I, s:o}", "checked", (json_int_t)doctor->checked,
	    "findings", findings);
}

static int
doctor_run(struct cli *cli, const struct cli_args *args)
{
	const struct postfix_options options = {
		.postconf = cli_option(args, "postconf"),
		.directory = cli_option(args, "config-dir"),
	};
	struct doctor doctor;
	struct postfix postfix;
	struct conf *conf;
	struct buf report;
	struct err err;

	conf = conf_load(cli->config, &err);
	if (conf == NULL)
		return cli_fail(cli, &err);
	if (postfix_read(cli->arena, &options, &postfix, &err) < 0) {
		conf_free(conf);
		return cli_fail(cli, &err);
	}
	doctor_postfix(&doctor, cli->arena, conf, &postfix);
	buf_init(&report, REPORT_MAX);
	write_report(&doctor, &report);
	if (cli->json)
		cli_print_json(report_to_json(&doctor));
	else
		fputs(buf_str(&report), stdout);
	buf_free(&report);
	conf_free(conf);
	return doctor.wrong == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

static const struct cli_command commands[] = {
	{ .group = "doctor",
	    .name = "postfix",
	    .operands = "",
	    .help = "Reads the settings of Postfix and says what is amiss for "
		    "working with Sekimori: what was found, why it matters, "
		    "and the lines that mend it.  Ends with status 1 when "
		    "something is wrong; advice alone is status 0.",
	    .options = { { "config-dir", "DIR",
			     "Look at the Postfix whose main.cf is there.",
			     false },
		{ "postconf", "COMMAND",
		    "Run this postconf instead of the one found by PATH.",
		    false } },
	    .run = doctor_run },
};

const struct cli_group group_doctor = {
	.name = "doctor",
	.help = "what is amiss in the Postfix that asks Sekimori",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};
