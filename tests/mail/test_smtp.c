/*
 * test_smtp.c - tests of mail/smtp.c and mail/smtp_wire.c.
 *
 * The dialogues are played against a server on a thread that follows a
 * script (fake_smtp.h) and dies where the script says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mail/corpora.h"
#include "tests/mail/fake_smtp.h"
#include "tests/unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "mail/message.h"
#include "mail/smtp.h"
#include "mail/smtp_wire.h"

#define V(s) BYTES_LIT(s)
#define ALL_OFFERED "PIPELINING,SIZE,8BITMIME,SMTPUTF8,DSN"
#define RCPT_MAX 8
/* No answer to RCPT; 0: it does not matter. */
#define NONE (-1)

/* ---- the wire, without a connection ---- */

static void
test_replies(void **state)
{
	static const struct {
		const char *label, *lines;
		int rc; /* of the last line */
		int code;
		const char *enhanced, *text;
	} cases[] = {
		{ "plain", "250 ok\n", 1, 250, "", "ok" },
		{ "code alone", "250\n", 1, 250, "", "" },
		{ "code and space", "354 \n", 1, 354, "", "" },
		{ "enhanced", "550 5.1.1 no such user\n", 1, 550, "5.1.1",
		    "no such user" },
		{ "enhanced alone", "250 2.1.0\n", 1, 250, "2.1.0", "" },
		{ "enhanced of another class is text", "550 2.1.1 x\n", 1, 550,
		    "", "2.1.1 x" },
		{ "version number is text", "220 2.1.0.3 x\n", 1, 220, "",
		    "2.1.0.3 x" },
		{ "several lines", "550-5.7.1 one\n550-5.7.1 two\n550 three\n",
		    1, 550, "5.7.1", "one two three" },
		{ "not complete", "250-a\n", 0, 250, "", "a" },
		{ "codes differ", "250-a\n251 b\n", -1, 250, "", "a" },
		{ "no code", "hello\n", -1, 0, "", "" },
		{ "empty line", "\n", -1, 0, "", "" },
		{ "letter behind the code", "250ok\n", -1, 0, "", "" },
		{ "four digits", "2500 ok\n", -1, 0, "", "" },
		{ "preliminary", "150 ok\n", -1, 0, "", "" },
		{ "out of range", "650 ok\n", -1, 0, "", "" },
		{ "sign", "+25 ok\n", -1, 0, "", "" },
		{ "controls and octets",
		    "250 a\x01\xff"
		    "b\n",
		    1, 250, "",
		    "a\xef\xbf\xbd\xef\xbf\xbd"
		    "b" },
	};
	struct smtp_reply_reader reader;
	struct smtp_reply reply;
	struct bytes line, text;
	struct buf input;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		smtp_reply_reader_init(&reader);
		buf_init(&input, 1000);
		buf_append_str(&input, cases[i].lines);
		rc = 0;
		while (smtp_line_take(&input, &line) == 1) {
			rc = smtp_reply_reader_line(&reader, line, &text);
			smtp_line_drop(&input);
		}
		smtp_reply_reader_get(&reader, &reply);
		if (rc != cases[i].rc || reply.code != cases[i].code)
			case_fail(cases[i].label, "%d, code %d", rc,
			    reply.code);
		if (strcmp(reply.text, cases[i].text) != 0 ||
		    strcmp(reply.enhanced, cases[i].enhanced) != 0)
			case_fail(cases[i].label, "'%s' '%s'", reply.enhanced,
			    reply.text);
		smtp_reply_reader_free(&reader);
		buf_free(&input);
	}
}

static void
test_reply_limits(void **state)
{
	struct smtp_reply_reader reader;
	struct smtp_reply reply;
	struct bytes line, text;
	struct buf input;
	int i;

	(void)state;
	buf_init(&input, 100000);
	for (i = 0; i < SMTP_LINE_MAX; i++)
		buf_append_char(&input, 'x');
	assert_int_equal(smtp_line_take(&input, &line), 0);
	buf_append_char(&input, '\n');
	assert_int_equal(smtp_line_take(&input, &line), 1);
	buf_reset(&input);
	for (i = 0; i <= SMTP_LINE_MAX; i++)
		buf_append_char(&input, 'x');
	assert_int_equal(smtp_line_take(&input, &line), -1);
	buf_free(&input);

	smtp_reply_reader_init(&reader);
	for (i = 0; i < SMTP_LINES_MAX; i++)
		assert_int_equal(smtp_reply_reader_line(&reader,
				     V("250-some words in a line"), &text),
		    0);
	smtp_reply_reader_get(&reader, &reply);
	assert_int_equal(strlen(reply.text), SMTP_REPLY_TEXT_SIZE - 1);
	assert_string_equal(reply.text + SMTP_REPLY_TEXT_SIZE - 4, "...");
	assert_int_equal(smtp_reply_reader_line(&reader, V("250 x"), &text),
	    -1);
	smtp_reply_reader_free(&reader);

	/* no character is cut in two */
	for (i = 0; i < 3; i++) {
		struct buf words;
		int n;

		buf_init(&words, 10000);
		for (n = 0; n < i; n++)
			buf_append_char(&words, 'x');
		for (n = 0; n < 300; n++)
			buf_append_str(&words, "あ");
		smtp_reply_set(&reply, 550, "", buf_bytes(&words));
		assert_int_equal((strlen(reply.text) - 3 - (size_t)i) % 3, 0);
		buf_free(&words);
	}
}

