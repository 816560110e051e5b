/*
 * history_impl.h - shared by the files of the history; nobody else's.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HISTORY_IMPL_H
#define QUARANTINE_HISTORY_IMPL_H

#include <sqlite3.h>

#include "quarantine/events.h"
#include "quarantine/history.h"

/*
 * The key of a mail is its time and a number within the millisecond, so
 * that the order of keys is the order of time: windows, pages and the text
 * index all work on the key.  Few, as distances between keys are what the
 * text index is made of; when more mails than that are of one millisecond,
 * they take keys of the next.
 */
#define HISTORY_KEYS_A_MS 16
#define HISTORY_KEYS_A_MS_TEXT "16"
/* 9999-12-31: later times are a mistake. */
#define HISTORY_TIME_MAX_MS 253402300799999

/* Octets of a decision record as JSON. */
#define HISTORY_RECORD_MAX (1U << 20)

/* How often a consumer shows that it is alive. */
#define HISTORY_SIGN_MS 60000

/* Statements that are prepared once, by the address of their text. */
#define HISTORY_STATEMENTS_MAX 32
struct history_statement {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct history {
	sqlite3 *db;
	size_t statement_count;
	struct history_statement statements[HISTORY_STATEMENTS_MAX];
	struct history_packer *packer;
	char *file;
	int lock_fd;         /* -1: a reader */
	int64_t deadline_ms; /* of a search; 0: none */
	int64_t signed_ms;   /* when the store was last told of us */
};

/* What the text index has of a row of table mail.  A row is taken out of
 * the index by the same text. */
#define HISTORY_TEXT_COLUMNS "sender, recipient, subject"
#define HISTORY_TEXT_SENDER "mail.sender || char(10) || mail.header_from"
#define HISTORY_TEXT_RECIPIENT                                                 \
	"CASE WHEN mail.rcpt = mail.mailbox THEN mail.mailbox "                \
	"ELSE mail.mailbox || char(10) || mail.rcpt END"
#define HISTORY_TEXT_VALUES                                                    \
	HISTORY_TEXT_SENDER ", " HISTORY_TEXT_RECIPIENT ", mail.subject"

/* Sets *err from the database; returns -1. */
int history_fail(const struct history *history, struct err *err,
    const char *what);
/* Ready to be bound; text of the program, not built.  Given back by
 * sqlite3_reset.  NULL with *err set. */
sqlite3_stmt *history_statement(struct history *history, const char *sql,
    struct err *err);
/* The same for text that was built: sqlite3_finalize. */
sqlite3_stmt *history_prepare(struct history *history, const char *sql,
    struct err *err);
/* 1 a row, 0 done, -1. */
int history_step(struct history *history, sqlite3_stmt *stmt, struct err *err);
/* Statements without result. */
int history_exec(struct history *history, const char *sql, struct err *err);

void history_bind_text(sqlite3_stmt *stmt, const char *name, const char *text);
void history_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void history_bind_blob(sqlite3_stmt *stmt, const char *name,
    struct bytes value);

/* Our tokenizer and fold(), for a connection. */
int history_add_functions(struct history *history, struct err *err);

/* Decision records as they are stored: with zstd and a dictionary.  Packs
 * to the heap; ERR_INPUT when the record is too large.  Unpacking what is
 * damaged gives null. */
struct history_packer;
struct history_packer *history_packer_new(void);
void history_packer_free(struct history_packer *packer);
int history_pack_record(struct history_packer *packer, const json_t *record,
    struct bytes *out, struct err *err);
json_t *history_unpack_record(struct history_packer *packer,
    struct bytes packed);

/* As history_take, within the caller's transaction. */
int history_take_event(struct history *history, struct bytes event,
    struct err *err);

#endif
