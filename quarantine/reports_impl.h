/*
 * reports_impl.h - shared by the files of the reports; nobody else's.
 *
 *	reports.c       the file, taking reports in, expiry
 *	reports_show.c  what they say
 *	reports_sent.c  what became of ours
 *	reports_failure.c  the same of failure reports
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_REPORTS_IMPL_H
#define QUARANTINE_REPORTS_IMPL_H

#include <sqlite3.h>

#include "quarantine/reports.h"

struct reports {
	sqlite3 *db;
	char *file;
	int64_t deadline_ms; /* of a question; 0: none */
};

int reports_fail(const struct reports *reports, struct err *err,
    const char *what);
int reports_exec(struct reports *reports, const char *sql, struct err *err);
/* sqlite3_finalize; NULL with *err. */
sqlite3_stmt *reports_prepare(struct reports *reports, const char *sql,
    struct err *err);
/* 1 a row, 0 done, -1. */
int reports_step(struct reports *reports, sqlite3_stmt *stmt, struct err *err);
/* Runs a statement that gives no rows, and finalizes it. */
int reports_finish(struct reports *reports, sqlite3_stmt *take_stmt,
    struct err *err);

/* What the questions of reports_show.c need, for a connection. */
int reports_add_functions(struct reports *reports, struct err *err);

/* By name; one that the statement does not have is passed over. */
void reports_bind_text(sqlite3_stmt *stmt, const char *name, const char *text);
void reports_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);

#endif