static void
test_dots(void **state)
{
	static const struct {
		const char *label;
		struct bytes in, want;
	} cases[] = {
		{ "empty", V(""), V(".\r\n") },
		{ "no final line end", V("a"), V("a\r\n.\r\n") },
		{ "final line end", V("a\r\n"), V("a\r\n.\r\n") },
		{ "dot first", V(".a\r\n"), V("..a\r\n.\r\n") },
		{ "only a dot", V("."), V("..\r\n.\r\n") },
		{ "only dots", V("...\r\n.\r\n"), V("....\r\n..\r\n.\r\n") },
		{ "dot in the line", V("a.b\r\n"), V("a.b\r\n.\r\n") },
		{ "end of a message inside", V("a\r\n.\r\nb\r\n"),
		    V("a\r\n..\r\nb\r\n.\r\n") },
		{ "lone LF and dot", V("a\n.b\n.\r\n"),
		    V("a\n..b\n..\r\n.\r\n") },
		{ "lone CR and dot is text", V("a\r.b\r\n"),
		    V("a\r.b\r\n.\r\n") },
		{ "lone CR, dot and line end", V("a\r.\r\nb\r.\nc\r.\rd\r\n"),
		    V("a\r..\r\nb\r..\nc\r..\rd\r\n.\r\n") },
		{ "lone CR and dot at the end", V("a\r."),
		    V("a\r..\r\n.\r\n") },
		{ "lone CR and dots", V("a\r..\r\n"), V("a\r..\r\n.\r\n") },
		{ "lone CR at the end", V("a\r"), V("a\r\r\n.\r\n") },
		{ "lone LF at the end", V("a\n"), V("a\n\r\n.\r\n") },
		{ "CR CR LF", V("a\r\r\n.b"), V("a\r\r\n..b\r\n.\r\n") },
		{ "LF CR", V("a\n\r.\r\n"), V("a\n\r..\r\n.\r\n") },
		{ "NUL and octets", V("\0.\xff\r\n\0"),
		    V("\0.\xff\r\n\0\r\n.\r\n") },
	};
	enum smtp_dot_state dots;
	struct buf out;
	size_t i, step, at, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		for (step = 1; step <= cases[i].in.len + 1; step++) {
			buf_init(&out, 1000);
			dots = SMTP_DOT_LINE_START;
			for (at = 0; at < cases[i].in.len; at += n) {
				n = cases[i].in.len - at;
				n = n < step ? n : step;
				smtp_dots_append(&dots,
				    (struct bytes){ cases[i].in.data + at, n },
				    &out);
			}
			smtp_dots_end(&dots, &out);
			if (!bytes_equal(buf_bytes(&out), cases[i].want))
				case_fail(cases[i].label, "steps of %zu: '%s'",
				    step, buf_str(&out));
			buf_free(&out);
		}
}

/* ---- dialogues ---- */

struct body {
	struct bytes text;
	size_t step; /* octets a piece; 0: all at once */
	size_t repeat;
	bool fails;
};

static int
give_body(void *context,
    int (*send)(void *smtp, struct bytes piece, struct err *err), void *smtp,
    struct err *err)
{
	const struct body *body = context;
	struct bytes rest, piece;
	size_t i;

	for (i = 0; i <= body->repeat; i++)
		for (rest = body->text; rest.len > 0;
		     rest.data += piece.len, rest.len -= piece.len) {
			piece = rest;
			if (body->step > 0 && piece.len > body->step)
				piece.len = body->step;
			if (send(smtp, piece, err) < 0)
				return -1;
		}
	if (body->fails)
		return err_set(err, ERR_TEMP, "the source ran dry");
	return 0;
}

#define TIMEOUT_MS 1000 /* where it must strike */

struct dialogue {
	const char *label;
	const char *offer;
	const char *params;
	const char *rcpts[RCPT_MAX];
	const char *rcpt_params;
	uint64_t size;
	struct body body;
	const char *script[40];
	enum smtp_outcome outcome;
	int code;
	int rcpt_codes[RCPT_MAX];
	const char *err; /* part of the error text */
};

static void
play(const struct dialogue *d, unsigned timeout_ms)
{
	struct fake_smtp *fake = fake_smtp_start(d->script, d->offer);
	const struct smtp_options options = { .host = "127.0.0.1",
		.port = fake_smtp_port(fake),
		.helo = "client.example",
		.timeout_ms = timeout_ms };
	struct smtp_recipient recipients[RCPT_MAX];
	struct body body = d->body;
	struct smtp_mail mail = { .sender = "s@x.example",
		.params = d->params,
		.size = d->size,
		.recipients = recipients,
		.source = give_body,
		.source_context = &body };
	struct smtp_reply reply = { 0 };
	enum smtp_outcome outcome;
	struct smtp *smtp;
	struct err err = { ERR_NONE, "" };
	const char *wrong;
	size_t i;

	for (i = 0; i < RCPT_MAX && d->rcpts[i] != NULL; i++)
		recipients[mail.recipient_count++] =
		    (struct smtp_recipient){ .address = d->rcpts[i],
			    .params = d->rcpt_params };
	smtp = smtp_open(&options, &err);
	if (smtp == NULL)
		case_fail(d->label, "no greeting: %s", err.text);
	outcome = smtp_send(smtp, &mail, &reply, &err);
	smtp_close(smtp);
	wrong = fake_smtp_stop(fake);
	if (wrong[0] != '\0')
		case_fail(d->label, "the server wanted %s", wrong);
	if (outcome != d->outcome)
		case_fail(d->label, "outcome %d, code %d: %s", (int)outcome,
		    reply.code, err.text);
	if (reply.code != d->code)
		case_fail(d->label, "code %d %s", reply.code, reply.text);
	for (i = 0; i < mail.recipient_count; i++)
		if (d->rcpt_codes[i] != 0 &&
		    recipients[i].reply.code !=
			(d->rcpt_codes[i] == NONE ? 0 : d->rcpt_codes[i]))
			case_fail(d->label, "recipient %zu: %d", i,
			    recipients[i].reply.code);
	if ((outcome == SMTP_ACCEPTED) != (err.kind == ERR_NONE))
		case_fail(d->label, "error '%s'", err.text);
	if (d->err != NULL && strstr(err.text, d->err) == NULL)
		case_fail(d->label, "error '%s'", err.text);
	fake_smtp_free(fake);
}

