/*
 * test_reports.c - tests of quarantine/reports*.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "policy/report_file.h"
#include "quarantine/reports.h"

#define DAY 86400
#define MODEL_MAX 65536

struct lab {
	char directory[64];
	char *file;
	struct reports *reports;
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	snprintf(lab->directory, sizeof(lab->directory),
	    "/tmp/sekimori-reports.XXXXXX");
	assert_non_null(mkdtemp(lab->directory));
	lab->file = xprintf("%s/reports.db", lab->directory);
	lab->reports = reports_open(lab->file, &err);
	if (lab->reports == NULL)
		fail_msg("%s", err.text);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct lab *lab = *state;
	size_t i;

	reports_close(lab->reports);
	for (i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *name = xprintf("%s%s", lab->file, suffixes[i]);

		(void)unlink(name);
		free(name);
	}
	rmdir(lab->directory);
	free(lab->file);
	free(lab);
	return 0;
}

/* ---- of others ---- */

static struct report_signature signature = { "d.test", "s1", "pass", NULL,
	NULL };
static struct report_record records[] = {
	{ .count = 5,
	    .dkim_pass = true,
	    .header_from = "d.test",
	    .signatures = &signature,
	    .next = &records[1] },
	{ .count = 2,
	    .disposition = DISPOSITION_REJECT,
	    .header_from = "x.d.test",
	    .next = &records[2] },
	{ .count = 1, .spf_pass = true, .header_from = "d.test", .next = NULL },
};
static struct tls_detail details[] = {
	{ .type = "certificate-expired",
	    .receiving_host = "mx.d.test",
	    .sessions = 3 },
	{ .type = "starttls-not-supported", .sessions = 1 },
};
static struct tls_policy policies[] = {
	{ .type = "sts",
	    .domain = "d.test",
	    .good = 10,
	    .bad = 4,
	    .detail_count = 2,
	    .details = details },
	{ .type = "tlsa", .domain = "d.test", .good = 1 },
	{ .type = "sts", .domain = "e.test", .good = 7 },
};

