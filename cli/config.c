/*
 * config.c - sekimori config: the configuration file, checked and shown.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/conf.h"

#include "cli/commands.h"
#include "cli/table.h"

#define TEXT_MAX_BYTES (1024UL * 1024)

static const char *
file_of(const struct cli *cli, const struct cli_args *args)
{
	if (args->operand_count > 0)
		return args->operands[0];
	return cli->config != NULL ? cli->config : CONF_DEFAULT_FILE;
}

/* Lines of text as an array. */
static json_t *
lines_to_json(const char *text)
{
	json_t *lines = json_array();
	size_t len;

	for (; *text != '\0'; text += len + 1) {
		len = strcspn(text, "\n");
		json_array_append_new(lines, json_stringn(text, len));
	}
	return lines;
}

static int
config_check(struct cli *cli, const struct cli_args *args)
{
	const char *file = file_of(cli, args);
	struct buf report;
	size_t errors;

	buf_init(&report, TEXT_MAX_BYTES);
	errors = conf_check(file, &report);
	if (cli->json)
		cli_print_json(json_pack("{s:s, s:o}", "file", file, "errors",
		    lines_to_json(buf_str(&report))));
	else if (errors == 0)
		printf("%s is good.\n", file);
	else
		fputs(buf_str(&report), stderr);
	buf_free(&report);
	return errors == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

static json_t *
list_to_json(const struct option_list *list)
{
	json_t *json = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(json, json_string(list->items[i]));
	return json;
}

/* As JSON has it: numbers in their smallest unit, lists as arrays. */
static json_t *
value_to_json(const struct option *option, const struct conf *conf,
    const char *text)
{
	const void *field = (const char *)conf + option->offset;
	struct option_list list;
	uint64_t number;
	bool flag;

	switch (option->type) {
	case OPT_BOOL:
		memcpy(&flag, field, sizeof(flag));
		return json_boolean(flag);
	case OPT_NUMBER:
	case OPT_SIZE:
	case OPT_SECONDS:
	case OPT_PERCENT:
		memcpy(&number, field, sizeof(number));
		return json_integer((json_int_t)number);
	case OPT_LIST:
		memcpy(&list, field, sizeof(list));
		return list_to_json(&list);
	default:
		return json_string(text);
	}
}

/* One option, if it is among those named, or none are. */
static bool
is_wanted(const struct cli_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < args->operand_count; i++)
		if (strcmp(args->operands[i], name) == 0)
			return true;
	return args->operand_count == 0;
}

static int
check_names(const struct cli *cli, const struct cli_args *args)
{
	const struct option *guess;
	size_t i;

	for (i = 0; i < args->operand_count; i++) {
		const char *name = args->operands[i];

		if (option_find(conf_options, conf_option_count, name) != NULL)
			continue;
		guess = option_guess(conf_options, conf_option_count, name);
		return guess == NULL
		    ? cli_misuse(cli, args->command, "there is no option %s",
			  name)
		    : cli_misuse(cli, args->command,
			  "there is no option %s; did you mean %s?", name,
			  guess->name);
	}
	return EXIT_DONE;
}

static void
show(const struct cli *cli, const struct cli_args *args,
    const struct conf *conf)
{
	static const struct table_column columns[] = {
		{ "OPTION", false, false },
		{ "VALUE", false, false },
		{ "", false, false },
	};
	struct table *table = table_new(cli->arena, 3, columns);
	struct conf *presets = conf_new();
	json_t *json = json_object();
	struct buf value, preset;
	size_t i;

	buf_init(&value, TEXT_MAX_BYTES);
	buf_init(&preset, TEXT_MAX_BYTES);
	for (i = 0; i < conf_option_count; i++) {
		const struct option *option = &conf_options[i];

		if (!is_wanted(args, option->name))
			continue;
		buf_reset(&value);
		buf_reset(&preset);
		option_format(option, conf, &value);
		option_format(option, presets, &preset);
		table_row(table,
		    (const char *const[]){ option->name, buf_str(&value),
			strcmp(buf_str(&value), buf_str(&preset)) == 0
			    ? "(default)"
			    : "" });
		json_object_set_new(json, option->name,
		    value_to_json(option, conf, buf_str(&value)));
	}
	if (cli->json)
		cli_print_json(json_incref(json));
	else
		table_print(table);
	json_decref(json);
	buf_free(&value);
	buf_free(&preset);
	conf_free(presets);
}

static int
config_show(struct cli *cli, const struct cli_args *args)
{
	struct conf *conf;
	struct err err;
	int rc = check_names(cli, args);

	if (rc != EXIT_DONE)
		return rc;
	conf = conf_load(cli->config, &err);
	if (conf == NULL)
		return cli_fail(cli, &err);
	show(cli, args, conf);
	conf_free(conf);
	return EXIT_DONE;
}

static int
config_defaults(struct cli *cli, const struct cli_args *args)
{
	struct buf text;

	(void)cli;
	(void)args;
	buf_init(&text, TEXT_MAX_BYTES);
	(void)conf_write_sample(&text);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	return EXIT_DONE;
}

static const struct cli_command commands[] = {
	{ .group = "config",
	    .name = "check",
	    .operands = "[FILE]",
	    .most = 1,
	    .help = "Reads the configuration and names everything that is "
		    "wrong in it, by file and line.",
	    .run = config_check },
	{ .group = "config",
	    .name = "show",
	    .operands = "[OPTION...]",
	    .most = 100,
	    .help = "Shows the options in force, as the file and the defaults "
		    "make them.",
	    .run = config_show },
	{ .group = "config",
	    .name = "defaults",
	    .operands = "",
	    .help = "Writes a configuration file with every option, its "
		    "meaning and its default.",
	    .run = config_defaults },
};

const struct cli_group group_config = {
	.name = "config",
	.help = "the configuration file, checked and shown",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};
