/*
 * report.c - sekimori report: reports of others about our domains.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "policy/report_unpack.h"
#include "policy/tls_report.h"
#include "webui/report_sender.h"

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPERANDS_MAX 100000
#define DAY_S 86400

/* ---- read ---- */

static void
show_dmarc(struct cli *cli, const json_t *report)
{
	static const struct show_column fields[] = {
		{ "reporter", "organization", SHOW_TEXT, false },
		{ "domain", "domain", SHOW_DOMAIN, false },
		{ "report id", "report_id", SHOW_TEXT, false },
		{ "from", "begin", SHOW_TIME, false },
		{ "to", "end", SHOW_TIME, false },
		{ "policy", "policy", SHOW_OPTIONS, false },
		{ "messages", "messages", SHOW_TEXT, false },
		{ "passed", "passed", SHOW_TEXT, false },
	};
	static const struct show_column columns[] = {
		{ "SOURCE", "source", SHOW_TEXT, false },
		{ "MESSAGES", "messages", SHOW_NUMBER, false },
		{ "DISPOSITION", "disposition", SHOW_TEXT, false },
		{ "DKIM", "dkim", SHOW_FLAG, false },
		{ "SPF", "spf", SHOW_FLAG, false },
		{ "FROM", "header_from", SHOW_TEXT, true },
		{ "ENVELOPE", "envelope_from", SHOW_TEXT, true },
	};
	const json_t *records = json_object_get(report, "records");
	json_int_t count =
	    json_integer_value(json_object_get(report, "record_count"));

	show_fields(cli, report, COUNT(fields), fields);
	putchar('\n');
	show_table(cli, records, COUNT(columns), columns, "");
	if (count > (json_int_t)json_array_size(records))
		printf("and %" JSON_INTEGER_FORMAT " more records\n",
		    count - (json_int_t)json_array_size(records));
}

static void
show_tls(struct cli *cli, const json_t *report)
{
	static const struct show_column fields[] = {
		{ "reporter", "organization", SHOW_TEXT, false },
		{ "report id", "report_id", SHOW_TEXT, false },
		{ "from", "begin", SHOW_TIME, false },
		{ "to", "end", SHOW_TIME, false },
		{ "with TLS", "good", SHOW_TEXT, false },
		{ "without TLS", "bad", SHOW_TEXT, false },
	};
	static const struct show_column columns[] = {
		{ "FAILURE", "type", SHOW_TEXT, false },
		{ "SESSIONS", "sessions", SHOW_NUMBER, false },
		{ "HOST", "host", SHOW_TEXT, false },
		{ "FROM", "sending_ip", SHOW_TEXT, false },
		{ "REASON", "reason", SHOW_TEXT, true },
	};
	const json_t *policy;
	size_t i;

	show_fields(cli, report, COUNT(fields), fields);
	json_array_foreach(json_object_get(report, "policies"), i, policy)
	{
		printf("\n%s\n",
		    json_string_value(json_object_get(policy, "domain")));
		show_table(cli, json_object_get(policy, "failures"),
		    COUNT(columns), columns, "No failures.");
	}
}

static void
show_reports(struct cli *cli, const char *file, const json_t *model)
{
	const json_t *report;
	size_t i;

	json_array_foreach(json_object_get(model, "reports"), i, report)
	{
		const char *kind =
		    json_string_value(json_object_get(report, "kind"));

		printf("%s: %s report%s\n", file,
		    kind[0] == 'd' ? "DMARC" : "TLS",
		    json_is_true(json_object_get(model, "dry_run")) ? ""
			: json_is_true(json_object_get(report, "new"))
			? ", kept"
			: ", known already");
		if (kind[0] == 'd')
			show_dmarc(cli, report);
		else
			show_tls(cli, report);
		putchar('\n');
	}
}

