/*
 * test_finish.c - tests of milter/transaction.c, finish.c, carry.c: from
 * MAIL to the answer, without libmilter and without a store.
 *
 * What happened is written down as words, in order: the answer to each
 * RCPT, entries written, events sent, edits, the answer to the end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#include "base/arena.h"
#include "base/dns.h"
#include "base/log.h"
#include "policy/settings_build.h"
#include "policy/settings_parts.h"
#include "quarantine/release.h"

#include "milter/daemon.h"
#include "milter/finish.h"
#include "milter/session.h"
#include "milter/waker.h"
#include "tests/milter/fake_store.h"

#define GOOD_IP "198.18.0.1"
#define TRACE_MAX 65536

/* A row of "@from.example" decides at the end of message (it is the From
 * address), one of "@mail.example" at RCPT. */
#define AT_END(action)                                                         \
	"'list:sender:block:@from.example':{'action':'" action "'}"
#define AT_RCPT(action)                                                        \
	"'list:sender:block:@mail.example':{'action':'" action "'}"

static const char objects[] =
    "{'system':{'option:subject_mark':'[S]','option:retention':'1h'},"
    " 'domain:our.example':{"
    "  'alias:two':{'to':['ok@our.example','hold@our.example']},"
    "  'alias:same':{'to':['ok@our.example','ok2@our.example']},"
    "  'alias:half':{'to':['ok@our.example','locked@our.example']},"
    "  'alias:none':{'to':['locked@our.example','atrcpt@our.example']},"
    "  'alias:later':{'to':['locked@our.example','wait@our.example']},"
    "  'alias:apart':{'to':['ok@our.example','wait@our.example']},"
    "  'alias:loop':{'to':['loop2@our.example']},"
    "  'alias:loop2':{'to':['loop@our.example']}},"
    " 'domain:list.example':{'option:restrict_recipients':'yes',"
    "  'recipient:known':{}},"
    " 'domain:split.example':{'option:split':'rcpt'},"
    " 'domain:full.example':{'option:hold_full':'reject'," AT_END(
	"quarantine") "},"
		      " 'mailbox:tag@our.example':{" AT_END(
			  "tag") "},"
				 " 'mailbox:tag2@our.example':{" AT_END(
				     "tag") "},"
					    " 'mailbox:mark@our.example':{'"
					    "option:subject_mark':'[M]'"
					    "," AT_END(
						"tag") "},"
						       " 'mailbox:hold@our."
						       "example':{" AT_END(
							   "quarantine") "},"
									 " '"
									 "mailb"
									 "ox:"
									 "hide@"
									 "our."
									 "examp"
									 "le':"
									 "{" AT_END(
									     "q"
									     "u"
									     "a"
									     "r"
									     "a"
									     "n"
									     "t"
									     "i"
									     "n"
									     "e"
									     "-"
									     "h"
									     "i"
									     "d"
									     "d"
									     "e"
									     "n") "},"
										  " 'mailbox:hold5@our.example':{'option:hold_answer':'550'," AT_END(
										      "quarantine") "},"
												    " 'mailbox:reject@our.example':{" AT_END(
													"reject") "},"
														  " 'mailbox:defer@our.example':{" AT_END(
														      "defer") "},"
															       " 'mailbox:discard@our.example':{" AT_END(
																   "discard") "},"
																	      " 'mailbox:locked@our.example':{'option:locked':'yes'},"
																	      " 'mailbox:small@our.example':{'option:size_max':'1M'},"
																	      " 'mailbox:atrcpt@our.example':{" AT_RCPT(
																		  "reject") "},"
																			    " 'mailbox:wait@our.example':{" AT_RCPT(
																				"defer") "}}";

static const char zone[] =
    "mail.example. TXT \"v=spf1 ip4:" GOOD_IP " ip4:127.0.0.1 -all\"\n"
    "from.example. TXT \"v=spf1 ip4:" GOOD_IP " -all\"\n";

/* Wants failure reports. */
static const char zone_with_ruf[] =
    "mail.example. TXT \"v=spf1 ip4:" GOOD_IP " -all\"\n"
    "_dmarc.from.example. TXT \"v=DMARC1; p=none; "
    "ruf=mailto:f@from.example\"\n";

