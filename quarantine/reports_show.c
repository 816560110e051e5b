/*
 * reports_show.c - who sends as us and how it fares.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "quarantine/reports_impl.h"

#define WHICH                                                                  \
	"(:domain = '' OR report.domain = :domain) "                           \
	"AND (:since = 0 OR report.begin >= :since) "                          \
	"AND (:until = 0 OR report.begin < :until) "

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_SECONDS, /* shown as milliseconds */
	COLUMN_LIST     /* JSON */
};

struct column {
	const char *name;
	enum column_kind kind;
};

#define COLUMNS_MAX 12

/* A list of the model: a query, and what its columns are.  Numbers are what
 * strangers claim: sum() would fail beyond 64 bits. */
struct list {
	const char *name;
	const char *sql;
	struct column columns[COLUMNS_MAX];
};

static const struct list lists[] = {
	{ "sources",
	    "SELECT source, total(messages), "
	    "total(CASE WHEN dkim OR spf THEN messages ELSE 0 END), "
	    "total(dkim * messages), total(spf * messages), "
	    "total(CASE WHEN disposition IN ('quarantine', 'reject') "
	    "THEN messages ELSE 0 END), "
	    "some(header_from), "
	    "some(organization), "
	    "min(report.begin), max(report.end) "
	    "FROM report JOIN dmarc_row ON dmarc_row.report = report.id "
	    "WHERE report.kind = 'dmarc' AND " WHICH
	    "GROUP BY source ORDER BY 2 DESC, 1 LIMIT :limit",
	    { { "source", COLUMN_TEXT }, { "messages", COLUMN_NUMBER },
		{ "passed", COLUMN_NUMBER }, { "dkim", COLUMN_NUMBER },
		{ "spf", COLUMN_NUMBER }, { "stopped", COLUMN_NUMBER },
		{ "header_from", COLUMN_LIST }, { "reporters", COLUMN_LIST },
		{ "first", COLUMN_SECONDS }, { "last", COLUMN_SECONDS } } },
	{ "failures",
	    "SELECT type, host, total(bad), count(DISTINCT report.id) "
	    "FROM report JOIN tls_row ON tls_row.report = report.id "
	    "WHERE report.kind = 'tls' AND tls_row.type <> '' AND " WHICH
	    "GROUP BY type, host ORDER BY 3 DESC, 1, 2 LIMIT :limit",
	    { { "type", COLUMN_TEXT }, { "host", COLUMN_TEXT },
		{ "sessions", COLUMN_NUMBER }, { "reports", COLUMN_NUMBER } } },
	{ "reports",
	    "SELECT report.id, report.kind, organization, report.domain, "
	    "report_id, contact, report.begin, report.end, received, actor, "
	    "(SELECT total(messages) FROM dmarc_row "
	    "WHERE dmarc_row.report = report.id) + (SELECT total(good + bad) "
	    "FROM tls_row WHERE tls_row.report = report.id AND type = '') "
	    "FROM report WHERE " WHICH
	    "ORDER BY report.begin DESC, report.id DESC LIMIT :limit",
	    { { "id", COLUMN_NUMBER }, { "kind", COLUMN_TEXT },
		{ "organization", COLUMN_TEXT }, { "domain", COLUMN_TEXT },
		{ "report_id", COLUMN_TEXT }, { "contact", COLUMN_TEXT },
		{ "begin", COLUMN_SECONDS }, { "end", COLUMN_SECONDS },
		{ "received", COLUMN_NUMBER }, { "actor", COLUMN_TEXT },
		{ "messages", COLUMN_NUMBER } } },
};

/* One row of sums each. */
static const struct list sums[] = {
	{ "dmarc",
	    "SELECT count(DISTINCT report.id), total(messages), "
	    "total(CASE WHEN dkim OR spf THEN messages ELSE 0 END), "
	    "count(DISTINCT source) "
	    "FROM report JOIN dmarc_row ON dmarc_row.report = report.id "
	    "WHERE report.kind = 'dmarc' AND " WHICH,
	    { { "reports", COLUMN_NUMBER }, { "messages", COLUMN_NUMBER },
		{ "passed", COLUMN_NUMBER }, { "sources", COLUMN_NUMBER } } },
	{ "tls",
	    "SELECT count(DISTINCT report.id), total(good), "
	    "total(bad) "
	    "FROM report JOIN tls_row ON tls_row.report = report.id "
	    "WHERE report.kind = 'tls' AND tls_row.type = '' AND " WHICH,
	    { { "reports", COLUMN_NUMBER }, { "good", COLUMN_NUMBER },
		{ "bad", COLUMN_NUMBER } } },
};