/* The file as the API takes it. */
static json_t *
make_body(const char *file, bool dry_run, struct err *err)
{
	json_t *body = NULL;
	struct buf content, text;

	buf_init(&content, UNPACK_IN_MAX);
	buf_init(&text, UNPACK_IN_MAX * 2);
	/* What was read of a file that is too large is not the report. */
	if (file_read(file, &content, err) == 0 &&
	    (content.len > 0 ||
		err_set(err, ERR_INPUT, "%s: it is empty", file) == 0) &&
	    base64_encode(buf_bytes(&content), &text) == 0)
		body = json_pack("{s:s, s:b}", "report_base64", buf_str(&text),
		    "dry_run", dry_run);
	buf_free(&content);
	buf_free(&text);
	return body;
}

/* Each file for itself: one that is refused does not keep the others. */
static int
read_one(struct cli_session *session, const char *file, bool dry_run,
    json_t *answers)
{
	json_t *body, *model;
	struct err err;

	err_clear(&err);
	body = make_body(file, dry_run, &err);
	if (body == NULL)
		return cli_fail(session->cli, &err);
	model = session_post(session, "/reports/upload", body, &err);
	if (model == NULL) {
		err_prefix(&err, "%s", file);
		return cli_fail(session->cli, &err);
	}
	if (session->cli->json)
		json_array_append(answers, json_object_get(model, "reports"));
	else
		show_reports(session->cli, file, model);
	json_decref(model);
	return EXIT_DONE;
}

static int
report_read(struct cli *cli, const struct cli_args *args)
{
	bool dry_run = cli_flag(args, "dry-run");
	struct cli_session session;
	json_t *answers;
	struct err err;
	int rc = EXIT_DONE;
	size_t i;

	if (session_open(cli, &session, &err) < 0)
		return cli_fail(cli, &err);
	answers = json_array();
	for (i = 0; i < args->operand_count; i++)
		if (read_one(&session, args->operands[i], dry_run, answers) !=
		    EXIT_DONE)
			rc = EXIT_NOT_DONE;
	session_close(&session);
	if (cli->json)
		cli_print_json(json_incref(answers));
	json_decref(answers);
	return rc;
}

/* ---- dmarc ---- */

struct sending {
	struct cli *cli;
	bool xml;
	json_t *steps;
};

static void
take_step(void *context, const struct report_step *step)
{
	struct sending *sending = context;

	if (sending->xml && step->xml.len > 0)
		fwrite(step->xml.data, 1, step->xml.len, stdout);
	json_array_append_new(sending->steps,
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "domain", step->domain,
		"address", step->address, "status",
		report_fate_name(step->fate), "detail", step->detail,
		"messages", (json_int_t)step->messages, "records",
		(json_int_t)step->records));
}

static void
show_steps(struct cli *cli, const json_t *steps)
{
	static const struct show_column columns[] = {
		{ "DOMAIN", "domain", SHOW_DOMAIN, true },
		{ "MESSAGES", "messages", SHOW_NUMBER, false },
		{ "ROWS", "records", SHOW_NUMBER, false },
		{ "STATUS", "status", SHOW_TEXT, false },
		{ "TO", "address", SHOW_TEXT, true },
		{ "WHY", "detail", SHOW_TEXT, true },
	};

	show_table(cli, steps, COUNT(columns), columns,
	    "Nobody asks for a report of that day.");
}

/* "2026-11-21", in UTC; without, yesterday. */
static int
take_day(const struct cli *cli, const struct cli_args *args, int64_t *day_s)
{
	const char *text = cli_option(args, "day");

	if (text == NULL) {
		*day_s = report_day_of(clock_wall_s() - DAY_S);
		return 0;
	}
	if (rfc3339_parse(bytes_of(
			      arena_printf(cli->arena, "%sT00:00:00Z", text)),
		day_s) == 0)
		return 0;
	cli_misuse(cli, args->command,
	    "--day: '%s' is no date such as "
	    "2026-11-21",
	    text);
	return -1;
}

static int
run_dmarc(struct cli *cli, const struct report_run *run, struct err *err)
{
	struct report_sender *sender;
	struct conf *conf;
	int left = -1;

	conf = conf_load(cli->config, err);
	if (conf == NULL)
		return -1;
	sender = report_sender_open(conf, err);
	if (sender != NULL)
		left = report_sender_run(sender, run, err);
	report_sender_close(sender);
	conf_free(conf);
	return left;
}