struct rig {
	char dir[64];
	struct daemon *daemon;
	struct session *session;
	struct buf trace;
};

static char *
unquote(const char *quoted)
{
	char *copy = xstrdup(quoted), *p;

	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static struct settings *
load(const char *quoted)
{
	char *copy = unquote(quoted);
	struct settings *settings;
	struct err err = { 0 };
	json_error_t why;
	json_t *json;

	json = json_loads(copy, 0, &why);
	if (json == NULL)
		fail_msg("%s", why.text);
	settings = settings_new_from_json(json, &err);
	if (settings == NULL)
		fail_msg("%s", err.text);
	json_decref(json);
	free(copy);
	return settings;
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char *path = xprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	free(path);
}

/* A daemon whose store is the fake one and whose settings are fixed. */
static void
rig_init(struct rig *rig, const char *options)
{
	struct err err = { 0 };
	struct setup *setup;
	char *conf, *path;

	fake_store_reset();
	log_set_level(LOG_LEVEL_ERROR);
	memcpy(rig->dir, "/tmp/test_finish.XXXXXX", 24);
	assert_non_null(mkdtemp(rig->dir));
	write_file(rig->dir, "zone",
	    strstr(options, "#ruf") != NULL ? zone_with_ruf : zone);
	conf = xprintf("state_dir = \"%s\"\nrun_dir = \"%s\"\n"
		       "milter_listen = \"unix:%s/m\"\n"
		       "dns_zone = \"%s/zone\"\nauthserv_id = \"mx.test\"\n"
		       "mode = \"observe\"\nredis = \"none\"\n%s",
	    rig->dir, rig->dir, rig->dir, rig->dir, options);
	write_file(rig->dir, "conf", conf);
	path = xprintf("%s/conf", rig->dir);
	setup = setup_load(path, &err);
	if (setup == NULL)
		fail_msg("%s", err.text);
	rig->daemon = daemon_open(path, setup, &err);
	if (rig->daemon == NULL)
		fail_msg("%s", err.text);
	free(conf);
	free(path);
	settings_unref(rig->daemon->fixed_settings);
	rig->daemon->fixed_settings = load(objects);
	rig->daemon->store = xmalloc(1);
	rig->daemon->quarantine = xmalloc(1);
	if (strstr(options, "#enforce") != NULL)
		setup->owned->mode = MODE_ENFORCE;
	buf_init(&rig->trace, TRACE_MAX);
}

static void
rig_fini(struct rig *rig)
{
	char *path;
	size_t i;
	static const char *const files[] = { "zone", "conf" };

	assert_true(daemon_close(rig->daemon));
	free(rig->daemon); /* no libmilter asks for it here */
	for (i = 0; i < ARRAY_LEN(files); i++) {
		path = xprintf("%s/%s", rig->dir, files[i]);
		unlink(path);
		free(path);
	}
	rmdir(rig->dir);
	buf_free(&rig->trace);
	fake_store_reset();
}

static void
trace_answer(struct buf *trace, const struct answer *answer)
{
	if (answer->code == NULL)
		buf_append_str(trace, "ok");
	else
		buf_printf(trace, "%s/%s", answer->code, answer->enhanced);
}

/* "a b c" as RCPTs of our.example unless they have a domain. */
static void
send_recipients(struct rig *rig, struct transaction *tx, const char *list)
{
	char *copy = xstrdup(list), *rest = copy, *name, *rcpt;
	char *no_params[] = { NULL };

	while ((name = strsep(&rest, " ")) != NULL) {
		rcpt = strchr(name, '@') != NULL
		    ? xprintf("<%s>", name)
		    : xprintf("<%s@our.example>", name);
		trace_answer(&rig->trace,
		    transaction_recipient(tx, rcpt, no_params));
		buf_append_char(&rig->trace, ' ');
		free(rcpt);
	}
	free(copy);
}

static void
trace_edits(struct rig *rig, const struct edit_list *list)
{
	const struct edit *edit;
	size_t i;

	for (i = 0; i < list->count; i++) {
		edit = &list->edits[i];
		if (edit->kind == EDIT_DELETE_RECIPIENT)
			buf_printf(&rig->trace, " del:%s", edit->name);
		else if (edit->kind == EDIT_CHANGE_HEADER)
			buf_printf(&rig->trace, " %s:%s", edit->name,
			    edit->value);
		else if (edit->kind == EDIT_DELETE_HEADER)
			buf_printf(&rig->trace, " -%s", edit->name);
	}
}

static void
no_progress(void *context)
{
	(void)context;
}

struct mail {
	const char *ip; /* NULL: GOOD_IP */
	const char *sender;
	const char *params;
	const char *queue_id; /* NULL: not known at MAIL */
	const char *recipients;
	const char *header; /* one more field, "Name: value" */
	size_t size;
	bool edits_fail;
};

static void
end_message(struct rig *rig, struct transaction *tx, const struct mail *mail)
{
	struct finish finish;

	finish_message(tx, &finish, no_progress, NULL);
	if (mail->edits_fail)
		finish_failed(tx, &finish);
	buf_append_str(&rig->trace, "|");
	finish_record(tx, &finish);
	buf_append_bytes(&rig->trace, buf_bytes(&fake_store()->trace));
	trace_edits(rig, &finish.edits);
	buf_append_str(&rig->trace, " | ");
	if (finish.discard)
		buf_append_str(&rig->trace, "discard");
	else
		trace_answer(&rig->trace, finish.answer);
}

static void
send_mail(struct rig *rig, const struct mail *mail)
{
	char *params[] = { (char *)mail->params, NULL };
	static const char filler[1000] = { 'x' };
	struct transaction *tx;
	const char *colon;
	size_t left;
	char *name;

	buf_reset(&rig->trace);
	rig->session = session_new(rig->daemon, true);
	ip_parse(bytes_of(mail->ip != NULL ? mail->ip : GOOD_IP),
	    &rig->session->ip);
	session_set(rig->session, SESSION_HELO, "mx.mail.example");
	tx = transaction_new(rig->session,
	    mail->sender != NULL ? mail->sender : "<s@mail.example>", params,
	    mail->queue_id);
	rig->session->transaction = tx;
	send_recipients(rig, tx, mail->recipients);
	if (tx->envelope.recipient_count > 0) {
		transaction_header(tx, "From", " <f@from.example>");
		transaction_header(tx, "Subject", " hello");
		colon = mail->header != NULL ? strchr(mail->header, ':') : NULL;
		if (colon != NULL) {
			name = xmemdup(mail->header,
			    (size_t)(colon - mail->header));
			transaction_header(tx, name, colon + 1);
			free(name);
		}
		transaction_header_end(tx);
		for (left = mail->size; left >= sizeof(filler);
		     left -= sizeof(filler))
			transaction_body(tx,
			    (struct bytes){ filler, sizeof(filler) });
		end_message(rig, tx, mail);
	} else {
		buf_append_bytes(&rig->trace, buf_bytes(&fake_store()->trace));
	}
	session_free(rig->session);
}

/* ---- what becomes of mail ---- */

static void
test_carrying_out(void **state)
{
	static const struct {
		const char *label;
		struct mail mail;
		const char *trace;
	} cases[] = {
		{ "accepted", { .recipients = "ok" },
		    "ok | event:accepted:ok@our.example | ok" },
		{ "tagged", { .recipients = "tag" },
		    "ok | event:accepted:tag@our.example"
		    " Subject: [S] hello | ok" },
		{ "held", { .recipients = "hold" },
		    "ok | held:hold@our.example | discard" },
		{ "held, admins only", { .recipients = "hide" },
		    "ok | held:hide@our.example(hidden) | discard" },
		{ "held and refused", { .recipients = "hold5" },
		    "ok | held:hold5@our.example | 550/5.7.1" },
		{ "rejected", { .recipients = "reject" },
		    "ok | event:rejected:reject@our.example | 550/5.7.1" },
		{ "deferred", { .recipients = "defer" },
		    "ok | event:deferred:defer@our.example | 451/4.7.1" },
		{ "discarded", { .recipients = "discard" },
		    "ok | event:discarded:discard@our.example | discard" },

		{ "one is held", { .recipients = "ok hold" },
		    "ok ok | held:hold@our.example"
		    " event:accepted:ok@our.example"
		    " del:<hold@our.example> | ok" },
		{ "a reject among others is a hold",
		    { .recipients = "ok reject" },
		    "ok ok | held:reject@our.example"
		    " event:accepted:ok@our.example"
		    " del:<reject@our.example> | ok" },
		{ "one defers, nothing is written",
		    { .recipients = "ok hold defer" },
		    "ok ok ok | event:deferred:ok@our.example"
		    " event:deferred:hold@our.example"
		    " event:deferred:defer@our.example | 451/4.7.1" },
		{ "one is discarded", { .recipients = "ok discard" },
		    "ok ok | event:accepted:ok@our.example"
		    " event:discarded:discard@our.example"
		    " del:<discard@our.example> | ok" },
		{ "a tie of tags", { .recipients = "ok tag" },
		    "ok ok | beside:tag@our.example([S])"
		    " event:accepted:ok@our.example"
		    " sent:.0:our.example"
		    " del:<tag@our.example> | ok" },
		{ "more tagged than not", { .recipients = "ok tag tag2" },
		    "ok ok ok | beside:ok@our.example"
		    " sent:.0:our.example"
		    " event:accepted:tag@our.example"
		    " event:accepted:tag2@our.example"
		    " Subject: [S] hello del:<ok@our.example> | ok" },
		{ "two marks", { .recipients = "tag tag2 mark" },
		    "ok ok ok | beside:mark@our.example([M])"
		    " event:accepted:tag@our.example"
		    " event:accepted:tag2@our.example"
		    " sent:.0:our.example"
		    " Subject: [S] hello del:<mark@our.example> | ok" },
		{ "an alias that disagrees", { .recipients = "two" },
		    "ok | beside:ok@our.example held:hold@our.example"
		    " sent:.0:our.example | discard" },
		{ "an alias that agrees", { .recipients = "same" },
		    "ok | event:accepted:ok@our.example"
		    " event:accepted:ok2@our.example | ok" },

		{ "unlisted domain", { .recipients = "x@other.example" },
		    "ok | | ok" },
		{ "unlisted beside held",
		    { .recipients = "x@other.example hold" },
		    "ok ok | held:hold@our.example del:<hold@our.example>"
		    " | ok" },
		{ "unlisted beside tagged",
		    { .recipients = "tag tag2 x@other.example" },
		    "ok ok ok | beside:tag@our.example([S])"
		    " beside:tag2@our.example([S])"
		    " sent:.0:our.example sent:.1:our.example"
		    " del:<tag@our.example> del:<tag2@our.example> | ok" },
		{ "our own user",
		    { .ip = "127.0.0.1", .recipients = "x@other.example" },
		    "ok | event:accepted:x@other.example | ok" },
		{ "the edits did not go out",
		    { .recipients = "ok hold", .edits_fail = true },
		    "ok ok | held:hold@our.example"
		    " event:deferred:ok@our.example | 451/4.3.0" },
	};
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rig_init(&rig, "#enforce\n");
		send_mail(&rig, &cases[i].mail);
		if (strcmp(buf_str(&rig.trace), cases[i].trace) != 0)
			case_fail(cases[i].label, "\n%s\n%s",
			    buf_str(&rig.trace), cases[i].trace);
		rig_fini(&rig);
	}
}

