/*
 * test_dmarc_tally.c - tests of quarantine/dmarc_tally.c: a day's events,
 * and the reports that come of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/ulid.h"
#include "quarantine/dmarc_tally.h"
#include "quarantine/history.h"

#define DAY_S ((int64_t)20000 * 86400)
#define TEXT_MAX 16384

struct lab {
	char directory[64];
	char *file;
	struct history *history;
};

static int
setup(void **state)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));
	struct err err;

	snprintf(lab->directory, sizeof(lab->directory),
	    "/tmp/sekimori-tally.XXXXXX");
	assert_non_null(mkdtemp(lab->directory));
	lab->file = xprintf("%s/history.db", lab->directory);
	lab->history = history_open(lab->file, true, &err);
	if (lab->history == NULL)
		fail_msg("%s", err.text);
	*state = lab;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	struct lab *lab = *state;
	size_t i;

	history_close(lab->history);
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

/* ---- events ---- */

/* A mail for one mailbox; what is NULL or 0 is filled in. */
struct mail {
	int64_t at_s;     /* seconds from the beginning of the day */
	unsigned message; /* which, of those of one time */
	unsigned mailbox;
	const char *status;    /* accepted */
	const char *decided;   /* score */
	const char *reason;    /* "dmarc.fail" ... */
	const char *ip;        /* 192.0.2.1 */
	const char *from;      /* d.test */
	const char *domain;    /* policy domain: d.test */
	const char *result;    /* fail */
	const char *published; /* reject */
	const char *policy;    /* as published */
	bool testing, outbound, no_rua;
	const char *dkim; /* "pass d.test s1", or none */
	const char *spf;  /* "pass d.test", or none */
	const char *sender;
	const char *subject;
};

static const char *
either(const char *given, const char *otherwise)
{
	return given != NULL ? given : otherwise;
}

/* The nth word, in a buffer of the caller's. */
static const char *
word(const char *words, unsigned n, char out[64])
{
	for (; n > 0; n--) {
		words += strcspn(words, " ");
		words += *words == ' ';
	}
	snprintf(out, 64, "%.*s", (int)strcspn(words, " "), words);
	return out;
}

static json_t *
make_dmarc(const struct mail *mail)
{
	const char *published = either(mail->published, "reject");
	json_t *dmarc;

	dmarc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b}",
	    "result", either(mail->result, "fail"), "from_domain",
	    either(mail->from, "d.test"), "policy_domain",
	    either(mail->domain, "d.test"), "organizational_domain",
	    either(mail->domain, "d.test"), "published", published, "policy",
	    either(mail->policy, published), "testing", mail->testing,
	    "dkim_aligned", mail->result != NULL && mail->dkim != NULL,
	    "spf_aligned", mail->result != NULL && mail->spf != NULL);
	if (!mail->no_rua)
		json_object_set_new(dmarc, "record",
		    json_pack("{s:s, s:s, s:s, s:b, s:b, s:n, s:s}", "p",
			published, "sp", "none", "np", "none", "strict_dkim", 0,
			"strict_spf", 1, "fo", "rua", "mailto:a@d.test"));
	return dmarc;
}

static json_t *
make_record(const struct mail *mail)
{
	char a[64], b[64], c[64];
	json_t *results = json_object(), *signatures = json_array();

	if (mail->dkim != NULL)
		json_array_append_new(signatures,
		    json_pack("{s:s, s:s, s:s}", "result",
			word(mail->dkim, 0, a), "domain",
			word(mail->dkim, 1, b), "selector",
			word(mail->dkim, 2, c)));
	json_object_set_new(results, "dkim",
	    json_pack("{s:o}", "signatures", signatures));
	if (mail->spf != NULL)
		json_object_set_new(results, "spf",
		    json_pack("{s:s, s:s}", "result", word(mail->spf, 0, a),
			"domain", word(mail->spf, 1, b)));
	json_object_set_new(results, "dmarc", make_dmarc(mail));
	return json_pack("{s:s, s:[{s:s}], s:{s:s, s:s}, s:o}", "decided_by",
	    either(mail->decided, "score"), "reasons", "name",
	    either(mail->reason, "none"), "envelope", "client_ip",
	    either(mail->ip, "192.0.2.1"), "sender",
	    either(mail->sender, "a@F.test"), "results", results);
}