#define HELLO "> 220 fake", "ehlo"
#define MAIL_RCPT                                                              \
	"< MAIL FROM:<s@x.example>", "< RCPT TO:<a@y.example>", "> 250 ok",    \
	    "> 250 2.1.5 ok"
#define DATA "< DATA", "> 354 go on"
#define QUIT "< QUIT", "> 221 bye"
#define ONE                                                                    \
	{                                                                      \
		"a@y.example"                                                  \
	}
#define HI                                                                     \
	{                                                                      \
		.text = BYTES_LIT("Hi\r\n")                                    \
	}

static void
test_dialogues(void **state)
{
	static const struct dialogue dialogues[] = {
		{ "all is well", ALL_OFFERED, "BODY=8BITMIME", ONE, NULL, 4, HI,
		    { HELLO,
			"< MAIL FROM:<s@x.example> SIZE=4 BODY=8BITMIME\r\n",
			"< RCPT TO:<a@y.example>\r\n", "> 250 ok", "> 250 ok",
			DATA, "data", "> 250 2.0.0 queued", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "no pipelining", "SIZE", "BODY=8BITMIME",
		    { "a@y.example", "b@y.example" }, "NOTIFY=NEVER", 4, HI,
		    { HELLO, "< MAIL FROM:<s@x.example> SIZE=4\r\n", "pause 50",
			"> 250 ok", "< RCPT TO:<a@y.example>\r\n", "pause 50",
			"> 250 ok", "< RCPT TO:<b@y.example>\r\n", "> 250 ok",
			DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250, 250 }, NULL },
		{ "server knows only HELO", "", "BODY=8BITMIME", ONE, NULL, 4,
		    HI,
		    { "> 220 fake", "< EHLO client.example", "> 500 what?",
			"< HELO client.example\r\n", "> 250 hello",
			"< MAIL FROM:<s@x.example>\r\n", "> 250 ok",
			"< RCPT TO:<a@y.example>\r\n", "> 250 ok", DATA, "data",
			"> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "parameters are given again", ALL_OFFERED,
		    "SIZE=99 BODY=8BITMIME RET=HDRS ENVID=q+3D AUTH=<> X=y",
		    ONE, "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@y.example", 4,
		    HI,
		    { HELLO,
			("< MAIL FROM:<s@x.example> SIZE=4 BODY=8BITMIME "
			 "RET=HDRS ENVID=q+3D\r\n"),
			("< RCPT TO:<a@y.example> NOTIFY=SUCCESS,FAILURE "
			 "ORCPT=rfc822;a@y.example\r\n"),
			"> 250 ok", "> 250 ok", DATA, "data", "> 250 ok",
			QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "parameters not offered are left out", "PIPELINING",
		    "BODY=8BITMIME RET=HDRS ENVID=q", ONE, "NOTIFY=NEVER", 4,
		    HI,
		    { HELLO, "< MAIL FROM:<s@x.example>\r\n",
			"< RCPT TO:<a@y.example>\r\n", "> 250 ok", "> 250 ok",
			DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "binary body cannot be announced", ALL_OFFERED,
		    "BODY=BINARYMIME", ONE, NULL, 4, HI,
		    { HELLO, "< MAIL FROM:<s@x.example> SIZE=4\r\n",
			"< RCPT TO:<a@y.example>\r\n", "> 250 ok", "> 250 ok",
			DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "UTF-8 address says SMTPUTF8", ALL_OFFERED, NULL,
		    { "j\xc3\xb6@y.example" }, NULL, 4, HI,
		    { HELLO, "< MAIL FROM:<s@x.example> SIZE=4 SMTPUTF8\r\n",
			"< RCPT TO:<j\xc3\xb6@y.example>\r\n", "> 250 ok",
			"> 250 ok", DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },

		{ "SMTPUTF8 not offered", "SIZE,8BITMIME", "SMTPUTF8", ONE,
		    NULL, 4, HI, { HELLO, QUIT }, SMTP_REFUSED, 550, { 0 },
		    "does not offer SMTPUTF8" },
		{ "UTF-8 address and SMTPUTF8 not offered", "SIZE", NULL,
		    { "j\xc3\xb6@y.example" }, NULL, 4, HI, { HELLO, QUIT },
		    SMTP_REFUSED, 550, { 0 }, "5.6.7" },
		{ "REQUIRETLS not offered", ALL_OFFERED, "REQUIRETLS", ONE,
		    NULL, 4, HI, { HELLO, QUIT }, SMTP_REFUSED, 550, { 0 },
		    "5.7.30" },
		{ "too large", "SIZE 1000", NULL, ONE, NULL, 1001, HI,
		    { HELLO, QUIT }, SMTP_REFUSED, 552, { 0 }, "5.3.4" },
		{ "just not too large", "SIZE 1000", NULL, ONE, NULL, 1000, HI,
		    { HELLO, "< MAIL FROM:<s@x.example> SIZE=1000\r\n",
			"> 552 5.3.4 full", QUIT },
		    SMTP_REFUSED, 552, { 0 }, "552 5.3.4 full" },
		{ "no limit", "SIZE 0", NULL, ONE, NULL, 1000000, HI,
		    { HELLO, "< MAIL FROM:<s@x.example> SIZE=1000000\r\n",
			"> 250 ok", "< RCPT", "> 250 ok", DATA, "data",
			"> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "recipient that would add a command", ALL_OFFERED, NULL,
		    { "a@y.example>\r\nRCPT TO:<b@z.example" }, NULL, 4, HI,
		    { HELLO, "< MAIL FROM:<s@x.example>", "> 250 ok", "< QUIT",
			"> 221 bye" },
		    SMTP_REFUSED, 553, { 553 }, "5.1.3" },
		{ "empty recipient beside a good one", ALL_OFFERED, NULL,
		    { "", "a@y.example" }, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 553, 250 }, NULL },
		{ "parameter that would add a command", ALL_OFFERED,
		    "BODY=8BITMIME\r\nRSET ENVID=a\x01 RET=FULL", ONE,
		    "NOTIFY=NEVER\nRCPT", 4, HI,
		    { HELLO,
			("< MAIL FROM:<s@x.example> SIZE=4 BODY=8BITMIME "
			 "RET=FULL\r\n"),
			"< RCPT TO:<a@y.example> NOTIFY=NEVER\r\n", "> 250 ok",
			"> 250 ok", DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },

		{ "MAIL refused", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "< RCPT", "> 451 4.3.0 later",
			"> 503 no MAIL", QUIT },
		    SMTP_REFUSED, 451, { NONE }, "451 4.3.0 later" },
		{ "one recipient of three refused", ALL_OFFERED, NULL,
		    { "a@y.example", "b@y.example", "c@y.example" }, NULL, 4,
		    HI,
		    { HELLO, "< MAIL", "< RCPT TO:<a@", "< RCPT TO:<b@",
			"< RCPT TO:<c@", "> 250 ok", "> 250 ok",
			"> 550-5.1.1 no", "> 550 5.1.1 such user", "> 251 ok",
			DATA, "data", "> 250 ok", QUIT },
		    SMTP_ACCEPTED, 250, { 250, 550, 251 }, NULL },
		{ "all recipients refused", ALL_OFFERED, NULL,
		    { "a@y.example", "b@y.example", "c@y.example" }, NULL, 4,
		    HI,
		    { HELLO, "< MAIL", "< RCPT", "< RCPT", "< RCPT", "> 250 ok",
			"> 550 no", "> 450 4.2.0 busy", "> 554 no", QUIT },
		    SMTP_REFUSED, 450, { 550, 450, 554 }, "450 4.2.0 busy" },
		{ "DATA refused", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, "< DATA", "> 554 5.5.1 no", QUIT },
		    SMTP_REFUSED, 554, { 250 }, "DATA" },
		{ "message refused for now", ALL_OFFERED, NULL, ONE, NULL, 4,
		    HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 452 4.3.1 full",
			QUIT },
		    SMTP_REFUSED, 452, { 250 }, "452 4.3.1 full" },
		{ "message refused for good", ALL_OFFERED, NULL, ONE, NULL, 4,
		    HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 550 5.7.1 spam",
			QUIT },
		    SMTP_REFUSED, 550, { 250 }, "550 5.7.1 spam" },
		{ "421 to MAIL", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "> 421 4.3.2 going down", "close" },
		    SMTP_REFUSED, 421, { 0 }, "421 4.3.2 going down" },
		{ "421 to RCPT", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "> 250 ok", "> 421 going down",
			"close" },
		    SMTP_REFUSED, 421, { 421 }, "421" },
		{ "421 to the second RCPT", ALL_OFFERED, NULL,
		    { "a@y.example", "b@y.example" }, NULL, 4, HI,
		    { HELLO, "< MAIL", "> 250 ok", "> 250 ok",
			"> 421 going down", "close" },
		    SMTP_NOT_SENT, 250, { 250, 421 }, "goes down" },
		{ "421 to DATA", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, "< DATA", "> 421 down", "close" },
		    SMTP_REFUSED, 421, { 250 }, "421 down" },
		{ "421 to the dot", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 421 down", "close" },
		    SMTP_REFUSED, 421, { 250 }, "421 down" },
		{ "source fails", ALL_OFFERED, NULL, ONE, NULL, 4,
		    { .text = BYTES_LIT("Hi\r\n"), .fails = true },
		    { HELLO, MAIL_RCPT, DATA, "eof" }, SMTP_NOT_SENT, 0,
		    { 250 }, "the source ran dry" },

		{ "closed instead of MAIL", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "close" }, SMTP_NOT_SENT, 0, { 0 }, "" },
		{ "reset instead of MAIL", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "reset" }, SMTP_NOT_SENT, 0, { 0 }, "" },
		{ "closed instead of RCPT", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "< RCPT", "> 250 ok", "close" },
		    SMTP_NOT_SENT, 250, { 0 }, "closed the connection" },
		{ "closed instead of DATA", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, "< DATA", "close" }, SMTP_NOT_SENT, 250,
		    { 250 }, "closed the connection" },
		{ "closed in the message", ALL_OFFERED, NULL, ONE, NULL, 4,
		    { .text = BYTES_LIT("0123456789abcd\r\n"),
			.repeat = 2000000 },
		    { HELLO, MAIL_RCPT, DATA, "bytes 100000", "reset" },
		    SMTP_NOT_SENT, 0, { 250 }, NULL },
		{ "said why before it closed in the message", ALL_OFFERED, NULL,
		    ONE, NULL, 4, { .text = BYTES_LIT("Hi\r\n"), .step = 1 },
		    { HELLO, MAIL_RCPT, "< DATA",
			"+ 354 go on\r\n552 5.3.4 too large\r\n", "close" },
		    SMTP_REFUSED, 552, { 250 }, "552 too large" },
		{ "accepts before the dot", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, "< DATA",
			"+ 354 go on\r\n250 queued\r\n", "eof" },
		    SMTP_NOT_SENT, 250, { 250 }, "what was not asked" },
		{ "answers too often", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "< RCPT",
			"+ 250 ok\r\n250 ok\r\n354 go on\r\n", "eof" },
		    SMTP_NOT_SENT, 354, { 250 }, "what was not asked" },
		{ "closed instead of the answer", ALL_OFFERED, NULL, ONE, NULL,
		    4, HI, { HELLO, MAIL_RCPT, DATA, "data", "close" },
		    SMTP_UNKNOWN, 0, { 250 }, "closed the connection" },
		{ "reset instead of the answer", ALL_OFFERED, NULL, ONE, NULL,
		    4, HI, { HELLO, MAIL_RCPT, DATA, "data", "reset" },
		    SMTP_UNKNOWN, 0, { 250 }, "" },
		{ "half an answer", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "+ 25", "close" },
		    SMTP_UNKNOWN, 0, { 250 }, "closed the connection" },
		{ "half an answer of several lines", ALL_OFFERED, NULL, ONE,
		    NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 250-ok", "close" },
		    SMTP_UNKNOWN, 0, { 250 }, "closed the connection" },
		{ "nonsense for an answer", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> OK", "eof" },
		    SMTP_UNKNOWN, 0, { 250 }, "does not speak SMTP" },
		{ "neither yes nor no", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "> 354 more", "eof" },
		    SMTP_UNKNOWN, 354, { 250 }, "354" },
		{ "yes to DATA", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, "< DATA", "> 250 ok", "eof" },
		    SMTP_NOT_SENT, 250, { 250 }, "DATA" },
		{ "endless answer", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "flood" }, SMTP_NOT_SENT, 0, { 0 },
		    "endless line" },
		{ "endless answer to the dot", ALL_OFFERED, NULL, ONE, NULL, 4,
		    HI, { HELLO, MAIL_RCPT, DATA, "data", "flood" },
		    SMTP_UNKNOWN, 0, { 250 }, "endless line" },
		{ "NUL in an answer", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "+ 250 a", "nul", "> b",
			QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
		{ "NUL in the code", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "+ 25", "nul", "> 0 ok", "eof" },
		    SMTP_NOT_SENT, 0, { 0 }, "does not speak SMTP" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(dialogues); i++)
		play(&dialogues[i], PATIENCE_MS);
}

