/*
 * reports.c - the file of reports: opening, taking in, expiry.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "policy/report_file.h"
#include "quarantine/reports_impl.h"

#define BUSY_MS 10000
/* How often a long question looks at the clock, in steps of SQLite. */
#define PROGRESS_STEPS 10000
#define TEXT_MAX 8192
/* Of 4 kB: strangers can send us as many reports as they like. */
#define PAGES_MAX "1048576"

/* As in the history: rows are only ever added here. */
static const char *const migrations[] = {
	/* One row a report and domain: a TLS report may be about several. */
	"CREATE TABLE report ("
	" id INTEGER PRIMARY KEY,"
	" kind TEXT NOT NULL," /* dmarc, tls */
	" organization TEXT NOT NULL,"
	" domain TEXT NOT NULL,"
	" report_id TEXT NOT NULL,"
	" contact TEXT NOT NULL,"
	" begin INTEGER NOT NULL," /* seconds */
	" end INTEGER NOT NULL,"
	" policy TEXT NOT NULL,"      /* JSON */
	" received INTEGER NOT NULL," /* milliseconds */
	" actor TEXT NOT NULL,"
	" UNIQUE (kind, organization, domain, report_id));"
	"CREATE INDEX report_domain ON report (domain, begin);"
	"CREATE INDEX report_end ON report (end);"
	"CREATE TABLE dmarc_row ("
	" report INTEGER NOT NULL,"
	" source TEXT NOT NULL,"
	" messages INTEGER NOT NULL,"
	" disposition TEXT NOT NULL,"
	" dkim INTEGER NOT NULL,"
	" spf INTEGER NOT NULL,"
	" header_from TEXT NOT NULL,"
	" detail TEXT NOT NULL);" /* JSON */
	"CREATE INDEX dmarc_row_report ON dmarc_row (report);"
	"CREATE TABLE tls_row ("
	" report INTEGER NOT NULL,"
	" type TEXT NOT NULL," /* of failure; \"\": all sessions */
	" host TEXT NOT NULL,"
	" good INTEGER NOT NULL,"
	" bad INTEGER NOT NULL,"
	" detail TEXT NOT NULL);" /* JSON */
	"CREATE INDEX tls_row_report ON tls_row (report);"
	/* Ours. */
	"CREATE TABLE sent ("
	" day INTEGER NOT NULL,"
	" domain TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" state INTEGER NOT NULL,"
	" tries INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" detail TEXT NOT NULL,"
	" PRIMARY KEY (day, domain, address)) WITHOUT ROWID;"
	"CREATE TABLE day (day INTEGER PRIMARY KEY);",
	"CREATE TABLE refused_mail ("
	" held_id TEXT PRIMARY KEY,"
	" time INTEGER NOT NULL," /* seconds */
	" reason TEXT NOT NULL) WITHOUT ROWID;",
	/* Failure reports of ours: a row a message and address. */
	"CREATE TABLE failure ("
	" message TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" domain TEXT NOT NULL,"
	" condition TEXT NOT NULL,"
	" time INTEGER NOT NULL,"      /* begun, milliseconds */
	" incidents INTEGER NOT NULL," /* that it speaks of */
	" more INTEGER NOT NULL,"      /* alike since then, not sent */
	" state INTEGER NOT NULL,"
	" detail TEXT NOT NULL,"
	" PRIMARY KEY (message, address)) WITHOUT ROWID;"
	"CREATE INDEX failure_time ON failure (time);"
	"CREATE INDEX failure_condition ON failure (condition, time);"
	"CREATE TABLE failure_left ("
	" day INTEGER NOT NULL,"
	" why TEXT NOT NULL,"
	" count INTEGER NOT NULL,"
	" PRIMARY KEY (day, why)) WITHOUT ROWID;",
};

#define VERSION_NOW ((int)(sizeof(migrations) / sizeof(migrations[0])))

/* ---- talking to SQLite ---- */

