/*
 * history.c - the history's file: opening, versions, expiry.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ulid.h"
#include "quarantine/history_impl.h"
#include "quarantine/history_text.h"

#define BUSY_MS 5000
/* Rows removed in one transaction: readers and events get in between. */
#define EXPIRE_ROWS 500
/* How often a long search looks at the clock, in steps of SQLite. */
#define PROGRESS_STEPS 10000
/* Octets of a text that fold() takes. */
#define FOLD_MAX (1U << 20)

/*
 * What brings a file from one version (PRAGMA user_version) to the next.
 * Rows are only ever added here; a file may be of any version before.
 */
static const char *const migrations[] = {
	/* One row a mail and mailbox. */
	"CREATE TABLE mail ("
	" key INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" queue_id TEXT NOT NULL,"
	" direction TEXT NOT NULL,"
	" mailbox TEXT NOT NULL,"
	" domain TEXT NOT NULL,"
	" rcpt TEXT NOT NULL,"
	" sender TEXT NOT NULL,"
	" header_from TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" message_id TEXT NOT NULL,"
	" client BLOB," /* 4 or 16 octets */
	" client_name TEXT NOT NULL,"
	" helo TEXT NOT NULL,"
	" size INTEGER NOT NULL,"
	" class TEXT NOT NULL,"
	" sub TEXT NOT NULL,"
	" extra TEXT NOT NULL,"
	" score REAL NOT NULL,"
	" action TEXT NOT NULL,"
	" reply TEXT NOT NULL,"
	" spf TEXT NOT NULL,"
	" dkim TEXT NOT NULL,"
	" dmarc TEXT NOT NULL,"
	" arc TEXT NOT NULL,"
	" first_status TEXT NOT NULL,"
	" status TEXT NOT NULL);" /* the latest */
	"CREATE INDEX mail_domain ON mail (domain);"
	"CREATE INDEX mail_mailbox ON mail (mailbox);"
	"CREATE INDEX mail_queue_id ON mail (queue_id);"
	"CREATE INDEX mail_message_id ON mail (message_id);"
	"CREATE INDEX mail_client ON mail (client);"
	/* For history_counts. */
	"CREATE INDEX mail_outcome ON mail (key, domain, class, status);"
	/* Apart, so that rows are small. */
	"CREATE TABLE record ("
	" key INTEGER PRIMARY KEY, record BLOB NOT NULL);"
	/* It says in which column of which mail a gram is, not where: what
	 * is found is looked at again anyway. */
	"CREATE VIRTUAL TABLE mail_text USING fts5("
	" " HISTORY_TEXT_COLUMNS ","
	" content = '', columnsize = 0, detail = column,"
	" tokenize = 'sekimori');"
	/* Later events; they may come before the mail's own. */
	"CREATE TABLE event ("
	" name TEXT PRIMARY KEY,"
	" id TEXT NOT NULL,"
	" time INTEGER NOT NULL,"
	" status TEXT,"
	" class TEXT, sub TEXT, extra TEXT,"
	" actor TEXT NOT NULL,"
	" detail TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX event_id ON event (id, time, name);"
	"CREATE INDEX event_time ON event (time);"
	/* How far each stream has been read. */
	"CREATE TABLE cursor ("
	" shard INTEGER PRIMARY KEY, entry TEXT NOT NULL);"
	/* "consumer": our name towards the store. */
	"CREATE TABLE name (what TEXT PRIMARY KEY, name TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE damaged ("
	" time INTEGER NOT NULL, reason TEXT NOT NULL, event BLOB NOT NULL);",
};

#define VERSION_NOW ((int)(sizeof(migrations) / sizeof(migrations[0])))

/* ---- talking to SQLite ---- */

int
history_fail(const struct history *history, struct err *err, const char *what)
{
	enum err_kind kind = ERR_TEMP;

	switch (sqlite3_errcode(history->db) & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		kind = ERR_CONFIG;
		break;
	case SQLITE_INTERRUPT:
		return err_set(err, ERR_LIMIT,
		    "the search took more than %d s: narrow the time",
		    HISTORY_SEARCH_MAX_S);
	default:
		break;
	}
	return err_set(err, kind, "%s: %s: %s", history->file, what,
	    sqlite3_errmsg(history->db));
}