static void
test_at_rcpt(void **state)
{
	static const struct {
		const char *label;
		struct mail mail;
		const char *trace;
	} cases[] = {
		{ "locked", { .recipients = "locked" },
		    "550/5.2.1  event:rejected:locked@our.example" },
		{ "sender blocked", { .recipients = "atrcpt" },
		    "550/5.7.1  event:rejected:atrcpt@our.example" },
		{ "sender deferred", { .recipients = "wait" },
		    "451/4.7.1  event:deferred:wait@our.example" },
		{ "unknown", { .recipients = "who@list.example" },
		    "550/5.1.1  event:rejected:who@list.example" },
		{ "declared too large",
		    { .params = "SIZE=2000000", .recipients = "small" },
		    "552/5.3.4  event:rejected:small@our.example" },
		{ "alias: all refuse", { .recipients = "none" },
		    "550/5.2.1  event:rejected:none@our.example" },
		{ "alias: one wants to wait", { .recipients = "later" },
		    "451/4.7.1  event:deferred:later@our.example" },
		{ "alias: one wants to wait, the other RCPT need not",
		    { .recipients = "ok2 apart" },
		    "ok 451/4.7.1 | event:deferred:apart@our.example"
		    " event:accepted:ok2@our.example | ok" },
		{ "alias: one refuses", { .recipients = "half" },
		    "ok | beside:ok@our.example held:locked@our.example"
		    " sent:.0:our.example | discard" },
		{ "alias in a circle", { .recipients = "loop" }, "451/4.3.5 " },
		{ "no address", { .recipients = "@our.example" },
		    "553/5.1.3 " },
		{ "sender is no address",
		    { .sender = "<a b>", .recipients = "ok" }, "553/5.1.7 " },
		{ "null sender", { .sender = "<>", .recipients = "ok" },
		    "ok | event:accepted:ok@our.example | ok" },
		{ "other domain, which splits",
		    { .recipients = "ok x@split.example" },
		    "ok 452/4.5.3 | event:accepted:ok@our.example | ok" },
		{ "the first one splits",
		    { .recipients = "x@split.example y@split.example ok" },
		    "ok ok 452/4.5.3 | event:accepted:x@split.example"
		    " event:accepted:y@split.example | ok" },
		{ "what we release is exempt",
		    { .ip = "127.0.0.1", .recipients = "locked" },
		    "ok | event:accepted:locked@our.example | ok" },
	};
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rig_init(&rig, "#enforce\n");
		send_mail(&rig, &cases[i].mail);
		if (strcmp(buf_str(&rig.trace), cases[i].trace) != 0)
			case_fail(cases[i].label, "\n%s\n%s",
			    buf_str(&rig.trace), cases[i].trace);
		rig_fini(&rig);
	}
}

