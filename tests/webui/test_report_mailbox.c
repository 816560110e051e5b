/*
 * test_report_mailbox.c - tests of webui/report_mailbox.c and
 * policy/report_message.c: reports by mail, held in a real Redis.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/crypto.h"
#include "base/log.h"
#include "mail/mime.h"
#include "policy/report_message.h"
#include "quarantine/reports.h"
#include "tests/quarantine/hold_fixture.h"
#include "webui/api.h"
#include "webui/report_mailbox.h"

#define MAILBOX "reports@a.example"

#define REPORT(domain)                                                         \
	"<feedback><report_metadata><report_id>1</report_id><date_range>"      \
	"<begin>1</begin><end>2</end></date_range></report_metadata>"          \
	"<policy_published><domain>" domain "</domain></policy_published>"     \
	"<record><row><source_ip>192.0.2.1</source_ip><count>4</count>"        \
	"<policy_evaluated><dkim>pass</dkim><spf>fail</spf>"                   \
	"</policy_evaluated></row><identifiers><header_from>x.example"         \
	"</header_from></identifiers></record></feedback>"

#define HEAD                                                                   \
	"From: <dmarc@b.example>\r\nTo: <" MAILBOX ">\r\n"                     \
	"Subject: Report Domain: a.example\r\nMIME-Version: 1.0\r\n"
#define ONE_PART(type, content) HEAD "Content-Type: " type "\r\n\r\n" content
#define TWO_PARTS(type, content)                                               \
	HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"               \
	     "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"                \
	     "--b\r\nContent-Type: " type "\r\n\r\n" content "\r\n--b--\r\n"

static const struct mail_case {
	const char *label;
	const char *raw;
	const char *dmarc;   /* result of the mail */
	const char *problem; /* NULL: kept and removed */
} cases[] = {
	{ "one part", ONE_PART("text/xml", REPORT("a.example")), "pass", NULL },
	{ "two parts", TWO_PARTS("text/xml", REPORT("sub.a.example")), "none",
	    NULL },
	{ "by its name",
	    TWO_PARTS("application/octet-stream; name=\"b!a!1!2.xml\"",
		REPORT("example")),
	    "pass", NULL },
	{ "a broken part before a good one",
	    HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		 "--b\r\nContent-Type: text/xml\r\n\r\n<x>\r\n"
		 "--b\r\nContent-Type: application/xml\r\n\r\n" REPORT(
		     "a.example") "\r\n--b--\r\n",
	    "pass", NULL },
	{ "no report", ONE_PART("text/plain", "hello"), "pass",
	    "there is no report in the mail" },
	{ "a broken report", TWO_PARTS("text/xml; name=r.xml", "<x>"), "pass",
	    "r.xml: line 1: this is no aggregate report: it begins with <x>" },
	{ "of nobody here", TWO_PARTS("text/xml", REPORT("c.test")), "pass",
	    "it is about c.test, which is not ours" },
	{ "forged", TWO_PARTS("text/xml", REPORT("a.example")), "fail",
	    "the mail fails DMARC" },
};

/* ---- the messages alone ---- */

static int
take_any(void *context, const struct report_file *file, struct err *err)
{
	unsigned *n = context;

	(void)err;
	assert_non_null(file->dmarc);
	(*n)++;
	return 0;
}

static int
take_none(void *context, const struct report_file *file, struct err *err)
{
	unsigned *n = context;

	(void)file;
	(*n)++;
	return err_set(err, ERR_TEMP, "not now");
}

static void
test_messages(void **state)
{
	struct err err;
	unsigned n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes raw = bytes_of(cases[i].raw);
		bool has_report = strstr(cases[i].raw, "<feedback>") != NULL;

		n = 0;
		assert_true(report_message_is(raw));
		if (report_message_read(raw, take_any, &n, &err) !=
			(has_report ? 0 : -1) ||
		    n != has_report)
			case_fail(cases[i].label, "%u %s", n, err.text);
		n = 0;
		if (has_report &&
		    (report_message_read(raw, take_none, &n, &err) != -1 ||
			n != 1 || err.kind != ERR_TEMP))
			case_fail(cases[i].label, "taken: %u %s", n, err.text);
	}
	assert_false(report_message_is(BYTES_LIT("<feedback>")));
	assert_false(report_message_is(BYTES_LIT("{\"a\": 1}")));
	assert_false(report_message_is(BYTES_LIT("PK\3\4:")));
	assert_false(report_message_is(BYTES_LIT("\x1f\x8b:")));
	assert_false(report_message_is(BYTES_LIT("")));
}

/* ---- held ---- */

struct lab {
	struct redis_server redis;
	struct conf *conf;
	struct api *api;
	struct reports *reports;
};