sqlite3_stmt *
history_prepare(struct history *history, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(history->db, sql, -1, &stmt, NULL) !=
	    SQLITE_OK) {
		history_fail(history, err, "prepare");
		return NULL;
	}
	return stmt;
}

sqlite3_stmt *
history_statement(struct history *history, const char *sql, struct err *err)
{
	struct history_statement *cached;
	size_t i;

	for (i = 0; i < history->statement_count; i++)
		if (history->statements[i].sql == sql) {
			sqlite3_clear_bindings(history->statements[i].stmt);
			return history->statements[i].stmt;
		}
	assert(i < HISTORY_STATEMENTS_MAX);
	cached = &history->statements[i];
	cached->sql = sql;
	cached->stmt = history_prepare(history, sql, err);
	if (cached->stmt != NULL)
		history->statement_count++;
	return cached->stmt;
}

int
history_step(struct history *history, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	return history_fail(history, err, "step");
}

int
history_exec(struct history *history, const char *sql, struct err *err)
{
	if (sqlite3_exec(history->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return history_fail(history, err, "exec");
}

void
history_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	if (index > 0)
		sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
}

void
history_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	if (index > 0)
		sqlite3_bind_int64(stmt, index, value);
}

void
history_bind_blob(sqlite3_stmt *stmt, const char *name, struct bytes value)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	if (index > 0)
		sqlite3_bind_blob64(stmt, index,
		    value.data != NULL ? value.data : "", value.len,
		    SQLITE_TRANSIENT);
}

/* The first column of the first row. */
static int
query_int(struct history *history, const char *sql, int64_t *out,
    struct err *err)
{
	sqlite3_stmt *stmt = history_prepare(history, sql, err);
	int rc;

