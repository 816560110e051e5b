/*
 * test_history.c - tests of quarantine/history*.c without a store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/quarantine/history_events.h"
#include "tests/redis_server.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "quarantine/history_impl.h"

#define MINUTE INT64_C(60000)
/* The time of the first mail of the tests. */
#define T0 1700000000000

struct place {
	char *dir, *file;
	struct history *history;
};

static struct place
new_place(void)
{
	struct place place;
	struct err err;

	place.dir = temp_dir();
	place.file = xprintf("%s/history.db", place.dir);
	place.history = history_open(place.file, true, &err);
	if (place.history == NULL)
		fail_msg("%s", err.text);
	return place;
}

static void
free_place(struct place *place)
{
	history_close(place->history);
	remove_dir(place->dir);
	free(place->file);
	free(place->dir);
}

/* take_text is freed. */
static int
take(struct history *history, char *take_text)
{
	struct err err;
	int rc = history_take(history, bytes_of(take_text), &err);

	if (rc < 0)
		fail_msg("%s", err.text);
	free(take_text);
	return rc;
}

static int64_t
count(struct history *history, const char *table)
{
	char *sql = xprintf("SELECT count(*) FROM %s", table);
	sqlite3_stmt *stmt = history_prepare(history, sql, NULL);
	int64_t n;

	assert_non_null(stmt);
	assert_int_equal(history_step(history, stmt, NULL), 1);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	free(sql);
	return n;
}

/* The ids found, with commas; fail on an error. */
static char *
search(struct history *history, const struct history_query *query,
    const char *before, size_t limit, char **next)
{
	json_t *rows, *row;
	struct err err;
	struct buf out;
	char *ignored = NULL;
	size_t i;

	if (history_search(history, query, before, limit, &rows,
		next != NULL ? next : &ignored, &err) < 0)
		fail_msg("%s", err.text);
	buf_init(&out, 100000);
	json_array_foreach(rows, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "id"));

		/* The number in front of the mailbox's is enough. */
		buf_printf(&out, "%s%d", i > 0 ? "," : "",
		    (int)strtol(id + 18, NULL, 10));
	}
	json_decref(rows);
	free(ignored);
	return buf_steal(&out);
}