static void
add(struct lab *lab, const char *organization, const char *id, int64_t begin_s,
    unsigned want)
{
	const struct dmarc_report dmarc = { .organization = organization,
		.id = id,
		.email = "e@o.test",
		.domain = "d.test",
		.p = "reject",
		.begin_s = begin_s,
		.end_s = begin_s + DAY - 1,
		.record_count = 3,
		.records = records };
	const struct report_file file = { .name = "", .dmarc = &dmarc };
	struct err err;
	unsigned added;

	ip_parse(BYTES_LIT("192.0.2.1"), &records[0].source);
	ip_parse(BYTES_LIT("192.0.2.2"), &records[1].source);
	ip_parse(BYTES_LIT("192.0.2.1"), &records[2].source);
	if (reports_add(lab->reports, &file, "cli:test", &added, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(added, want);
}

static void
add_tls(struct lab *lab, unsigned want)
{
	const struct tls_report tls = { .organization = "O",
		.id = "t1",
		.begin_s = DAY,
		.end_s = 2 * DAY - 1,
		.policy_count = 3,
		.policies = policies };
	const struct report_file file = { .name = "", .tls = &tls };
	struct err err;
	unsigned added;

	if (reports_add(lab->reports, &file, "cli:test", &added, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(added, want);
}

/* "messages=16 passed=12 ..." of an object. */
static void
expect(const json_t *object, const char *name, json_int_t want)
{
	json_int_t got = json_integer_value(json_object_get(object, name));

	if (got != want)
		case_fail(name, "%lld, not %lld", (long long)got,
		    (long long)want);
}

static json_t *
show(struct lab *lab, const struct reports_query *query)
{
	struct err err;
	json_t *model = reports_show(lab->reports, query, &err);

	if (model == NULL)
		fail_msg("%s", err.text);
	return model;
}

static void
test_sums(void **state)
{
	const struct reports_query all = { .domain = "d.test", .limit = 10 };
	const struct reports_query second = { .domain = "d.test",
		.since_s = 2 * DAY,
		.limit = 1 };
	const struct reports_query other = { .domain = "e.test", .limit = 10 };
	struct lab *lab = *state;
	const json_t *source;
	json_t *model;

	add(lab, "A, Inc.", "1", DAY, 1);
	add(lab, "A, Inc.", "1", DAY, 0); /* the same again */
	add(lab, "B", "1", 2 * DAY, 1);
	add_tls(lab, 2);
	add_tls(lab, 0);

	model = show(lab, &all);
	expect(json_object_get(model, "dmarc"), "reports", 2);
	expect(json_object_get(model, "dmarc"), "messages", 16);
	expect(json_object_get(model, "dmarc"), "passed", 12);
	expect(json_object_get(model, "dmarc"), "sources", 2);
	source = json_array_get(json_object_get(model, "sources"), 0);
	assert_string_equal(json_string_value(
				json_object_get(source, "source")),
	    "192.0.2.1");
	expect(source, "messages", 12);
	expect(source, "dkim", 10);
	expect(source, "spf", 2);
	expect(source, "stopped", 0);
	expect(source, "first", DAY * 1000);
	expect(source, "last", (3 * DAY - 1) * 1000);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(source, "reporters"), 0)),
	    "A, Inc.");
	source = json_array_get(json_object_get(model, "sources"), 1);
	expect(source, "stopped", 4);
	expect(json_object_get(model, "tls"), "good", 11);
	expect(json_object_get(model, "tls"), "bad", 4);
	assert_int_equal(json_array_size(json_object_get(model, "failures")),
	    2);
	assert_int_equal(json_array_size(json_object_get(model, "reports")), 3);
	json_decref(model);

	model = show(lab, &second);
	expect(json_object_get(model, "dmarc"), "messages", 8);
	assert_int_equal(json_array_size(json_object_get(model, "sources")), 1);
	json_decref(model);

	model = show(lab, &other);
	expect(json_object_get(model, "dmarc"), "messages", 0);
	expect(json_object_get(model, "tls"), "good", 7);
	json_decref(model);
}

/* Numbers that are possible one by one, and not together. */
static void
test_many_messages(void **state)
{
	const struct reports_query all = { .domain = "d.test", .limit = 100 };
	struct lab *lab = *state;
	uint64_t was = records[0].count;
	json_t *model;
	char id[16];
	int i;

	records[0].count = INT64_MAX / 4;
	for (i = 0; i < 8; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		add(lab, "A", id, DAY, 1);
	}
	records[0].count = was;
	model = show(lab, &all);
	expect(json_object_get(model, "dmarc"), "reports", 8);
	expect(json_object_get(model, "dmarc"), "messages", INT64_MAX);
	assert_int_equal(json_array_size(json_object_get(model, "reports")), 8);
	json_decref(model);
}

/* A new name in each record. */
static void
test_many_names(void **state)
{
	const struct reports_query all = { .domain = "d.test", .limit = 100 };
	struct lab *lab = *state;
	const char *was = records[0].header_from;
	const json_t *source;
	json_t *model;
	char id[16], name[32];
	int i;

	for (i = 0; i < REPORTS_NAMES_MAX + 5; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		(void)snprintf(name, sizeof(name), "%d.d.test", i);
		records[0].header_from = name;
		add(lab, i % 2 == 0 ? "A" : "B", id, DAY, 1);
	}
	records[0].header_from = was;
	model = show(lab, &all);
	source = json_array_get(json_object_get(model, "sources"), 0);
	assert_int_equal(json_array_size(
			     json_object_get(source, "header_from")),
	    REPORTS_NAMES_MAX);
	assert_int_equal(json_array_size(json_object_get(source, "reporters")),
	    2);
	json_decref(model);
}

/* As if they had come so many seconds earlier. */
static void
age(struct lab *lab, int64_t seconds)
{
	sqlite3 *db = NULL;
	char *sql = xprintf("UPDATE report SET received = received - %lld",
	    (long long)seconds * 1000);

	assert_int_equal(sqlite3_open(lab->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(sql);
}

/* Of a period to come. */
static void
test_expire_future(void **state)
{
	const struct reports_query all = { .limit = 10 };
	struct lab *lab = *state;
	json_t *model;
	struct err err;

	add(lab, "A", "far", clock_wall_s() + 10000 * DAY, 1);
	assert_int_equal(reports_expire(lab->reports, 30, &err), 0);
	age(lab, 31 * DAY);
	assert_int_equal(reports_expire(lab->reports, 30, &err), 1);
	model = show(lab, &all);
	expect(json_object_get(model, "dmarc"), "reports", 0);
	json_decref(model);
}

static void
test_expire(void **state)
{
	const struct reports_query all = { .limit = 10 };
	struct lab *lab = *state;
	int64_t today = clock_wall_s() / DAY * DAY;
	json_t *model;
	struct err err;

	add(lab, "A", "old", today - 40 * DAY, 1);
	add(lab, "A", "new", today - 2 * DAY, 1);
	assert_int_equal(reports_expire(lab->reports, 30, &err), 1);
	model = show(lab, &all);
	expect(json_object_get(model, "dmarc"), "reports", 1);
	expect(json_object_get(model, "dmarc"), "messages", 8);
	json_decref(model);
}

/* ---- of ours ---- */

static void
test_sent(void **state)
{
	static const struct report_key key = { DAY, "d.test", "a@d.test" };
	static const struct report_key other = { DAY, "d.test", "b@d.test" };
	struct lab *lab = *state;
	struct reports *second;
	struct report_sent sent;
	struct err err;
	json_t *list;

	assert_int_equal(reports_sent_get(lab->reports, &key, &sent, &err), 0);
	assert_int_equal(reports_sent_set(lab->reports, &key, REPORT_SENDING,
			     "", &err),
	    0);
	/* Another process sees it at once. */
	second = reports_open(lab->file, &err);
	assert_non_null(second);
	assert_int_equal(reports_sent_get(second, &key, &sent, &err), 1);
	assert_int_equal(sent.state, REPORT_SENDING);
	assert_int_equal(sent.tries, 1);
	assert_int_equal(reports_sent_set(second, &key, REPORT_FAILED,
			     "450 later", &err),
	    0);
	assert_int_equal(reports_sent_set(lab->reports, &key, REPORT_SENDING,
			     "", &err),
	    0);
	assert_int_equal(reports_sent_set(lab->reports, &key, REPORT_SENT,
			     "250 ok", &err),
	    0);
	assert_int_equal(reports_sent_get(second, &key, &sent, &err), 1);
	assert_int_equal(sent.state, REPORT_SENT);
	assert_int_equal(sent.tries, 2);
	assert_int_equal(reports_sent_get(second, &other, &sent, &err), 0);
	list = reports_sent_list(second, 10, &err);
	assert_non_null(list);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(list, 0),
				    "detail")),
	    "250 ok");
	json_decref(list);
	assert_int_equal(reports_day_done(second, DAY, &err), 0);
	assert_int_equal(reports_day_set_done(second, DAY, &err), 0);
	assert_int_equal(reports_day_set_done(second, DAY, &err), 0);
	assert_int_equal(reports_day_done(lab->reports, DAY, &err), 1);
	reports_close(second);
}

