/*
 * test_report_sender.c - tests of webui/report_sender.c and
 * policy/report_mail.c: from the events of a day to the mail a server got.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/ulid.h"
#include "mail/message.h"
#include "policy/keyring.h"
#include "policy/report_file.h"
#include "policy/scan.h"
#include "policy/settings.h"
#include "quarantine/history.h"
#include "quarantine/reports.h"
#include "tests/mail/fake_smtp.h"
#include "webui/report_sender.h"

#define STEPS_MAX 4096

struct lab {
	char directory[64];
	struct conf *conf;
	int64_t day_s;
	struct buf steps; /* "d.test a@d.test sent; ..." */
};

static void
set(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

static void
write_zone(const struct lab *lab)
{
	char *name = xprintf("%s/zone", lab->directory);
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs("_dmarc.d.test. TXT \"v=DMARC1; p=none\"\n"
	      "d.test._report._dmarc.yes.test. TXT \"v=DMARC1\"\n"
	      "d.test._report._dmarc.away.test. SERVFAIL\n",
	    file);
	fclose(file);
	set(&lab->conf->dns_zone, name);
	free(name);
}

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));

	snprintf(lab->directory, sizeof(lab->directory),
	    "/tmp/sekimori-sender.XXXXXX");
	assert_non_null(mkdtemp(lab->directory));
	lab->day_s = report_day_of(clock_wall_s() - 86400);
	lab->conf = conf_new();
	lab->conf->redis_timeout_ms = PATIENCE_MS;
	lab->conf->report_rate = 6000;
	lab->conf->release_timeout = 20;
	set(&lab->conf->state_dir, lab->directory);
	set(&lab->conf->report_from, "dmarc@ours.test");
	/* Nobody listens there. */
	set(&lab->conf->report_relay, "127.0.0.1:1");
	write_zone(lab);
	buf_init(&lab->steps, STEPS_MAX);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	struct lab *lab = *state;
	char *command = xprintf("rm -r %s", lab->directory);

	/* Ours, made by mkdtemp. */
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
	free(command);
	conf_free(lab->conf);
	buf_free(&lab->steps);
	free(lab);
	return 0;
}

