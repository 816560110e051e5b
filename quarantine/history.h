/*
 * history.h - what became of every mail, searchable: SQLite with FTS5.
 *
 * Filled by the sidecar from the event streams: cursor and rows in one
 * transaction, so an event is in once.  Readers open it beside the writer
 * (WAL).  The tokenizer is our own: overlapping bigrams for CJK, trigrams
 * otherwise.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HISTORY_H
#define QUARANTINE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct history;
struct store;

/* writer: one process a file (locked). */
struct history *history_open(const char *file, bool writer, struct err *err);
void history_close(struct history *history);

/* Reads what is new in all streams into the file, trims the streams to the
 * lowest registered cursor; returns how many events were taken, -1.  A
 * damaged event is logged, kept in a table of its own, and passed over. */
int64_t history_consume(struct history *history, struct store *store,
    const char *consumer, unsigned wait_ms, struct err *err);
/* Removes rows older than days. */
int history_expire(struct history *history, unsigned days, struct err *err);

struct history_query {
	int64_t since_ms, until_ms;                            /* 0: open */
	const char *sender, *recipient, *subject, *message_id; /* parts */
	const char *domain;  /* exact: of the mailbox */
	const char *mailbox; /* exact key */
	const char *class;   /* main or main/sub */
	const char *status;  /* a status word */
	const char *client;  /* IP or network */
	const char *id;      /* our id or the MTA's queue id */
};
/* Newest first; before: cursor or NULL; *next as in quarantine_list but
 * on the heap.  A row is the mailbox's mail with its latest status and
 * its events ("timeline"). */
int history_search(struct history *history, const struct history_query *query,
    const char *before, size_t limit, json_t **rows, char **next,
    struct err *err);

/* {"class": {...: n}, "status": {...: n}} since a time, of a domain or all. */
json_t *history_counts(struct history *history, const char *domain,
    int64_t since_ms, struct err *err);

#endif