/* A failure report is begun once, counted, and counts those like it. */
static void
test_failures(void **state)
{
	static const struct failure_note one = { "M1", "d.test", "c1", 1 };
	static const struct failure_note two = { "M2", "d.test", "c2", 5 };
	const int64_t before_ms = clock_wall_ms() - 1000;
	const int64_t future_ms = clock_wall_ms() + 3600 * (int64_t)1000;
	struct lab *lab = *state;
	struct reports *r = lab->reports;
	uint64_t incidents = 0;
	struct err err;
	json_t *list;

	/* Nothing is like the first of its kind. */
	assert_int_equal(reports_failure_alike(r, "c1", before_ms, &incidents,
			     &err),
	    0);
	assert_int_equal(incidents, 1);
	assert_int_equal(reports_failure_begin(r, &one, "a@d.test", &err), 1);
	assert_int_equal(reports_failure_begin(r, &one, "b@d.test", &err), 1);
	assert_int_equal(reports_failure_begin(r, &one, "a@d.test", &err), 0);
	assert_int_equal(reports_failure_begin(r, &two, "a@d.test", &err), 1);
	/* Mails, not addresses. */
	assert_int_equal(reports_failure_count(r, NULL, before_ms, &err), 2);
	assert_int_equal(reports_failure_count(r, "a@d.test", before_ms, &err),
	    2);
	assert_int_equal(reports_failure_count(r, "b@d.test", before_ms, &err),
	    1);
	assert_int_equal(reports_failure_count(r, "c@d.test", before_ms, &err),
	    0);
	assert_int_equal(reports_failure_count(r, NULL, future_ms, &err), 0);

	assert_int_equal(reports_failure_alike(r, "c1", before_ms, &incidents,
			     &err),
	    1);
	assert_int_equal(reports_failure_alike(r, "c1", before_ms, &incidents,
			     &err),
	    1);
	/* Later it is told of them. */
	assert_int_equal(reports_failure_alike(r, "c1", future_ms, &incidents,
			     &err),
	    0);
	assert_int_equal(incidents, 3);
	assert_int_equal(reports_failure_alike(r, "c2", future_ms, &incidents,
			     &err),
	    0);
	assert_int_equal(incidents, 1);

	assert_int_equal(reports_failure_end(r, "M2", "a@d.test", REPORT_SENT,
			     "250 ok", &err),
	    0);
	list = reports_sent_list(r, 10, &err);
	assert_int_equal(json_array_size(list), 3);
	expect(json_array_get(list, 0), "incidents", 5);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(list, 0), "kind")),
	    "failure");
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(list, 0),
				    "state")),
	    "sent");
	assert_string_equal(json_string_value(
				json_object_get(json_array_get(list, 1),
				    "state")),
	    "sending");
	json_decref(list);

	assert_int_equal(reports_failure_leave(r, "alike", &err), 0);
	assert_int_equal(reports_failure_leave(r, "alike", &err), 0);
	list = reports_failure_left(r, 10, &err);
	assert_int_equal(json_array_size(list), 1);
	expect(json_array_get(list, 0), "count", 2);
	json_decref(list);
}