	if (stmt == NULL)
		return -1;
	rc = history_step(history, stmt, err);
	if (rc > 0)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* ---- our words for SQL ---- */

/* fold(text): as the grams were folded. */
static void
sql_fold(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct bytes text;
	struct buf folded;

	(void)argc;
	text.data = (const char *)sqlite3_value_text(argv[0]);
	text.len = (size_t)sqlite3_value_bytes(argv[0]);
	if (text.data == NULL) {
		sqlite3_result_null(context);
		return;
	}
	buf_init(&folded, FOLD_MAX);
	if (history_fold(text, &folded) < 0)
		sqlite3_result_error_toobig(context);
	else
		sqlite3_result_text64(context, buf_str(&folded), folded.len,
		    SQLITE_TRANSIENT, SQLITE_UTF8);
	buf_free(&folded);
}

/* A tokenizer without state: SQLite wants an object, any will do. */
static int
tokenizer_new(void *context, const char **argv, int argc, Fts5Tokenizer **out)
{
	(void)argv;
	(void)argc;
	*out = (Fts5Tokenizer *)context;
	return SQLITE_OK;
}

static void
tokenizer_free(Fts5Tokenizer *tokenizer)
{
	(void)tokenizer;
}

struct token_sink {
	void *context;
	int (*token)(void *context, int flags, const char *text, int len,
	    int start, int end);
};

static int
each_gram(void *context, struct bytes gram, size_t start, size_t end)
{
	struct token_sink *sink = context;

	return sink->token(sink->context, 0, gram.data, (int)gram.len,
	    (int)start, (int)end);
}

static int
tokenize(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text,
    int len,
    int (*token)(void *context, int flags, const char *text, int len, int start,
	int end))
{
	struct token_sink sink = { context, token };

	(void)tokenizer;
	(void)flags;
	return history_grams((struct bytes){ text, (size_t)len }, each_gram,
	    &sink);
}

static fts5_api *
find_fts5(struct history *history, struct err *err)
{
	sqlite3_stmt *stmt;
	fts5_api *api = NULL;

	stmt = history_prepare(history, "SELECT fts5(?1)", err);
	if (stmt == NULL)
		return NULL;
	sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
	if (history_step(history, stmt, err) >= 0 && api == NULL)
		err_set(err, ERR_CONFIG, "SQLite was built without FTS5");
	sqlite3_finalize(stmt);
	return api;
}

int
history_add_functions(struct history *history, struct err *err)
{
	static fts5_tokenizer tokenizer = { tokenizer_new, tokenizer_free,
		tokenize };
	fts5_api *api = find_fts5(history, err);

	if (api == NULL)
		return -1;
	if (api->xCreateTokenizer(api, "sekimori", history, &tokenizer, NULL) !=
		SQLITE_OK ||
	    sqlite3_create_function(history->db, "fold", 1,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_fold, NULL,
		NULL) != SQLITE_OK)
		return history_fail(history, err, "add functions");
	return 0;
}

static int
out_of_time(void *context)
{
	const struct history *history = context;

	return history->deadline_ms > 0 &&
	    clock_mono_ms() > history->deadline_ms;
}

/* ---- opening ---- */

static int
migrate(struct history *history, int64_t version, struct err *err)
{
	char *sql;
	int rc;

	for (; version < VERSION_NOW; version++) {
		sql = xprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; "
			      "COMMIT",
		    migrations[version], (int)version + 1);
		rc = history_exec(history, sql, err);
		free(sql);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* One name for the life of the file; the host's is in it for people. */
static int
name_consumer(struct history *history, struct err *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	struct ulid id = ulid_new();
	sqlite3_stmt *stmt;
	char *name;
	int rc;

	(void)gethostname(host, sizeof(host) - 1);
	name = xprintf("%s.%s", host, id.text);
	stmt = history_statement(history,
	    "INSERT OR IGNORE INTO name (what, name) "
	    "VALUES ('consumer', :name)",
	    err);
	if (stmt != NULL)
		history_bind_text(stmt, ":name", name);
	free(name);
	if (stmt == NULL)
		return -1;
	rc = history_step(history, stmt, err);
	sqlite3_reset(stmt);
	return rc;
}

static int
check_version(struct history *history, bool writer, struct err *err)
{
	int64_t version = 0;

	if (query_int(history, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (version > VERSION_NOW)
		return err_set(err, ERR_CONFIG,
		    "%s was written by a newer version of this program",
		    history->file);
	if (writer)
		return migrate(history, version, err) < 0
		    ? -1
		    : name_consumer(history, err);
	if (version < VERSION_NOW)
		return err_set(err, ERR_TEMP,
		    "%s has not been brought up to date yet: start "
		    "sekimori-web",
		    history->file);
	return 0;
}

/* One writer: by a lock on a file of its own, for SQLite's locks are those
 * of a moment. */
static int
lock_file(struct history *history, struct err *err)
{
	char *name = xprintf("%s.lock", history->file);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		err_set(err, ERR_CONFIG, "%s: %s", name, strerror(errno));
	free(name);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return err_set(err, ERR_CONFIG,
		    "%s is being written by another process", history->file);
	}
	history->lock_fd = fd;
	return 0;
}

/* SQLite would make the file readable by all. */
static int
make_file(const struct history *history, struct err *err)
{
	int fd = open(history->file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", history->file,
		    strerror(errno));
	close(fd);
	return 0;
}

static int
open_db(struct history *history, bool writer, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	if (!writer && access(history->file, F_OK) != 0)
		return err_set(err, ERR_TEMP, "%s: there is no history yet",
		    history->file);
	if (sqlite3_open_v2(history->file, &history->db, flags, NULL) !=
	    SQLITE_OK)
		return history_fail(history, err, "open");
	sqlite3_extended_result_codes(history->db, 1);
	sqlite3_busy_timeout(history->db, BUSY_MS);
	sqlite3_progress_handler(history->db, PROGRESS_STEPS, out_of_time,
	    history);
	return history_add_functions(history, err);
}

static int
set_up(struct history *history, bool writer, struct err *err)
{
	if (writer &&
	    (lock_file(history, err) < 0 || make_file(history, err) < 0))
		return -1;
	if (open_db(history, writer, err) < 0)
		return -1;
	/* auto_vacuum counts before the first table is made only. */
	if (writer &&
	    history_exec(history,
		"PRAGMA auto_vacuum = INCREMENTAL;"
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA cache_size = -16384",
		err) < 0)
		return -1;
	return check_version(history, writer, err);
}

struct history *
history_open(const char *file, bool writer, struct err *err)
{
	struct history *history = xcalloc(1, sizeof(*history));

	history->file = xstrdup(file);
	history->lock_fd = -1;
	history->packer = history_packer_new();
	if (set_up(history, writer, err) == 0)
		return history;
	history_close(history);
	return NULL;
}

void
history_close(struct history *history)
{
	if (history == NULL)
		return;
	while (history->statement_count > 0)
		sqlite3_finalize(
		    history->statements[--history->statement_count].stmt);
	sqlite3_close(history->db);
	history_packer_free(history->packer);
	if (history->lock_fd >= 0)
		close(history->lock_fd);
	free(history->file);
	free(history);
}

/* ---- expiry ---- */

/* One batch; *removed is how many mails. */
static int
expire_some(struct history *history, int64_t before_key, int64_t *removed,
    struct err *err)
{
	static const char *const statements[] = {
		("INSERT INTO mail_text (mail_text, rowid, "
		 "" HISTORY_TEXT_COLUMNS ") "
		 "SELECT 'delete', key, " HISTORY_TEXT_VALUES " FROM mail "
		 "WHERE key IN (SELECT key FROM expired)"),
		("DELETE FROM event WHERE id IN (SELECT id FROM mail "
		 "WHERE key IN (SELECT key FROM expired))"),
		"DELETE FROM record WHERE key IN (SELECT key FROM expired)",
		"DELETE FROM mail WHERE key IN (SELECT key FROM expired)",
	};
	sqlite3_stmt *stmt;
	size_t i;
	int rc;

	if (history_exec(history,
		"CREATE TEMP TABLE IF NOT EXISTS expired "
		"(key INTEGER PRIMARY KEY); DELETE FROM expired",
		err) < 0)
		return -1;
	stmt = history_statement(history,
	    "INSERT INTO expired SELECT key FROM mail WHERE key < :before "
	    "ORDER BY key LIMIT :rows",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":before", before_key);
	history_bind_int(stmt, ":rows", EXPIRE_ROWS);
	rc = history_step(history, stmt, err);
	sqlite3_reset(stmt);
	*removed = sqlite3_changes(history->db);
	for (i = 0; rc == 0 && *removed > 0 &&
	     i < sizeof(statements) / sizeof(statements[0]);
	     i++)
		rc = history_exec(history, statements[i], err);
	return rc;
}

/* Later events whose mail never came, and damaged ones. */
static int
expire_rest(struct history *history, int64_t before_ms, struct err *err)
{
	char *sql = xprintf("DELETE FROM event WHERE time < %" PRId64
			    " AND id NOT IN (SELECT id FROM mail);"
			    "DELETE FROM damaged WHERE time < %" PRId64 ";"
			    "PRAGMA incremental_vacuum",
	    before_ms, before_ms);
	int rc = history_exec(history, sql, err);

	free(sql);
	return rc;
}

int64_t
history_expire(struct history *history, unsigned days, struct err *err)
{
	int64_t before_ms = clock_wall_ms() - (int64_t)days * 86400 * 1000;
	int64_t removed, total = 0;

	do {
		if (history_exec(history, "BEGIN IMMEDIATE", err) < 0)
			return -1;
		if (expire_some(history, before_ms * HISTORY_KEYS_A_MS,
			&removed, err) < 0 ||
		    history_exec(history, "COMMIT", err) < 0) {
			history_exec(history, "ROLLBACK", NULL);
			return -1;
		}
		total += removed;
	} while (removed > 0 && total < HISTORY_EXPIRE_MOST);
	if (removed == 0 && expire_rest(history, before_ms, err) < 0)
		return -1;
	return total;
}
