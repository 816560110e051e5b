/*
 * quarantine.c - sekimori quarantine: what is held, and what becomes of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/wrap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define IDS_MAX 1000
#define COLUMNS 79
#define WHY_MAX 65536
/* Of the text of a mail, where it stands below other things. */
#define TEXT_LINES 40

#define RETRY_OPTION                                                           \
	{                                                                      \
		"retry-unknown", NULL,                                         \
		    "Also one of which it is not known whether it was "        \
		    "delivered: it may arrive twice.",                         \
		    false                                                      \
	}
#define MATCH_OPTION                                                           \
	{                                                                      \
		"match", "WHAT",                                               \
		    "address: just this sender; domain: everybody there.",     \
		    false                                                      \
	}
#define COMMENT_OPTION                                                         \
	{                                                                      \
		"comment", "TEXT", "Why the row is there.", false              \
	}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* ---- list ---- */

static void
show_list(struct cli *cli, json_t *model)
{
	static const struct show_column columns[] = {
		{ "ID", "id", SHOW_TEXT, false },
		{ "RECEIVED", "received", SHOW_TIME, false },
		{ "STATE", "state", SHOW_TEXT, false },
		{ "CLASS", "class", SHOW_CLASS, false },
		{ "MAILBOX", "mailbox", SHOW_TEXT, true },
		{ "SENDER", "sender", SHOW_TEXT, true },
		{ "SIZE", "size", SHOW_SIZE, false },
		{ "SUBJECT", "subject", SHOW_TEXT, true },
	};
	const char *next = text_of(model, "next");

	show_table(cli, json_object_get(model, "entries"), COUNT(columns),
	    columns, "Nothing is held.");
	if (*next != '\0')
		printf("\nThere is more: --before %s\n", next);
}

static const struct cli_request list_request = {
	METHOD_GET,
	"/quarantine",
	{ { "domain", FIELD_OPERAND, 0, NULL },
	    { "mailbox", FIELD_OPTION, 0, NULL },
	    { "sender", FIELD_OPTION, 0, NULL },
	    { "recipient", FIELD_OPTION, 0, NULL },
	    { "subject", FIELD_OPTION, 0, NULL },
	    { "class", FIELD_OPTION, 0, NULL },
	    { "state", FIELD_OPTION, 0, NULL },
	    { "since", FIELD_TIME, 0, NULL }, { "until", FIELD_TIME, 0, NULL },
	    { "hidden", FIELD_FLAG, 0, NULL },
	    { "before", FIELD_OPTION, 0, NULL },
	    { "limit", FIELD_OPTION, 0, NULL } },
	show_list,
};

/* ---- show ---- */

static void
show_timeline(struct cli *cli, const json_t *entry)
{
	static const struct show_column columns[] = {
		{ "WHEN", "time", SHOW_TIME, false },
		{ "STATUS", "status", SHOW_TEXT, false },
		{ "WHO", "actor", SHOW_TEXT, false },
		{ "DETAIL", "detail", SHOW_TEXT, true },
	};
	const json_t *timeline = json_object_get(entry, "timeline");

	if (json_array_size(timeline) == 0)
		return;
	putchar('\n');
	show_table(cli, timeline, COUNT(columns), columns, "");
}

/* The sentences, a line each; what they say of the mail may be hostile. */
static void
show_why(const json_t *entry)
{
	const json_t *sentence;
	struct buf clean, out;
	size_t i;

	buf_init(&out, WHY_MAX);
	json_array_foreach(json_object_get(entry, "why"), i, sentence)
	{
		buf_init(&clean, WHY_MAX);
		(void)utf8_append_clean(&clean,
		    bytes_of(text_of(sentence, "text")));
		buf_append_str(&out, "- ");
		wrap_text(buf_str(&clean), 2, COLUMNS, &out);
		buf_free(&clean);
	}
	if (out.len > 0)
		printf("\n%s", buf_str(&out));
	buf_free(&out);
}

