/*
 * log.c - sekimori log: what became of mails.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
show_rows(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "TIME", "time", SHOW_TIME, false },
		{ "ID", "id", SHOW_TEXT, false },
		{ "STATUS", "status", SHOW_TEXT, false },
		{ "CLASS", "class", SHOW_CLASS, false },
		{ "SENDER", "sender", SHOW_TEXT, true },
		{ "MAILBOX", "mailbox", SHOW_TEXT, true },
		{ "CLIENT", "client_ip", SHOW_TEXT, false },
		{ "SUBJECT", "subject", SHOW_TEXT, true },
	};
	const char *next = json_string_value(json_object_get(model, "next"));

	show_table(cli, json_object_get(model, "rows"), COUNT(columns), columns,
	    "No mail is found.");
	if (next != NULL)
		printf("\nThere is more: --before %s\n", next);
}

/* One mail of one mailbox, with all that happened to it. */
static void
show_mail(struct cli *cli, const json_t *row)
{
	static const struct show_column fields[] = {
		{ "id", "id", SHOW_TEXT, false },
		{ "queue id", "queue_id", SHOW_TEXT, false },
		{ "status", "status", SHOW_TEXT, false },
		{ "received", "time", SHOW_TIME, false },
		{ "sender", "sender", SHOW_TEXT, false },
		{ "recipient", "rcpt", SHOW_TEXT, false },
		{ "from", "from", SHOW_TEXT, false },
		{ "subject", "subject", SHOW_TEXT, false },
		{ "message id", "message_id", SHOW_TEXT, false },
		{ "client", "client_ip", SHOW_TEXT, false },
		{ "client name", "client_name", SHOW_TEXT, false },
		{ "helo", "helo", SHOW_TEXT, false },
		{ "size", "size", SHOW_SIZE, false },
		{ "answer", "reply", SHOW_TEXT, false },
	};
	static const struct show_column events[] = {
		{ "WHEN", "time", SHOW_TIME, false },
		{ "STATUS", "status", SHOW_TEXT, false },
		{ "WHO", "actor", SHOW_TEXT, false },
		{ "DETAIL", "detail", SHOW_TEXT, true },
	};
	const json_t *record = json_object_get(row, "record");

	show_fields(cli, row, COUNT(fields), fields);
	if (json_is_object(record)) {
		putchar('\n');
		show_record(cli, record);
	}
	putchar('\n');
	show_table(cli, json_object_get(row, "events"), COUNT(events), events,
	    "");
}

static void
show_mails(struct cli *cli, json_t *model)
{
	const json_t *rows = json_object_get(model, "rows"), *row;
	size_t i;

	if (json_array_size(rows) == 0)
		puts("No mail is found.");
	json_array_foreach(rows, i, row)
	{
		if (i > 0)
			putchar('\n');
		show_mail(cli, row);
	}
}

static const struct cli_request search_request = {
	METHOD_GET,
	"/log",
	{ { "id", FIELD_OPTION, 0, NULL }, { "sender", FIELD_OPTION, 0, NULL },
	    { "recipient", FIELD_OPTION, 0, NULL },
	    { "subject", FIELD_OPTION, 0, NULL },
	    { "message_id", FIELD_OPTION, 0, "message-id" },
	    { "domain", FIELD_OPTION, 0, NULL },
	    { "mailbox", FIELD_OPTION, 0, NULL },
	    { "class", FIELD_OPTION, 0, NULL },
	    { "status", FIELD_OPTION, 0, NULL },
	    { "client", FIELD_OPTION, 0, NULL },
	    { "since", FIELD_TIME, 0, NULL }, { "until", FIELD_TIME, 0, NULL },
	    { "before", FIELD_OPTION, 0, NULL },
	    { "limit", FIELD_OPTION, 0, NULL } },
	show_rows,
};
static const struct cli_request show_request = { METHOD_GET, "/log",
	{ { "id", FIELD_OPERAND, 0, NULL } }, show_mails };

static const struct cli_command commands[] = {
	{ .group = "log",
	    .name = "search",
	    .operands = "",
	    .help = "Finds mails, the newest first; all that is given must "
		    "hold.",
	    .options = { { "sender", "TEXT",
			     "Envelope sender or From has this in it.", false },
		{ "recipient", "TEXT", "The recipient has this in it.", false },
		{ "subject", "TEXT", "The subject has this in it.", false },
		{ "message-id", "TEXT", "Of this Message-ID.", false },
		{ "domain", "DOMAIN", "Mail of this domain.", false },
		{ "mailbox", "ADDRESS", "Mail of this mailbox.", false },
		{ "class", "CLASS", "Of this class: phish, or phish/dmarc.",
		    false },
		{ "status", "STATUS",
		    "What was done: accepted, quarantined, rejected, ...",
		    false },
		{ "client", "IP", "From this address or network.", false },
		{ "id", "ID", "Our id, or the queue id of the MTA.", false },
		{ "since", "TIME", "Since: 12h, 3d, or 2026-11-22.", false },
		{ "until", "TIME", "Before.", false },
		{ "limit", "N", "At most so many.", false },
		{ "before", "CURSOR", "Go on from an earlier search.",
		    false } },
	    .run = request_run,
	    .context = &search_request },
	{ .group = "log",
	    .name = "show",
	    .operands = "ID",
	    .least = 1,
	    .most = 1,
	    .help = "Shows all that is known of a mail, by our id or the "
		    "queue id of the MTA.",
	    .run = request_run,
	    .context = &show_request },
};

const struct cli_group group_log = {
	.name = "log",
	.help = "what became of mails",
	.commands = commands,
	.count = COUNT(commands),
};