/* Observing, all mail passes; what would have been is in the event. */
static void
test_observing(void **state)
{
	static const char *const recipients[] = { "hold", "reject", "defer",
		"discard", "locked", "atrcpt", "who@list.example", "loop",
		"@our.example", "ok x@split.example" };
	struct mail mail = { 0 };
	struct rig rig;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(recipients); i++) {
		rig_init(&rig, "");
		mail.recipients = recipients[i];
		send_mail(&rig, &mail);
		len = strlen(buf_str(&rig.trace));
		if (strncmp(buf_str(&rig.trace), "ok ", 3) != 0 ||
		    (len > 5 &&
			strcmp(buf_str(&rig.trace) + len - 5, " | ok") != 0) ||
		    strstr(buf_str(&rig.trace), "held:") != NULL ||
		    strstr(buf_str(&rig.trace), "del:") != NULL)
			case_fail(recipients[i], "%s", buf_str(&rig.trace));
		rig_fini(&rig);
	}
}

/* ---- reload ---- */

/* What needs a restart stays what it was: a directory that does not exist
 * yet must not cost mail. */
static void
test_reload(void **state)
{
	const struct conf *conf;
	struct setup *setup;
	struct rig rig;
	char *text;

	(void)state;
	rig_init(&rig, "dns_timeout = 7\nrecipients_max = 200\n");
	text = xprintf("state_dir = \"%s/new\"\nrun_dir = \"%s\"\n"
		       "mode = \"observe\"\nredis = \"none\"\n"
		       "recipients_max = 300\nhold_message_max = \"2M\"\n",
	    rig.dir, rig.dir);
	write_file(rig.dir, "conf", text);
	free(text);
	text = xprintf("%s/conf", rig.dir);
	rig.daemon->conf_file = text;
	daemon_reload(rig.daemon);
	setup = daemon_setup(rig.daemon);
	conf = setup->conf;
	assert_string_equal(conf->state_dir, rig.dir);
	assert_int_equal(conf->dns_timeout, 7);
	assert_int_equal(conf->hold_message_max, 64 * 1024 * 1024);
	assert_int_equal(conf->recipients_max, 300);
	setup_unref(setup);
	free(text);
	rig_fini(&rig);
}

