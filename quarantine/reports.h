/*
 * reports.h - reports that others sent us about our domains, and what
 * became of those that we send: a file of its own beside the history.
 *
 * It is not the history's file because that has one writer, the sidecar,
 * and reports also come by the command line.  SQLite lets several processes
 * write in turn.  Holds, too, which aggregate reports have been sent, so
 * that none is sent twice.
 *
 * A struct reports belongs to one thread at a time; threads open their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_REPORTS_H
#define QUARANTINE_REPORTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct reports;
struct report_file;

/* Makes the file when it is not there, and brings it up to date. */
struct reports *reports_open(const char *file, struct err *err);
void reports_close(struct reports *reports);

/* ---- of others ---- */

/*
 * Keeps a report, all of it or nothing.  *added: parts that are new; one
 * that is there already (same organization, domain and report id) stays as
 * it is.  actor: "user:NAME", "cli:USER", "mail:SENDER".
 */
int reports_add(struct reports *reports, const struct report_file *file,
    const char *actor, unsigned *added, struct err *err);

/* What a report says, as doc/api.md has it; at most records_max records. */
json_t *reports_model(const struct report_file *file, size_t records_max);

struct reports_query {
	const char *domain;       /* NULL: all */
	int64_t since_s, until_s; /* periods that begin so; 0: any */
	size_t limit;             /* of each list */
};

/* Who sends as us and how it fares; NULL. */
json_t *reports_show(struct reports *reports, const struct reports_query *query,
    struct err *err);

/* Mails that were found to hold nothing for us, by their held id, so that
 * they are not read again. */
/* 1, 0, -1. */
int reports_mail_is_refused(struct reports *reports, const char *held_id,
    struct err *err);
int reports_mail_refuse(struct reports *reports, const char *held_id,
    const char *reason, struct err *err);

/* Removes what is older than days, of others and of ours.  How many, or -1. */
int64_t reports_expire(struct reports *reports, unsigned days, struct err *err);

/* ---- of ours ---- */

enum report_state {
	REPORT_NEW,     /* nothing was ever tried */
	REPORT_SENDING, /* begun, and its end was never noted */
	REPORT_SENT,
	REPORT_FAILED,  /* may be tried again */
	REPORT_REFUSED, /* for good */
};

struct report_sent {
	enum report_state state;
	unsigned tries;
	int64_t time_ms; /* of the last change */
};

/* Which report: day in seconds since 1970 (its beginning), policy domain,
 * address. */
struct report_key {
	int64_t day_s;
	const char *domain, *address;
};

/* 1 with what is known, 0 nothing is, -1. */
int reports_sent_get(struct reports *reports, const struct report_key *key,
    struct report_sent *sent, struct err *err);
/* Notes a state durably.  detail: the listener's answer, or "". */
int reports_sent_set(struct reports *reports, const struct report_key *key,
    enum report_state state, const char *detail, struct err *err);
/* 1 the day has been gone through to its end, 0, -1. */
int reports_day_done(struct reports *reports, int64_t day_s, struct err *err);
int reports_day_set_done(struct reports *reports, int64_t day_s,
    struct err *err);
/* The newest first: "day", "domain", "address", "state", "tries", "time",
 * "detail". */
json_t *reports_sent_list(struct reports *reports, size_t limit,
    struct err *err);

#endif