/* ---- some(text): a few different ones of a group, as JSON ---- */

/* A stranger's report may name a new domain in each of its records
 * [json_group_array of 800,000: 170 MB]. */
static void
some_step(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	json_t **list = sqlite3_aggregate_context(context, sizeof(*list));
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const json_t *item;
	size_t i;

	(void)argc;
	if (list == NULL || text == NULL)
		return;
	if (*list == NULL)
		*list = json_array();
	if (json_array_size(*list) == REPORTS_NAMES_MAX)
		return;
	json_array_foreach(*list, i, item)
	{
		if (strcmp(json_string_value(item), text) == 0)
			return;
	}
	json_array_append_new(*list, json_string(text));
}

static void
some_end(sqlite3_context *context)
{
	json_t **list = sqlite3_aggregate_context(context, 0);
	char *text = NULL;

	if (list != NULL && *list != NULL) {
		text = json_dumps(*list, JSON_COMPACT);
		json_decref(*list);
	}
	if (text != NULL)
		sqlite3_result_text(context, text, -1, free);
	else
		sqlite3_result_null(context);
}

int
reports_add_functions(struct reports *reports, struct err *err)
{
	if (sqlite3_create_function(reports->db, "some", 1,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL, some_step,
		some_end) == SQLITE_OK)
		return 0;
	return reports_fail(reports, err, "add functions");
}

/* ---- answers ---- */

static json_t *
read_list(const char *text)
{
	json_t *list = text != NULL ? json_loads(text, 0, NULL) : NULL;

	return list != NULL ? list : json_array();
}

static json_t *
read_column(sqlite3_stmt *stmt, int i, enum column_kind kind)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	switch (kind) {
	case COLUMN_NUMBER:
		return json_integer(sqlite3_column_int64(stmt, i));
	case COLUMN_SECONDS:
		return json_integer(sqlite3_column_int64(stmt, i) * 1000);
	case COLUMN_LIST:
		return read_list(text);
	case COLUMN_TEXT:
		break;
	}
	return json_string(text != NULL ? text : "");
}

static json_t *
read_row(sqlite3_stmt *stmt, const struct list *list)
{
	json_t *row = json_object();
	int i;

	for (i = 0; i < COLUMNS_MAX && list->columns[i].name != NULL; i++)
		json_object_set_new(row, list->columns[i].name,
		    read_column(stmt, i, list->columns[i].kind));
	return row;
}

/* All rows of a list; NULL. */
static json_t *
run_list(struct reports *reports, const struct list *list,
    const struct reports_query *query, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports, list->sql, err);
	json_t *rows = json_array();
	int rc = -1;

	if (stmt != NULL) {
		reports_bind_text(stmt, ":domain",
		    query->domain != NULL ? query->domain : "");
		reports_bind_int(stmt, ":since", query->since_s);
		reports_bind_int(stmt, ":until", query->until_s);
		reports_bind_int(stmt, ":limit", (int64_t)query->limit);
		while ((rc = reports_step(reports, stmt, err)) > 0)
			json_array_append_new(rows, read_row(stmt, list));
	}
	sqlite3_finalize(stmt);
	if (rc == 0)
		return rows;
	json_decref(rows);
	return NULL;
}

static json_t *
show_all(struct reports *reports, const struct reports_query *query,
    struct err *err)
{
	json_t *model = json_object(), *rows;
	size_t i;

	for (i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		rows = run_list(reports, &sums[i], query, err);
		if (rows == NULL)
			goto failed;
		json_object_set(model, sums[i].name, json_array_get(rows, 0));
		json_decref(rows);
	}
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		rows = run_list(reports, &lists[i], query, err);
		if (rows == NULL)
			goto failed;
		json_object_set_new(model, lists[i].name, rows);
	}
	return model;
failed:
	json_decref(model);
	return NULL;
}

json_t *
reports_show(struct reports *reports, const struct reports_query *query,
    struct err *err)
{
	json_t *model;

	reports->deadline_ms =
	    clock_mono_ms() + (int64_t)REPORTS_SHOW_MAX_S * 1000;
	model = show_all(reports, query, err);
	reports->deadline_ms = 0;
	return model;
}