static void
show_parts(struct cli *cli, const json_t *entry)
{
	static const struct show_column columns[] = {
		{ "PART", "number", SHOW_TEXT, false },
		{ "TYPE", "type", SHOW_TEXT, false },
		{ "SIZE", "size", SHOW_SIZE, false },
		{ "NAME", "name", SHOW_TEXT, true },
	};
	const json_t *parts = json_object_get(entry, "parts");

	if (json_array_size(parts) == 0)
		return;
	putchar('\n');
	show_table(cli, parts, COUNT(columns), columns, "");
}

static void
show_recipients(struct cli *cli, const json_t *entry)
{
	static const struct show_column columns[] = {
		{ "RECIPIENT", "mailbox", SHOW_TEXT, true },
		{ "STATUS", "status", SHOW_TEXT, false },
		{ "CLASS", "class", SHOW_CLASS, false },
	};
	const json_t *recipients = json_object_get(entry, "recipients");

	if (json_array_size(recipients) < 2)
		return;
	putchar('\n');
	show_table(cli, recipients, COUNT(columns), columns, "");
}

static void
show_entry(struct cli *cli, json_t *entry)
{
	static const struct show_column fields[] = {
		{ "id", "id", SHOW_TEXT, false },
		{ "state", "state", SHOW_TEXT, false },
		{ "received", "received", SHOW_TIME, false },
		{ "kept until", "expires", SHOW_TIME, false },
		{ "sender", "sender", SHOW_TEXT, false },
		{ "from", "from", SHOW_TEXT, false },
		{ "subject", "subject", SHOW_TEXT, false },
		{ "message id", "message_id", SHOW_TEXT, false },
		{ "client", "client_ip", SHOW_TEXT, false },
		{ "helo", "helo", SHOW_TEXT, false },
		{ "size", "size", SHOW_SIZE, false },
	};
	const json_t *record = json_object_get(entry, "record");

	show_fields(cli, entry, COUNT(fields), fields);
	if (json_is_true(json_object_get(entry, "hidden")))
		puts("hidden          only administrators may release it");
	show_why(entry);
	if (json_is_object(record)) {
		putchar('\n');
		show_record(cli, record);
	}
	show_recipients(cli, entry);
	show_timeline(cli, entry);
	show_parts(cli, entry);
}

/* The text of the mail, without control characters (the API sees to it). */
static void
show_text(const json_t *model, size_t lines)
{
	const char *text = text_of(model, "text"), *end = text;

	for (; lines > 0 && *end != '\0'; lines--) {
		end += strcspn(end, "\n");
		end += *end == '\n';
	}
	fwrite(text, 1, (size_t)(end - text), stdout);
	if (end > text && end[-1] != '\n')
		putchar('\n');
	if (*end != '\0')
		puts("... (--text writes all of it)");
	else if (json_is_true(json_object_get(model, "cut")))
		puts("... (too long: its end is missing here)");
}

static const struct cli_request show_request = { METHOD_GET, "/quarantine/:id",
	{ { ":", FIELD_OPERAND, 0, NULL } }, NULL };

/* The message itself, byte for byte. */
static int
print_raw(struct cli *cli, const struct cli_args *args)
{
	struct cli_session session;
	struct response response;
	const char *segment;
	json_t *parameters;
	struct err err;
	int rc;

	parameters = request_parameters(cli, args, &show_request, &segment);
	if (parameters == NULL)
		return EXIT_WRONG_USE;
	if (session_open(cli, &session, &err) < 0) {
		json_decref(parameters);
		return cli_fail(cli, &err);
	}
	rc = session_request(&session, METHOD_GET,
	    request_path(cli, "/quarantine/:id/raw", segment), parameters,
	    &response, &err);
	session_close(&session);
	json_decref(response.model);
	if (rc == 0)
		fwrite(response.content, 1, response.content_len, stdout);
	free(response.content);
	return rc == 0 ? EXIT_DONE : cli_fail(cli, &err);
}

