/*
 * show_record.c - a decision record for people: what, why, and by which
 * results.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/show.h"

static const struct show_column verdict_fields[] = {
	{ "mailbox", "mailbox", SHOW_TEXT, false },
	{ "direction", "direction", SHOW_TEXT, false },
	{ "class", "class", SHOW_CLASS, false },
	{ "evidence", "class.extra", SHOW_TEXT, false },
	{ "action", "action", SHOW_TEXT, false },
	{ "decided by", "decided_by", SHOW_TEXT, false },
	{ "answer", "reply", SHOW_TEXT, false },
	{ "score", "score", SHOW_NUMBER, false },
	{ "unsure from", "thresholds.unsure", SHOW_NUMBER, false },
	{ "spam from", "thresholds.spam", SHOW_NUMBER, false },
};

static const struct show_column reason_columns[] = {
	{ "REASON", "name", SHOW_TEXT, false },
	{ "POINTS", "points", SHOW_NUMBER, false },
	{ "DETAIL", "detail", SHOW_TEXT, true },
};

/* Results of authentication, in the words of RFC 8601. */
static const struct {
	const char *name, *path;
	const char *details[4]; /* fields of it, in the order of showing */
} results[] = {
	{ "iprev", "results.iprev", { "name" } },
	{ "spf", "results.spf",
	    { "domain", "mechanism", "problem", "explanation" } },
	{ "spf helo", "results.spf_helo",
	    { "domain", "mechanism", "problem" } },
	{ "arc", "results.arc", { "sealer", "problem" } },
	{ "dmarc", "results.dmarc", { "from_domain", "policy", "problem" } },
};

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* A row "check, result, details". */
static void
add_result(struct cli *cli, json_t *rows, const char *name,
    const json_t *result, const char *const *details, size_t count)
{
	const char *all = "", *text;
	size_t i;

	for (i = 0; i < count && details[i] != NULL; i++) {
		text = text_of(result, details[i]);
		if (*text != '\0')
			all = arena_printf(cli->arena, "%s%s%s", all,
			    *all != '\0' ? ", " : "", text);
	}
	json_array_append_new(rows,
	    json_pack("{s:s, s:s, s:s}", "check", name, "result",
		text_of(result, "result"), "detail", all));
}

static void
add_signatures(struct cli *cli, json_t *rows, const json_t *record)
{
	static const char *const details[] = { "domain", "selector",
		"algorithm", "problem" };
	const json_t *signatures = show_find(record, "results.dkim.signatures");
	const json_t *signature;
	size_t i;

	json_array_foreach(signatures, i, signature) add_result(cli, rows,
	    "dkim", signature, details, sizeof(details) / sizeof(details[0]));
}

static void
show_results(struct cli *cli, const json_t *record)
{
	static const struct show_column columns[] = {
		{ "CHECK", "check", SHOW_TEXT, false },
		{ "RESULT", "result", SHOW_TEXT, false },
		{ "DETAIL", "detail", SHOW_TEXT, true },
	};
	json_t *rows = json_array();
	const json_t *result;
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		result = show_find(record, results[i].path);
		if (json_is_object(result) &&
		    strcmp(text_of(result, "result"), "none") != 0)
			add_result(cli, rows, results[i].name, result,
			    results[i].details,
			    sizeof(results[i].details) /
				sizeof(results[i].details[0]));
		if (strcmp(results[i].name, "spf helo") == 0)
			add_signatures(cli, rows, record);
	}
	if (json_array_size(rows) > 0) {
		putchar('\n');
		show_table(cli, rows, 3, columns, "");
	}
	json_decref(rows);
}

void
show_record(struct cli *cli, const json_t *record)
{
	const json_t *reasons = json_object_get(record, "reasons");

	show_fields(cli, record,
	    sizeof(verdict_fields) / sizeof(verdict_fields[0]), verdict_fields);
	if (json_array_size(reasons) > 0) {
		putchar('\n');
		show_table(cli, reasons, 3, reason_columns, "");
	}
	show_results(cli, record);
}