int
reports_fail(const struct reports *reports, struct err *err, const char *what)
{
	enum err_kind kind = ERR_TEMP;
	int code = sqlite3_errcode(reports->db) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
	    code == SQLITE_PERM || code == SQLITE_READONLY ||
	    code == SQLITE_CANTOPEN)
		kind = ERR_CONFIG;
	else if (code == SQLITE_FULL)
		kind = ERR_LIMIT;
	else if (code == SQLITE_INTERRUPT)
		return err_set(err, ERR_LIMIT,
		    "the search took more than %d s: narrow the time",
		    REPORTS_SHOW_MAX_S);
	return err_set(err, kind, "%s: %s: %s", reports->file, what,
	    sqlite3_errmsg(reports->db));
}

int
reports_exec(struct reports *reports, const char *sql, struct err *err)
{
	if (sqlite3_exec(reports->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return reports_fail(reports, err, "exec");
}

sqlite3_stmt *
reports_prepare(struct reports *reports, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(reports->db, sql, -1, &stmt, NULL) == SQLITE_OK)
		return stmt;
	reports_fail(reports, err, "prepare");
	return NULL;
}

int
reports_step(struct reports *reports, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return reports_fail(reports, err, "step");
}

int
reports_finish(struct reports *reports, sqlite3_stmt *take_stmt,
    struct err *err)
{
	int rc = reports_step(reports, take_stmt, err);

	sqlite3_finalize(take_stmt);
	return rc < 0 ? -1 : 0;
}

void
reports_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	int index = sqlite3_bind_parameter_index(stmt, name);
	struct buf clean;

	if (index == 0)
		return;
	/* JSON and pages want UTF-8. */
	buf_init(&clean, 3 * strlen(text) + 1);
	(void)utf8_append_clean(&clean, bytes_of(text));
	sqlite3_bind_text(stmt, index, buf_str(&clean), (int)clean.len,
	    SQLITE_TRANSIENT);
	buf_free(&clean);
}

void
reports_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	if (index > 0)
		sqlite3_bind_int64(stmt, index, value);
}

/* ---- opening ---- */

