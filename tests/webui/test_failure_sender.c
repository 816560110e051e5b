/*
 * test_failure_sender.c - tests of webui/failure_sender.c: from what a
 * milter described to the mail a server got, at most once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "quarantine/failures.h"
#include "tests/webui/failure_lab.h"
#include "webui/failure_sender.h"

#define STEPS_MAX 4096
#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"

struct lab {
	struct failure_lab common;
	struct buf steps; /* "a@d.test sent; ..." */
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));

	failure_lab_open(&lab->common);
	buf_init(&lab->steps, STEPS_MAX);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;

	failure_lab_close(&lab->common);
	buf_free(&lab->steps);
	free(lab);
	return 0;
}

static void
note_step(void *context, const struct failure_step *step)
{
	struct lab *lab = context;

	assert_string_equal(step->domain,
	    strcmp(step->message, "") == 0 ? "" : "d.test");
	if (lab->steps.len > 0)
		buf_append_str(&lab->steps, "; ");
	buf_printf(&lab->steps, "%s ", step->address);
	if (step->state == REPORT_NEW)
		buf_append_str(&lab->steps, step->detail);
	else
		buf_append_str(&lab->steps, report_state_name(step->state));
}

static int
run(struct lab *lab, struct err *err)
{
	const struct failure_run run = { .each = note_step, .context = lab };
	struct failure_sender *sender;
	int rc;

	buf_reset(&lab->steps);
	err_clear(err);
	sender =
	    failure_sender_open(lab->common.conf, lab->common.place.store, err);
	if (sender == NULL)
		return -1;
	rc = failure_sender_run(sender, &run, err);
	failure_sender_close(sender);
	return rc;
}

static void
want(struct lab *lab, int taken, const char *steps)
{
	struct err err;
	int got = run(lab, &err);

	if (got != taken || strcmp(buf_str(&lab->steps), steps) != 0)
		case_fail(steps, "%d: %s (%s)", got, buf_str(&lab->steps),
		    err.text);
	if (taken >= 0)
		assert_int_equal(failures_count(lab->common.place.store, &err),
		    0);
}

/* "alike 2 ceiling 1": what was left, by the words. */
static void
want_left(struct lab *lab, const char *words)
{
	char *file = xprintf("%s/reports.db", lab->common.directory);
	struct buf got;
	struct err err;
	struct reports *reports = reports_open(file, &err);
	json_t *left, *row;
	size_t i;

	assert_non_null(reports);
	left = reports_failure_left(reports, 100, &err);
	assert_non_null(left);
	buf_init(&got, STEPS_MAX);
	json_array_foreach(left, i, row)
	{
		buf_printf(&got, "%s%s %d", i > 0 ? " " : "",
		    json_string_value(json_object_get(row, "why")),
		    (int)json_integer_value(json_object_get(row, "count")));
	}
	assert_string_equal(buf_str(&got), words);
	buf_free(&got);
	json_decref(left);
	reports_close(reports);
	free(file);
}

#define HELLO "> 220 here", "ehlo"
#define TO(address)                                                            \
	"< MAIL FROM:<dmarc@ours.test>", "> 250 ok",                           \
	    "< RCPT TO:<" address "> NOTIFY=NEVER", "> 250 ok", "< DATA",      \
	    "> 354 go", "data", "> 250 queued"
#define BYE "< QUIT", "> 221 bye"

static void
end(struct fake_smtp *fake)
{
	assert_string_equal(fake_smtp_stop(fake), "");
	fake_smtp_free(fake);
}

static bool
got_text(const struct fake_smtp *fake, const char *part)
{
	struct bytes mail = fake_smtp_message(fake);
	char *text = xmemdup(mail.data, mail.len);
	bool got = strstr(text, part) != NULL;

	free(text);
	return got;
}

/* ---- tests ---- */

static void
test_sends(void **state)
{
	static const char *const script[] = { HELLO,
		"< MAIL FROM:<dmarc@ours.test>", "> 250 ok",
		"< RCPT TO:<a@d.test> NOTIFY=NEVER", "> 250 ok",
		"< RCPT TO:<b@yes.test> NOTIFY=NEVER", "> 550 nobody", "< DATA",
		"> 354 go", "data", "> 250 queued", BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, NULL, "192.0.2.1",
	    "mailto:a@d.test,mailto:b@yes.test,mailto:A@d.test");
	fake = failure_lab_serve(&lab->common, script);
	want(lab, 1, "a@d.test sent; b@yes.test refused");
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_true(got_text(fake, "\r\nTo: a@d.test,\r\n b@yes.test\r\n"));
	assert_true(got_text(fake, "\r\nSource-IP: 192.0.2.1\r\n"));
	fake_smtp_free(fake);
	/* Nothing is left, and nobody is asked. */
	want(lab, 0, "");
}

