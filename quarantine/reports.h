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

/* Who sends as us and how it fares; NULL.  Lists of names hold at most
 * REPORTS_NAMES_MAX; ERR_LIMIT when it takes more than REPORTS_SHOW_MAX_S. */
#define REPORTS_NAMES_MAX 20
#define REPORTS_SHOW_MAX_S 10
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

/* "new", "sending", "sent", "failed", "refused". */
const char *report_state_name(enum report_state state);

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
/* The newest first, of both kinds: "kind" ("aggregate", "failure"), "day",
 * "domain", "address", "state", "tries", "time", "incidents" (of a failure
 * report, else 0), "detail". */
json_t *reports_sent_list(struct reports *reports, size_t limit,
    struct err *err);

/* ---- of ours, of single failures (reports_failure.c) ---- */

struct failure_note {
	const char *message;   /* our message id */
	const char *domain;    /* of the policy */
	const char *condition; /* policy/failure.h */
	uint64_t incidents;
};

/*
 * Has one with this condition been begun since a time?  1: this one is
 * counted beside it.  0: *incidents is how many a report would speak of:
 * this one, and those counted beside the last one that was sent.  -1.
 */
int reports_failure_alike(struct reports *reports, const char *condition,
    int64_t since_ms, uint64_t *incidents, struct err *err);
/* How many reports have been begun since a time; address: to this one, or
 * NULL.  -1. */
int64_t reports_failure_count(struct reports *reports, const char *address,
    int64_t since_ms, struct err *err);
/* Notes durably that one is about to go.  1; 0 it has been noted before:
 * it must not go again; -1. */
int reports_failure_begin(struct reports *reports,
    const struct failure_note *note, const char *address, struct err *err);
int reports_failure_end(struct reports *reports, const char *message,
    const char *address, enum report_state state, const char *detail,
    struct err *err);
/* Counts one that is not sent at all.  why: one of few words. */
int reports_failure_leave(struct reports *reports, const char *why,
    struct err *err);
/* How many were not sent, the newest first: "day", "why", "count". */
json_t *reports_failure_left(struct reports *reports, size_t limit,
    struct err *err);

#endif
