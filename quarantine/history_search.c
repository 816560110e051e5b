/*
 * history_search.c - questions to the history.
 *
 * A question becomes one SELECT.  Where a word is long enough to have
 * grams the text index may lead and name the rows that have them all; fold()
 * and instr() then decide, as they do where there is no gram.  Both tables
 * are walked by the key, newest first, and the walk ends when the page is
 * full.
 *
 * The index does not lead where another filter leaves fewer rows (a mailbox
 * has thousands where the history has a million), nor for words that so many
 * rows have that the other filters would pass over most of them [1,000,000
 * rows, a word of all of them: of a mailbox 2.6 s with the index, 10 ms
 * without; of a domain without mail 7.4 s and nothing].
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/netaddr.h"
#include "base/str.h"
#include "base/ulid.h"
#include "policy/class.h"
#include "quarantine/history_impl.h"
#include "quarantine/history_text.h"

#define SQL_MAX 65536
/* Words of one question, all filters together. */
#define WORDS_MAX 32
/* Grams of a word that are asked for: enough to leave few rows to look at. */
#define GRAMS_MAX 24
/* Rows of the text index that are looked at one by one [8 us each]. */
#define INDEXED_MAX 50000

/* A column of a row, in the order of the SELECT. */
enum shape {
	SHAPE_TEXT,
	SHAPE_INT,
	SHAPE_REAL,
	SHAPE_IP
};