/* ---- when it cannot be written ---- */

static void
test_store_fails(void **state)
{
	static const struct {
		const char *label;
		bool up;
		enum err_kind kind;
		enum quarantine_full full;
		const char *recipients;
		const char *answer;
	} cases[] = {
		{ "away", false, ERR_NONE, FULL_NOT, "ok hold", "451/4.3.0" },
		{ "away while writing", true, ERR_TEMP, FULL_NOT, "ok hold",
		    "451/4.3.0" },
		{ "too large after all", true, ERR_LIMIT, FULL_MESSAGE, "hold",
		    "552/5.3.4" },
		{ "full", true, ERR_LIMIT, FULL_MEMORY, "hold", "452/4.3.1" },
		{ "domain full", true, ERR_LIMIT, FULL_DOMAIN, "hold",
		    "452/4.2.2" },
		{ "domain full, which rejects", true, ERR_LIMIT, FULL_DOMAIN,
		    "x@full.example", "552/5.2.2" },
		{ "domain full, another one is served", true, ERR_LIMIT,
		    FULL_DOMAIN, "ok x@full.example", "452/4.2.2" },
		{ "settings at fault", true, ERR_CONFIG, FULL_NOT, "hold",
		    "451/4.3.0" },
	};
	struct mail mail = { 0 };
	struct rig rig;
	const char *last;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rig_init(&rig, "#enforce\n");
		fake_store()->up = cases[i].up;
		fake_store()->put_rc = -1;
		fake_store()->put_kind = cases[i].kind;
		fake_store()->put_full = cases[i].full;
		mail.recipients = cases[i].recipients;
		send_mail(&rig, &mail);
		last = strrchr(buf_str(&rig.trace), '|');
		if (last == NULL || strcmp(last + 2, cases[i].answer) != 0 ||
		    strstr(buf_str(&rig.trace), "accepted") != NULL)
			case_fail(cases[i].label, "%s", buf_str(&rig.trace));
		rig_fini(&rig);
	}
}