static void
test_timeouts(void **state)
{
	static const struct dialogue dialogues[] = {
		{ "no answer to MAIL", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "eof" }, SMTP_NOT_SENT, 0, { 0 },
		    "timeout" },
		{ "an answer drop by drop", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, "< MAIL", "+ 2", "pause 500", "+ 5", "pause 500",
			"+ 0", "pause 500", "+ -", "eof" },
		    SMTP_NOT_SENT, 0, { 0 }, "timeout" },
		{ "message is not read", ALL_OFFERED, NULL, ONE, NULL, 4,
		    { .text = BYTES_LIT("0123456789abcd\r\n"),
			.repeat = 2000000 },
		    { HELLO, MAIL_RCPT, DATA, "pause 5000", "close" },
		    SMTP_NOT_SENT, 0, { 250 }, "timeout" },
		{ "no answer to the dot", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "eof" }, SMTP_UNKNOWN, 0,
		    { 250 }, "timeout" },
		{ "late answer to the dot", ALL_OFFERED, NULL, ONE, NULL, 4, HI,
		    { HELLO, MAIL_RCPT, DATA, "data", "pause 2000", "> 250 ok",
			QUIT },
		    SMTP_ACCEPTED, 250, { 250 }, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(dialogues); i++)
		play(&dialogues[i], TIMEOUT_MS);
}