static void
set(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	char *file;
	struct err err;

	redis_server_start(&lab->redis, false, NULL);
	lab->conf = conf_new();
	lab->conf->durability_required = false;
	set(&lab->conf->redis, lab->redis.url);
	set(&lab->conf->state_dir, lab->redis.dir);
	set(&lab->conf->reports_address, MAILBOX);
	lab->api = api_open(lab->conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	file = xprintf("%s/reports.db", lab->redis.dir);
	lab->reports = reports_open(file, &err);
	assert_non_null(lab->reports);
	free(file);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	reports_close(lab->reports);
	api_close(lab->api);
	conf_free(lab->conf);
	redis_server_stop(&lab->redis);
	free(lab);
	return 0;
}

static void
add_domain(struct lab *lab)
{
	const struct principal principal = { .role = ROLE_OPERATOR,
		.actor = "cli:test" };
	json_t *body = json_pack("{s:s}", "domain", "a.example");
	json_t *none = json_object();
	struct arena *arena = arena_new(0);
	struct response response;

	api_dispatch(lab->api, arena, &principal, METHOD_POST, "/domains", none,
	    body, &response);
	assert_int_equal(response.status, 200);
	json_decref(response.model);
	json_decref(body);
	json_decref(none);
	arena_free(arena);
}

static void
hold(struct lab *lab, const struct mail_case *c, unsigned seed)
{
	const struct message_limits limits = { .header_bytes = 65536,
		.header_count = 100,
		.memory = 1UL << 20,
		.spool_dir = lab->redis.dir };
	const char *mailboxes[] = { MAILBOX, NULL };
	enum quarantine_full full;
	struct message *other;
	struct mail mail;
	struct err err;

	mail_make(&mail, seed, 10, mailboxes);
	other = mail.hold.message;
	mail.hold.message = message_new(mail.arena, &limits);
	assert_int_equal(message_read(mail.hold.message, bytes_of(c->raw),
			     &err),
	    0);
	mail.entries[0].hidden = true;
	json_object_set_new(mail.entries[0].record, "results",
	    json_pack("{s:{s:s}}", "dmarc", "result", c->dmarc));
	if (quarantine_put(lab->api->quarantine, &mail.hold, mail.n,
		mail.entries, &full, &err) < 0)
		case_fail(c->label, "%s", err.text);
	message_fini(other);
	mail_free(&mail);
}

static size_t
count_held(struct lab *lab)
{
	const struct held_filter filter = { .domain = "a.example",
		.state = HELD_HELD,
		.with_hidden = true };
	struct arena *arena = arena_new(0);
	json_t *entries;
	const char *next;
	struct err err;
	size_t n;

	if (quarantine_list(lab->api->quarantine, arena, &filter, NULL, 100,
		&entries, &next, &err) < 0)
		fail_msg("%s", err.text);
	n = json_array_size(entries);
	json_decref(entries);
	arena_free(arena);
	return n;
}

static void
test_held(void **state)
{
	const struct reports_query all = { .limit = 100 };
	struct lab *lab = *state;
	size_t i, good = 0;
	json_t *model;
	struct err err;

	add_domain(lab);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		hold(lab, &cases[i], (unsigned)i + 1);
		good += cases[i].problem == NULL;
	}
	assert_int_equal(report_mailbox_read(lab->api, lab->reports, NULL, NULL,
			     &err),
	    good);
	assert_int_equal(count_held(lab), ARRAY_LEN(cases) - good);
	/* What was refused is left alone. */
	assert_int_equal(report_mailbox_read(lab->api, lab->reports, NULL, NULL,
			     &err),
	    0);
	assert_int_equal(count_held(lab), ARRAY_LEN(cases) - good);
	model = reports_show(lab->reports, &all, &err);
	assert_non_null(model);
	/* Two mails brought the same report. */
	assert_int_equal(json_array_size(json_object_get(model, "reports")),
	    good - 1);
	assert_string_equal(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(model, "reports"), 0), "actor")),
	    "mail:sender@example.net");
	json_decref(model);
}

/* One entry whose mail is gone, newest of all: those behind it are read. */
static void
test_damaged(void **state)
{
	struct lab *lab = *state;
	struct store_reply *keys;
	struct arena *arena = arena_new(0);
	struct err err;
	const char *newest = "";
	size_t i, good = 0;

	add_domain(lab);
	for (i = 0; i < ARRAY_LEN(cases) && good < 2; i++) {
		if (cases[i].problem != NULL)
			continue;
		hold(lab, &cases[i], (unsigned)++good);
		nap_ms(2);
	}
	assert_int_equal(store_runf(lab->api->store, NULL, &keys, &err,
			     "KEYS sk:{m:*}:meta"),
	    0);
	assert_int_equal(keys->count, 2);
	for (i = 0; i < keys->count; i++)
		if (strcmp(keys->items[i].text.data, newest) > 0)
			newest = arena_strdup(arena, keys->items[i].text.data);
	store_reply_free(keys);
	assert_int_equal(store_runf(lab->api->store, newest, NULL, &err,
			     "DEL %s", newest),
	    0);
	arena_free(arena);
	assert_int_equal(report_mailbox_read(lab->api, lab->reports, NULL, NULL,
			     &err),
	    1);
	assert_int_equal(report_mailbox_read(lab->api, lab->reports, NULL, NULL,
			     &err),
	    0);
}

static void
test_away(void **state)
{
	struct lab *lab = *state;
	struct err err;

	add_domain(lab);
	hold(lab, &cases[0], 1);
	redis_server_kill(&lab->redis);
	assert_int_equal(report_mailbox_read(lab->api, lab->reports, NULL, NULL,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERR_TEMP);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		LAB_TEST(test_held),
		LAB_TEST(test_damaged),
		LAB_TEST(test_away),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_report_mailbox (no redis-server), "
			      "%zu cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_report_mailbox", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	mime_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