static int
report_dmarc(struct cli *cli, const struct cli_args *args)
{
	struct sending sending = { .cli = cli, .xml = cli_flag(args, "xml") };
	struct report_run run = { .domain = cli_option(args, "domain"),
		.dry_run = !cli_flag(args, "send"),
		.each = take_step,
		.context = &sending };
	struct err err;
	int left;

	if (cli_flag(args, "send") &&
	    (cli_flag(args, "dry-run") || cli_flag(args, "xml")))
		return cli_misuse(cli, args->command,
		    "--send stands alone: --dry-run and --xml send nothing");
	if (take_day(cli, args, &run.day_s) < 0)
		return EXIT_WRONG_USE;
	sending.steps = json_array();
	left = run_dmarc(cli, &run, &err);
	if (cli->json)
		cli_print_json(json_incref(sending.steps));
	else if (!sending.xml && left >= 0)
		show_steps(cli, sending.steps);
	json_decref(sending.steps);
	if (left < 0)
		return cli_fail(cli, &err);
	return left == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

/* ---- show ---- */

static void
show_summary(struct cli *cli, json_t *model)
{
	static const struct show_column fields[] = {
		{ "DMARC reports", "dmarc.reports", SHOW_TEXT, false },
		{ "messages", "dmarc.messages", SHOW_TEXT, false },
		{ "passed", "dmarc.passed", SHOW_TEXT, false },
		{ "TLS reports", "tls.reports", SHOW_TEXT, false },
		{ "with TLS", "tls.good", SHOW_TEXT, false },
		{ "without TLS", "tls.bad", SHOW_TEXT, false },
	};
	static const struct show_column sources[] = {
		{ "SOURCE", "source", SHOW_TEXT, false },
		{ "MESSAGES", "messages", SHOW_NUMBER, false },
		{ "PASSED", "passed", SHOW_NUMBER, false },
		{ "DKIM", "dkim", SHOW_NUMBER, false },
		{ "SPF", "spf", SHOW_NUMBER, false },
		{ "STOPPED", "stopped", SHOW_NUMBER, false },
		{ "FROM", "header_from", SHOW_LIST, true },
		{ "REPORTERS", "reporters", SHOW_LIST, true },
	};
	static const struct show_column failures[] = {
		{ "TLS FAILURE", "type", SHOW_TEXT, false },
		{ "SESSIONS", "sessions", SHOW_NUMBER, false },
		{ "HOST", "host", SHOW_TEXT, true },
	};

	show_fields(cli, model, COUNT(fields), fields);
	putchar('\n');
	show_table(cli, json_object_get(model, "sources"), COUNT(sources),
	    sources, "No DMARC report is kept.");
	if (json_array_size(json_object_get(model, "failures")) == 0)
		return;
	putchar('\n');
	show_table(cli, json_object_get(model, "failures"), COUNT(failures),
	    failures, "");
}

static void
show_list(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "FROM", "begin", SHOW_TIME, false },
		{ "KIND", "kind", SHOW_TEXT, false },
		{ "DOMAIN", "domain", SHOW_DOMAIN, true },
		{ "REPORTER", "organization", SHOW_TEXT, true },
		{ "MESSAGES", "messages", SHOW_NUMBER, false },
		{ "REPORT ID", "report_id", SHOW_TEXT, true },
	};

	show_table(cli, json_object_get(model, "reports"), COUNT(columns),
	    columns, "No report is kept.");
}

