/*
 * history.h - what became of every mail, searchable: SQLite with FTS5.
 *
 * Filled by the sidecar from the event streams (doc/events.md): cursor and
 * rows in one transaction, so an event is in once.  Readers open the file
 * beside the writer (WAL).  The tokenizer is our own (history_text.h): it
 * finds any part of a text of three characters or more, of two in CJK;
 * shorter parts are looked for by reading all rows of the time window.
 * A mail takes about 1.2 kB of disk.
 *
 * A struct history belongs to one thread at a time; threads open their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HISTORY_H
#define QUARANTINE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct history;
struct store;

/*
 * writer: makes the file, brings it up to date, and is alone: a second one
 * gets ERR_CONFIG.  A reader gets ERR_TEMP while there is no file yet.
 */
struct history *history_open(const char *file, bool writer, struct err *err);
void history_close(struct history *history);

/*
 * Takes one event of a stream, in a transaction of its own.  1 taken; 0 it
 * was there already, or is damaged: then it is logged, kept in a table of
 * its own, and passed over; -1 not done.
 */
int history_take(struct history *history, struct bytes event, struct err *err);

/*
 * Reads what is new in all streams into the file, notes in the store how
 * far it is, and trims the streams to what all consumers have; one that
 * was silent for HISTORY_SILENCE_DAYS is dropped with a warning.  Waits up
 * to wait_ms for something to come; a signal ends the waiting.  Returns how
 * many events were read, or -1 (the store or the file is away; what was
 * taken before counts).  The file has a name of its own as a consumer.
 */
#define HISTORY_SILENCE_DAYS 3
int64_t history_consume(struct history *history, struct store *store,
    unsigned wait_ms, struct err *err);

/* Removes mails older than days, so many at once: how many, or -1.  What is
 * left over is for the next call, so that events get in between and nobody
 * waits for the end of it [1,000,000 mails: 200 s]. */
#define HISTORY_EXPIRE_MOST 2000
int64_t history_expire(struct history *history, unsigned days, struct err *err);

/* NULL or 0: any.  All that is set must hold. */
struct history_query {
	int64_t since_ms, until_ms; /* since <= time < until */
	/* words, each of which occurs somewhere in... */
	const char *sender;    /* envelope sender or From */
	const char *recipient; /* mailbox or RCPT address */
	const char *subject;
	/* exact */
	const char *message_id; /* Message-ID, with or without <> */
	const char *domain;     /* of the mailbox */
	const char *mailbox;    /* key */
	const char *class;      /* main or main/sub */
	const char *status;     /* a status word: the latest */
	const char *client;     /* IP or network */
	const char *id;         /* message id, id of a mail, or queue id */
};

/*
 * Newest first, at most limit.  before: *next of the page ahead, or NULL.
 * *next (heap): NULL when there are no more.  *rows is a new array of
 * objects with the fields of the first event, the latest status and class,
 * and "events": the timeline, each with time, status, actor and detail.
 * With query->id they hold "record" too.  ERR_INPUT for a bad filter,
 * ERR_LIMIT when it takes more than HISTORY_SEARCH_MAX_S.
 */
#define HISTORY_SEARCH_MAX_S 10
int history_search(struct history *history, const struct history_query *query,
    const char *before, size_t limit, json_t **rows, char **next,
    struct err *err);

/* {"class": {...: n}, "status": {...: n}} since a time, of a domain or all
 * (NULL). */
json_t *history_counts(struct history *history, const char *domain,
    int64_t since_ms, struct err *err);

#endif