/* One mail under the policy of d.test, which wants reports at rua. */
static void
add_mail(struct lab *lab, const char *rua)
{
	char *file = xprintf("%s/history.db", lab->directory);
	struct ulid id = ulid_first(lab->day_s * 1000 + 5);
	struct history *history;
	char *name, *text;
	struct err err;
	json_t *event;

	name = xprintf("%s.0", id.text);
	event = json_pack(
	    "{s:s, s:s, s:I, s:s, s:s, s:{s:s, s:[], s:{s:s, s:s}, s:{s:{s:s, "
	    "s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:{s:s, s:s, s:s, s:s}}}}}",
	    "event", name, "id", name, "time", (json_int_t)lab->day_s * 1000,
	    "direction", "inbound", "status", "accepted", "record",
	    "decided_by", "score", "reasons", "envelope", "client_ip",
	    "192.0.2.1", "sender", "a@f.test", "results", "dmarc", "result",
	    "fail", "from_domain", "d.test", "policy_domain", "d.test",
	    "published", "none", "policy", "none", "testing", 0, "dkim_aligned",
	    0, "spf_aligned", 0, "record", "p", "none", "sp", "none", "np",
	    "none", "rua", rua);
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

/* ---- runs ---- */

static void
note_step(void *context, const struct report_step *step)
{
	struct lab *lab = context;

	buf_printf(&lab->steps, "%s%s %s %s", lab->steps.len > 0 ? "; " : "",
	    step->domain, step->address, report_fate_name(step->fate));
}

/* What is left to try, or -1; the steps are in the lab. */
static int
run(struct lab *lab, bool dry_run, struct err *err)
{
	const struct report_run run = { .day_s = lab->day_s,
		.dry_run = dry_run,
		.each = note_step,
		.context = lab };
	struct report_sender *sender;
	int rc;

	buf_reset(&lab->steps);
	err_clear(err);
	sender = report_sender_open(lab->conf, err);
	if (sender == NULL)
		return -1;
	rc = report_sender_run(sender, &run, err);
	report_sender_close(sender);
	return rc;
}

static void
want(struct lab *lab, int left, const char *steps)
{
	struct err err;
	int got = run(lab, false, &err);

	if (got != left || strcmp(buf_str(&lab->steps), steps) != 0)
		case_fail(steps, "%d: %s (%s)", got, buf_str(&lab->steps),
		    err.text);
}

static struct fake_smtp *
serve(struct lab *lab, const char *const *script)
{
	struct fake_smtp *fake = fake_smtp_start(script, "8BITMIME,DSN");
	char *relay = xprintf("127.0.0.1:%s", fake_smtp_port(fake));

	set(&lab->conf->report_relay, relay);
	free(relay);
	return fake;
}

static void
end(struct fake_smtp *fake)
{
	assert_string_equal(fake_smtp_stop(fake), "");
	fake_smtp_free(fake);
}

#define DIALOGUE                                                               \
	"> 220 here", "ehlo", "< MAIL FROM:<dmarc@ours.test>", "> 250 ok",     \
	    "< RCPT TO:<a@d.test> NOTIFY=NEVER", "> 250 ok", "< DATA",         \
	    "> 354 go", "data"

/* ---- the mail ---- */

static int
check_report(void *context, const struct report_file *file, struct err *err)
{
	const struct lab *lab = context;

	(void)err;
	assert_non_null(file->dmarc);
	assert_string_equal(file->dmarc->organization, "ours.test");
	assert_string_equal(file->dmarc->email, "dmarc@ours.test");
	assert_string_equal(file->dmarc->domain, "d.test");
	assert_int_equal(file->dmarc->begin_s, lab->day_s);
	assert_int_equal(file->dmarc->record_count, 1);
	assert_int_equal(file->dmarc->records->count, 1);
	return 0;
}

static void
check_mail(struct lab *lab, struct bytes mail)
{
	const char *text = xmemdup(mail.data, mail.len), *at;
	char *file = xprintf("filename=\"ours.test!d.test!%lld!%lld.xml.gz\"",
	    (long long)lab->day_s, (long long)lab->day_s + 86399);
	struct buf packed;
	struct err err;

	assert_non_null(strstr(text, "\r\nFrom: dmarc@ours.test\r\n"));
	assert_non_null(strstr(text, "\r\nTo: a@d.test\r\n"));
	assert_non_null(strstr(text,
	    "\r\nSubject: Report Domain: d.test\r\n Submitter: ours.test\r\n "
	    "Report-ID: <"));
	assert_non_null(strstr(text, ".d.test@ours.test>\r\n"));
	assert_non_null(strstr(text, "Content-Type: application/gzip;"));
	assert_non_null(strstr(text, file));
	at = strstr(text, file);
	at = strstr(at, "\r\n\r\n");
	assert_non_null(at);
	buf_init(&packed, UNPACK_IN_MAX);
	assert_int_equal(base64_decode((struct bytes){ at,
					   (size_t)(strstr(at, "--=_") - at) },
			     &packed),
	    0);
	if (report_file_read(buf_bytes(&packed), check_report, lab, &err) < 0)
		fail_msg("%s", err.text);
	buf_free(&packed);
	free(file);
	free((char *)(uintptr_t)text);
}

static int
give_body(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	scan_body(context, piece);
	return 0;
}

/* As any receiver would: the DKIM check of a scan, with our key in the
 * zone. */
static void
verify(struct lab *lab, const struct signing_key *key, struct bytes mail)
{
	const struct message_limits limits = { .header_bytes = 65536,
		.header_count = 100,
		.memory = 1UL << 20,
		.spool_dir = lab->directory };
	struct arena *arena = arena_new(0);
	struct settings *settings = settings_new_empty();
	struct message *message = message_new(arena, &limits);
	struct envelope envelope = { .id = "x",
		.queue_id = "",
		.client = { .helo = "", .hostname = "", .auth = "" } };
	struct dns_options options = { .zone_file = lab->conf->dns_zone };
	struct dns *dns;
	struct scan *scan;
	struct err err;
	struct buf record;
	FILE *file;

	buf_init(&record, 4096);
	assert_int_equal(signing_key_record(key, &record), 0);
	file = fopen(lab->conf->dns_zone, "a");
	assert_non_null(file);
	fprintf(file, "s1._domainkey.ours.test. TXT \"%s\"\n",
	    buf_str(&record));
	fclose(file);
	buf_free(&record);
	dns = dns_open(&options, &err);
	assert_non_null(dns);
	assert_int_equal(address_parse(arena, BYTES_LIT("dmarc@ours.test"),
			     &envelope.sender, &err),
	    0);
	ip_parse(BYTES_LIT("192.0.2.9"), &envelope.client.ip);
	scan = scan_new(arena, dns, &envelope, settings, "here");
	scan->inbound_checks = true;
	assert_int_equal(message_read(message, mail, &err), 0);
	scan_reach(scan, SCAN_MAIL);
	scan->message = message;
	scan_reach(scan, SCAN_HEADERS);
	assert_int_equal(spool_each(message->body, give_body, scan, &err), 0);
	scan_finish(scan, clock_mono_ms() + 60000);
	assert_int_equal(scan->auth.dkim.result, AUTH_PASS);
	assert_int_equal(scan->auth.dkim.count, 1);
	scan_fini(scan);
	message_fini(message);
	settings_unref(settings);
	dns_close(dns);
	arena_free(arena);
}

/* ---- tests ---- */

static void
test_sends_once(void **state)
{
	static const char *const script[] = { DIALOGUE, "> 250 queued",
		"< QUIT", "> 221 bye", NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;
	struct err err;

	add_mail(lab, "mailto:a@d.test");
	assert_int_equal(run(lab, true, &err), 0);
	assert_string_equal(buf_str(&lab->steps), "d.test a@d.test would-send");
	fake = serve(lab, script);
	want(lab, 0, "d.test a@d.test sent");
	assert_string_equal(fake_smtp_stop(fake), "");
	check_mail(lab, fake_smtp_message(fake));
	fake_smtp_free(fake);
	/* The day is done: nobody is asked any more. */
	want(lab, 0, "");
	assert_int_equal(run(lab, true, &err), 0);
	assert_string_equal(buf_str(&lab->steps),
	    "d.test a@d.test already-sent");
}

/* The key's signature is good for what the server got. */
static void
test_signed(void **state)
{
	static const char *const script[] = { DIALOGUE, "> 250 queued",
		"< QUIT", "> 221 bye", NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;
	struct signing_key *key;
	struct err err;
	char *text;

	set(&lab->conf->dkim_dir, lab->directory);
	key = signing_key_generate(0, &err);
	assert_non_null(key);
	assert_int_equal(keyring_add(lab->directory, "ours.test", "s1", key, -1,
			     &err),
	    0);
	assert_int_equal(keyring_set_state(lab->directory, "ours.test", "s1",
			     KEY_NEW, KEY_SIGNS, &err),
	    0);
	add_mail(lab, "mailto:a@d.test");
	fake = serve(lab, script);
	want(lab, 0, "d.test a@d.test sent");
	assert_string_equal(fake_smtp_stop(fake), "");
	text =
	    xmemdup(fake_smtp_message(fake).data, fake_smtp_message(fake).len);
	assert_int_equal(strncmp(text, "DKIM-Signature: v=1; ", 21), 0);
	assert_non_null(strstr(text, "d=ours.test;"));
	assert_non_null(strstr(text, "s=s1;"));
	verify(lab, key, fake_smtp_message(fake));
	free(text);
	fake_smtp_free(fake);
	signing_key_free(key);
}

static void
test_refused(void **state)
{
	static const char *const later[] = { DIALOGUE, "> 450 not now",
		"< QUIT", "> 221 bye", NULL };
	static const char *const never[] = { DIALOGUE, "> 550 never", "< QUIT",
		"> 221 bye", NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	add_mail(lab, "mailto:a@d.test");
	fake = serve(lab, later);
	want(lab, 1, "d.test a@d.test later");
	end(fake);
	/* Not before an hour has gone by. */
	want(lab, 1, "d.test a@d.test later");
	lab->day_s -= 86400;
	add_mail(lab, "mailto:a@d.test");
	fake = serve(lab, never);
	want(lab, 0, "d.test a@d.test refused");
	end(fake);
	want(lab, 0, "");
}

/* Who dies, or loses the answer, sends once more and no more. */
static void
test_unknown(void **state)
{
	static const char *const script[] = { DIALOGUE, "close", NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;

	add_mail(lab, "mailto:a@d.test");
	fake = serve(lab, script);
	want(lab, 1, "d.test a@d.test later");
	end(fake);
	fake = serve(lab, script);
	want(lab, 1, "d.test a@d.test later");
	end(fake);
	want(lab, 0, "d.test a@d.test refused");
}

/* One mail a day and domain, also when it goes to several; who was refused
 * for the moment gets it alone afterwards, and the others not again. */
static void
test_several(void **state)
{
	static const char *const script[] = { "> 220 here", "ehlo",
		"< MAIL FROM:<dmarc@ours.test>", "> 250 ok",
		"< RCPT TO:<a@d.test> NOTIFY=NEVER", "> 250 ok",
		"< RCPT TO:<c@d.test> NOTIFY=NEVER", "> 550 nobody",
		"< RCPT TO:<later@d.test> NOTIFY=NEVER", "> 450 not now",
		"< RCPT TO:<b@yes.test> NOTIFY=NEVER", "> 250 ok", "< DATA",
		"> 354 go", "data", "> 250 queued", "< QUIT", "> 221 bye",
		NULL };
	struct lab *lab = *state;
	struct fake_smtp *fake;
	const char *text;

	add_mail(lab,
	    "mailto:a@d.test, mailto:c@d.test, "
	    "mailto:a@d.test!10m, mailto:later@d.test, mailto:b@yes.test, "
	    "mailto:tiny@d.test!10");
	fake = serve(lab, script);
	want(lab, 1,
	    "d.test a@d.test sent; "
	    "d.test c@d.test refused; d.test later@d.test later; "
	    "d.test b@yes.test sent; d.test tiny@d.test skipped");
	assert_string_equal(fake_smtp_stop(fake), "");
	text =
	    xmemdup(fake_smtp_message(fake).data, fake_smtp_message(fake).len);
	assert_non_null(strstr(text,
	    "\r\nTo: a@d.test,\r\n c@d.test,\r\n later@d.test,\r\n "
	    "b@yes.test\r\n"));
	free((char *)(uintptr_t)text);
	fake_smtp_free(fake);
}

static void
test_away(void **state)
{
	struct lab *lab = *state;

	add_mail(lab, "mailto:a@d.test");
	want(lab, 1, "d.test a@d.test later");
}

static void
test_not_sent(void **state)
{
	struct lab *lab = *state;
	char *skip[] = { (char *)(uintptr_t) "no.test",
		(char *)(uintptr_t) "d.test" };
	struct option_list none = lab->conf->report_skip;

	add_mail(lab,
	    "mailto:a@no.test, https://x, mailto:a@d.test!10, "
	    "mailto:a@d.test!10, mailto:a@away.test, mailto:b@yes.test");
	lab->conf->report_skip = (struct option_list){ 1, skip };
	want(lab, 2,
	    "d.test a@no.test skipped; d.test https://x skipped; "
	    "d.test a@d.test skipped; d.test a@away.test later; "
	    "d.test b@yes.test later");
	lab->conf->report_skip = (struct option_list){ 2, skip };
	want(lab, 0, "d.test  skipped");
	lab->conf->report_skip = none;
}

static void
test_refuses_to_run(void **state)
{
	struct lab *lab = *state;
	char *name = xprintf("%s/reports.lock", lab->directory);
	struct err err;
	int fd;

	/* No history yet. */
	assert_int_equal(run(lab, false, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	add_mail(lab, "mailto:a@d.test");
	fd = open(name, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(run(lab, false, &err), -1);
	assert_int_equal(err.kind, ERR_TEMP);
	assert_string_equal(err.text, "another process is sending reports");
	close(fd);
	free(name);
	lab->day_s += 86400;
	assert_int_equal(run(lab, false, &err), -1);
	assert_string_equal(err.text, "the day is not over yet");
	set(&lab->conf->report_from, "");
	assert_int_equal(run(lab, false, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(test_sends_once),
		LAB_TEST(test_signed),
		LAB_TEST(test_refused),
		LAB_TEST(test_unknown),
		LAB_TEST(test_several),
		LAB_TEST(test_away),
		LAB_TEST(test_not_sent),
		LAB_TEST(test_refuses_to_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