static int
user_version(struct reports *reports, int *version, struct err *err)
{
	sqlite3_stmt *stmt =
	    reports_prepare(reports, "PRAGMA user_version", err);
	int rc;

	if (stmt == NULL)
		return -1;
	rc = reports_step(reports, stmt, err);
	*version = rc > 0 ? sqlite3_column_int(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

static int
migrate_from(struct reports *reports, int version, struct err *err)
{
	char *sql;
	int rc;

	for (; version < VERSION_NOW; version++) {
		sql = xprintf("%s PRAGMA user_version = %d",
		    migrations[version], version + 1);
		rc = reports_exec(reports, sql, err);
		free(sql);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Several programs may find it old at once. */
static int
migrate(struct reports *reports, struct err *err)
{
	int version;

	if (user_version(reports, &version, err) < 0)
		return -1;
	if (version > VERSION_NOW)
		return err_set(err, ERR_CONFIG,
		    "%s was written by a newer version of this program",
		    reports->file);
	if (version == VERSION_NOW)
		return 0;
	if (reports_exec(reports, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (user_version(reports, &version, err) == 0 &&
	    migrate_from(reports, version, err) == 0 &&
	    reports_exec(reports, "COMMIT", err) == 0)
		return 0;
	(void)reports_exec(reports, "ROLLBACK", NULL);
	return -1;
}

static int
make_file(const char *file, struct err *err)
{
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	int rc = 0;

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || file_adopt(fd, file) < 0)
		rc = err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
out_of_time(void *context)
{
	const struct reports *reports = context;

	return reports->deadline_ms > 0 &&
	    clock_mono_ms() > reports->deadline_ms;
}

static int
set_up(struct reports *reports, struct err *err)
{
	if (make_file(reports->file, err) < 0)
		return -1;
	if (sqlite3_open_v2(reports->file, &reports->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return reports_fail(reports, err, "open");
	sqlite3_extended_result_codes(reports->db, 1);
	sqlite3_busy_timeout(reports->db, BUSY_MS);
	sqlite3_progress_handler(reports->db, PROGRESS_STEPS, out_of_time,
	    reports);
	if (reports_add_functions(reports, err) < 0 ||
	    reports_exec(reports,
		"PRAGMA auto_vacuum = INCREMENTAL;"
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA max_page_count = " PAGES_MAX,
		err) < 0)
		return -1;
	return migrate(reports, err);
}

struct reports *
reports_open(const char *file, struct err *err)
{
	struct reports *reports = xcalloc(1, sizeof(*reports));

	reports->file = xstrdup(file);
	if (set_up(reports, err) == 0)
		return reports;
	reports_close(reports);
	return NULL;
}

void
reports_close(struct reports *reports)
{
	if (reports == NULL)
		return;
	sqlite3_close(reports->db);
	free(reports->file);
	free(reports);
}

/* ---- taking in ---- */

/* What is the same of both kinds. */
struct head {
	const char *kind, *organization, *domain, *id, *contact;
	int64_t begin_s, end_s;
	const char *actor;
};

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "";
}

/* 1 with the row's number, 0 it is there already, -1. */
static int
add_head(struct reports *reports, const struct head *head, json_t *take_policy,
    int64_t *row, struct err *err)
{
	char *policy = json_dumps(take_policy, JSON_COMPACT);
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT OR IGNORE INTO report (kind, organization, domain, "
	    "report_id, contact, begin, end, policy, received, actor) VALUES "
	    "(:kind, :organization, :domain, :id, :contact, :begin, :end, "
	    ":policy, :received, :actor)",
	    err);

	json_decref(take_policy);
	if (stmt != NULL) {
		reports_bind_text(stmt, ":kind", head->kind);
		reports_bind_text(stmt, ":organization",
		    or_nothing(head->organization));
		reports_bind_text(stmt, ":domain", head->domain);
		reports_bind_text(stmt, ":id", head->id);
		reports_bind_text(stmt, ":contact", or_nothing(head->contact));
		reports_bind_int(stmt, ":begin", head->begin_s);
		reports_bind_int(stmt, ":end", head->end_s);
		reports_bind_text(stmt, ":policy", or_nothing(policy));
		reports_bind_int(stmt, ":received", clock_wall_ms());
		reports_bind_text(stmt, ":actor", head->actor);
	}
	free(policy);
	if (stmt == NULL || reports_finish(reports, stmt, err) < 0)
		return -1;
	if (sqlite3_changes(reports->db) == 0)
		return 0;
	*row = sqlite3_last_insert_rowid(reports->db);
	return 1;
}

static json_t *
text_or_null(const char *text)
{
	struct buf clean;
	json_t *json;

	if (text == NULL)
		return json_null();
	buf_init(&clean, TEXT_MAX * 3);
	(void)utf8_append_clean(&clean, bytes_of(text));
	json = json_stringn(buf_str(&clean), clean.len);
	buf_free(&clean);
	return json;
}

static json_t *
signatures_model(const struct report_record *record)
{
	const struct report_signature *s;
	json_t *list = json_array();

	for (s = record->signatures; s != NULL; s = s->next)
		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:o}", "domain",
			text_or_null(s->domain), "selector",
			text_or_null(s->selector), "result",
			text_or_null(s->result)));
	return list;
}

static json_t *
reasons_model(const struct report_record *record)
{
	const struct report_reason *r;
	json_t *list = json_array();

	for (r = record->reasons; r != NULL; r = r->next)
		json_array_append_new(list,
		    json_pack("{s:o, s:o}", "type", text_or_null(r->type),
			"comment", text_or_null(r->comment)));
	return list;
}

static json_t *
detail_of(const struct report_record *record)
{
	return json_pack("{s:o, s:o, s:{s:o, s:o}, s:o, s:o}", "envelope_from",
	    text_or_null(record->envelope_from), "signatures",
	    signatures_model(record), "spf_result", "domain",
	    text_or_null(record->spf_domain), "result",
	    text_or_null(record->spf_result), "reasons", reasons_model(record),
	    "envelope_to", text_or_null(record->envelope_to));
}

static int
add_record(struct reports *reports, sqlite3_stmt *stmt, int64_t row,
    const struct report_record *record, struct err *err)
{
	json_t *detail = detail_of(record);
	char *text = json_dumps(detail, JSON_COMPACT);
	char ip[IP_TEXT_SIZE];
	int rc;

	ip_format(&record->source, ip);
	reports_bind_int(stmt, ":report", row);
	reports_bind_text(stmt, ":source", ip);
	reports_bind_int(stmt, ":messages", (int64_t)record->count);
	reports_bind_text(stmt, ":disposition",
	    report_disposition_name(record->disposition));
	reports_bind_int(stmt, ":dkim", record->dkim_pass);
	reports_bind_int(stmt, ":spf", record->spf_pass);
	reports_bind_text(stmt, ":header_from",
	    or_nothing(record->header_from));
	reports_bind_text(stmt, ":detail", or_nothing(text));
	free(text);
	json_decref(detail);
	rc = reports_step(reports, stmt, err);
	sqlite3_reset(stmt);
	return rc < 0 ? -1 : 0;
}

/* What was published; libexpat has seen to it that it is UTF-8. */
static json_t *
policy_model(const struct dmarc_report *report)
{
	return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "p", report->p,
	    "sp", report->sp, "np", report->np, "adkim", report->adkim, "aspf",
	    report->aspf, "testing", report->testing);
}

static int
add_dmarc(struct reports *reports, const struct dmarc_report *report,
    const char *actor, unsigned *added, struct err *err)
{
	const struct head head = { "dmarc", report->organization,
		report->domain, report->id, report->email, report->begin_s,
		report->end_s, actor };
	const struct report_record *record;
	sqlite3_stmt *stmt;
	int64_t row = 0;
	int rc = add_head(reports, &head, policy_model(report), &row, err);

	if (rc <= 0)
		return rc;
	stmt = reports_prepare(reports,
	    "INSERT INTO dmarc_row (report, source, messages, disposition, "
	    "dkim, spf, header_from, detail) VALUES (:report, :source, "
	    ":messages, :disposition, :dkim, :spf, :header_from, :detail)",
	    err);
	rc = stmt != NULL ? 0 : -1;
	for (record = report->records; rc == 0 && record != NULL;
	     record = record->next)
		rc = add_record(reports, stmt, row, record, err);
	sqlite3_finalize(stmt);
	(*added)++;
	return rc;
}

static int
add_tls_row(struct reports *reports, int64_t row, const char *type,
    const char *host, uint64_t good, uint64_t bad, json_t *take_detail,
    struct err *err)
{
	char *detail = json_dumps(take_detail, JSON_COMPACT);
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT INTO tls_row (report, type, host, good, bad, detail) "
	    "VALUES (:report, :type, :host, :good, :bad, :detail)",
	    err);

	json_decref(take_detail);
	if (stmt != NULL) {
		reports_bind_int(stmt, ":report", row);
		reports_bind_text(stmt, ":type", type);
		reports_bind_text(stmt, ":host", or_nothing(host));
		reports_bind_int(stmt, ":good", (int64_t)good);
		reports_bind_int(stmt, ":bad", (int64_t)bad);
		reports_bind_text(stmt, ":detail", or_nothing(detail));
	}
	free(detail);
	return stmt != NULL ? reports_finish(reports, stmt, err) : -1;
}

static int
add_policy(struct reports *reports, int64_t row,
    const struct tls_policy *policy, struct err *err)
{
	size_t i;

	if (add_tls_row(reports, row, "", NULL, policy->good, policy->bad,
		json_pack("{s:o}", "policy_type", text_or_null(policy->type)),
		err) < 0)
		return -1;
	for (i = 0; i < policy->detail_count; i++) {
		const struct tls_detail *d = &policy->details[i];

		if (add_tls_row(reports, row, d->type, d->receiving_host, 0,
			d->sessions,
			json_pack("{s:o, s:o, s:o}", "sending_ip",
			    text_or_null(d->sending_ip), "receiving_ip",
			    text_or_null(d->receiving_ip), "reason",
			    text_or_null(d->reason)),
			err) < 0)
			return -1;
	}
	return 0;
}

/* Is there a policy of the same domain before this one? */
static bool
is_further(const struct tls_report *report, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strcmp(report->policies[j].domain,
			report->policies[i].domain) == 0)
			return true;
	return false;
}

/* All policies of the domain of the ith. */
static int
add_tls_domain(struct reports *reports, const struct tls_report *report,
    size_t i, const char *actor, unsigned *added, struct err *err)
{
	const char *domain = report->policies[i].domain;
	const struct head head = { "tls", report->organization, domain,
		report->id, report->contact, report->begin_s, report->end_s,
		actor };
	int64_t row = 0;
	int rc = add_head(reports, &head, json_object(), &row, err);

	if (rc <= 0)
		return rc;
	(*added)++;
	for (rc = 0; rc == 0 && i < report->policy_count; i++)
		if (strcmp(report->policies[i].domain, domain) == 0)
			rc =
			    add_policy(reports, row, &report->policies[i], err);
	return rc;
}

static int
add_tls(struct reports *reports, const struct tls_report *report,
    const char *actor, unsigned *added, struct err *err)
{
	size_t i;

	for (i = 0; i < report->policy_count; i++)
		if (!is_further(report, i) &&
		    add_tls_domain(reports, report, i, actor, added, err) < 0)
			return -1;
	return 0;
}

int
reports_add(struct reports *reports, const struct report_file *file,
    const char *actor, unsigned *added, struct err *err)
{
	int rc;

	*added = 0;
	if (reports_exec(reports, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (file->dmarc != NULL)
		rc = add_dmarc(reports, file->dmarc, actor, added, err);
	else
		rc = add_tls(reports, file->tls, actor, added, err);
	if (rc == 0 && reports_exec(reports, "COMMIT", err) == 0)
		return 0;
	(void)reports_exec(reports, "ROLLBACK", NULL);
	return -1;
}

/* ---- mails without a report ---- */

int
reports_mail_is_refused(struct reports *reports, const char *held_id,
    struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "SELECT 1 FROM refused_mail WHERE held_id = :id", err);
	int rc;

	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":id", held_id);
	rc = reports_step(reports, stmt, err);
	sqlite3_finalize(stmt);
	return rc;
}

int
reports_mail_refuse(struct reports *reports, const char *held_id,
    const char *reason, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT OR IGNORE INTO refused_mail (held_id, time, reason) "
	    "VALUES (:id, :time, :reason)",
	    err);

	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":id", held_id);
	reports_bind_int(stmt, ":time", clock_wall_s());
	reports_bind_text(stmt, ":reason", reason);
	return reports_finish(reports, stmt, err);
}