static void
take(struct lab *lab, const struct mail *mail)
{
	struct ulid id = ulid_first((DAY_S + mail->at_s) * 1000);
	char name[64], *text;
	struct err err;
	json_t *event;

	id.text[ULID_LEN - 1] = (char)('A' + mail->message);
	snprintf(name, sizeof(name), "%s.%u", id.text, mail->mailbox);
	event = json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o}",
	    "event", name, "id", name, "time",
	    (json_int_t)(DAY_S + mail->at_s) * 1000 + 1500, "mailbox",
	    "u@ours.test", "domain", "ours.test", "rcpt", "u@ours.test",
	    "direction", mail->outbound ? "outbound" : "inbound", "status",
	    either(mail->status, "accepted"), "subject",
	    either(mail->subject, "hello"), "record", make_record(mail));
	text = json_dumps(event, JSON_COMPACT);
	if (history_take(lab->history, bytes_of(text), &err) != 1)
		fail_msg("%s", err.text);
	free(text);
	json_decref(event);
}

/* ---- what comes of them ---- */

static void
write_row(const struct report_record *row, struct buf *out)
{
	const struct report_signature *s;
	char ip[IP_TEXT_SIZE];

	ip_format(&row->source, ip);
	buf_printf(out, "\n%llu %s %s dkim=%d spf=%d from=%s mfrom=%s",
	    (unsigned long long)row->count, ip,
	    report_disposition_name(row->disposition), row->dkim_pass,
	    row->spf_pass, row->header_from, row->envelope_from);
	for (s = row->signatures; s != NULL; s = s->next)
		buf_printf(out, " %s:%s=%s", s->domain, s->selector, s->result);
	if (row->spf_result != NULL)
		buf_printf(out, " spf:%s=%s", row->spf_domain, row->spf_result);
	if (row->reasons != NULL)
		buf_printf(out, " (%s)", row->reasons->type);
}

static void
write_tally(const struct dmarc_tally *tally, struct buf *out)
{
	const struct dmarc_tally_domain *domain;
	const struct report_record *row;
	size_t i;

	for (i = 0; i < dmarc_tally_count(tally); i++) {
		domain = dmarc_tally_at(tally, i);
		buf_printf(out, "%s%s p=%s t=%s %s", i > 0 ? "\n" : "",
		    domain->report.domain, domain->report.p,
		    domain->report.testing, domain->rua);
		for (row = domain->report.records; row != NULL; row = row->next)
			write_row(row, out);
	}
}