/* Larger than can be held: refused, never deferred for ever. */
static void
test_too_large_to_hold(void **state)
{
	struct mail mail = { .recipients = "hold", .size = 1100 * 1000 };
	struct rig rig;

	(void)state;
	rig_init(&rig, "hold_message_max = \"1M\"\n#enforce\n");
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace),
	    "ok | event:rejected:hold@our.example | 552/5.3.4");
	rig_fini(&rig);
}

/* ---- limits ---- */

/* n recipients, and then those of text. */
static void
send_many(struct rig *rig, struct mail *mail, size_t n, const char *text)
{
	struct buf list;
	size_t i;

	buf_init(&list, TRACE_MAX);
	for (i = 0; i < n; i++)
		buf_printf(&list, "u%zu ", i);
	buf_append_str(&list, text);
	mail->recipients = buf_str(&list);
	send_mail(rig, mail);
	buf_free(&list);
}

static void
test_too_many_recipients(void **state)
{
	struct mail mail = { 0 };
	struct rig rig;

	(void)state;
	rig_init(&rig, "recipients_max = 100\n#enforce\n");
	send_many(&rig, &mail, 100, "one two");
	assert_non_null(
	    strstr(buf_str(&rig.trace), "ok 452/4.5.3 452/4.5.3 |"));
	rig_fini(&rig);
}

/* Who observes refuses nobody, nor what was submitted here: Postfix would
 * keep that for ever. */
static void
test_too_many_who_must_be_taken(void **state)
{
	struct mail mail = { 0 };
	struct mail submitted = { .ip = "127.0.0.1",
		.queue_id = "4XyZ",
		.sender = "<a b>" };
	struct rig rig;

	(void)state;
	rig_init(&rig, "recipients_max = 100\n");
	send_many(&rig, &mail, 99, "two one");
	assert_null(strstr(buf_str(&rig.trace), "452/"));
	send_many(&rig, &mail, 300, "two");
	assert_null(strstr(buf_str(&rig.trace), "452/"));
	rig_fini(&rig);
	rig_init(&rig, "recipients_max = 100\n#enforce\n");
	send_many(&rig, &submitted, 300, "two @ a@b@c");
	assert_null(strchr(buf_str(&rig.trace), '/'));
	assert_non_null(
	    strstr(buf_str(&rig.trace), "event:accepted:u299@our.example"));
	assert_non_null(strstr(buf_str(&rig.trace), " | ok"));
	rig_fini(&rig);
}