/* ---- as a model ---- */

static json_t *
record_model(const struct report_record *record)
{
	json_t *model = detail_of(record);
	char ip[IP_TEXT_SIZE];

	ip_format(&record->source, ip);
	json_object_set_new(model, "source", json_string(ip));
	json_object_set_new(model, "messages",
	    json_integer((json_int_t)record->count));
	json_object_set_new(model, "disposition",
	    json_string(report_disposition_name(record->disposition)));
	json_object_set_new(model, "dkim", json_boolean(record->dkim_pass));
	json_object_set_new(model, "spf", json_boolean(record->spf_pass));
	json_object_set_new(model, "header_from",
	    text_or_null(record->header_from));
	return model;
}

static json_t *
dmarc_model(const struct dmarc_report *report, size_t records_max)
{
	json_t *records = json_array();
	const struct report_record *record;
	uint64_t messages = 0, passed = 0;

	for (record = report->records; record != NULL; record = record->next) {
		messages += record->count;
		if (record->dkim_pass || record->spf_pass)
			passed += record->count;
		if (json_array_size(records) < records_max)
			json_array_append_new(records, record_model(record));
	}
	return json_pack(
	    "{s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
	    "kind", "dmarc", "organization", text_or_null(report->organization),
	    "domain", report->domain, "report_id", text_or_null(report->id),
	    "contact", text_or_null(report->email), "begin",
	    (json_int_t)report->begin_s * 1000, "end",
	    (json_int_t)report->end_s * 1000, "messages", (json_int_t)messages,
	    "passed", (json_int_t)passed, "record_count",
	    (json_int_t)report->record_count, "policy", policy_model(report),
	    "records", records);
}

