/*
 * reports_failure.c - what became of the failure reports that we send.
 *
 * A row is written before a report goes and completed behind it.  Who finds
 * a row does not send again, whatever it says: a failure report goes at
 * most once.  The rows are also what the ceilings are counted from, so that
 * a restart forgets nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/clock.h"
#include "quarantine/reports_impl.h"

#define DAY_S 86400

/* ---- likeness ---- */

/* 1 one was counted, 0 there is none to count beside, -1. */
static int
count_beside(struct reports *reports, const char *condition, int64_t since_ms,
    struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "UPDATE failure SET more = more + 1 WHERE condition = :condition "
	    "AND time = (SELECT max(time) FROM failure "
	    "WHERE condition = :condition AND time >= :since)",
	    err);

	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":condition", condition);
	reports_bind_int(stmt, ":since", since_ms);
	if (reports_finish(reports, stmt, err) < 0)
		return -1;
	return sqlite3_changes(reports->db) > 0;
}

int
reports_failure_alike(struct reports *reports, const char *condition,
    int64_t since_ms, uint64_t *incidents, struct err *err)
{
	int rc = count_beside(reports, condition, since_ms, err);
	sqlite3_stmt *stmt;

	if (rc != 0)
		return rc;
	stmt = reports_prepare(reports,
	    "SELECT more FROM failure WHERE condition = :condition "
	    "ORDER BY time DESC, more DESC LIMIT 1",
	    err);
	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":condition", condition);
	rc = reports_step(reports, stmt, err);
	*incidents = 1 + (rc > 0 ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* ---- ceilings ---- */

int64_t
reports_failure_count(struct reports *reports, const char *address,
    int64_t since_ms, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "SELECT count(DISTINCT message) FROM failure "
	    "WHERE time >= :since AND (:address = '' OR address = :address)",
	    err);
	int64_t n = -1;

	if (stmt == NULL)
		return -1;
	reports_bind_int(stmt, ":since", since_ms);
	reports_bind_text(stmt, ":address", address != NULL ? address : "");
	if (reports_step(reports, stmt, err) > 0)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

/* ---- one report ---- */

int
reports_failure_begin(struct reports *reports, const struct failure_note *note,
    const char *address, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT OR IGNORE INTO failure (message, address, domain, "
	    "condition, time, incidents, more, state, detail) VALUES "
	    "(:message, :address, :domain, :condition, :time, :incidents, 0, "
	    ":state, '')",
	    err);

	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":message", note->message);
	reports_bind_text(stmt, ":address", address);
	reports_bind_text(stmt, ":domain", note->domain);
	reports_bind_text(stmt, ":condition", note->condition);
	reports_bind_int(stmt, ":time", clock_wall_ms());
	reports_bind_int(stmt, ":incidents", (int64_t)note->incidents);
	reports_bind_int(stmt, ":state", REPORT_SENDING);
	if (reports_finish(reports, stmt, err) < 0)
		return -1;
	return sqlite3_changes(reports->db) > 0;
}

int
reports_failure_end(struct reports *reports, const char *message,
    const char *address, enum report_state state, const char *detail,
    struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "UPDATE failure SET state = :state, detail = :detail "
	    "WHERE message = :message AND address = :address",
	    err);

	if (stmt == NULL)
		return -1;
	reports_bind_text(stmt, ":message", message);
	reports_bind_text(stmt, ":address", address);
	reports_bind_int(stmt, ":state", state);
	reports_bind_text(stmt, ":detail", detail);
	return reports_finish(reports, stmt, err);
}

/* ---- those that are not sent ---- */

int
reports_failure_leave(struct reports *reports, const char *why, struct err *err)
{
	const int64_t now_s = clock_wall_s();
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "INSERT INTO failure_left (day, why, count) VALUES (:day, :why, 1) "
	    "ON CONFLICT (day, why) DO UPDATE SET count = count + 1",
	    err);

	if (stmt == NULL)
		return -1;
	reports_bind_int(stmt, ":day", now_s - now_s % DAY_S);
	reports_bind_text(stmt, ":why", why);
	return reports_finish(reports, stmt, err);
}

json_t *
reports_failure_left(struct reports *reports, size_t limit, struct err *err)
{
	sqlite3_stmt *stmt = reports_prepare(reports,
	    "SELECT day, why, count FROM failure_left "
	    "ORDER BY day DESC, why LIMIT :limit",
	    err);
	json_t *rows = json_array();
	int rc = -1;

	if (stmt != NULL) {
		reports_bind_int(stmt, ":limit", (int64_t)limit);
		while ((rc = reports_step(reports, stmt, err)) > 0)
			json_array_append_new(rows,
			    json_pack("{s:I, s:s, s:I}", "day",
				(json_int_t)sqlite3_column_int64(stmt, 0) *
				    1000,
				"why", sqlite3_column_text(stmt, 1), "count",
				(json_int_t)sqlite3_column_int64(stmt, 2)));
	}
	sqlite3_finalize(stmt);
	if (rc == 0)
		return rows;
	json_decref(rows);
	return NULL;
}