/* The entry, and the text of the mail below it, or alone. */
static int
print_entry(struct cli *cli, const char *segment, bool text_alone)
{
	json_t *entry = NULL, *text = NULL;
	struct cli_session session;
	struct err err;
	int rc = EXIT_DONE;

	if (session_open(cli, &session, &err) < 0)
		return cli_fail(cli, &err);
	if (!text_alone)
		entry = session_get(&session,
		    request_path(cli, "/quarantine/:id", segment),
		    json_object(), &err);
	if (text_alone || (entry != NULL && !cli->json))
		text = session_get(&session,
		    request_path(cli, "/quarantine/:id/text", segment),
		    json_object(), &err);
	session_close(&session);
	if (cli->json && (entry != NULL || text != NULL)) {
		cli_print_json(json_incref(entry != NULL ? entry : text));
	} else {
		if (entry != NULL) {
			show_entry(cli, entry);
			putchar('\n');
		}
		if (text != NULL)
			show_text(text, text_alone ? SIZE_MAX : TEXT_LINES);
		else
			rc = cli_fail(cli, &err);
	}
	json_decref(entry);
	json_decref(text);
	return rc;
}

static int
quarantine_show(struct cli *cli, const struct cli_args *args)
{
	const char *segment;
	json_t *parameters;

	if (cli_flag(args, "raw"))
		return print_raw(cli, args);
	parameters = request_parameters(cli, args, &show_request, &segment);
	if (parameters == NULL)
		return EXIT_WRONG_USE;
	json_decref(parameters);
	return print_entry(cli, segment, cli_flag(args, "text"));
}

/* ---- release, remove: several at once ---- */

static const struct cli_request release_request = { METHOD_POST,
	"/quarantine/:id/release",
	{ { ":", FIELD_OPERAND, 0, NULL },
	    { "retry_unknown", FIELD_FLAG, 0, "retry-unknown" } },
	NULL };
static const struct cli_request remove_request = { METHOD_POST,
	"/quarantine/:id/remove", { { ":", FIELD_OPERAND, 0, NULL } }, NULL };

static const struct cli_request allow_request = { METHOD_POST,
	"/quarantine/:id/allow",
	{ { ":", FIELD_OPERAND, 0, NULL }, { "match", FIELD_OPTION, 0, NULL },
	    { "comment", FIELD_OPTION, 0, NULL } },
	NULL };
static const struct cli_request block_request = { METHOD_POST,
	"/quarantine/:id/block",
	{ { ":", FIELD_OPERAND, 0, NULL }, { "match", FIELD_OPTION, 0, NULL },
	    { "comment", FIELD_OPTION, 0, NULL } },
	NULL };

/* What became of one: it has a new state, or is gone. */
static void
say_result(const json_t *result)
{
	const char *id = text_of(result, "id");
	const char *state = text_of(result, "state");
	const json_t *row = json_object_get(result, "row");

	if (*state != '\0')
		printf("%s is %s.\n", id, state);
	else
		printf("%s %s.\n", id,
		    json_is_true(json_object_get(result, "changed"))
			? "is removed"
			: "was gone already");
	if (json_is_object(row))
		printf("%s: %s %s %s.\n", text_of(row, "mailbox"),
		    text_of(row, "kind"), text_of(row, "side"),
		    text_of(row, "pattern"));
}

static bool
act_on(struct cli_session *session, const struct cli_args *args, size_t which,
    json_t *results)
{
	const struct cli_request *request = args->command->context;
	struct cli_args one = *args;
	struct cli *cli = session->cli;
	const char *segment = NULL;
	json_t *body, *model = NULL;
	struct err err = { ERR_INPUT, "cannot be an id" };

	one.operands = args->operands + which;
	one.operand_count = 1;
	body = request_parameters(cli, &one, request, &segment);
	if (body != NULL)
		model = session_post(session,
		    request_path(cli, request->path, segment), body, &err);
	if (model == NULL) {
		if (!cli->json)
			cli_error(cli, "%s: %s", one.operands[0], err.text);
		json_array_append_new(results,
		    json_pack("{s:s, s:s}", "id", one.operands[0], "error",
			err.text));
		return false;
	}
	if (!cli->json)
		say_result(model);
	json_array_append_new(results, model);
	return true;
}

