/*
 * history_take.c - one event into the tables (doc/events.md).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "quarantine/history_impl.h"

/* Mails of one millisecond that are tried before giving up. */
#define KEY_TRIES 1000000

/* Strings of the first event, and the columns they go to. */
static const struct {
	const char *field;
	const char *parameter;
} texts[] = {
	{ "id", ":id" },
	{ "queue_id", ":queue_id" },
	{ "direction", ":direction" },
	{ "mailbox", ":mailbox" },
	{ "domain", ":domain" },
	{ "rcpt", ":rcpt" },
	{ "sender", ":sender" },
	{ "from", ":header_from" },
	{ "subject", ":subject" },
	{ "message_id", ":message_id" },
	{ "client_name", ":client_name" },
	{ "helo", ":helo" },
	{ "action", ":action" },
	{ "reply", ":reply" },
	{ "status", ":status" },
};

/* What authentication said, from the decision record. */
static const struct {
	const char *result;
	const char *parameter;
} results[] = {
	{ "spf", ":spf" },
	{ "dkim", ":dkim" },
	{ "dmarc", ":dmarc" },
	{ "arc", ":arc" },
};

static const char insert_mail_sql[] =
    "INSERT INTO mail (key, id, queue_id, direction, mailbox, domain, rcpt, "
    "sender, header_from, subject, message_id, client, client_name, helo, "
    "size, class, sub, extra, score, action, reply, spf, dkim, dmarc, arc, "
    "first_status, status) "
    "VALUES (:key, :id, :queue_id, :direction, :mailbox, :domain, :rcpt, "
    ":sender, :header_from, :subject, :message_id, :client, :client_name, "
    ":helo, :size, :class, :sub, :extra, :score, :action, :reply, :spf, "
    ":dkim, :dmarc, :arc, :status, :status)";

/* "" when there is no such string. */
static const char *
string_of(const json_t *object, const char *field)
{
	const char *s = json_string_value(json_object_get(object, field));

	return s != NULL ? s : "";
}

/* A statement that gives no rows, with its parameters bound. */
static int
run_once(struct history *history, sqlite3_stmt *stmt, struct err *err)
{
	int rc = history_step(history, stmt, err);

	sqlite3_reset(stmt);
	return rc < 0 ? -1 : 0;
}

/* ---- the first event ---- */