/* ---- opening ---- */

struct opening {
	const char *label;
	const char *offer;
	enum smtp_tls tls;
	bool with_ca;
	const char *host;
	const char *user;
	const char *script[30];
	bool opens;
	enum err_kind kind;
	const char *err;
};

static void
open_one(const struct opening *o)
{
	struct fake_smtp *fake = fake_smtp_start(o->script, o->offer);
	const struct smtp_options options = { .host = o->host != NULL
		    ? o->host
		    : "127.0.0.1",
		.port = fake_smtp_port(fake),
		.helo = "client.example",
		.timeout_ms = PATIENCE_MS,
		.tls = o->tls,
		.tls_ca_file = o->with_ca ? fake_smtp_certificate(fake) : NULL,
		.user = o->user,
		.password = o->user != NULL ? "secret" : NULL };
	struct err err = { ERR_NONE, "" };
	struct smtp *smtp;
	const char *wrong;

	smtp = smtp_open(&options, &err);
	smtp_close(smtp);
	wrong = fake_smtp_stop(fake);
	if (o->opens && wrong[0] != '\0')
		case_fail(o->label, "the server wanted %s", wrong);
	if ((smtp != NULL) != o->opens)
		case_fail(o->label, "opened? %s", err.text);
	if (!o->opens && err.kind != o->kind)
		case_fail(o->label, "kind %s: %s", err_kind_name(err.kind),
		    err.text);
	if (!o->opens && strstr(err.text, o->err) == NULL)
		case_fail(o->label, "error '%s'", err.text);
	if (strstr(err.text, "secret") != NULL)
		case_fail(o->label, "the password is in '%s'", err.text);
	fake_smtp_free(fake);
}