static int
quarantine_act(struct cli *cli, const struct cli_args *args)
{
	json_t *results = json_array();
	struct cli_session session;
	struct err err;
	size_t i, failed = 0;

	if (session_open(cli, &session, &err) < 0) {
		json_decref(results);
		return cli_fail(cli, &err);
	}
	for (i = 0; i < args->operand_count; i++)
		failed += !act_on(&session, args, i, results);
	session_close(&session);
	if (cli->json)
		cli_print_json(json_pack("{s:O}", "results", results));
	json_decref(results);
	return failed == 0 ? EXIT_DONE : EXIT_NOT_DONE;
}

static const struct cli_command commands[] = {
	{ .group = "quarantine",
	    .name = "list",
	    .operands = "DOMAIN",
	    .least = 1,
	    .most = 1,
	    .help = "Lists what is held for a domain, the newest first.",
	    .options = { { "mailbox", "ADDRESS", "Of this mailbox.", false },
		{ "sender", "TEXT", "The sender has this in it.", false },
		{ "recipient", "TEXT", "The recipient has this in it.", false },
		{ "subject", "TEXT", "The subject has this in it.", false },
		{ "class", "CLASS", "Of this class: phish, or phish/dmarc.",
		    false },
		{ "state", "STATE",
		    "In this state: held, released, refused, unknown, ...",
		    false },
		{ "since", "TIME", "Received since: 12h, 3d, or 2026-11-22.",
		    false },
		{ "until", "TIME", "Received before.", false },
		{ "hidden", NULL, "Also what only administrators may release.",
		    false },
		{ "limit", "N", "At most so many.", false },
		{ "before", "CURSOR", "Go on from an earlier list.", false } },
	    .run = request_run,
	    .context = &list_request },
	{ .group = "quarantine",
	    .name = "show",
	    .operands = "ID",
	    .least = 1,
	    .most = 1,
	    .help = "Shows a held message: why it is held, in words and by "
		    "every result and its points, what has happened to it, "
		    "its parts, and the start of its text.",
	    .options = { { "raw", NULL,
			     "Write the message itself, byte for byte.",
			     false },
		{ "text", NULL, "Write all of its text, and nothing else.",
		    false } },
	    .run = quarantine_show,
	    .context = &show_request },
	{ .group = "quarantine",
	    .name = "release",
	    .operands = "ID...",
	    .least = 1,
	    .most = IDS_MAX,
	    .help = "Delivers held messages.  One that was released before "
		    "is not sent again.",
	    .options = { RETRY_OPTION },
	    .run = quarantine_act,
	    .context = &release_request },
	{ .group = "quarantine",
	    .name = "allow",
	    .operands = "ID...",
	    .least = 1,
	    .most = IDS_MAX,
	    .help = "Delivers held messages, and allows their senders for "
		    "the mailbox from now on.  Such a row counts only while "
		    "the sender is authenticated.",
	    .options = { MATCH_OPTION, COMMENT_OPTION },
	    .run = quarantine_act,
	    .context = &allow_request },
	{ .group = "quarantine",
	    .name = "block",
	    .operands = "ID...",
	    .least = 1,
	    .most = IDS_MAX,
	    .help = "Removes held messages, and blocks their senders for the "
		    "mailbox from now on.",
	    .options = { MATCH_OPTION, COMMENT_OPTION },
	    .run = quarantine_act,
	    .context = &block_request },
	{ .group = "quarantine",
	    .name = "remove",
	    .operands = "ID...",
	    .least = 1,
	    .most = IDS_MAX,
	    .help = "Removes held messages for good.",
	    .run = quarantine_act,
	    .context = &remove_request },
};

const struct cli_group group_quarantine = {
	.name = "quarantine",
	.help = "what is held, and letting it through",
	.commands = commands,
	.count = COUNT(commands),
};