static const struct tally_case {
	const char *label;
	struct mail mails[8]; /* until one with message 0 and at_s 0 */
	const char *want;
} cases[] = {
	{ "one that passes",
	    { { .message = 1, .result = "pass", .dkim = "pass d.test s1" } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 pass dkim=1 spf=0 from=d.test mfrom=f.test "
	    "d.test:s1=pass" },
	{ "under p=none",
	    { { .message = 1,
		.result = "pass",
		.spf = "pass d.test",
		.published = "none" } },
	    "d.test p=none t=n mailto:a@d.test\n"
	    "1 192.0.2.1 none dkim=0 spf=1 from=d.test mfrom=f.test "
	    "spf:d.test=pass" },
	{ "one that fails, rejected",
	    { { .message = 1, .decided = "dmarc", .status = "rejected" } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 reject dkim=0 spf=0 from=d.test mfrom=f.test" },
	{ "held instead",
	    { { .message = 1, .decided = "dmarc", .status = "quarantined" } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 quarantine dkim=0 spf=0 from=d.test mfrom=f.test "
	    "(local_policy)" },
	{ "testing",
	    { { .message = 1,
		.decided = "dmarc",
		.status = "quarantined",
		.policy = "quarantine",
		.testing = true } },
	    "d.test p=reject t=y mailto:a@d.test\n"
	    "1 192.0.2.1 quarantine dkim=0 spf=0 from=d.test mfrom=f.test "
	    "(policy_test_mode)" },
	{ "lifted by ARC",
	    { { .message = 1, .reason = "dmarc.lifted-by-arc" } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 none dkim=0 spf=0 from=d.test mfrom=f.test "
	    "(trusted_forwarder)" },
	{ "rejected by a list",
	    { { .message = 1, .decided = "list", .status = "rejected" } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 none dkim=0 spf=0 from=d.test mfrom=f.test "
	    "(local_policy)" },
	{ "recipients are one message, the strictest counts",
	    { { .message = 1, .mailbox = 2 },
		{ .message = 1,
		    .mailbox = 10,
		    .decided = "dmarc",
		    .status = "rejected" },
		{ .message = 1, .mailbox = 11 } },
	    "d.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 reject dkim=0 spf=0 from=d.test mfrom=f.test" },
	{ "the same again, another source, another From",
	    { { .message = 1, .published = "none" },
		{ .message = 2, .published = "none" },
		{ .message = 3, .published = "none", .ip = "2001:db8::1" },
		{ .message = 4,
		    .published = "none",
		    .from = "x.d.test",
		    .sender = "" },
		{ .at_s = 5, .published = "none" } },
	    "d.test p=none t=n mailto:a@d.test\n"
	    "3 192.0.2.1 none dkim=0 spf=0 from=d.test mfrom=f.test\n"
	    "1 2001:db8::1 none dkim=0 spf=0 from=d.test mfrom=f.test\n"
	    "1 192.0.2.1 none dkim=0 spf=0 from=x.d.test mfrom=" },
	{ "two domains, the last policy counts",
	    { { .message = 1, .domain = "e.test", .result = "pass" },
		{ .message = 2, .result = "pass" },
		{ .at_s = 7, .result = "pass", .published = "none" } },
	    "d.test p=none t=n mailto:a@d.test\n"
	    "1 192.0.2.1 pass dkim=0 spf=0 from=d.test mfrom=f.test\n"
	    "1 192.0.2.1 none dkim=0 spf=0 from=d.test mfrom=f.test\n"
	    "e.test p=reject t=n mailto:a@d.test\n"
	    "1 192.0.2.1 pass dkim=0 spf=0 from=d.test mfrom=f.test" },
	{ "of the day alone",
	    { { .at_s = -1, .message = 1 },
		{ .at_s = 86399, .message = 1, .published = "none" },
		{ .at_s = 86400, .message = 1 } },
	    "d.test p=none t=n mailto:a@d.test\n"
	    "1 192.0.2.1 none dkim=0 spf=0 from=d.test mfrom=f.test" },
	{ "what does not count",
	    { { .message = 1, .outbound = true },
		{ .message = 2, .no_rua = true },
		{ .message = 3, .status = "deferred" },
		{ .message = 4,
		    .subject = "Report Domain: ours.test Submitter: d.test "
			       "Report-ID: <1>" },
		{ .message = 5, .subject = " report  domain: x submitter: y" },
		{ .message = 6, .from = "not a domain" } },
	    "" },
};

/* "What does not count" leaves a domain without rows behind. */
static void
drop_empty(struct buf *out)
{
	if (strchr(buf_str(out), '\n') == NULL)
		buf_reset(out);
}

static void
try_case(const struct tally_case *c)
{
	struct dmarc_tally *tally;
	struct err err;
	struct buf out;
	void *state;
	struct lab *lab;
	size_t i;

	setup(&state);
	lab = state;
	for (i = 0; i < ARRAY_LEN(c->mails) &&
	     (c->mails[i].message != 0 || c->mails[i].at_s != 0);
	     i++)
		take(lab, &c->mails[i]);
	tally = dmarc_tally_read(lab->history, DAY_S, NULL, &err);
	if (tally == NULL)
		case_fail(c->label, "%s", err.text);
	buf_init(&out, TEXT_MAX);
	write_tally(tally, &out);
	drop_empty(&out);
	if (strcmp(buf_str(&out), c->want) != 0)
		case_fail(c->label, "%s", buf_str(&out));
	buf_free(&out);
	dmarc_tally_free(tally);
	teardown(&state);
}

static void
test_cases(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		try_case(&cases[i]);
}

static void
test_one_domain(void **state)
{
	static const struct mail mails[] = { { .message = 1 },
		{ .message = 2, .domain = "e.test" } };
	struct dmarc_tally *tally;
	struct lab *lab = *state;
	struct err err;

	take(lab, &mails[0]);
	take(lab, &mails[1]);
	tally = dmarc_tally_read(lab->history, DAY_S, "e.test", &err);
	assert_non_null(tally);
	assert_int_equal(dmarc_tally_count(tally), 1);
	assert_string_equal(dmarc_tally_at(tally, 0)->report.domain, "e.test");
	assert_int_equal(dmarc_tally_at(tally, 0)->report.begin_s, DAY_S);
	assert_int_equal(dmarc_tally_at(tally, 0)->report.end_s, DAY_S + 86399);
	dmarc_tally_free(tally);
	tally = dmarc_tally_read(lab->history, DAY_S - 86400, NULL, &err);
	assert_non_null(tally);
	assert_int_equal(dmarc_tally_count(tally), 0);
	dmarc_tally_free(tally);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test_setup_teardown(test_one_domain, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