/* Nothing is taken that could not be sent now. */
static void
test_away(void **state)
{
	static const char *const script[] = { HELLO, TO("a@d.test"), BYE,
		NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;
	struct err err;

	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	assert_int_equal(run(lab, &err), -1);
	assert_int_equal(failures_count(lab->common.place.store, &err), 1);
	fake = failure_lab_serve(&lab->common, script);
	want(lab, 1, "a@d.test sent");
	end(fake);
}

/* What was begun is never begun again, whatever became of it. */
static void
test_at_most_once(void **state)
{
	static const char *const lost[] = { HELLO,
		"< MAIL FROM:<dmarc@ours.test>", "> 250 ok",
		"< RCPT TO:<a@d.test> NOTIFY=NEVER", "> 250 ok", "< DATA",
		"> 354 go", "data", "close", NULL };
	static const char *const nothing[] = { HELLO, BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, ID, "192.0.2.1", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, lost);
	want(lab, 1, "a@d.test sending");
	end(fake);
	failure_lab_add(&lab->common, ID, "192.0.2.2", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, nothing);
	want(lab, 1, "a@d.test it was begun before");
	end(fake);
	want_left(lab, "again 1");
}

static void
test_refused_for_now(void **state)
{
	static const char *const later[] = { HELLO,
		"< MAIL FROM:<dmarc@ours.test>", "> 450 not now", BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, later);
	want(lab, 1, "a@d.test failed");
	end(fake);
	want(lab, 0, "");
}

/* A connection that the server gave up, or closed meanwhile, takes nothing
 * with it. */
static void
test_server_hangs_up(void **state)
{
	static const char *const goodbye[] = { HELLO,
		"< MAIL FROM:<dmarc@ours.test>", "> 421 going down", "next",
		HELLO, TO("a@d.test"), BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	failure_lab_add(&lab->common, NULL, "192.0.2.2", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, goodbye);
	want(lab, 2, "a@d.test failed; a@d.test sent");
	end(fake);
}

/* Behind a MAIL that is refused for now, "no MAIL" is no word on those it is
 * for. */
static void
test_no_mail(void **state)
{
	static const char *const script[] = { HELLO,
		"< MAIL FROM:<dmarc@ours.test>", "< RCPT TO:<a@d.test>",
		"> 452 4.3.1 no room", "> 503 5.5.1 need MAIL", BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake = fake_smtp_start(script, "PIPELINING");
	char *relay = xprintf("127.0.0.1:%s", fake_smtp_port(fake));

	failure_lab_set(&lab->common.conf->report_relay, relay);
	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	want(lab, 1, "a@d.test failed");
	end(fake);
	free(relay);
}

static void
test_left(void **state)
{
	static const struct {
		const char *label, *ruf, *steps, *left;
	} cases[] = {
		{ "no consent", "mailto:a@no.test",
		    "a@no.test its domain does not say that it takes them",
		    "consent 1" },
		{ "the DNS is away", "mailto:a@away.test",
		    "a@away.test the DNS did not say whether it takes them",
		    "dns 1" },
		{ "too small", "mailto:a@d.test!1k",
		    "a@d.test it is larger than the address takes", "size 1" },
		{ "no address", "https://d.test/",
		    "https://d.test/ the address is none", "address 1" },
		{ "none at all", " , ", " the address is none", "address 1" },
		{ "skipped, the address", "mailto:a@skip.d.test",
		    "a@skip.d.test report_skip names the domain", "skipped 1" },
		{ "several",
		    "mailto:a@no.test,mailto:b@no.test,mailto:c@d.test!1",
		    "a@no.test its domain does not say that it takes them; "
		    "b@no.test its domain does not say that it takes them; "
		    "c@d.test it is larger than the address takes",
		    "consent 2 size 1" },
	};
	static const char *const nothing[] = { HELLO, BYE, NULL };
	static char skip_name[] = "skip.d.test";
	char *skip[] = { skip_name };
	struct option_list none;
	struct fake_smtp *fake;
	struct lab *lab;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		void *fresh = NULL;

		setup(&fresh);
		lab = fresh;
		none = lab->common.conf->report_skip;
		lab->common.conf->report_skip = (struct option_list){ 1, skip };
		failure_lab_add(&lab->common, NULL, "192.0.2.1", cases[i].ruf);
		fake = failure_lab_serve(&lab->common, nothing);
		want(lab, 1, cases[i].steps);
		end(fake);
		want_left(lab, cases[i].left);
		lab->common.conf->report_skip = none;
		teardown(&fresh);
	}
}

/* The one who consents may name another address of its own, of ruf=. */
static void
test_override(void **state)
{
	static const char *const script[] = { HELLO, TO("ruf@other.test"), BYE,
		NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, NULL, "192.0.2.1",
	    "mailto:a@other.test,mailto:b@other.test");
	fake = failure_lab_serve(&lab->common, script);
	want(lab, 1, "ruf@other.test sent");
	end(fake);
}

static void
test_skipped_and_damaged(void **state)
{
	static const char *const nothing[] = { HELLO, BYE, NULL };
	static char skip_name[] = "d.test";
	char *skip[] = { skip_name };
	struct lab *lab = *state;
	struct option_list none = lab->common.conf->report_skip;
	const struct bytes damaged = BYTES_LIT("{\"id\":\"x\"}");
	struct fake_smtp *fake;
	struct err err;

	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@yes.test");
	assert_int_equal(failures_append(lab->common.place.store, 1, &damaged,
			     &err),
	    1);
	lab->common.conf->report_skip = (struct option_list){ 1, skip };
	fake = failure_lab_serve(&lab->common, nothing);
	assert_int_equal(run(lab, &err), 2);
	end(fake);
	want_left(lab, "damaged 1 skipped 1");
	lab->common.conf->report_skip = none;
}

/* Further ones are counted and not sent. */
static void
test_ceilings(void **state)
{
	static const char *const two[] = { HELLO, TO("a@d.test"),
		TO("a@d.test"), BYE, NULL };
	static const char *const one[] = { HELLO, TO("b@d.test"), BYE, NULL };
	static const char *const nothing[] = { HELLO, BYE, NULL };
	struct lab *lab = *state;
	struct conf *conf = lab->common.conf;
	struct fake_smtp *fake;

	conf->dmarc_failure_to_one = 2;
	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	failure_lab_add(&lab->common, NULL, "192.0.2.2", "mailto:a@d.test");
	failure_lab_add(&lab->common, NULL, "192.0.2.3", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, two);
	want(lab, 3,
	    "a@d.test sent; a@d.test sent; "
	    "a@d.test the ceiling for the address is reached");
	end(fake);
	/* There is room for others. */
	conf->dmarc_failure_per_hour = 3;
	failure_lab_add(&lab->common, NULL, "192.0.2.4", "mailto:b@d.test");
	failure_lab_add(&lab->common, NULL, "192.0.2.5", "mailto:c@d.test");
	fake = failure_lab_serve(&lab->common, one);
	want(lab, 2, "b@d.test sent;  the ceiling for all is reached");
	end(fake);
	conf->dmarc_failure_per_hour = 100;
	conf->dmarc_failure_per_day = 3;
	failure_lab_add(&lab->common, NULL, "192.0.2.6", "mailto:c@d.test");
	fake = failure_lab_serve(&lab->common, nothing);
	want(lab, 1, " the ceiling for all is reached");
	end(fake);
	want_left(lab, "ceiling 2 ceiling-address 1");
}

/* Of like ones one an hour; the next tells of them. */
static void
test_alike(void **state)
{
	static const char *const script[] = { HELLO, TO("a@d.test"), BYE,
		NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;
	size_t i;

	for (i = 0; i < 3; i++)
		failure_lab_add(&lab->common, NULL, "192.0.2.1",
		    "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, script);
	want(lab, 3,
	    "a@d.test sent;  one like it was reported within the hour;  one "
	    "like it was reported within the hour");
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_false(got_text(fake, "Incidents:"));
	fake_smtp_free(fake);
	want_left(lab, "alike 2");
	if (!clock_shift(FAILURE_ALIKE_MS / 1000 + 10)) {
		print_message("skipped: the clock cannot be shifted\n");
		return;
	}
	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	fake = failure_lab_serve(&lab->common, script);
	want(lab, 1, "a@d.test sent");
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_true(got_text(fake, "\r\nIncidents: 3\r\n"));
	fake_smtp_free(fake);
	clock_shift(0);
}

/* Who asks after a day is told nothing. */
static void
test_old(void **state)
{
	static const char *const nothing[] = { HELLO, BYE, NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	failure_lab_add(&lab->common, NULL, "192.0.2.1", "mailto:a@d.test");
	if (!clock_shift(2 * 86400))
		skip();
	fake = failure_lab_serve(&lab->common, nothing);
	want(lab, 1, " it waited for more than a day");
	end(fake);
	clock_shift(0);
}

static void
test_needs_a_sender(void **state)
{
	struct lab *lab = *state;
	struct err err;

	failure_lab_set(&lab->common.conf->report_from, "");
	assert_int_equal(run(lab, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_sends),
		LAB_TEST(test_away),
		LAB_TEST(test_at_most_once),
		LAB_TEST(test_refused_for_now),
		LAB_TEST(test_server_hangs_up),
		LAB_TEST(test_no_mail),
		cmocka_unit_test(test_left),
		LAB_TEST(test_override),
		LAB_TEST(test_skipped_and_damaged),
		LAB_TEST(test_ceilings),
		LAB_TEST(test_alike),
		LAB_TEST(test_old),
		LAB_TEST(test_needs_a_sender),
	};

	if (!redis_server_is_installed()) {
		print_message("skipped: test_failure_sender (no "
			      "redis-server), %zu cases\n",
		    ARRAY_LEN(tests));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