static json_t *
tls_policy_model(const struct tls_policy *policy, size_t records_max)
{
	json_t *failures = json_array();
	size_t i;

	for (i = 0; i < policy->detail_count && i < records_max; i++) {
		const struct tls_detail *d = &policy->details[i];

		json_array_append_new(failures,
		    json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "type",
			text_or_null(d->type), "host",
			text_or_null(d->receiving_host), "sending_ip",
			text_or_null(d->sending_ip), "receiving_ip",
			text_or_null(d->receiving_ip), "reason",
			text_or_null(d->reason), "sessions",
			(json_int_t)d->sessions));
	}
	return json_pack("{s:s, s:o, s:I, s:I, s:o}", "domain", policy->domain,
	    "type", text_or_null(policy->type), "good",
	    (json_int_t)policy->good, "bad", (json_int_t)policy->bad,
	    "failures", failures);
}

static json_t *
tls_model(const struct tls_report *report, size_t records_max)
{
	json_t *policies = json_array();
	uint64_t good = 0, bad = 0;
	size_t i;

	for (i = 0; i < report->policy_count; i++) {
		good += report->policies[i].good;
		bad += report->policies[i].bad;
		json_array_append_new(policies,
		    tls_policy_model(&report->policies[i], records_max));
	}
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o}",
	    "kind", "tls", "organization", text_or_null(report->organization),
	    "domain", report->policies[0].domain, "report_id",
	    text_or_null(report->id), "contact", text_or_null(report->contact),
	    "begin", (json_int_t)report->begin_s * 1000, "end",
	    (json_int_t)report->end_s * 1000, "good", (json_int_t)good, "bad",
	    (json_int_t)bad, "policies", policies);
}