/* 1 it is there, 0, -1 */
static int
has_mail(struct history *history, const char *id, struct err *err)
{
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_statement(history, "SELECT 1 FROM mail WHERE id = :id",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_text(stmt, ":id", id);
	rc = history_step(history, stmt, err);
	sqlite3_reset(stmt);
	return rc;
}

/* The first key from time_ms on that is free. */
static int
free_key(struct history *history, int64_t time_ms, int64_t *key,
    struct err *err)
{
	sqlite3_stmt *stmt;
	int rc = 1, tries;

	stmt = history_statement(history, "SELECT 1 FROM mail WHERE key = :key",
	    err);
	if (stmt == NULL)
		return -1;
	*key = time_ms * HISTORY_KEYS_A_MS;
	for (tries = 0; tries < KEY_TRIES; tries++) {
		history_bind_int(stmt, ":key", *key);
		rc = history_step(history, stmt, err);
		if (rc <= 0)
			break;
		sqlite3_reset(stmt);
		(*key)++;
	}
	sqlite3_reset(stmt);
	if (rc > 0)
		return err_set(err, ERR_LIMIT,
		    "too many mails of one millisecond");
	return rc;
}

static void
bind_client(sqlite3_stmt *stmt, const char *text)
{
	struct ip ip;

	if (ip_parse(bytes_of(text), &ip) < 0)
		return; /* NULL: not known */
	history_bind_blob(stmt, ":client",
	    (struct bytes){ (const char *)ip.bytes,
		ip.family == IP_V4 ? 4 : 16 });
}

static void
bind_class(sqlite3_stmt *stmt, const json_t *class)
{
	history_bind_text(stmt, ":class", string_of(class, "main"));
	history_bind_text(stmt, ":sub", string_of(class, "sub"));
	history_bind_text(stmt, ":extra", string_of(class, "extra"));
}

static void
bind_mail(sqlite3_stmt *stmt, const json_t *event)
{
	const json_t *found =
	    json_object_get(json_object_get(event, "record"), "results");
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		history_bind_text(stmt, texts[i].parameter,
		    string_of(event, texts[i].field));
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		history_bind_text(stmt, results[i].parameter,
		    string_of(json_object_get(found, results[i].result),
			"result"));
	bind_client(stmt, string_of(event, "client_ip"));
	bind_class(stmt, json_object_get(event, "class"));
	history_bind_int(stmt, ":size",
	    json_integer_value(json_object_get(event, "size")));
	sqlite3_bind_double(stmt, sqlite3_bind_parameter_index(stmt, ":score"),
	    json_number_value(json_object_get(event, "score")));
}

static int
add_text(struct history *history, int64_t key, struct err *err)
{
	sqlite3_stmt *stmt;

	stmt = history_statement(history,
	    "INSERT INTO mail_text (rowid, " HISTORY_TEXT_COLUMNS ") "
	    "SELECT key, " HISTORY_TEXT_VALUES " FROM mail WHERE key = :key",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":key", key);
	return run_once(history, stmt, err);
}

static int
add_record(struct history *history, int64_t key, struct bytes packed,
    struct err *err)
{
	sqlite3_stmt *stmt;

	if (packed.len == 0)
		return 0;
	stmt = history_statement(history,
	    "INSERT INTO record (key, record) VALUES (:key, :record)", err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":key", key);
	history_bind_blob(stmt, ":record", packed);
	return run_once(history, stmt, err);
}

static int
insert_mail(struct history *history, int64_t key, const json_t *event,
    struct err *err)
{
	sqlite3_stmt *stmt = history_statement(history, insert_mail_sql, err);

	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":key", key);
	bind_mail(stmt, event);
	return run_once(history, stmt, err);
}

/* Whatever may be wrong with the event is found before a row is made. */
static int
take_mail(struct history *history, const json_t *event, int64_t time_ms,
    struct err *err)
{
	struct bytes packed;
	int64_t key;
	int rc;