static json_t *
row_of(struct history *history, const char *id)
{
	struct history_query query = { .id = id };
	json_t *rows, *row;
	struct err err;
	char *next;

	if (history_search(history, &query, NULL, 10, &rows, &next, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(json_array_size(rows), 1);
	row = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	assert_null(next);
	return row;
}

static const char *
text_of(json_t *row, const char *field)
{
	return json_string_value(json_object_get(row, field));
}

/* ---- the file ---- */

static void
test_one_writer(void **state)
{
	struct place place = new_place();
	struct history *other;
	struct stat st;
	struct err err;

	(void)state;
	assert_null(history_open(place.file, true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	other = history_open(place.file, false, &err);
	assert_non_null(other);
	history_close(other);
	assert_int_equal(stat(place.file, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	history_close(place.history);
	place.history = history_open(place.file, true, &err);
	assert_non_null(place.history);
	free_place(&place);
}

static void
test_reader_without_file(void **state)
{
	struct err err;

	(void)state;
	assert_null(history_open("/nonexistent/history.db", false, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	assert_null(history_open("/nonexistent/history.db", true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

static void
test_newer_file(void **state)
{
	struct place place = new_place();
	struct err err;

	(void)state;
	assert_int_equal(history_exec(place.history,
			     "PRAGMA user_version = 9999", &err),
	    0);
	history_close(place.history);
	place.history = NULL;
	assert_null(history_open(place.file, true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_null(history_open(place.file, false, &err));
	free_place(&place);
}

static void
test_no_database(void **state)
{
	char *dir = temp_dir(), *file = xprintf("%s/history.db", dir);
	FILE *f = fopen(file, "w");
	struct err err;
	int i;

	(void)state;
	assert_non_null(f);
	for (i = 0; i < 1000; i++)
		(void)fputs("this is no database. ", f);
	(void)fclose(f);
	assert_null(history_open(file, true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	remove_dir(dir);
	free(file);
	free(dir);
}

/* ---- events ---- */

static void
test_mail(void **state)
{
	struct place place = new_place();
	char id[27];
	struct test_mail mail = { .time = T0 };
	json_t *row, *events;
	char *mail_id;

	(void)state;
	mail_id = xprintf("%s.1", test_ulid(1, id));
	mail.id = mail_id;
	assert_int_equal(take(place.history, test_mail_event(&mail)), 1);
	assert_int_equal(take(place.history, test_mail_event(&mail)), 0);
	assert_int_equal(count(place.history, "mail"), 1);
	row = row_of(place.history, mail_id);
	assert_string_equal(text_of(row, "sender"), "sender@example.org");
	assert_string_equal(text_of(row, "from"),
	    "Sender <sender@example.org>");
	assert_string_equal(text_of(row, "client_ip"), "192.0.2.1");
	assert_string_equal(text_of(row, "spf"), "pass");
	assert_string_equal(text_of(row, "dkim"), "fail");
	assert_string_equal(text_of(row, "arc"), "");
	assert_string_equal(text_of(row, "status"), "accepted");
	assert_string_equal(text_of(json_object_get(row, "class"), "extra"),
	    "because");
	assert_int_equal(json_integer_value(json_object_get(row, "time")), T0);
	assert_int_equal(json_integer_value(json_object_get(row, "size")),
	    1234);
	assert_true(json_real_value(json_object_get(row, "score")) == 3.25);
	assert_int_equal(json_integer_value(
			     json_object_get(json_object_get(row, "record"),
				 "version")),
	    1);
	events = json_object_get(row, "events");
	assert_int_equal(json_array_size(events), 1);
	json_decref(row);
	free(mail_id);
	free_place(&place);
}

/* However the events of a mail arrive: the latest status counts. */
static void
test_later_events(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 },
		{ 1, 2, 0 } };
	struct place place;
	struct test_mail mail = { .id = "01ARZ3NDEKTSV4RRFF00000001.1",
		.time = T0,
		.status = "quarantined" };
	json_t *row, *events;
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(orders); i++) {
		place = new_place();
		for (j = 0; j < 3; j++) {
			char *event = orders[i][j] == 0 ? test_mail_event(&mail)
			    : orders[i][j] == 1
			    ? test_later_event("first", mail.id, T0 + 1000,
				  NULL, "user:a")
			    : test_later_event("second", mail.id, T0 + 2000,
				  "released", "user:b");

			assert_int_equal(take(place.history, event), 1);
		}
		row = row_of(place.history, mail.id);
		assert_string_equal(text_of(row, "status"), "released");
		events = json_object_get(row, "events");
		assert_int_equal(json_array_size(events), 3);
		assert_string_equal(text_of(json_array_get(events, 0),
					"status"),
		    "quarantined");
		assert_null(text_of(json_array_get(events, 1), "status"));
		assert_string_equal(text_of(json_array_get(events, 2), "actor"),
		    "user:b");
		json_decref(row);
		free_place(&place);
	}
}

static void
test_class_by_a_person(void **state)
{
	struct place place = new_place();
	struct test_mail mail = { .id = "01ARZ3NDEKTSV4RRFF00000001.1",
		.time = T0,
		.main_class = "spam" };
	struct history_query query = { .class = "false-positive" };
	char *found;

	(void)state;
	take(place.history, test_mail_event(&mail));
	take(place.history,
	    xstrdup("{\"event\":\"x\",\"id\":\"01ARZ3NDEKTSV4RRFF00000001.1\","
		    "\"time\":1700000001000,\"class\":"
		    "{\"main\":\"false-positive\",\"sub\":\"\"}}"));
	found = search(place.history, &query, NULL, 10, NULL);
	assert_string_equal(found, "1");
	free(found);
	free_place(&place);
}

static void
test_damaged_events(void **state)
{
	static const char *const damaged[] = { "", "{", "[]", "17", "null",
		"{}", "{\"id\":\"a\"}", "{\"id\":\"a\",\"event\":\"a\"}",
		"{\"id\":\"a\",\"event\":\"a\",\"time\":\"now\"}",
		"{\"id\":\"a\",\"event\":\"a\",\"time\":0}",
		"{\"id\":\"a\",\"event\":\"a\",\"time\":99999999999999999}",
		"{\"id\":5,\"event\":\"a\",\"time\":1}",
		"{\"id\":\"\",\"event\":\"a\",\"time\":1}",
		"{\"id\":\"a\\u0000b\",\"event\":\"a\",\"time\":1}",
		"{\"id\":\"a\xff\",\"event\":\"a\",\"time\":1}" };
	struct place place = new_place();
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(damaged); i++)
		if (history_take(place.history, bytes_of(damaged[i]), &err) !=
		    0)
			case_fail(damaged[i], "not passed over");
	assert_int_equal(count(place.history, "damaged"), ARRAY_LEN(damaged));
	assert_int_equal(count(place.history, "mail"), 0);
	assert_int_equal(count(place.history, "event"), 0);
	/* Little is asked of a mail. */
	assert_int_equal(history_take(place.history,
			     BYTES_LIT("{\"id\":\"a\",\"event\":\"a\","
				       "\"time\":1,\"class\":7,"
				       "\"record\":[],\"score\":\"x\"}"),
			     &err),
	    1);
	free_place(&place);
}

/* A record that is too large leaves nothing half done. */
static void
test_large_record(void **state)
{
	struct place place = new_place();
	struct buf event;
	struct err err;
	int i;

	(void)state;
	buf_init(&event, 4U << 20);
	buf_append_str(&event,
	    "{\"id\":\"a\",\"event\":\"a\",\"time\":1,"
	    "\"record\":{\"x\":\"");
	for (i = 0; i < 2 << 20; i++)
		buf_append_char(&event, 'x');
	buf_append_str(&event, "\"}}");
	assert_int_equal(history_take(place.history, buf_bytes(&event), &err),
	    0);
	assert_int_equal(count(place.history, "damaged"), 1);
	assert_int_equal(count(place.history, "mail"), 0);
	assert_int_equal(count(place.history, "record"), 0);
	buf_free(&event);
	free_place(&place);
}

/* ---- search ---- */

static const struct test_mail mails[] = {
	{ "01ARZ3NDEKTSV4RRFF00000000.1", T0, "taro@example.com",
	    "billing@shop.example", "経理部 <billing@shop.example>",
	    "請求書のご案内", "<a@shop.example>", "192.0.2.1", "4XAAA",
	    "not-spam", "", "accepted" },
	{ "01ARZ3NDEKTSV4RRFF00000001.1", T0 + 1 * MINUTE, "hanako@example.com",
	    "news@shop.example", "News <news@shop.example>",
	    "Weekly NEWS, No. 17", "<b@shop.example>", "192.0.2.200", "4XBBB",
	    "spam", "content", "quarantined" },
	{ "01ARZ3NDEKTSV4RRFF00000002.1", T0 + 2 * MINUTE, "taro@example.net",
	    "bounce+x@list.example", "Liste <liste@list.example>",
	    "Ｒｅ： ｶﾞｽの点検 (2/3)", "<c@list.example>", "2001:db8::1",
	    "4XCCC", "phish", "dmarc", "rejected" },
	{ "01ARZ3NDEKTSV4RRFF00000003.1", T0 + 3 * MINUTE, "taro@example.com",
	    "", "", "Undelivered \"Mail\" Returned", "<d@mta.example>",
	    "198.51.100.7", "4XDDD", "not-spam", "", "accepted" },
	{ "01ARZ3NDEKTSV4RRFF00000003.2", T0 + 3 * MINUTE, "jiro@example.com",
	    "", "", "Undelivered \"Mail\" Returned", "<d@mta.example>",
	    "198.51.100.7", "4XDDD", "not-spam", "", "accepted" },
	{ "01ARZ3NDEKTSV4RRFF00000004.1", T0 + 4 * MINUTE, "hanako@example.com",
	    "a@b.example", "a@b.example", "書", "<e@b.example>",
	    "::ffff:192.0.2.9", "4XEEE", "blacklisted", "sender-list",
	    "discarded" },
};

static void
fill(struct history *history)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(mails); i++)
		take(history, test_mail_event(&mails[i]));
}

static void
test_search(void **state)
{
	static const struct {
		const char *label;
		struct history_query query;
		const char *want;
	} cases[] = {
		{ "all", { 0 }, "4,3,3,2,1,0" },
		{ "since", { .since_ms = T0 + 2 * MINUTE }, "4,3,3,2" },
		{ "until", { .until_ms = T0 + 2 * MINUTE }, "1,0" },
		{ "window",
		    { .since_ms = T0 + 1 * MINUTE,
			.until_ms = T0 + 4 * MINUTE },
		    "3,3,2,1" },
		{ "since the end of time", { .since_ms = INT64_MAX }, "" },
		{ "until the end of time", { .until_ms = INT64_MAX },
		    "4,3,3,2,1,0" },
		{ "domain", { .domain = "example.net" }, "2" },
		{ "mailbox", { .mailbox = "taro@example.com" }, "3,0" },
		{ "class", { .class = "not-spam" }, "3,3,0" },
		{ "sub class", { .class = "phish/dmarc" }, "2" },
		{ "another sub class", { .class = "phish/spf" }, "" },
		{ "status", { .status = "quarantined" }, "1" },
		{ "client", { .client = "192.0.2.200" }, "1" },
		{ "client, mapped", { .client = "192.0.2.9" }, "4" },
		{ "network", { .client = "192.0.2.0/25" }, "4,0" },
		{ "all of IPv4", { .client = "0.0.0.0/0" }, "4,3,3,1,0" },
		{ "IPv6", { .client = "2001:db8::/32" }, "2" },
		{ "message id", { .id = "01ARZ3NDEKTSV4RRFF00000003" }, "3,3" },
		{ "id of one mailbox", { .id = "01ARZ3NDEKTSV4RRFF00000003.2" },
		    "3" },
		{ "queue id", { .id = "4XCCC" }, "2" },
		{ "subject in Japanese, two characters", { .subject = "請求" },
		    "0" },
		{ "in the middle", { .subject = "のご" }, "0" },
		{ "one character: reads all", { .subject = "書" }, "4,0" },
		{ "words within a mailbox",
		    { .mailbox = "taro@example.com", .subject = "請求" }, "0" },
		{ "words within a mailbox of others",
		    { .mailbox = "hanako@example.com", .subject = "請求" },
		    "" },
		{ "words and an id",
		    { .id = "01ARZ3NDEKTSV4RRFF00000003",
			.subject = "\"mail\"" },
		    "3,3" },
		{ "half-width for full-width", { .subject = "ガス" }, "2" },
		{ "half-width", { .subject = "ｶﾞｽ" }, "2" },
		{ "full-width for half-width", { .subject = "ｎｅｗｓ" }, "1" },
		{ "case", { .subject = "weekly" }, "1" },
		{ "two words in any order", { .subject = "17 news" }, "1" },
		{ "two words, one missing", { .subject = "news 18" }, "" },
		{ "two characters of Latin", { .subject = "we" }, "1" },
		{ "quotes", { .subject = "\"mail\"" }, "3,3" },
		{ "signs of the query language", { .subject = "news* OR (a)" },
		    "" },
		{ "a sign", { .subject = "(2/3)" }, "2" },
		{ "percent is no wildcard", { .subject = "Week%NEWS" }, "" },
		{ "empty filter", { .subject = "" }, "4,3,3,2,1,0" },
		{ "space only", { .subject = "  　" }, "4,3,3,2,1,0" },
		{ "envelope sender", { .sender = "bounce+x" }, "2" },
		{ "From header", { .sender = "経理" }, "0" },
		{ "either of both", { .sender = "shop.example" }, "1,0" },
		{ "not over the border of both", { .sender = "examplenews" },
		    "" },
		{ "recipient", { .recipient = "hanako" }, "4,1" },
		{ "Message-ID", { .message_id = "<d@mta.example>" }, "3,3" },
		{ "Message-ID, bare", { .message_id = "d@mta.example" },
		    "3,3" },
		{ "a part of a Message-ID", { .message_id = "@mta" }, "" },
		{ "all together",
		    { .since_ms = T0,
			.sender = "shop",
			.recipient = "taro@",
			.subject = "案内",
			.domain = "example.com",
			.class = "not-spam",
			.status = "accepted",
			.client = "192.0.2.1",
			.id = "4XAAA" },
		    "0" },
	};
	struct place place = new_place();
	char *found;
	size_t i;

	(void)state;
	fill(place.history);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		found = search(place.history, &cases[i].query, NULL, 100, NULL);
		if (strcmp(found, cases[i].want) != 0)
			case_fail(cases[i].label, "found %s", found);
		free(found);
	}
	free_place(&place);
}

static void
test_bad_filters(void **state)
{
	static const struct {
		const char *label;
		struct history_query query;
		const char *before;
	} cases[] = {
		{ "class", { .class = "ham" }, NULL },
		{ "empty class", { .class = "" }, NULL },
		{ "sub class", { .class = "spam/x" }, NULL },
		{ "status", { .status = "lost" }, NULL },
		{ "client", { .client = "mail.example.com" }, NULL },
		{ "host bits", { .client = "192.0.2.1/24" }, NULL },
		{ "cursor", { 0 }, "1x" },
		{ "cursor", { 0 }, "0" },
		{ "words",
		    { .subject = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 "
				 "18 19 20 21 22 23 24 25 26 27 28 29 30 31 "
				 "32 33" },
		    NULL },
	};
	struct place place = new_place();
	json_t *rows;
	struct err err;
	char *next;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		if (history_search(place.history, &cases[i].query,
			cases[i].before, 10, &rows, &next, &err) == 0)
			case_fail(cases[i].label, "accepted");
		if (err.kind != ERR_INPUT)
			case_fail(cases[i].label, "%s", err.text);
	}
	free_place(&place);
}

/* Pages: each mail once, none left out, also among those of one moment and
 * while new ones arrive. */
static void
test_pages(void **state)
{
	static const char *const subjects[] = { NULL, "number", "nu" };
	struct place place;
	struct test_mail mail = { .time = T0 };
	struct history_query query;
	char id[32], ulid[27], *next, *before, *found;
	unsigned i, pages;
	struct buf all, want;
	size_t s;

	(void)state;
	for (s = 0; s < ARRAY_LEN(subjects); s++) {
		place = new_place();
		buf_init(&all, 100000);
		buf_init(&want, 100000);
		for (i = 0; i < 100; i++) {
			(void)snprintf(id, sizeof(id), "%s.1",
			    test_ulid(i, ulid));
			mail.id = id;
			mail.subject = "number";
			mail.time = T0 + i / 40;
			take(place.history, test_mail_event(&mail));
		}
		for (i = 100; i-- > 0;)
			buf_printf(&want, "%u,", i);
		query = (struct history_query){ .subject = subjects[s] };
		before = NULL;
		for (pages = 0;; pages++) {
			found = search(place.history, &query, before, 7, &next);
			buf_printf(&all, "%s,", found);
			free(found);
			free(before);
			before = next;
			if (next == NULL)
				break;
			(void)snprintf(id, sizeof(id), "%s.1",
			    test_ulid(1000 + pages, ulid));
			mail.time = T0 + MINUTE;
			take(place.history, test_mail_event(&mail));
		}
		assert_int_equal(pages, 14);
		assert_string_equal(buf_str(&all), buf_str(&want));
		buf_free(&all);
		buf_free(&want);
		free_place(&place);
	}
}

/* More mails of a millisecond than it has keys go into the next. */
static void
test_many_at_once(void **state)
{
	struct place place = new_place();
	struct test_mail mail = { .time = T0 };
	struct history_query query = { .since_ms = T0, .until_ms = T0 + 1 };
	char id[32], ulid[27], *found;
	int i;

	(void)state;
	assert_int_equal(history_exec(place.history, "BEGIN", NULL), 0);
	for (i = 0; i < HISTORY_KEYS_A_MS + 5; i++) {
		char *event;

		(void)snprintf(id, sizeof(id), "%s.1",
		    test_ulid((unsigned)i, ulid));
		mail.id = id;
		event = test_mail_event(&mail);
		assert_int_equal(history_take_event(place.history,
				     bytes_of(event), NULL),
		    1);
		free(event);
	}
	assert_int_equal(history_exec(place.history, "COMMIT", NULL), 0);
	assert_int_equal(count(place.history, "mail"), HISTORY_KEYS_A_MS + 5);
	found = search(place.history, &query, NULL, 2, NULL);
	assert_string_equal(found, "15,14");
	free(found);
	free_place(&place);
}

static void
test_counts(void **state)
{
	struct place place = new_place();
	json_t *counts;
	struct err err;

	(void)state;
	fill(place.history);
	counts = history_counts(place.history, NULL, T0, &err);
	assert_int_equal(json_integer_value(
			     json_object_get(json_object_get(counts, "class"),
				 "not-spam")),
	    3);
	assert_int_equal(json_integer_value(
			     json_object_get(json_object_get(counts, "status"),
				 "rejected")),
	    1);
	json_decref(counts);
	counts =
	    history_counts(place.history, "example.com", T0 + MINUTE, &err);
	assert_int_equal(json_integer_value(
			     json_object_get(json_object_get(counts, "class"),
				 "not-spam")),
	    2);
	assert_null(json_object_get(json_object_get(counts, "class"), "phish"));
	json_decref(counts);
	free_place(&place);
}

/* ---- expiry ---- */

static void
test_expire(void **state)
{
	struct place place = new_place();
	struct test_mail mail = { .subject = "old and gone" };
	struct history_query old = { .subject = "gone" };
	char id[32], ulid[27], *found, *event;
	int64_t now = clock_wall_ms();
	unsigned i;

	(void)state;
	/* One sync for all. */
	assert_int_equal(history_exec(place.history, "BEGIN", NULL), 0);
	for (i = 0; i < HISTORY_EXPIRE_MOST + 600; i++) {
		(void)snprintf(id, sizeof(id), "%s.1", test_ulid(i, ulid));
		mail.id = id;
		mail.time = now - (int64_t)(31 * 86400) * 1000 + i;
		event = test_mail_event(&mail);
		assert_int_equal(history_take_event(place.history,
				     bytes_of(event), NULL),
		    1);
		free(event);
	}
	assert_int_equal(history_exec(place.history, "COMMIT", NULL), 0);
	take(place.history,
	    test_later_event("later", id, now, "released", "x"));
	take(place.history,
	    test_later_event("orphan", "nobody", T0, "released", "x"));
	take(place.history,
	    test_later_event("early", "nobody else", now, "released", "x"));
	mail.id = "01ARZ3NDEKTSV4RRFF00009999.1";
	mail.time = now - (int64_t)(29 * 86400) * 1000;
	mail.subject = "new and not gone";
	take(place.history, test_mail_event(&mail));
	assert_int_equal(history_expire(place.history, 30, NULL),
	    HISTORY_EXPIRE_MOST);
	assert_int_equal(history_expire(place.history, 30, NULL), 600);
	assert_int_equal(history_expire(place.history, 30, NULL), 0);
	assert_int_equal(count(place.history, "mail"), 1);
	assert_int_equal(count(place.history, "record"), 1);
	assert_int_equal(count(place.history, "event"), 1);
	found = search(place.history, &old, NULL, 10, NULL);
	assert_string_equal(found, "9999");
	free(found);
	/* The text index knows that they are gone. */
	assert_int_equal(history_exec(place.history,
			     "INSERT INTO mail_text (mail_text) "
			     "VALUES ('integrity-check')",
			     NULL),
	    0);
	free_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_writer),
		cmocka_unit_test(test_reader_without_file),
		cmocka_unit_test(test_newer_file),
		cmocka_unit_test(test_no_database),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_later_events),
		cmocka_unit_test(test_class_by_a_person),
		cmocka_unit_test(test_damaged_events),
		cmocka_unit_test(test_large_record),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_bad_filters),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_expire),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