static void
test_opening(void **state)
{
	static const struct opening openings[] = {
		{ "greeting of several lines", "", SMTP_TLS_NEVER, false, NULL,
		    NULL, { "> 220-welcome", "> 220 fake", "ehlo", QUIT }, true,
		    ERR_NONE, NULL },
		{ "refused at once", "", SMTP_TLS_NEVER, false, NULL, NULL,
		    { "> 554 not you", "eof" }, false, ERR_TEMP,
		    "554 not you" },
		{ "busy", "", SMTP_TLS_NEVER, false, NULL, NULL,
		    { "> 421 busy", "eof" }, false, ERR_TEMP, "421 busy" },
		{ "EHLO and HELO refused", "", SMTP_TLS_NEVER, false, NULL,
		    NULL,
		    { "> 220 fake", "< EHLO", "> 550 no", "< HELO", "> 550 no",
			"eof" },
		    false, ERR_TEMP, "550 no" },
		{ "closed at once", "", SMTP_TLS_NEVER, false, NULL, NULL,
		    { "close" }, false, ERR_TEMP, "closed" },
		{ "HTTP", "", SMTP_TLS_NEVER, false, NULL, NULL,
		    { "> HTTP/1.1 400 Bad Request", "eof" }, false, ERR_TEMP,
		    "does not speak SMTP" },
		{ "flood", "", SMTP_TLS_NEVER, false, NULL, NULL, { "flood" },
		    false, ERR_TEMP, "endless line" },
		{ "greeting with an answer behind it", "", SMTP_TLS_NEVER,
		    false, NULL, NULL, { "+ 220 fake\r\n250 ok\r\n", "eof" },
		    false, ERR_TEMP, "what was not asked" },

		{ "TLS when offered", "STARTTLS", SMTP_TLS_MAY, false, NULL,
		    NULL,
		    { HELLO, "< STARTTLS", "> 220 go on", "tls", "ehlo", QUIT },
		    true, ERR_NONE, NULL },
		{ "TLS not offered", "SIZE", SMTP_TLS_MAY, false, NULL, NULL,
		    { HELLO, QUIT }, true, ERR_NONE, NULL },
		{ "TLS offered and refused", "STARTTLS", SMTP_TLS_MAY, false,
		    NULL, NULL, { HELLO, "< STARTTLS", "> 454 not now", QUIT },
		    true, ERR_NONE, NULL },
		{ "TLS never", "STARTTLS", SMTP_TLS_NEVER, false, NULL, NULL,
		    { HELLO, QUIT }, true, ERR_NONE, NULL },
		{ "TLS needed, certificate known", "STARTTLS", SMTP_TLS_MUST,
		    true, NULL, NULL,
		    { HELLO, "< STARTTLS", "> 220 go on", "tls", "ehlo", QUIT },
		    true, ERR_NONE, NULL },
		{ "TLS needed, certificate of nobody", "STARTTLS",
		    SMTP_TLS_MUST, false, NULL, NULL,
		    { HELLO, "< STARTTLS", "> 220 go on", "tls", "eof" }, false,
		    ERR_CONFIG, "certificate" },
		{ "TLS needed, certificate for another name", "STARTTLS",
		    SMTP_TLS_MUST, true, "localhost", NULL,
		    { HELLO, "< STARTTLS", "> 220 go on", "tls", "eof" }, false,
		    ERR_CONFIG, "certificate" },
		{ "TLS needed, not offered", "SIZE", SMTP_TLS_MUST, true, NULL,
		    NULL, { HELLO, "eof" }, false, ERR_TEMP,
		    "does not offer STARTTLS" },
		{ "TLS needed, refused", "STARTTLS", SMTP_TLS_MUST, true, NULL,
		    NULL, { HELLO, "< STARTTLS", "> 454 not now", "eof" },
		    false, ERR_TEMP, "454 not now" },
		{ "text behind the reply to STARTTLS", "STARTTLS", SMTP_TLS_MAY,
		    false, NULL, NULL,
		    { HELLO, "< STARTTLS",
			"+ 220 go on\r\n250-evil\r\n250 SMTPUTF8\r\n", "eof" },
		    false, ERR_TEMP, "plain text behind" },
		{ "no hand-shake behind it", "STARTTLS", SMTP_TLS_MAY, false,
		    NULL, NULL,
		    { HELLO, "< STARTTLS", "> 220 go on", "pause 100",
			"> 250 this is no TLS", "eof" },
		    false, ERR_TEMP, "TLS" },
		{ "closed in the hand-shake", "STARTTLS", SMTP_TLS_MAY, false,
		    NULL, NULL, { HELLO, "< STARTTLS", "> 220 go on", "close" },
		    false, ERR_TEMP, "" },

		{ "AUTH PLAIN", "AUTH LOGIN PLAIN", SMTP_TLS_NEVER, false, NULL,
		    "user",
		    { HELLO, "< AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", "> 235 ok",
			QUIT },
		    true, ERR_NONE, NULL },
		{ "AUTH LOGIN", "AUTH=LOGIN", SMTP_TLS_NEVER, false, NULL,
		    "user",
		    { HELLO, "< AUTH LOGIN\r\n", "> 334 VXNlcm5hbWU6",
			"< dXNlcg==\r\n", "> 334 UGFzc3dvcmQ6",
			"< c2VjcmV0\r\n", "> 235 ok", QUIT },
		    true, ERR_NONE, NULL },
		{ "AUTH over TLS", "STARTTLS,AUTH PLAIN", SMTP_TLS_MAY, false,
		    NULL, "user",
		    { HELLO, "< STARTTLS", "> 220 go on", "tls", "ehlo",
			"< AUTH PLAIN", "> 235 ok", QUIT },
		    true, ERR_NONE, NULL },
		{ "password not sent in the clear", "AUTH PLAIN", SMTP_TLS_MAY,
		    false, NULL, "user", { HELLO, "eof" }, false, ERR_CONFIG,
		    "was not sent" },
		{ "password wrong", "AUTH PLAIN", SMTP_TLS_NEVER, false, NULL,
		    "user", { HELLO, "< AUTH PLAIN", "> 535 5.7.8 no", "eof" },
		    false, ERR_CONFIG, "535 no" },
		{ "password cannot be looked up", "AUTH LOGIN", SMTP_TLS_NEVER,
		    false, NULL, "user",
		    { HELLO, "< AUTH LOGIN", "> 454 4.7.0 later", "eof" },
		    false, ERR_TEMP, "454 later" },
		{ "mechanisms we do not speak", "AUTH CRAM-MD5 GSSAPI",
		    SMTP_TLS_NEVER, false, NULL, "user", { HELLO, "eof" },
		    false, ERR_CONFIG, "neither" },
	};
	struct smtp_options nowhere = { .host = "127.0.0.1",
		.port = "1",
		.timeout_ms = PATIENCE_MS };
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(openings); i++)
		open_one(&openings[i]);
	assert_null(smtp_open(&nowhere, &err));
	assert_int_equal(err.kind, ERR_TEMP);
	nowhere.host = "no such host.invalid";
	assert_null(smtp_open(&nowhere, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	smtp_close(NULL);
}

/* ---- several messages, many recipients, all bytes ---- */

static enum smtp_outcome
send_to(struct smtp *smtp, const char *rcpt, struct bytes text,
    struct smtp_reply *reply, struct err *err)
{
	struct smtp_recipient recipient = { .address = rcpt };
	struct body body = { .text = text };
	struct smtp_mail mail = { .sender = "",
		.size = text.len,
		.recipient_count = 1,
		.recipients = &recipient,
		.source = give_body,
		.source_context = &body };

	return smtp_send(smtp, &mail, reply, err);
}

static void
test_connection_is_used_again(void **state)
{
	static const char *const script[] = { HELLO, "< MAIL FROM:<>", "< RCPT",
		"> 250 ok", "> 550 no", "< RSET", "> 250 ok", "< MAIL FROM:<>",
		"< RCPT", "> 250 ok", "> 250 ok", DATA, "data", "> 250 ok",
		"< MAIL FROM:<>", "< RCPT", "> 250 ok", "> 250 ok", DATA,
		"data", "> 450 later", "< RSET", "> 421 down", "close", NULL };
	struct fake_smtp *fake = fake_smtp_start(script, "PIPELINING");
	const struct smtp_options options = { .host = "127.0.0.1",
		.port = fake_smtp_port(fake),
		.timeout_ms = PATIENCE_MS };
	struct smtp_reply reply;
	struct smtp *smtp;
	struct err err;

	(void)state;
	smtp = smtp_open(&options, &err);
	assert_non_null(smtp);
	assert_int_equal(send_to(smtp, "a@y.example", V("1\r\n"), &reply, &err),
	    SMTP_REFUSED);
	assert_int_equal(send_to(smtp, "b@y.example", V("2\r\n"), &reply, &err),
	    SMTP_ACCEPTED);
	assert_int_equal(send_to(smtp, "c@y.example", V("3\r\n"), &reply, &err),
	    SMTP_REFUSED);
	assert_int_equal(send_to(smtp, "d@y.example", V("4\r\n"), &reply, &err),
	    SMTP_NOT_SENT);
	assert_int_equal(send_to(smtp, "e@y.example", V("5\r\n"), &reply, &err),
	    SMTP_NOT_SENT);
	smtp_close(smtp);
	assert_string_equal(fake_smtp_stop(fake), "");
	assert_true(bytes_equal(fake_smtp_message(fake), V("2\r\n3\r\n")));
	fake_smtp_free(fake);
}

#define MANY 500

static void
test_many_recipients(void **state)
{
	static const char *script[4 * MANY + 20];
	struct smtp_recipient *recipients = xcalloc(MANY, sizeof(*recipients));
	struct body body = { .text = V("x\r\n") };
	struct smtp_mail mail = { .sender = "s@x.example",
		.recipient_count = MANY,
		.recipients = recipients,
		.source = give_body,
		.source_context = &body };
	struct smtp_options options = { .host = "127.0.0.1",
		.timeout_ms = PATIENCE_MS };
	struct smtp_reply reply;
	struct fake_smtp *fake;
	struct smtp *smtp;
	struct err err;
	size_t i, n = 0;

	(void)state;
	script[n++] = "> 220 fake";
	script[n++] = "ehlo";
	script[n++] = "< MAIL";
	script[n++] = "> 250 ok";
	for (i = 0; i < MANY; i++) {
		recipients[i].address = "someone.with.a.name@y.example";
		script[n++] = "< RCPT";
		script[n++] = i % 7 == 0 ? "> 550 5.1.1 nobody of this name"
					 : "> 250 2.1.5 ok";
	}
	script[n++] = "< DATA";
	script[n++] = "> 354 go on";
	script[n++] = "data";
	script[n++] = "> 250 ok";
	script[n++] = "< QUIT";
	script[n++] = "> 221 bye";
	fake = fake_smtp_start(script, "PIPELINING");
	options.port = fake_smtp_port(fake);
	smtp = smtp_open(&options, &err);
	assert_non_null(smtp);
	assert_int_equal(smtp_send(smtp, &mail, &reply, &err), SMTP_ACCEPTED);
	smtp_close(smtp);
	assert_string_equal(fake_smtp_stop(fake), "");
	for (i = 0; i < MANY; i++)
		assert_int_equal(recipients[i].reply.code,
		    i % 7 == 0 ? 550 : 250);
	fake_smtp_free(fake);
	free(recipients);
}

/* What a message with odd bytes must be when it comes out: the same, with
 * CRLF at its end. */
static void
test_odd_bytes(void **state)
{
	static const struct {
		const char *label;
		struct bytes text, want;
	} cases[] = {
		{ "dots", V(".\r\n..\r\n.a\r\n"), V(".\r\n..\r\n.a\r\n") },
		{ "NUL", V("\0\r\n\0.\r\n"), V("\0\r\n\0.\r\n") },
		{ "lone CR", V("a\rb\r.c\r\n"), V("a\rb\r.c\r\n") },
		{ "lone LF", V("a\nb\r\n"), V("a\nb\r\n") },
		{ "octets", V("\xff\xfe\x80\r\n"), V("\xff\xfe\x80\r\n") },
		{ "no final line end", V("a\r\nb"), V("a\r\nb\r\n") },
		{ "empty", V(""), V("") },
		{ "only a line end", V("\r\n"), V("\r\n") },
	};
	static const char *const script[] = { HELLO, "< MAIL", "< RCPT",
		"> 250 ok", "> 250 ok", DATA, "data", "> 250 ok", QUIT, NULL };
	struct smtp_options options = { .host = "127.0.0.1",
		.timeout_ms = PATIENCE_MS };
	struct fake_smtp *fake;
	struct smtp_reply reply;
	struct smtp *smtp;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		fake = fake_smtp_start(script, "PIPELINING");
		options.port = fake_smtp_port(fake);
		smtp = smtp_open(&options, &err);
		assert_non_null(smtp);
		if (send_to(smtp, "a@y.example", cases[i].text, &reply, &err) !=
		    SMTP_ACCEPTED)
			case_fail(cases[i].label, "%s", err.text);
		smtp_close(smtp);
		assert_string_equal(fake_smtp_stop(fake), "");
		if (!bytes_equal(fake_smtp_message(fake), cases[i].want))
			case_fail(cases[i].label, "other bytes came out");
		fake_smtp_free(fake);
	}
}