static const struct {
	const char *column;
	const char *field; /* "a.b": within an object */
	enum shape shape;
} columns[] = {
	{ "mail.id", "id", SHAPE_TEXT },
	{ "mail.key / " HISTORY_KEYS_A_MS_TEXT, "time", SHAPE_INT },
	{ "mail.status", "status", SHAPE_TEXT },
	{ "mail.first_status", "first_status", SHAPE_TEXT },
	{ "mail.queue_id", "queue_id", SHAPE_TEXT },
	{ "mail.direction", "direction", SHAPE_TEXT },
	{ "mail.mailbox", "mailbox", SHAPE_TEXT },
	{ "mail.domain", "domain", SHAPE_TEXT },
	{ "mail.rcpt", "rcpt", SHAPE_TEXT },
	{ "mail.sender", "sender", SHAPE_TEXT },
	{ "mail.header_from", "from", SHAPE_TEXT },
	{ "mail.subject", "subject", SHAPE_TEXT },
	{ "mail.message_id", "message_id", SHAPE_TEXT },
	{ "mail.client", "client_ip", SHAPE_IP },
	{ "mail.client_name", "client_name", SHAPE_TEXT },
	{ "mail.helo", "helo", SHAPE_TEXT },
	{ "mail.size", "size", SHAPE_INT },
	{ "mail.class", "class.main", SHAPE_TEXT },
	{ "mail.sub", "class.sub", SHAPE_TEXT },
	{ "mail.extra", "class.extra", SHAPE_TEXT },
	{ "mail.score", "score", SHAPE_REAL },
	{ "mail.action", "action", SHAPE_TEXT },
	{ "mail.reply", "reply", SHAPE_TEXT },
	{ "mail.spf", "spf", SHAPE_TEXT },
	{ "mail.dkim", "dkim", SHAPE_TEXT },
	{ "mail.dmarc", "dmarc", SHAPE_TEXT },
	{ "mail.arc", "arc", SHAPE_TEXT },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* The SELECT as it is built, and what is bound to its parameters. */
struct question {
	struct buf where;
	struct buf match; /* for the text index */
	size_t word_count;
	char *words[WORDS_MAX]; /* :w0, :w1, ... folded */
	int64_t before;         /* key; 0: open */
	const struct history_query *query;
	struct network client;
	char *class, *sub; /* NULL: any */
	enum {
		ID_NONE,
		ID_MESSAGE,
		ID_MAIL,
		ID_QUEUE
	} id_kind;
};

/* ---- words ---- */

struct match {
	struct buf *out;
	const char *column;
	size_t grams;
};

static int
add_gram(void *context, struct bytes gram, size_t start, size_t end)
{
	struct match *match = context;
	size_t i;

	(void)start;
	(void)end;
	buf_printf(match->out, "%s%s : \"", match->out->len > 0 ? " AND " : "",
	    match->column);
	for (i = 0; i < gram.len; i++) {
		if (gram.data[i] == '"')
			buf_append_char(match->out, '"');
		buf_append_char(match->out, gram.data[i]);
	}
	buf_append_char(match->out, '"');
	return ++match->grams == GRAMS_MAX;
}

static int
add_word(struct question *q, const char *column, const char *text,
    struct bytes word, struct err *err)
{
	if (q->word_count == WORDS_MAX)
		return err_set(err, ERR_INPUT, "more than %d words", WORDS_MAX);
	buf_printf(&q->where, " AND instr(fold(%s), :w%zu) > 0", text,
	    q->word_count);
	q->words[q->word_count++] = xmemdup(word.data, word.len);
	history_grams(word, add_gram, &(struct match){ &q->match, column, 0 });
	return 0;
}

/* Each word of filter; text: SQL for what it is looked for in. */
static int
add_words(struct question *q, const char *column, const char *text,
    const char *filter, struct err *err)
{
	struct cursor c;
	struct buf folded;
	struct bytes word;
	int rc = 0;

	if (filter == NULL)
		return 0;
	buf_init(&folded, SQL_MAX);
	if (history_fold(bytes_of(filter), &folded) < 0)
		rc = err_set(err, ERR_INPUT, "the filter is too long");
	c = cursor_of(buf_bytes(&folded));
	while (rc == 0 && !cursor_at_end(&c)) {
		word = cursor_until(&c, " ");
		if (word.len > 0)
			rc = add_word(q, column, text, word, err);
		cursor_char(&c, ' ');
	}
	buf_free(&folded);
	return rc;
}

/* ---- other filters ---- */

static int
add_class(struct question *q, const char *class, struct err *err)
{
	const char *slash;

	if (class == NULL)
		return 0;
	slash = strchrnul(class, '/');
	q->class = xmemdup(class, (size_t)(slash - class));
	if (main_class_parse(bytes_of(q->class)) < 0)
		return err_set(err, ERR_INPUT, "there is no class '%s'",
		    q->class);
	buf_append_str(&q->where, " AND mail.class = :class");
	if (*slash == '\0')
		return 0;
	q->sub = xstrdup(slash + 1);
	if (sub_class_parse(bytes_of(q->sub)) < 0)
		return err_set(err, ERR_INPUT, "there is no sub class '%s'",
		    q->sub);
	buf_append_str(&q->where, " AND mail.sub = :sub");
	return 0;
}

static int
add_status(struct question *q, const char *status, struct err *err)
{
	if (status == NULL)
		return 0;
	if (status_parse(bytes_of(status)) < 0)
		return err_set(err, ERR_INPUT, "there is no status '%s'",
		    status);
	buf_append_str(&q->where, " AND mail.status = :status");
	return 0;
}

static int
add_client(struct question *q, const char *client, struct err *err)
{
	if (client == NULL)
		return 0;
	if (network_parse(bytes_of(client), &q->client, err) < 0)
		return -1;
	buf_append_str(&q->where,
	    " AND mail.client BETWEEN :low AND :high"
	    " AND length(mail.client) = length(:low)");
	return 0;
}

/* An id of ours is found by the ids that begin with it. */
static void
add_id(struct question *q, const char *id)
{
	if (id == NULL)
		return;
	if (ulid_is_valid(bytes_of(id))) {
		q->id_kind = ID_MESSAGE;
		buf_append_str(&q->where,
		    " AND mail.id > :id || '.' AND mail.id < :id || '/'");
	} else if (strchr(id, '.') != NULL) {
		q->id_kind = ID_MAIL;
		buf_append_str(&q->where, " AND mail.id = :id");
	} else {
		q->id_kind = ID_QUEUE;
		buf_append_str(&q->where, " AND mail.queue_id = :id");
	}
}

static void
append_window(const struct question *q, const char *key, struct buf *where)
{
	if (q->query->since_ms > 0)
		buf_printf(where, " AND %s >= :since", key);
	if (q->query->until_ms > 0)
		buf_printf(where, " AND %s < :until", key);
	if (q->before > 0)
		buf_printf(where, " AND %s < :before", key);
}

static int
add_filters(struct question *q, struct err *err)
{
	const struct history_query *query = q->query;

	if (add_words(q, "sender", HISTORY_TEXT_SENDER, query->sender, err) <
		0 ||
	    add_words(q, "recipient", HISTORY_TEXT_RECIPIENT, query->recipient,
		err) < 0 ||
	    add_words(q, "subject", "mail.subject", query->subject, err) < 0 ||
	    add_class(q, query->class, err) < 0 ||
	    add_status(q, query->status, err) < 0 ||
	    add_client(q, query->client, err) < 0)
		return -1;
	if (query->message_id != NULL)
		buf_append_str(&q->where,
		    " AND mail.message_id IN (:message_id, "
		    "'<' || :message_id || '>')");
	if (query->domain != NULL)
		buf_append_str(&q->where, " AND mail.domain = :domain");
	if (query->mailbox != NULL)
		buf_append_str(&q->where, " AND mail.mailbox = :mailbox");
	add_id(q, query->id);
	return 0;
}

static int
read_before(struct question *q, const char *before, struct err *err)
{
	uint64_t key;

	if (before == NULL)
		return 0;
	if (parse_u64(bytes_of(before), 1, INT64_MAX, &key) < 0)
		return err_set(err, ERR_INPUT, "'%s' is no cursor", before);
	q->before = (int64_t)key;
	return 0;
}

/* ---- the statement ---- */

static sqlite3_stmt *
prepare_question(struct history *history, struct question *q, bool indexed,
    struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	struct buf sql;
	size_t i;

	append_window(q, indexed ? "mail_text.rowid" : "mail.key", &q->where);
	buf_init(&sql, SQL_MAX);
	buf_append_str(&sql, "SELECT mail.key");
	for (i = 0; i < COLUMNS; i++)
		buf_printf(&sql, ", %s", columns[i].column);
	/* CROSS JOIN: the index leads. */
	buf_append_str(&sql,
	    indexed ? " FROM mail_text CROSS JOIN mail"
		      " ON mail.key = mail_text.rowid"
		      " WHERE mail_text MATCH :match"
		    : " FROM mail WHERE 1");
	buf_append_bytes(&sql, buf_bytes(&q->where));
	buf_printf(&sql, " ORDER BY %s DESC LIMIT :limit",
	    indexed ? "mail_text.rowid" : "mail.key");
	if (sql.overflow || q->where.overflow)
		err_set(err, ERR_INPUT, "the filter is too long");
	else
		stmt = history_prepare(history, buf_str(&sql), err);
	buf_free(&sql);
	return stmt;
}

/* The last address of a network. */
static struct ip
network_last(const struct network *network)
{
	unsigned bit, most = network->ip.family == IP_V4 ? 32 : 128;
	struct ip ip = network->ip;

	for (bit = network->bits; bit < most; bit++)
		ip.bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	return ip;
}

static void
bind_client(sqlite3_stmt *stmt, const struct network *network)
{
	struct ip last = network_last(network);
	size_t len = network->ip.family == IP_V4 ? 4 : 16;

	history_bind_blob(stmt, ":low",
	    (struct bytes){ (const char *)network->ip.bytes, len });
	history_bind_blob(stmt, ":high",
	    (struct bytes){ (const char *)last.bytes, len });
}

/* The first key of a time; of what no mail can be of, the last one. */
static int64_t
key_of(int64_t time_ms)
{
	return (time_ms < HISTORY_TIME_MAX_MS ? time_ms : HISTORY_TIME_MAX_MS) *
	    HISTORY_KEYS_A_MS;
}

static void
bind_question(sqlite3_stmt *stmt, const struct question *q, size_t limit)
{
	const struct history_query *query = q->query;
	char name[32];
	size_t i;

	for (i = 0; i < q->word_count; i++) {
		(void)snprintf(name, sizeof(name), ":w%zu", i);
		history_bind_text(stmt, name, q->words[i]);
	}
	history_bind_text(stmt, ":match", buf_str(&q->match));
	history_bind_text(stmt, ":class", q->class);
	history_bind_text(stmt, ":sub", q->sub);
	history_bind_text(stmt, ":status", query->status);
	history_bind_text(stmt, ":message_id", query->message_id);
	history_bind_text(stmt, ":domain", query->domain);
	history_bind_text(stmt, ":mailbox", query->mailbox);
	history_bind_text(stmt, ":id", query->id);
	bind_client(stmt, &q->client);
	history_bind_int(stmt, ":since", key_of(query->since_ms));
	history_bind_int(stmt, ":until", key_of(query->until_ms));
	history_bind_int(stmt, ":before", q->before);
	history_bind_int(stmt, ":limit", (int64_t)limit);
}

/* Is the text index to lead?  1, 0, -1. */
static int
index_leads(struct history *history, const struct question *q, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	struct buf sql;
	int rc;

	if (q->match.len == 0 || q->query->mailbox != NULL ||
	    q->query->id != NULL)
		return 0;
	buf_init(&sql, SQL_MAX);
	buf_append_str(&sql,
	    "SELECT count(*) FROM (SELECT 1 FROM mail_text"
	    " WHERE mail_text MATCH :match");
	append_window(q, "mail_text.rowid", &sql);
	buf_append_str(&sql, " LIMIT :limit)");
	stmt = history_prepare(history, buf_str(&sql), err);
	buf_free(&sql);
	if (stmt == NULL)
		return -1;
	bind_question(stmt, q, INDEXED_MAX);
	rc = history_step(history, stmt, err);
	if (rc > 0)
		rc = sqlite3_column_int64(stmt, 0) < INDEXED_MAX;
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- rows ---- */

static json_t *
column_json(sqlite3_stmt *stmt, int index, enum shape shape)
{
	char text[IP_TEXT_SIZE];
	struct ip ip = { 0 };
	int len;

	switch (shape) {
	case SHAPE_INT:
		return json_integer(sqlite3_column_int64(stmt, index));
	case SHAPE_REAL:
		return json_real(sqlite3_column_double(stmt, index));
	case SHAPE_IP:
		len = sqlite3_column_bytes(stmt, index);
		if (len != 4 && len != 16)
			return json_string("");
		ip.family = len == 4 ? IP_V4 : IP_V6;
		memcpy(ip.bytes, sqlite3_column_blob(stmt, index), (size_t)len);
		ip_format(&ip, text);
		return json_string(text);
	default:
		return json_string(
		    (const char *)sqlite3_column_text(stmt, index));
	}
}

static void
set_field(json_t *row, const char *field, json_t *take_value)
{
	const char *dot = strchr(field, '.');
	json_t *inner;
	char *outer;

	if (dot == NULL) {
		json_object_set_new(row, field, take_value);
		return;
	}
	outer = xmemdup(field, (size_t)(dot - field));
	inner = json_object_get(row, outer);
	if (inner == NULL) {
		inner = json_object();
		json_object_set_new(row, outer, inner);
	}
	json_object_set_new(inner, dot + 1, take_value);
	free(outer);
}

static json_t *
row_json(sqlite3_stmt *stmt)
{
	json_t *row = json_object();
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		set_field(row, columns[i].field,
		    column_json(stmt, (int)i + 1, columns[i].shape));
	return row;
}

/* The timeline: the first event from the row, then the later ones. */
static int
add_events(struct history *history, json_t *row, struct err *err)
{
	json_t *events = json_array();
	sqlite3_stmt *stmt;
	int rc;

	json_array_append_new(events,
	    json_pack("{s:O, s:O, s:s, s:s}", "time",
		json_object_get(row, "time"), "status",
		json_object_get(row, "first_status"), "actor", "", "detail",
		""));
	json_object_del(row, "first_status");
	json_object_set_new(row, "events", events);
	stmt = history_statement(history,
	    "SELECT time, status, actor, detail FROM event WHERE id = :id "
	    "ORDER BY time, name",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_text(stmt, ":id",
	    json_string_value(json_object_get(row, "id")));
	while ((rc = history_step(history, stmt, err)) > 0)
		json_array_append_new(events,
		    json_pack("{s:I, s:s?, s:s, s:s}", "time",
			(json_int_t)sqlite3_column_int64(stmt, 0), "status",
			sqlite3_column_text(stmt, 1), "actor",
			sqlite3_column_text(stmt, 2), "detail",
			sqlite3_column_text(stmt, 3)));
	sqlite3_reset(stmt);
	return rc;
}

static int
add_record(struct history *history, json_t *row, int64_t key, struct err *err)
{
	json_t *record = json_null();
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_statement(history,
	    "SELECT record FROM record WHERE key = :key", err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":key", key);
	rc = history_step(history, stmt, err);
	if (rc > 0)
		record = history_unpack_record(history->packer,
		    (struct bytes){ sqlite3_column_blob(stmt, 0),
			(size_t)sqlite3_column_bytes(stmt, 0) });
	sqlite3_reset(stmt);
	json_object_set_new(row, "record", record);
	return rc < 0 ? -1 : 0;
}

/* Reads one row more than the page has, to know whether there is one. */
static int
read_rows(struct history *history, sqlite3_stmt *stmt, size_t limit,
    bool with_record, json_t *rows, char **next, struct err *err)
{
	int64_t key = 0;
	json_t *row;
	int rc;

	while ((rc = history_step(history, stmt, err)) > 0) {
		if (json_array_size(rows) == limit) {
			*next = xprintf("%" PRId64, key);
			return 0;
		}
		key = sqlite3_column_int64(stmt, 0);
		row = row_json(stmt);
		json_array_append_new(rows, row);
		if (add_events(history, row, err) < 0 ||
		    (with_record && add_record(history, row, key, err) < 0))
			return -1;
	}
	return rc;
}

static void
question_free(struct question *q)
{
	while (q->word_count > 0)
		free(q->words[--q->word_count]);
	free(q->class);
	free(q->sub);
	buf_free(&q->where);
	buf_free(&q->match);
}

static int
ask(struct history *history, struct question *q, const char *before,
    size_t limit, json_t *rows, char **next, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc, indexed;

	if (read_before(q, before, err) < 0 || add_filters(q, err) < 0)
		return -1;
	if (q->where.overflow || q->match.overflow)
		return err_set(err, ERR_INPUT, "the filter is too long");
	indexed = index_leads(history, q, err);
	if (indexed < 0)
		return -1;
	stmt = prepare_question(history, q, indexed > 0, err);
	if (stmt == NULL)
		return -1;
	bind_question(stmt, q, limit + 1);
	rc = read_rows(history, stmt, limit, q->query->id != NULL, rows, next,
	    err);
	sqlite3_finalize(stmt);
	return rc;
}

int
history_search(struct history *history, const struct history_query *query,
    const char *before, size_t limit, json_t **rows, char **next,
    struct err *err)
{
	struct question q = { .query = query };
	json_t *found = json_array();
	char *more = NULL;
	int rc;

	buf_init(&q.where, SQL_MAX);
	buf_init(&q.match, SQL_MAX);
	history->deadline_ms =
	    clock_mono_ms() + (int64_t)HISTORY_SEARCH_MAX_S * 1000;
	rc = ask(history, &q, before, limit, found, &more, err);
	history->deadline_ms = 0;
	question_free(&q);
	if (rc < 0) {
		json_decref(found);
		free(more);
		return -1;
	}
	*rows = found;
	*next = more;
	return 0;
}

/* ---- counts ---- */

static json_t *
count_by(struct history *history, const char *sql, const char *domain,
    int64_t since_ms, struct err *err)
{
	json_t *counts = json_object();
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_statement(history, sql, err);
	if (stmt == NULL) {
		json_decref(counts);
		return NULL;
	}
	history_bind_int(stmt, ":since", key_of(since_ms));
	history_bind_text(stmt, ":domain", domain);
	while ((rc = history_step(history, stmt, err)) > 0)
		json_object_set_new(counts,
		    (const char *)sqlite3_column_text(stmt, 0),
		    json_integer(sqlite3_column_int64(stmt, 1)));
	sqlite3_reset(stmt);
	if (rc == 0)
		return counts;
	json_decref(counts);
	return NULL;
}

/* :domain NULL: all. */
#define COUNT_BY(column)                                                       \
	"SELECT " column ", count(*) FROM mail INDEXED BY mail_outcome "       \
	"WHERE key >= :since AND (:domain IS NULL OR domain = :domain) "       \
	"GROUP BY " column

json_t *
history_counts(struct history *history, const char *domain, int64_t since_ms,
    struct err *err)
{
	json_t *classes, *statuses;

	classes = count_by(history, COUNT_BY("class"), domain, since_ms, err);
	if (classes == NULL)
		return NULL;
	statuses = count_by(history, COUNT_BY("status"), domain, since_ms, err);
	if (statuses == NULL) {
		json_decref(classes);
		return NULL;
	}
	return json_pack("{s:o, s:o}", "class", classes, "status", statuses);
}