static void
test_header_limits(void **state)
{
	struct mail mail = { .recipients = "ok" };
	struct rig rig;
	char *header = xmalloc(70000);

	(void)state;
	memset(header, 'x', 69999);
	header[69999] = '\0';
	memcpy(header, "X-Long: ", 8);
	mail.header = header;
	rig_init(&rig, "header_max = \"64k\"\n#enforce\n");
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace),
	    "ok | event:rejected:ok@our.example | 550/5.6.0");
	rig_fini(&rig);
	free(header);
}

/* ---- while stopping, over connections_max, without settings ---- */

static void
test_turned_away(void **state)
{
	struct mail mail = { .recipients = "ok" };
	struct session *first;
	struct rig rig;

	(void)state;
	rig_init(&rig, "connections_max = 1\n#enforce\n");
	first = session_new(rig.daemon, true);
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace), "451/4.3.2 ");
	session_free(first);
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace),
	    "ok | event:accepted:ok@our.example | ok");
	rig.daemon->draining = true;
	fake_store_reset();
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace), "451/4.3.2 ");
	rig.daemon->draining = false;
	/* the fake one has never loaded anything */
	rig.daemon->watch = (struct settings_watch *)fake_store();
	send_mail(&rig, &mail);
	assert_string_equal(buf_str(&rig.trace), "451/4.3.0 ");
	rig_fini(&rig);
}

/* ---- what is written ---- */

static void
test_fields_of_a_held_mail(void **state)
{
	struct mail mail = { .recipients = "hold" };
	struct rig rig;

	(void)state;
	rig_init(&rig, "#enforce\n");
	send_mail(&rig, &mail);
	assert_non_null(strstr(fake_store()->received,
	    "Received: from mx.mail.example (unknown [" GOOD_IP "])\r\n"
	    "\tby mx.test (Sekimori) with ESMTP id "));
	assert_non_null(
	    strstr(fake_store()->results, "Authentication-Results: mx.test;"));
	assert_non_null(
	    strstr(fake_store()->results, "spf=pass smtp.mailfrom="));
	assert_non_null(strstr(fake_store()->results, "\r\nX-Sekimori-Id: "));
	rig_fini(&rig);
}

/* What was accepted outlives a short retention until it is delivered. */
static void
test_retention(void **state)
{
	struct mail held = { .recipients = "hold" };
	struct mail beside = { .recipients = "tag tag2 mark" };
	struct rig rig;

	(void)state;
	rig_init(&rig, "#enforce\n");
	send_mail(&rig, &held);
	assert_int_equal(fake_store()->retention_s, 3600);
	rig_fini(&rig);
	rig_init(&rig, "#enforce\n");
	send_mail(&rig, &beside);
	assert_int_equal(fake_store()->retention_s, 2 * RELEASE_GIVE_UP_S);
	rig_fini(&rig);
}

static void
test_released(void **state)
{
	static const struct {
		const char *label;
		struct mail mail;
		const char *trace;
	} cases[] = {
		{ "ours, from our network",
		    { .ip = "127.0.0.1",
			.recipients = "hold",
			.header = "X-Sekimori-Release: valid" },
		    "ok | -X-Sekimori-Release | ok" },
		{ "not valid",
		    { .ip = "127.0.0.1",
			.recipients = "hold",
			.header = "X-Sekimori-Release: forged" },
		    "ok | held:hold@our.example | discard" },
		{ "from elsewhere",
		    { .recipients = "hold",
			.header = "X-Sekimori-Release: valid" },
		    "ok | held:hold@our.example | discard" },
		{ "for two",
		    { .ip = "127.0.0.1",
			.recipients = "ok ok2",
			.header = "X-Sekimori-Release: valid" },
		    "ok ok | event:accepted:ok@our.example"
		    " event:accepted:ok2@our.example"
		    " -X-Sekimori-Release | ok" },
	};
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rig_init(&rig, "networks = \"10.0.0.0/8\"\n#enforce\n");
		send_mail(&rig, &cases[i].mail);
		if (strcmp(buf_str(&rig.trace), cases[i].trace) != 0)
			case_fail(cases[i].label, "\n%s\n%s",
			    buf_str(&rig.trace), cases[i].trace);
		rig_fini(&rig);
	}
}