/* All messages of the corpora over one connection; they are compared when
 * all have come. */
struct bulk {
	struct smtp *smtp;
	struct buf want;
	size_t sent;
};

static int
append_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

struct relay {
	int (*send)(void *smtp, struct bytes piece, struct err *err);
	void *smtp;
};

static int
relay_piece(void *context, struct bytes piece, struct err *err)
{
	struct relay *relay = context;

	return relay->send(relay->smtp, piece, err);
}

static int
give_message(void *context,
    int (*send)(void *smtp, struct bytes piece, struct err *err), void *smtp,
    struct err *err)
{
	struct relay relay = { send, smtp };

	return message_each(context, relay_piece, &relay, err);
}

static void
send_file(void *context, const char *path, struct bytes raw)
{
	static const struct message_limits limits = { 1024 * 1024, 2000, 1000,
		"/tmp" };
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	struct smtp_recipient recipient = { .address = "a@y.example" };
	struct smtp_mail mail = { .sender = "s@x.example",
		.recipient_count = 1,
		.recipients = &recipient,
		.source = give_message,
		.source_context = message };
	struct bulk *bulk = context;
	struct smtp_reply reply;
	struct err err;

	if (message_read(message, raw, NULL) == 0) {
		mail.size = message_size(message);
		if (smtp_send(bulk->smtp, &mail, &reply, &err) != SMTP_ACCEPTED)
			case_fail(path, "%s", err.text);
		message_each(message, append_piece, &bulk->want, NULL);
		if (bulk->want.len < 2 ||
		    memcmp(bulk->want.data + bulk->want.len - 2, "\r\n", 2) !=
			0)
			buf_append_str(&bulk->want, "\r\n");
		bulk->sent++;
	}
	message_fini(message);
	arena_free(arena);
}

