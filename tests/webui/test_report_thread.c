/*
 * test_report_thread.c - tests of webui/report_thread.c: both threads, with a
 * server that takes their mail, from their start to their end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "quarantine/failures.h"
#include "quarantine/history.h"
#include "quarantine/reports.h"
#include "tests/webui/failure_lab.h"
#include "webui/api.h"
#include "webui/report_sender.h"
#include "webui/report_thread.h"

#define HOUR_S 3600
#define DAY_S 86400

struct lab {
	struct failure_lab common;
	struct api *api;
	struct report_thread *thread;
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));

	failure_lab_open(&lab->common);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	failure_lab_close(&lab->common);
	free(lab);
	return 0;
}

static void
start(struct lab *lab)
{
	struct err err;

	lab->api = api_open(lab->common.conf, &err);
	if (lab->api == NULL)
		fail_msg("%s", err.text);
	lab->thread = report_thread_start(lab->api, &err);
	if (lab->thread == NULL)
		fail_msg("%s", err.text);
}

static void
stop(struct lab *lab)
{
	report_thread_stop(lab->thread);
	api_close(lab->api);
}

/* A mail of the day that is reported now: not the last one in the hour
 * behind its end. */
static void
add_mail(struct lab *lab)
{
	const int64_t day_s = report_day_of(clock_wall_s() - HOUR_S) - DAY_S;
	struct ulid id = ulid_first(day_s * 1000 + 5);
	char *file = xprintf("%s/history.db", lab->common.directory);
	char *name = xprintf("%s.0", id.text), *text;
	struct history *history;
	struct err err;
	json_t *event, *dmarc;

	dmarc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, "
			  "s:{s:s, s:s, s:s, s:s}}",
	    "result", "fail", "from_domain", "d.test", "policy_domain",
	    "d.test", "published", "none", "policy", "none", "testing", 0,
	    "dkim_aligned", 0, "spf_aligned", 0, "record", "p", "none", "sp",
	    "none", "np", "none", "rua", "mailto:rua@d.test");
	event = json_pack("{s:s, s:s, s:I, s:s, s:s, s:{s:s, s:[], "
			  "s:{s:s, s:s}, s:{s:o}}}",
	    "event", name, "id", name, "time", (json_int_t)day_s * 1000,
	    "direction", "inbound", "status", "accepted", "record",
	    "decided_by", "score", "reasons", "envelope", "client_ip",
	    "192.0.2.1", "sender", "a@f.test", "results", "dmarc", dmarc);
	text = json_dumps(event, JSON_COMPACT);
	history = history_open(file, true, &err);
	if (history == NULL || history_take(history, bytes_of(text), &err) != 1)
		fail_msg("%s", err.text);
	history_close(history);
	json_decref(event);
	free(text);
	free(name);
	free(file);
}

/* "aggregate rua@d.test sent": what is noted, the newest. */
static void
want_noted(struct lab *lab, const char *text)
{
	char *file = xprintf("%s/reports.db", lab->common.directory), *got;
	struct err err;
	struct reports *reports = reports_open(file, &err);
	json_t *list, *row;

	assert_non_null(reports);
	list = reports_sent_list(reports, 10, &err);
	assert_non_null(list);
	assert_int_equal(json_array_size(list), 1);
	row = json_array_get(list, 0);
	got =
	    xprintf("%s %s %s", json_string_value(json_object_get(row, "kind")),
		json_string_value(json_object_get(row, "address")),
		json_string_value(json_object_get(row, "state")));
	assert_string_equal(got, text);
	free(got);
	json_decref(list);
	reports_close(reports);
	free(file);
}

#define DIALOGUE(address)                                                      \
	"> 220 here", "ehlo", "< MAIL FROM:<dmarc@ours.test>", "> 250 ok",     \
	    "< RCPT TO:<" address "> NOTIFY=NEVER", "> 250 ok", "< DATA",      \
	    "> 354 go", "data", "> 250 queued", "here", "< QUIT", "> 221 bye"

static void
serve_until_sent(struct lab *lab, const char *const *script)
{
	struct fake_smtp *fake = failure_lab_serve(&lab->common, script);

	start(lab);
	assert_true(fake_smtp_wait_here(fake));
	stop(lab);
	assert_string_equal(fake_smtp_stop(fake), "");
	fake_smtp_free(fake);
}

static void
test_sends_the_day(void **state)
{
	static const char *const script[] = { DIALOGUE("rua@d.test"), NULL };
	struct lab *lab = *state;

	lab->common.conf->dmarc_reports = true;
	add_mail(lab);
	/* Not wanted: it stays where it is. */
	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:ruf@d.test");
	serve_until_sent(lab, script);
	want_noted(lab, "aggregate rua@d.test sent");
	assert_int_equal(failures_count(lab->common.place.store, NULL), 1);
}

static void
test_sends_failures(void **state)
{
	static const char *const script[] = { DIALOGUE("ruf@d.test"), NULL };
	struct lab *lab = *state;

	lab->common.conf->dmarc_failure_reports = true;
	add_mail(lab);
	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:ruf@d.test");
	serve_until_sent(lab, script);
	want_noted(lab, "failure ruf@d.test sent");
	assert_int_equal(failures_count(lab->common.place.store, NULL), 0);
}

/* At any moment, with and without something to do. */
static void
test_stops(void **state)
{
	struct lab *lab = *state;
	unsigned i;

	lab->common.conf->dmarc_reports = true;
	lab->common.conf->dmarc_failure_reports = true;
	for (i = 0; i < 10; i++) {
		if (i == 5) {
			add_mail(lab);
			failure_lab_add(&lab->common, NULL, "192.0.2.1",
			    "mailto:ruf@d.test");
		}
		start(lab);
		nap_ms(i * 5);
		stop(lab);
	}
	/* Nobody took their mail: they wait. */
	assert_int_equal(failures_count(lab->common.place.store, NULL), 1);
	/* Without somebody to send them there is no second thread. */
	failure_lab_set(&lab->common.conf->report_from, "");
	start(lab);
	stop(lab);
	assert_int_equal(failures_count(lab->common.place.store, NULL), 1);
}

/* Redis going away is waited out, and does not keep it from ending. */
static void
test_store_away(void **state)
{
	struct lab *lab = *state;

	lab->common.conf->dmarc_failure_reports = true;
	lab->common.conf->redis_timeout_ms = 200;
	redis_server_kill(&lab->common.place.server);
	start(lab);
	nap_ms(50);
	stop(lab);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_sends_the_day),
		LAB_TEST(test_sends_failures),
		LAB_TEST(test_stops),
		LAB_TEST(test_store_away),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_report_thread (no redis-server), "
			      "%zu cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	log_open("test_report_thread", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
