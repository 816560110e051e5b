/*
 * auth.c - sekimori auth: what a domain publishes for its mail, and what is
 * wrong with it.
 *
 * The store is not needed: only the DNS is asked.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dns_conf.h"
#include "mail/address.h"
#include "policy/survey.h"

#include "cli/commands.h"
#include "cli/wrap.h"

#define REPORT_MAX (1024UL * 1024)
#define INDENT 9
#define COLUMNS 78
#define SURVEY_MS 20000

static struct conf *
open_conf(const struct cli *cli, struct err *err)
{
	/* Where nothing is installed, the defaults will do. */
	if (cli->config == NULL && access(CONF_DEFAULT_FILE, F_OK) < 0)
		return conf_new();
	return conf_load(cli->config, err);
}

/* ---- for people ---- */

static void
write_finding(const json_t *finding, struct buf *out)
{
	const char *advice =
	    json_string_value(json_object_get(finding, "advice"));

	buf_printf(out, "%-*s", INDENT,
	    json_string_value(json_object_get(finding, "level")));
	wrap_text(json_string_value(json_object_get(finding, "text")), INDENT,
	    COLUMNS, out);
	if (advice[0] == '\0')
		return;
	buf_printf(out, "%*s", INDENT, "");
	wrap_text(advice, INDENT, COLUMNS, out);
}

static void
write_topic(const json_t *model, const char *heading, const char *topic,
    struct buf *out)
{
	const json_t *finding;
	size_t i;

	buf_printf(out, "\n%s\n", heading);
	json_array_foreach(json_object_get(model, "findings"), i, finding)
	{
		const char *id =
		    json_string_value(json_object_get(finding, "id"));

		if (strncmp(id, topic, strlen(topic)) == 0)
			write_finding(finding, out);
	}
}

static void
write_report(const json_t *model, struct buf *out)
{
	static const struct {
		const char *heading, *topic;
	} topics[] = {
		{ "SPF", "spf." },
		{ "DKIM", "dkim." },
		{ "DMARC", "dmarc." },
		{ "MX", "mx." },
	};
	size_t i;

	buf_printf(out, "%s: %s\n",
	    json_string_value(json_object_get(model, "domain")),
	    json_string_value(json_object_get(model, "level")));
	for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		write_topic(model, topics[i].heading, topics[i].topic, out);
}

static void
print_report(const json_t *model)
{
	struct buf out;

	buf_init(&out, REPORT_MAX);
	write_report(model, &out);
	fputs(buf_str(&out), stdout);
	buf_free(&out);
}

/* ---- the command ---- */

static json_t *
survey(struct cli *cli, const struct cli_args *args, const char *domain,
    struct err *err)
{
	struct survey_selector selectors[SURVEY_SELECTORS_MAX] = { 0 };
	struct survey_request request = {
		.domain = domain,
		.selectors = selectors,
		.until_ms = clock_mono_ms() + SURVEY_MS,
	};
	struct conf *conf;
	struct dns *dns;
	json_t *model = NULL;
	size_t i;

	for (i = 0; i < args->option_count; i++)
		if (strcmp(args->options[i].option->name, "selector") == 0 &&
		    request.selector_count < SURVEY_SELECTORS_MAX)
			selectors[request.selector_count++].name =
			    args->options[i].value;
	conf = open_conf(cli, err);
	if (conf == NULL)
		return NULL;
	survey_add_own_keys(cli->arena, conf->dkim_dir, domain, selectors,
	    &request.selector_count);
	dns = dns_conf_open(conf, cli_option(args, "dns-zone"), err);
	if (dns != NULL) {
		model = survey_domain(dns, &request);
		dns_close(dns);
	}
	conf_free(conf);
	return model;
}

static int
auth_run(struct cli *cli, const struct cli_args *args)
{
	const char *domain;
	struct err err;
	json_t *model;
	int rc = EXIT_DONE;

	if (domain_normalize(cli->arena, bytes_of(args->operands[0]), &domain,
		&err) < 0)
		return cli_misuse(cli, args->command, "'%s' is no domain: %s",
		    args->operands[0], err.text);
	model = survey(cli, args, domain, &err);
	if (model == NULL)
		return cli_fail(cli, &err);
	if (strcmp(json_string_value(json_object_get(model, "level")),
		"error") == 0)
		rc = EXIT_NOT_DONE;
	if (cli->json)
		cli_print_json(json_incref(model));
	else
		print_report(model);
	json_decref(model);
	return rc;
}

static const struct cli_command commands[] = {
	{ .group = "auth",
	    .name = "",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Looks up the SPF record, DKIM keys, DMARC record and MX "
		    "records of a domain, as receivers do, and says what is "
		    "wrong and what to do.  The status is 1 when there is an "
		    "error.",
	    .options = { { "selector", "NAME",
			     "Look at this DKIM key (s= of a signature), too.",
			     true },
		{ "dns-zone", "FILE", "Ask this file instead of the DNS.",
		    false } },
	    .run = auth_run },
};

const struct cli_group group_auth = {
	.name = "auth",
	.help = "a domain's own records, and what is wrong with them",
	.commands = commands,
	.count = sizeof(commands) / sizeof(commands[0]),
};