	rc = has_mail(history, string_of(event, "id"), err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (free_key(history, time_ms, &key, err) < 0 ||
	    history_pack_record(history->packer,
		json_object_get(event, "record"), &packed, err) < 0)
		return -1;
	rc = 1;
	if (insert_mail(history, key, event, err) < 0 ||
	    add_text(history, key, err) < 0 ||
	    add_record(history, key, packed, err) < 0)
		rc = -1;
	free((char *)packed.data);
	return rc;
}

/* ---- later events ---- */

static int
take_later(struct history *history, const json_t *event, const char *name,
    int64_t time_ms, struct err *err)
{
	const json_t *class = json_object_get(event, "class");
	sqlite3_stmt *stmt;

	stmt = history_statement(history,
	    "INSERT OR IGNORE INTO event (name, id, time, status, class, sub, "
	    "extra, actor, detail) VALUES (:name, :id, :time, :status, :class, "
	    ":sub, :extra, :actor, :detail)",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_text(stmt, ":name", name);
	history_bind_text(stmt, ":id", string_of(event, "id"));
	history_bind_int(stmt, ":time", time_ms);
	if (string_of(event, "status")[0] != '\0')
		history_bind_text(stmt, ":status", string_of(event, "status"));
	if (json_is_object(class))
		bind_class(stmt, class);
	history_bind_text(stmt, ":actor", string_of(event, "actor"));
	history_bind_text(stmt, ":detail", string_of(event, "detail"));
	if (run_once(history, stmt, err) < 0)
		return -1;
	return sqlite3_changes(history->db) > 0;
}

/* The latest status and class, whichever event brought them. */
static int
update_mail(struct history *history, const char *id, struct err *err)
{
	static const char *const statements[] = {
		"UPDATE mail SET status = latest.status FROM "
		"(SELECT status FROM event WHERE id = :id AND status NOT NULL "
		"ORDER BY time DESC, name DESC LIMIT 1) AS latest "
		"WHERE mail.id = :id",
		"UPDATE mail SET class = latest.class, sub = latest.sub, "
		"extra = latest.extra FROM "
		"(SELECT class, sub, extra FROM event "
		"WHERE id = :id AND class NOT NULL "
		"ORDER BY time DESC, name DESC LIMIT 1) AS latest "
		"WHERE mail.id = :id",
	};
	sqlite3_stmt *stmt;
	size_t i;

	for (i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		stmt = history_statement(history, statements[i], err);
		if (stmt == NULL)
			return -1;
		history_bind_text(stmt, ":id", id);
		if (run_once(history, stmt, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- any event ---- */

/* What every event has.  0, or -1 with ERR_INPUT. */
static int
check_event(const json_t *event, int64_t *time_ms, struct err *err)
{
	const json_t *when = json_object_get(event, "time");

	if (!json_is_object(event))
		return err_set(err, ERR_INPUT, "no JSON object");
	if (string_of(event, "id")[0] == '\0')
		return err_set(err, ERR_INPUT, "no id");
	if (string_of(event, "event")[0] == '\0')
		return err_set(err, ERR_INPUT, "no name");
	*time_ms = json_integer_value(when);
	if (!json_is_integer(when) || *time_ms <= 0 ||
	    *time_ms > HISTORY_TIME_MAX_MS)
		return err_set(err, ERR_INPUT, "no time");
	return 0;
}

static int
take_json(struct history *history, const json_t *event, struct err *err)
{
	const char *id = string_of(event, "id");
	const char *name = string_of(event, "event");
	int64_t time_ms = 0;
	int rc;

	if (check_event(event, &time_ms, err) < 0)
		return -1;
	if (strcmp(name, id) == 0)
		rc = take_mail(history, event, time_ms, err);
	else
		rc = take_later(history, event, name, time_ms, err);
	if (rc > 0 && update_mail(history, id, err) < 0)
		return -1;
	return rc;
}

static int
keep_damaged(struct history *history, struct bytes event,
    const struct err *reason, struct err *err)
{
	sqlite3_stmt *stmt;

	log_error("history: damaged event kept aside: %s", reason->text);
	stmt = history_statement(history,
	    "INSERT INTO damaged (time, reason, event) "
	    "VALUES (:time, :reason, :event)",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":time", clock_wall_ms());
	history_bind_text(stmt, ":reason", reason->text);
	history_bind_blob(stmt, ":event", event);
	return run_once(history, stmt, err);
}

int
history_take_event(struct history *history, struct bytes event, struct err *err)
{
	json_error_t why;
	json_t *json = json_loadb(event.data, event.len, 0, &why);
	struct err reason;
	int rc;

	if (json == NULL)
		rc = err_set(&reason, ERR_INPUT, "%s", why.text);
	else
		rc = take_json(history, json, &reason);
	json_decref(json);
	if (rc >= 0)
		return rc;
	if (reason.kind == ERR_INPUT || reason.kind == ERR_LIMIT)
		return keep_damaged(history, event, &reason, err);
	if (err != NULL)
		*err = reason;
	return -1;
}

int
history_take(struct history *history, struct bytes event, struct err *err)
{
	int rc;

	if (history_exec(history, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	rc = history_take_event(history, event, err);
	if (rc >= 0 && history_exec(history, "COMMIT", err) == 0)
		return rc;
	history_exec(history, "ROLLBACK", NULL);
	return -1;
}