#define BULK_MAX 4000

static void
send_corpora(const char *offer, enum smtp_tls tls, size_t step)
{
	static const char *const begin[] = { "> 220 fake", "ehlo" };
	static const char *const begin_tls[] = { "> 220 fake", "ehlo",
		"< STARTTLS", "> 220 go on", "tls", "ehlo" };
	static const char *const each[] = { "< MAIL", "> 250 ok", "< RCPT",
		"> 250 ok", "< DATA", "> 354 go on", "data", "> 250 ok" };
	const char **script =
	    xcalloc(10 + BULK_MAX * ARRAY_LEN(each), sizeof(*script));
	struct smtp_options options = { .host = "127.0.0.1", .tls = tls };
	struct bulk bulk = { NULL, { 0 }, 0 };
	struct fake_smtp *fake;
	struct err err;
	size_t i, j, n = 0;

	buf_init(&bulk.want, SIZE_MAX);
	if (tls == SMTP_TLS_NEVER)
		for (i = 0; i < ARRAY_LEN(begin); i++)
			script[n++] = begin[i];
	else
		for (i = 0; i < ARRAY_LEN(begin_tls); i++)
			script[n++] = begin_tls[i];
	for (i = 0; i < BULK_MAX; i++)
		for (j = 0; j < ARRAY_LEN(each); j++)
			script[n++] = each[j];
	fake = fake_smtp_start(script, offer);
	options.port = fake_smtp_port(fake);
	bulk.smtp = smtp_open(&options, &err);
	assert_non_null(bulk.smtp);
	corpora_each_message(step, send_file, &bulk);
	smtp_close(bulk.smtp);
	fake_smtp_stop(fake);
	printf("%zu messages, %zu bytes\n", bulk.sent, bulk.want.len);
	assert_true(
	    bytes_equal(fake_smtp_message(fake), buf_bytes(&bulk.want)));
	fake_smtp_free(fake);
	buf_free(&bulk.want);
	free(script);
}

static void
test_bytes_out_are_bytes_in(void **state)
{
	(void)state;
	send_corpora("PIPELINING,SIZE", SMTP_TLS_NEVER, 1);
	send_corpora("STARTTLS,SIZE", SMTP_TLS_MAY, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_reply_limits),
		cmocka_unit_test(test_dots),
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_opening),
		cmocka_unit_test(test_connection_is_used_again),
		cmocka_unit_test(test_many_recipients),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_bytes_out_are_bytes_in),
	};

	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}
