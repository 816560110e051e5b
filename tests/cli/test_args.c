/*
 * test_args.c - tests of cli/args.c: the command line taken apart, and the
 * help of every command there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#include "cli/commands.h"

#define WORDS_MAX 10

static const struct cli_command commands[] = {
	{ .group = "thing",
	    .name = "add",
	    .operands = "NAME...",
	    .least = 1,
	    .most = 2,
	    .help = "Adds a thing.",
	    .options = { { "size", "N", "How large.", false },
		{ "tag", "WORD", "A tag.", true },
		{ "force", NULL, "Even if.", false } } },
	{ .group = "thing",
	    .name = "list",
	    .operands = "",
	    .help = "Lists things." },
};
static const struct cli_command alone[] = {
	{ .group = "alone",
	    .name = "",
	    .operands = "[FILE]",
	    .most = 1,
	    .help = "Is alone." },
};
static const struct cli_group thing = { "thing", "things", commands, 2, false };
static const struct cli_group lone = { "alone", "alone", alone, 1, false };
static const struct cli_group *const list[] = { &thing, &lone };
static const struct cli_groups groups = { 2, list };

/* What came of a command line, as text. */
static void
describe(enum args_what what, const struct cli *cli,
    const struct cli_args *args, const struct cli_group *group, struct buf *out)
{
	static const char *const names[] = { "run", "help", "version",
		"misuse" };
	size_t i;

	buf_append_str(out, names[what]);
	if (what == ARGS_MISUSE)
		return;
	if (group != NULL)
		buf_printf(out, " %s", group->name);
	if (args->command != NULL)
		buf_printf(out, ".%s", args->command->name);
	for (i = 0; i < args->operand_count; i++)
		buf_printf(out, " <%s>", args->operands[i]);
	for (i = 0; i < args->option_count; i++)
		buf_printf(out, " %s=%s", args->options[i].option->name,
		    args->options[i].value);
	if (cli->json)
		buf_append_str(out, " json");
	if (cli->config != NULL)
		buf_printf(out, " config=%s", cli->config);
}

static void
test_command_lines(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *want;
	} cases[] = {
		{ { "thing", "list" }, "run thing.list" },
		{ { "thing", "add", "a" }, "run thing.add <a>" },
		{ { "-c", "f", "thing", "add", "a", "--json" },
		    "run thing.add <a> json config=f" },
		{ { "thing", "-cf", "list" }, "run thing.list config=f" },
		{ { "--config=f", "alone", "-" }, "run alone. <-> config=f" },
		{ { "alone" }, "run alone." },
		{ { "thing", "add", "a", "--size", "5", "b", "--force" },
		    "run thing.add <a> <b> size=5 force=" },
		{ { "thing", "add", "--size=", "a" },
		    "run thing.add <a> size=" },
		{ { "thing", "add", "--tag=x", "--tag", "y", "a" },
		    "run thing.add <a> tag=x tag=y" },
		{ { "thing", "add", "--", "--size" },
		    "run thing.add <--size>" },
		{ { "thing", "add", "--size", "--", "a" },
		    "run thing.add <a> size=--" },
		{ { "--help" }, "help" },
		{ { "help" }, "help" },
		{ { "help", "thing" }, "help thing" },
		{ { "help", "thing", "add" }, "help thing.add" },
		{ { "thing", "--help" }, "help thing" },
		{ { "thing", "add", "-h" }, "help thing.add" },
		{ { "-V" }, "version" },
		{ { NULL }, "misuse" },
		{ { "thing" }, "misuse" },
		{ { "other" }, "misuse" },
		{ { "thing", "other" }, "misuse" },
		{ { "thing", "add" }, "misuse" },
		{ { "thing", "add", "a", "b", "c" }, "misuse" },
		{ { "thing", "list", "a" }, "misuse" },
		{ { "thing", "list", "--size", "5" }, "misuse" },
		{ { "thing", "add", "a", "--size" }, "misuse" },
		{ { "thing", "add", "a", "--force=yes" }, "misuse" },
		{ { "thing", "add", "a", "--siz", "5" }, "misuse" },
		{ { "thing", "add", "a", "--size=5", "--size=6" }, "misuse" },
		{ { "thing", "add", "a", "-x" }, "misuse" },
	};
	struct buf got;
	size_t i;

	(void)state;
	buf_init(&got, 1000);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct cli cli = { .program = "sekimori",
			.arena = arena_new(0) };
		const struct cli_group *group = NULL;
		struct cli_args args;
		char program[] = "sekimori";
		char *argv[WORDS_MAX + 1] = { program };
		enum args_what what;
		int argc = 1;

		while (cases[i].words[argc - 1] != NULL) {
			argv[argc] =
			    arena_strdup(cli.arena, cases[i].words[argc - 1]);
			argc++;
		}
		buf_reset(&got);
		what = args_parse(&cli, &groups, argc, argv, &args, &group);
		describe(what, &cli, &args, group, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			case_fail(cases[i].want, "got %s", buf_str(&got));
		arena_free(cli.arena);
	}
	buf_free(&got);
}

static void
test_help(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	args_help(&groups, &thing, &commands[0], &out);
	assert_string_equal(buf_str(&out),
	    "usage: sekimori thing add NAME... [options]\n"
	    "\n"
	    "Adds a thing.\n"
	    "\n"
	    "options:\n"
	    "  --size N                How large.\n"
	    "  --tag WORD              A tag.\n"
	    "  --force                 Even if.\n");
	buf_free(&out);
}

/* Every row of every table is fit to be shown. */
static void
test_every_command(void **state)
{
	struct buf out;
	size_t i, k;

	(void)state;
	buf_init(&out, 1000000);
	args_manual(&cli_groups, &out);
	for (i = 0; i < cli_groups.count; i++) {
		const struct cli_group *group = cli_groups.groups[i];

		for (k = 0; k < group->count; k++) {
			const struct cli_command *c = &group->commands[k];
			size_t o;

			if (strcmp(c->group, group->name) != 0 ||
			    c->run == NULL || c->operands == NULL ||
			    c->least > c->most)
				case_fail(group->name, "'%s' is incomplete",
				    c->name);
			if (c->help == NULL ||
			    c->help[strlen(c->help) - 1] != '.')
				case_fail(group->name, "'%s' has no good help",
				    c->name);
			if ((c->most > 0) != (c->operands[0] != '\0'))
				case_fail(group->name, "'%s': operands",
				    c->name);
			for (o = 0; c->options[o].name != NULL; o++)
				if (c->options[o].help == NULL ||
				    o + 1 == CLI_OPTIONS_MAX)
					case_fail(c->options[o].name,
					    "no help, or too many");
			if (!group->hidden &&
			    strstr(buf_str(&out), c->name) == NULL)
				case_fail(group->name, "'%s' not in manual",
				    c->name);
		}
	}
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_every_command),
	};

	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