static void
test_file(void **state)
{
	struct lab *lab = *state;
	struct stat st;
	struct err err;
	FILE *file;

	assert_int_equal(stat(lab->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_null(reports_open("/nonexistent/reports.db", &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	reports_close(lab->reports);
	lab->reports = NULL;
	file = fopen(lab->file, "w");
	assert_non_null(file);
	fputs("this is no database, but long enough to look like one", file);
	fclose(file);
	assert_null(reports_open(lab->file, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

/* What root makes must be its daemons' to use. */
static void
test_owner(void **state)
{
	struct lab *lab = *state;
	struct stat st;
	struct err err;

	if (geteuid() != 0) {
		print_message("skipped: the owner of a file (not root)\n");
		return;
	}
	assert_int_equal(chown(lab->directory, 65534, 65534), 0);
	reports_close(lab->reports);
	assert_int_equal(unlink(lab->file), 0);
	lab->reports = reports_open(lab->file, &err);
	assert_non_null(lab->reports);
	assert_int_equal(stat(lab->file, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65534);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_sums),
		LAB_TEST(test_many_messages),
		LAB_TEST(test_many_names),
		LAB_TEST(test_expire),
		LAB_TEST(test_expire_future),
		LAB_TEST(test_sent),
		LAB_TEST(test_failures),
		LAB_TEST(test_file),
		LAB_TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