/* ---- failures that are told of ---- */

#define WITH_FAILURES                                                          \
	"report_from = \"dmarc@our.example\"\n"                                \
	"reports_address = \"reports@our.example\"\n"                          \
	"dmarc_failure_reports = yes\n#enforce #ruf\n"

static void
test_failures(void **state)
{
	static const struct {
		const char *label, *options;
		struct mail mail;
		const char *failure; /* "": none */
	} cases[] = {
		{ "off by default", "#enforce #ruf\n", { .recipients = "ok" },
		    "" },
		{ "nobody to send them",
		    "dmarc_failure_reports = yes\n#enforce #ruf\n",
		    { .recipients = "ok" }, "" },
		{ "nobody asks", "dmarc_failure_reports = yes\n#enforce\n",
		    { .recipients = "ok" }, "" },
		{ "delivered", WITH_FAILURES, { .recipients = "ok" },
		    " failure:dmarc:delivered" },
		{ "once a message", WITH_FAILURES, { .recipients = "ok two" },
		    " failure:dmarc:other" },
		{ "rejected", WITH_FAILURES, { .recipients = "reject" },
		    " failure:dmarc:reject" },
		{ "held by a list", WITH_FAILURES, { .recipients = "hold" },
		    " failure:dmarc:other" },
		{ "it comes again", WITH_FAILURES, { .recipients = "defer" },
		    "" },
		{ "the edits did not go out", WITH_FAILURES,
		    { .recipients = "ok", .edits_fail = true }, "" },
		{ "not ours", WITH_FAILURES,
		    { .recipients = "x@other.example" }, "" },
		{ "our own user", WITH_FAILURES,
		    { .ip = "127.0.0.1", .recipients = "ok" }, "" },
		{ "the null sender", WITH_FAILURES,
		    { .sender = "<>", .recipients = "ok" }, "" },
		{ "an answer", WITH_FAILURES,
		    { .recipients = "ok",
			.header = "Auto-Submitted: auto-replied" },
		    "" },
		{ "no answer", WITH_FAILURES,
		    { .recipients = "ok", .header = "Auto-Submitted: no" },
		    " failure:dmarc:delivered" },
		{ "a report of somebody", WITH_FAILURES,
		    { .recipients = "ok",
			.header = "Content-Type: Multipart/Report; x=y" },
		    "" },
		{ "to whom reports come from", WITH_FAILURES,
		    { .recipients = "ok DMARC" }, "" },
		{ "to where reports are read", WITH_FAILURES,
		    { .recipients = "reports" }, "" },
	};
	struct rig rig;
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rig_init(&rig, cases[i].options);
		rig.daemon->fixed_settings->has_secret = true;
		send_mail(&rig, &cases[i].mail);
		got = strstr(buf_str(&rig.trace), " failure:");
		if (got == NULL ? cases[i].failure[0] != '\0'
				: cases[i].failure[0] == '\0' ||
			    strncmp(got, cases[i].failure,
				strlen(cases[i].failure)) != 0 ||
			    strstr(got + 1, " failure:") != NULL)
			case_fail(cases[i].label, "%s", buf_str(&rig.trace));
		rig_fini(&rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carrying_out),
		cmocka_unit_test(test_at_rcpt),
		cmocka_unit_test(test_observing),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_store_fails),
		cmocka_unit_test(test_too_large_to_hold),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_too_many_who_must_be_taken),
		cmocka_unit_test(test_header_limits),
		cmocka_unit_test(test_turned_away),
		cmocka_unit_test(test_fields_of_a_held_mail),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
