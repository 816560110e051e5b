/*
 * reports_sent.c - what became of the reports that we send.
 *
 * A report is noted as being sent before it goes, and as sent afterwards.
 * Who finds "sending" does not know whether it arrived: it is sent once
 * more, under the same id and file name, and never a third time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/clock.h"
#include "quarantine/reports_impl.h"

static const char *const state_words[] = {
	[REPORT_NEW] = "new",
	[REPORT_SENDING] = "sending",
	[REPORT_SENT] = "sent",
	[REPORT_FAILED] = "failed",
	[REPORT_REFUSED] = "refused",
};

const char *
report_state_name(enum report_state state)
{
	return state_words[state];
}

static const char *
state_word(int64_t state)
{
	return state >= REPORT_NEW && state <= REPORT_REFUSED
	    ? state_words[state]
	    : "refused";
}

static void
bind_key(sqlite3_stmt *stmt, const struct report_key *key)
{
	reports_bind_int(stmt, ":day", key->day_s);
	reports_bind_text(stmt, ":domain", key->domain);
	reports_bind_text(stmt, ":address", key->address);
}

int
reports_sent_get(struct reports *reports, const struct report_key *key,
    struct report_sent *sent, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "SELECT state, tries, time FROM sent WHERE day = :day "
	    "AND domain = :domain AND address = :address",
	    err);
	int rc;

	if (stmt == NULL)
		return -1;
	bind_key(stmt, key);
	rc = reports_step(reports, stmt, err);
	if (rc > 0) {
		sent->state = (enum report_state)sqlite3_column_int(stmt, 0);
		sent->tries = (unsigned)sqlite3_column_int(stmt, 1);
		sent->time_ms = sqlite3_column_int64(stmt, 2);
	}
	sqlite3_finalize(stmt);
	return rc;
}

int
reports_sent_set(struct reports *reports, const struct report_key *key,
    enum report_state state, const char *detail, struct err *err)
{
	/* A try is counted when it begins. */
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT INTO sent (day, domain, address, state, tries, time, "
	    "detail) VALUES (:day, :domain, :address, :state, :try, :time, "
	    ":detail) ON CONFLICT (day, domain, address) DO UPDATE SET "
	    "state = :state, tries = tries + :try, time = :time, "
	    "detail = :detail",
	    err);

	if (stmt == NULL)
		return -1;
	bind_key(stmt, key);
	reports_bind_int(stmt, ":state", state);
	reports_bind_int(stmt, ":try", state == REPORT_SENDING);
	reports_bind_int(stmt, ":time", clock_wall_ms());
	reports_bind_text(stmt, ":detail", detail);
	return reports_finish(reports, stmt, err);
}

int
reports_day_done(struct reports *reports, int64_t day_s, struct err *err)
{
	sqlite3_stmt *stmt =
	    reports_prepare(reports, "SELECT 1 FROM day WHERE day = :day", err);
	int rc;

	if (stmt == NULL)
		return -1;
	reports_bind_int(stmt, ":day", day_s);
	rc = reports_step(reports, stmt, err);
	sqlite3_finalize(stmt);
	return rc;
}

int
reports_day_set_done(struct reports *reports, int64_t day_s, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT OR IGNORE INTO day (day) VALUES (:day)", err);

	if (stmt == NULL)
		return -1;
	reports_bind_int(stmt, ":day", day_s);
	return reports_finish(reports, stmt, err);
}

json_t *
reports_sent_list(struct reports *reports, size_t limit, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "SELECT 'aggregate' AS kind, day, domain, address, state, tries, "
	    "time, 0 AS incidents, detail, '' AS message FROM sent UNION ALL "
	    "SELECT 'failure', time / 86400000 * 86400, domain, address, "
	    "state, 1, time, incidents, detail, message FROM failure "
	    "ORDER BY day DESC, domain, address, time DESC, message DESC "
	    "LIMIT :limit",
	    err);
	json_t *rows = json_array();
	int rc = -1;

	if (stmt != NULL) {
		reports_bind_int(stmt, ":limit", (int64_t)limit);
		while ((rc = reports_step(reports, stmt, err)) > 0)
			json_array_append_new(rows,
			    json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:I, "
				      "s:I, s:s}",
				"kind", sqlite3_column_text(stmt, 0), "day",
				(json_int_t)sqlite3_column_int64(stmt, 1) *
				    1000,
				"domain", sqlite3_column_text(stmt, 2),
				"address", sqlite3_column_text(stmt, 3),
				"state",
				state_word(sqlite3_column_int64(stmt, 4)),
				"tries", sqlite3_column_int(stmt, 5), "time",
				(json_int_t)sqlite3_column_int64(stmt, 6),
				"incidents",
				(json_int_t)sqlite3_column_int64(stmt, 7),
				"detail", sqlite3_column_text(stmt, 8)));
	}
	sqlite3_finalize(stmt);
	if (rc == 0)
		return rows;
	json_decref(rows);
	return NULL;
}