static void
show_sent(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "KIND", "kind", SHOW_TEXT, false },
		{ "DAY", "day", SHOW_TIME, false },
		{ "DOMAIN", "domain", SHOW_DOMAIN, true },
		{ "TO", "address", SHOW_TEXT, true },
		{ "STATE", "state", SHOW_TEXT, false },
		{ "TRIES", "tries", SHOW_NUMBER, false },
		{ "ANSWER", "detail", SHOW_TEXT, true },
	};

	static const struct show_column left[] = {
		{ "DAY", "day", SHOW_TIME, false },
		{ "FAILURE REPORTS NOT SENT", "why", SHOW_TEXT, false },
		{ "NUMBER", "count", SHOW_NUMBER, false },
	};

	show_table(cli, json_object_get(model, "sent"), COUNT(columns), columns,
	    "No report was sent.");
	if (json_array_size(json_object_get(model, "left")) > 0) {
		putchar('\n');
		show_table(cli, json_object_get(model, "left"), COUNT(left),
		    left, "");
	}
}

static const struct cli_request sent_request = { METHOD_GET, "/reports/sent",
	{ { "limit", FIELD_OPTION, 0, NULL } }, show_sent };

#define SHOW_REQUEST(show)                                                     \
	{                                                                      \
		METHOD_GET, "/reports",                                        \
		    { { "domain", FIELD_OPTION, 0, NULL },                     \
			    { "since", FIELD_TIME, 0, NULL },                  \
			    { "until", FIELD_TIME, 0, NULL },                  \
			    { "limit", FIELD_OPTION, 0, NULL } },              \
		    show                                                       \
	}

static const struct cli_request show_request = SHOW_REQUEST(show_summary);
static const struct cli_request list_request = SHOW_REQUEST(show_list);

#define SHOW_OPTIONS_TABLE                                                     \
	{                                                                      \
		{ "domain", "DOMAIN", "About this domain.", false },           \
		    { "since", "TIME", "Since: 30d, or 2026-11-22.", false },  \
		    { "until", "TIME", "Before.", false },                     \
		    { "limit", "N", "At most so many rows.", false },          \
	}

static const struct cli_command commands[] = {
	{ .group = "report",
	    .name = "read",
	    .operands = "FILE...",
	    .least = 1,
	    .most = OPERANDS_MAX,
	    .help = "Reads reports that others sent (DMARC aggregate: XML; "
		    "TLS: JSON; plain, gzip, zip, or the mail they came in), "
		    "shows what they say, and "
		    "keeps them.",
	    .options = { { "dry-run", NULL, "Show only, keep nothing.",
		false } },
	    .run = report_read },
	{ .group = "report",
	    .name = "dmarc",
	    .operands = "",
	    .help = "Makes our own DMARC aggregate reports of a day that is "
		    "over, and says who would get one.  sekimori-web sends "
		    "them by itself with dmarc_reports = yes; what has been "
		    "sent is not sent again.  The status is 1 when some wait "
		    "for another try.",
	    .options = { { "send", NULL, "Send them.", false },
		{ "dry-run", NULL, "Send nothing; this is the default.",
		    false },
		{ "xml", NULL, "Print the reports themselves.", false },
		{ "day", "DATE", "Of this day (UTC), not of yesterday.",
		    false },
		{ "domain", "DOMAIN", "To the owner of this domain only.",
		    false } },
	    .run = report_dmarc },
	{ .group = "report",
	    .name = "show",
	    .operands = "",
	    .help = "Says who sends as our domains and how it fares, by the "
		    "reports that are kept.",
	    .options = SHOW_OPTIONS_TABLE,
	    .run = request_run,
	    .context = &show_request },
	{ .group = "report",
	    .name = "list",
	    .operands = "",
	    .help = "Lists the reports that are kept, the newest first.",
	    .options = SHOW_OPTIONS_TABLE,
	    .run = request_run,
	    .context = &list_request },
	{ .group = "report",
	    .name = "sent",
	    .operands = "",
	    .help = "Lists what became of the DMARC reports that we sent, the "
		    "newest first, and how many failure reports were not "
		    "sent, and why.",
	    .options = { { "limit", "N", "At most so many.", false } },
	    .run = request_run,
	    .context = &sent_request },
};

const struct cli_group group_report = {
	.name = "report",
	.help = "reports about our domains, and those we send",
	.commands = commands,
	.count = COUNT(commands),
};