json_t *
reports_model(const struct report_file *file, size_t records_max)
{
	return file->dmarc != NULL ? dmarc_model(file->dmarc, records_max)
				   : tls_model(file->tls, records_max);
}

/* ---- expiry ---- */

/* When a period ended is what a stranger says: it may lie far ahead. */
#define OLD "min(end, received / 1000) < :before"

int64_t
reports_expire(struct reports *reports, unsigned days, struct err *err)
{
	const int64_t before_s = clock_wall_s() - (int64_t)days * 86400;
	static const char *const statements[] = {
		("DELETE FROM dmarc_row WHERE report IN "
		 "(SELECT id FROM report WHERE " OLD ")"),
		("DELETE FROM tls_row WHERE report IN "
		 "(SELECT id FROM report WHERE " OLD ")"),
		"DELETE FROM sent WHERE day < :before",
		"DELETE FROM day WHERE day < :before",
		"DELETE FROM refused_mail WHERE time < :before",
		"DELETE FROM failure WHERE time < :before * 1000",
		"DELETE FROM failure_left WHERE day < :before",
		("DELETE FROM report WHERE " OLD),
	};
	int64_t removed = 0;
	sqlite3_stmt *stmt;
	size_t i;

	if (reports_exec(reports, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		stmt = reports_prepare(reports, statements[i], err);
		if (stmt == NULL)
			goto failed;
		reports_bind_int(stmt, ":before", before_s);
		if (reports_finish(reports, stmt, err) < 0)
			goto failed;
		removed = sqlite3_changes(reports->db);
	}
	if (reports_exec(reports, "COMMIT; PRAGMA incremental_vacuum", err) ==
	    0)
		return removed;
failed:
	(void)reports_exec(reports, "ROLLBACK", NULL);
	return -1;
}
