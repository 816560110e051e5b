/*
 * smtp.c - a small SMTP client for release, reports and notices.
 *
 * The dialogue.  What matters most is to know what became of a message:
 * until the last byte of the final dot has been given to the kernel it was
 * not sent; from then on only the server's answer tells.  So nothing may be
 * taken for an answer that came before its question.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/smtp.h"
#include "mail/smtp_stream.h"
#include "mail/smtp_wire.h"

#define TIMEOUT_DEFAULT_MS 30000
#define DOT_TIMEOUT_FACTOR 10
/* For what a server may still say when it is of no consequence. */
#define LAST_WORD_MS 1000
#define INPUT_MAX (SMTP_LINE_MAX + 64 * 1024)
#define BLOCK_MAX (32 * 1024)
#define OUTPUT_MAX (64 * 1024)
#define COMMAND_MAX 4096
/* Commands on their way at once: their replies fit into any socket buffer,
 * so that neither side waits for the other to read. */
#define PIPELINE_MAX 50

enum {
	EXT_PIPELINING = 1 << 0,
	EXT_SIZE = 1 << 1,
	EXT_8BITMIME = 1 << 2,
	EXT_SMTPUTF8 = 1 << 3,
	EXT_DSN = 1 << 4,
	EXT_STARTTLS = 1 << 5,
	EXT_REQUIRETLS = 1 << 6,
	EXT_DELIVERBY = 1 << 7,
	EXT_MT_PRIORITY = 1 << 8,
	EXT_RRVS = 1 << 9,
	AUTH_MECHANISM_PLAIN = 1 << 10,
	AUTH_MECHANISM_LOGIN = 1 << 11,
};

static const struct {
	const char *name;
	unsigned bit;
} extensions[] = {
	{ "PIPELINING", EXT_PIPELINING },
	{ "SIZE", EXT_SIZE },
	{ "8BITMIME", EXT_8BITMIME },
	{ "SMTPUTF8", EXT_SMTPUTF8 },
	{ "DSN", EXT_DSN },
	{ "STARTTLS", EXT_STARTTLS },
	{ "REQUIRETLS", EXT_REQUIRETLS },
	{ "DELIVERBY", EXT_DELIVERBY },
	{ "MT-PRIORITY", EXT_MT_PRIORITY },
	{ "RRVS", EXT_RRVS },
};

/* Parameters of MAIL and RCPT that are handed on to a server that offers
 * the extension; all others (SIZE and AUTH among them) are not. */
static const struct parameter {
	const char *name;
	unsigned extension;
	/* for a server without it: the refusal, NULL to go without */
	const char *enhanced;
	const char *refusal;
} parameters[] = {
	{ "BODY", EXT_8BITMIME, NULL, NULL },
	{ "SMTPUTF8", EXT_SMTPUTF8, "5.6.7",
	    "the server does not offer SMTPUTF8" },
	{ "RET", EXT_DSN, NULL, NULL },
	{ "ENVID", EXT_DSN, NULL, NULL },
	{ "NOTIFY", EXT_DSN, NULL, NULL },
	{ "ORCPT", EXT_DSN, NULL, NULL },
	{ "REQUIRETLS", EXT_REQUIRETLS, "5.7.30",
	    "the server does not offer REQUIRETLS" },
	{ "BY", EXT_DELIVERBY, NULL, NULL },
	{ "MT-PRIORITY", EXT_MT_PRIORITY, NULL, NULL },
	{ "RRVS", EXT_RRVS, NULL, NULL },
};

struct smtp {
	struct smtp_stream *stream;
	char *peer; /* for messages */
	char *helo;
	char *greeting;
	unsigned timeout_ms;
	unsigned offered;  /* EXT_... and AUTH_MECHANISM_... */
	uint64_t size_max; /* 0: not told */
	struct buf in;
	struct buf out;
	enum smtp_dot_state dots;
	bool dead;        /* nothing more can be said here */
	bool needs_reset; /* a transaction was left open */
	bool write_failed;
};

/* ---- one reply, one command ---- */

static int
lost(struct smtp *smtp, struct err *err)
{
	smtp->dead = true;
	return err_prefix(err, "%s", smtp->peer);
}

typedef void line_reader(struct smtp *smtp, struct bytes text);

/* Reads on until there is a line in smtp->in. */
static int
wait_for_line(struct smtp *smtp, int64_t until_ms, struct bytes *line,
    struct err *err)
{
	int64_t left;
	int rc;

	while ((rc = smtp_line_take(&smtp->in, line)) == 0) {
		left = until_ms - clock_mono_ms();
		rc = smtp_stream_read(smtp->stream, &smtp->in,
		    left > 0 ? (unsigned)left : 0, err);
		if (rc == 0)
			return err_set(err, ERR_TEMP, "closed the connection");
		if (rc < 0)
			return -1;
	}
	if (rc < 0)
		return err_set(err, ERR_TEMP, "sent an endless line");
	return 0;
}

/* on_line may be NULL; it is not given the first line. */
static int
read_reply(struct smtp *smtp, unsigned timeout_ms, line_reader *on_line,
    struct smtp_reply *reply, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	struct smtp_reply_reader reader;
	struct bytes line, text;
	int rc = 0;

	smtp_reply_reader_init(&reader);
	while (rc == 0) {
		rc = wait_for_line(smtp, until_ms, &line, err);
		if (rc < 0)
			break;
		rc = smtp_reply_reader_line(&reader, line, &text);
		if (rc < 0)
			err_set(err, ERR_TEMP, "does not speak SMTP");
		else if (on_line != NULL && reader.lines > 1)
			on_line(smtp, text);
		smtp_line_drop(&smtp->in);
	}
	if (rc == 1)
		smtp_reply_reader_get(&reader, reply);
	smtp_reply_reader_free(&reader);
	if (rc < 0)
		return lost(smtp, err);
	if (reply->code == 421)
		smtp->dead = true;
	return 0;
}

static int
flush(struct smtp *smtp, struct err *err)
{
	int rc;

	rc = smtp_stream_write(smtp->stream, buf_bytes(&smtp->out),
	    smtp->timeout_ms, err);
	buf_reset(&smtp->out);
	if (rc < 0) {
		smtp->write_failed = true;
		return lost(smtp, err);
	}
	return 0;
}

/* The server said something that nobody asked for: 421 when it goes down;
 * anything else could be taken for the answer to the next command. */
static int
check_silence(struct smtp *smtp, struct smtp_reply *reply, struct err *err)
{
	if (smtp->in.len == 0 && !smtp_stream_has_input(smtp->stream))
		return 0;
	if (read_reply(smtp, LAST_WORD_MS, NULL, reply, err) < 0)
		return -1;
	if (reply->code >= 400)
		err_set(err, ERR_TEMP, "%d %s", reply->code, reply->text);
	else
		err_set(err, ERR_TEMP, "answered what was not asked");
	return lost(smtp, err);
}

/* A command alone, which stands in smtp->out, and its reply. */
static int
ask(struct smtp *smtp, line_reader *on_line, struct smtp_reply *reply,
    struct err *err)
{
	if (check_silence(smtp, reply, err) < 0 || flush(smtp, err) < 0)
		return -1;
	return read_reply(smtp, smtp->timeout_ms, on_line, reply, err);
}

/* ---- greeting ---- */

static void
read_auth_mechanisms(struct smtp *smtp, struct bytes words)
{
	struct cursor c = cursor_of(words);
	struct bytes word;

	while (!cursor_at_end(&c)) {
		cursor_space(&c);
		word = cursor_until(&c, " ");
		if (bytes_equal_nocase(word, BYTES_LIT("PLAIN")))
			smtp->offered |= AUTH_MECHANISM_PLAIN;
		else if (bytes_equal_nocase(word, BYTES_LIT("LOGIN")))
			smtp->offered |= AUTH_MECHANISM_LOGIN;
	}
}

/* One line of the reply to EHLO. */
static void
read_extension(struct smtp *smtp, struct bytes text)
{
	struct cursor c = cursor_of(text);
	struct bytes name = cursor_until(&c, " ="), rest;
	size_t i;

	if (!cursor_at_end(&c))
		c.p++;
	rest = bytes_trim((struct bytes){ c.p, (size_t)(c.end - c.p) });
	for (i = 0; i < sizeof(extensions) / sizeof(*extensions); i++)
		if (bytes_equal_nocase(name, bytes_of(extensions[i].name)))
			smtp->offered |= extensions[i].bit;
	if (bytes_equal_nocase(name, BYTES_LIT("AUTH")))
		read_auth_mechanisms(smtp, rest);
	else if (bytes_equal_nocase(name, BYTES_LIT("SIZE")) &&
	    parse_u64(rest, 0, UINT64_MAX, &smtp->size_max) < 0)
		smtp->size_max = 0;
}

static int
unwelcome(const struct smtp *smtp, const char *when,
    const struct smtp_reply *reply, struct err *err)
{
	return err_set(err, ERR_TEMP, "%s answered %s: %d %s", smtp->peer, when,
	    reply->code, reply->text);
}

/* EHLO, or HELO for a server that does not know it. */
static int
say_hello(struct smtp *smtp, struct err *err)
{
	struct smtp_reply reply;

	smtp->offered = 0;
	smtp->size_max = 0;
	buf_printf(&smtp->out, "EHLO %s\r\n", smtp->helo);
	if (ask(smtp, read_extension, &reply, err) < 0)
		return -1;
	if (reply.code / 100 == 5 && !smtp->dead) {
		smtp->offered = 0;
		buf_printf(&smtp->out, "HELO %s\r\n", smtp->helo);
		if (ask(smtp, NULL, &reply, err) < 0)
			return -1;
	}
	if (reply.code != 250)
		return unwelcome(smtp, "the greeting", &reply, err);
	return 0;
}

static int
start_tls(struct smtp *smtp, const struct smtp_options *options,
    struct err *err)
{
	const struct smtp_tls_options tls = { options->host,
		options->tls_ca_file, options->tls == SMTP_TLS_MUST };
	struct smtp_reply reply;

	if (options->tls == SMTP_TLS_NEVER)
		return 0;
	if ((smtp->offered & EXT_STARTTLS) == 0)
		return options->tls == SMTP_TLS_MAY
		    ? 0
		    : err_set(err, ERR_TEMP, "%s does not offer STARTTLS",
			  smtp->peer);
	buf_append_str(&smtp->out, "STARTTLS\r\n");
	if (ask(smtp, NULL, &reply, err) < 0)
		return -1;
	if (reply.code != 220)
		return options->tls == SMTP_TLS_MAY && !smtp->dead
		    ? 0
		    : unwelcome(smtp, "STARTTLS", &reply, err);
	/* What stands behind the reply came in the clear, from whoever. */
	if (smtp->in.len > 0)
		return err_set(err, ERR_TEMP,
		    "%s: plain text behind the reply to STARTTLS", smtp->peer);
	if (smtp_stream_start_tls(smtp->stream, &tls, smtp->timeout_ms, err) <
	    0)
		return lost(smtp, err);
	return say_hello(smtp, err);
}

/* ---- AUTH ---- */

static void
wipe(struct buf *buf)
{
	if (buf->data != NULL)
		secret_wipe(buf->data, buf->size);
	buf_reset(buf);
}

/* Sends a line that holds a secret and wipes it. */
static int
ask_secretly(struct smtp *smtp, struct bytes secret, const char *before,
    struct smtp_reply *reply, struct err *err)
{
	struct buf line;
	int rc;

	buf_init(&line, COMMAND_MAX);
	rc = buf_append_str(&line, before);
	rc |= base64_encode(secret, &line);
	rc |= buf_append_str(&line, "\r\n");
	if (rc < 0)
		rc = err_set(err, ERR_CONFIG, "name or password too long");
	else if (check_silence(smtp, reply, err) < 0)
		rc = -1;
	else if (smtp_stream_write(smtp->stream, buf_bytes(&line),
		     smtp->timeout_ms, err) < 0)
		rc = lost(smtp, err);
	else
		rc = read_reply(smtp, smtp->timeout_ms, NULL, reply, err);
	wipe(&line);
	buf_free(&line);
	return rc;
}

static int
auth_plain(struct smtp *smtp, const struct smtp_options *options,
    struct smtp_reply *reply, struct err *err)
{
	struct buf secret;
	int rc;

	buf_init(&secret, COMMAND_MAX);
	rc = buf_append_char(&secret, '\0');
	rc |= buf_append_str(&secret, options->user);
	rc |= buf_append_char(&secret, '\0');
	rc |= buf_append_str(&secret, options->password);
	if (rc < 0)
		rc = err_set(err, ERR_CONFIG, "name or password too long");
	else
		rc = ask_secretly(smtp, buf_bytes(&secret), "AUTH PLAIN ",
		    reply, err);
	wipe(&secret);
	buf_free(&secret);
	return rc;
}

static int
auth_login(struct smtp *smtp, const struct smtp_options *options,
    struct smtp_reply *reply, struct err *err)
{
	buf_append_str(&smtp->out, "AUTH LOGIN\r\n");
	if (ask(smtp, NULL, reply, err) < 0)
		return -1;
	if (reply->code != 334)
		return 0;
	if (ask_secretly(smtp, bytes_of(options->user), "", reply, err) < 0)
		return -1;
	if (reply->code != 334)
		return 0;
	return ask_secretly(smtp, bytes_of(options->password), "", reply, err);
}

static int
authenticate(struct smtp *smtp, const struct smtp_options *options,
    struct err *err)
{
	struct smtp_reply reply = { 0 };
	int rc;

	if (options->user == NULL)
		return 0;
	if (options->tls != SMTP_TLS_NEVER &&
	    !smtp_stream_has_tls(smtp->stream))
		return err_set(err, ERR_CONFIG,
		    "%s: no TLS, the password was not sent", smtp->peer);
	if ((smtp->offered & AUTH_MECHANISM_PLAIN) != 0)
		rc = auth_plain(smtp, options, &reply, err);
	else if ((smtp->offered & AUTH_MECHANISM_LOGIN) != 0)
		rc = auth_login(smtp, options, &reply, err);
	else
		return err_set(err, ERR_CONFIG,
		    "%s offers neither AUTH PLAIN nor LOGIN", smtp->peer);
	if (rc < 0)
		return -1;
	if (reply.code == 235)
		return 0;
	return err_set(err, reply.code >= 500 ? ERR_CONFIG : ERR_TEMP,
	    "%s answered AUTH: %d %s", smtp->peer, reply.code, reply.text);
}

/* ---- opening and closing ---- */

static char *
own_name(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)) != 0)
		return xstrdup("localhost");
	name[sizeof(name) - 1] = '\0';
	return xstrdup(name);
}

static struct smtp *
smtp_new(const struct smtp_options *options)
{
	struct smtp *smtp = xcalloc(1, sizeof(*smtp));

	smtp->peer = xprintf("%s:%s", options->host, options->port);
	smtp->helo =
	    options->helo != NULL ? xstrdup(options->helo) : own_name();
	smtp->timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
	buf_init(&smtp->in, INPUT_MAX);
	buf_init(&smtp->out, SIZE_MAX);
	return smtp;
}

static void
smtp_free(struct smtp *smtp)
{
	smtp_stream_close(smtp->stream);
	buf_free(&smtp->in);
	buf_free(&smtp->out);
	free(smtp->peer);
	free(smtp->helo);
	free(smtp->greeting);
	free(smtp);
}

static int
greet(struct smtp *smtp, const struct smtp_options *options, struct err *err)
{
	struct smtp_reply reply;

	if (read_reply(smtp, smtp->timeout_ms, NULL, &reply, err) < 0)
		return -1;
	if (reply.code != 220)
		return unwelcome(smtp, "the connection", &reply, err);
	smtp->greeting = xstrdup(reply.text);
	if (say_hello(smtp, err) < 0 || start_tls(smtp, options, err) < 0)
		return -1;
	return authenticate(smtp, options, err);
}

struct smtp *
smtp_open(const struct smtp_options *options, struct err *err)
{
	struct smtp *smtp = smtp_new(options);

	smtp->stream = smtp_stream_open(options->host, options->port,
	    smtp->timeout_ms, err);
	if (smtp->stream != NULL && greet(smtp, options, err) == 0)
		return smtp;
	smtp_free(smtp);
	return NULL;
}

const char *
smtp_greeting(const struct smtp *smtp)
{
	return smtp->greeting;
}

bool
smtp_offers_tls(const struct smtp *smtp)
{
	return (smtp->offered & EXT_STARTTLS) != 0;
}

bool
smtp_is_alive(struct smtp *smtp)
{
	return !smtp->dead && smtp->in.len == 0 &&
	    !smtp_stream_has_input(smtp->stream);
}

void
smtp_close(struct smtp *smtp)
{
	struct smtp_reply reply;

	if (smtp == NULL)
		return;
	if (!smtp->dead &&
	    smtp_stream_write(smtp->stream, BYTES_LIT("QUIT\r\n"), LAST_WORD_MS,
		NULL) == 0)
		(void)read_reply(smtp, LAST_WORD_MS, NULL, &reply, NULL);
	smtp_free(smtp);
}

/* ---- the envelope ---- */

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((*text & 0x80) != 0)
			return false;
	return true;
}

static bool
needs_utf8(const struct smtp_mail *mail)
{
	size_t i;

	if (!is_ascii(mail->sender))
		return true;
	for (i = 0; i < mail->recipient_count; i++)
		if (!is_ascii(mail->recipients[i].address))
			return true;
	return false;
}

static const struct parameter *
find_parameter(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		if (bytes_equal_nocase(bytes_of(parameters[i].name), name))
			return &parameters[i];
	return NULL;
}

/* NAME or NAME=VALUE without anything that could end the command. */
static const struct parameter *
read_parameter(struct bytes word)
{
	struct cursor c = cursor_of(word);
	const struct parameter *parameter =
	    find_parameter(cursor_until(&c, "="));
	size_t i;

	for (i = 0; i < word.len; i++)
		if ((unsigned char)word.data[i] <= ' ' || word.data[i] == 0x7f)
			return NULL;
	/* BODY=BINARYMIME needs BDAT, which we do not speak */
	if (parameter != NULL && parameter->extension == EXT_8BITMIME &&
	    !bytes_equal_nocase(word, BYTES_LIT("BODY=8BITMIME")) &&
	    !bytes_equal_nocase(word, BYTES_LIT("BODY=7BIT")))
		return NULL;
	return parameter;
}

/* Calls for each word of params that is a parameter we know. */
static const struct parameter *
next_parameter(struct cursor *c, struct bytes *word)
{
	const struct parameter *parameter;

	for (;;) {
		cursor_space(c);
		if (cursor_at_end(c))
			return NULL;
		*word = cursor_until(c, " \t\r\n");
		parameter = read_parameter(*word);
		if (parameter != NULL)
			return parameter;
	}
}

static void
append_parameters(struct smtp *smtp, const char *params)
{
	struct cursor c = cursor_of(bytes_of(params != NULL ? params : ""));
	const struct parameter *parameter;
	struct bytes word;

	while ((parameter = next_parameter(&c, &word)) != NULL) {
		if ((smtp->offered & parameter->extension) == 0)
			continue;
		buf_append_char(&smtp->out, ' ');
		buf_append_bytes(&smtp->out, word);
	}
}

/* Is there a parameter that must not be left out, and that the server does
 * not offer? */
static const struct parameter *
missing_parameter(const struct smtp *smtp, const struct smtp_mail *mail,
    bool *has_utf8)
{
	struct cursor c =
	    cursor_of(bytes_of(mail->params != NULL ? mail->params : ""));
	const struct parameter *parameter;
	struct bytes word;

	*has_utf8 = false;
	while ((parameter = next_parameter(&c, &word)) != NULL) {
		*has_utf8 |= parameter->extension == EXT_SMTPUTF8;
		if (parameter->refusal != NULL &&
		    (smtp->offered & parameter->extension) == 0)
			return parameter;
	}
	if (!*has_utf8 && needs_utf8(mail) &&
	    (smtp->offered & EXT_SMTPUTF8) == 0)
		return find_parameter(BYTES_LIT("SMTPUTF8"));
	return NULL;
}

static bool
is_address(const char *text)
{
	struct arena *arena = arena_new(4096);
	struct address address;
	bool is;

	is = text[0] != '<' &&
	    address_parse(arena, bytes_of(text), &address, NULL) == 0;
	arena_free(arena);
	return is;
}

/* What the server need not be asked: true and the reply. */
static bool
refuse_ourselves(const struct smtp *smtp, struct smtp_mail *mail,
    bool *has_utf8, struct smtp_reply *reply)
{
	const struct parameter *missing =
	    missing_parameter(smtp, mail, has_utf8);
	size_t i;

	for (i = 0; i < mail->recipient_count; i++) {
		memset(&mail->recipients[i].reply, 0, sizeof(*reply));
		if (mail->recipients[i].address[0] == '\0' ||
		    !is_address(mail->recipients[i].address))
			smtp_reply_set(&mail->recipients[i].reply, 553, "5.1.3",
			    BYTES_LIT("this is no address"));
	}
	if (!is_address(mail->sender))
		smtp_reply_set(reply, 553, "5.1.7",
		    BYTES_LIT("the sender is no address"));
	else if (missing != NULL)
		smtp_reply_set(reply, 550, missing->enhanced,
		    bytes_of(missing->refusal));
	else if (smtp->size_max > 0 && mail->size > smtp->size_max)
		smtp_reply_set(reply, 552, "5.3.4",
		    BYTES_LIT("larger than the server takes"));
	else
		return false;
	return true;
}

static void
append_mail(struct smtp *smtp, const struct smtp_mail *mail, bool has_utf8)
{
	buf_printf(&smtp->out, "MAIL FROM:<%s>", mail->sender);
	if ((smtp->offered & EXT_SIZE) != 0)
		buf_printf(&smtp->out, " SIZE=%" PRIu64, mail->size);
	append_parameters(smtp, mail->params);
	if (!has_utf8 && needs_utf8(mail))
		buf_append_str(&smtp->out, " SMTPUTF8");
	buf_append_str(&smtp->out, "\r\n");
}

static void
append_rcpt(struct smtp *smtp, const struct smtp_recipient *recipient)
{
	buf_printf(&smtp->out, "RCPT TO:<%s>", recipient->address);
	append_parameters(smtp, recipient->params);
	buf_append_str(&smtp->out, "\r\n");
}

/* Puts RCPTs from *next on behind what is there, at most n; moves *next. */
static void
append_rcpts(struct smtp *smtp, const struct smtp_mail *mail, size_t n,
    size_t *next)
{
	for (; n > 0 && *next < mail->recipient_count; (*next)++) {
		if (mail->recipients[*next].reply.code != 0)
			continue; /* not asked: refused by us */
		append_rcpt(smtp, &mail->recipients[*next]);
		n--;
	}
}

/* What is said to RCPT behind a refused MAIL (503 mostly) is no word on the
 * recipient: it is read and dropped. */
static int
read_rcpt_replies(struct smtp *smtp, struct smtp_mail *mail, size_t from,
    size_t to, bool mail_taken, struct err *err)
{
	struct smtp_reply reply;

	for (; from < to && !smtp->dead; from++) {
		if (mail->recipients[from].reply.code != 0)
			continue; /* not asked */
		if (read_reply(smtp, smtp->timeout_ms, NULL, &reply, err) < 0)
			return -1;
		if (mail_taken)
			mail->recipients[from].reply = reply;
	}
	return 0;
}

/* MAIL and all RCPTs.  *reply: to MAIL. */
static int
send_envelope(struct smtp *smtp, struct smtp_mail *mail, bool has_utf8,
    struct smtp_reply *reply, struct err *err)
{
	bool pipelining = (smtp->offered & EXT_PIPELINING) != 0;
	size_t from = 0, next = 0;

	append_mail(smtp, mail, has_utf8);
	append_rcpts(smtp, mail, pipelining ? PIPELINE_MAX : 0, &next);
	if (ask(smtp, NULL, reply, err) < 0 ||
	    read_rcpt_replies(smtp, mail, from, next, reply->code / 100 == 2,
		err) < 0)
		return -1;
	while (
	    reply->code == 250 && !smtp->dead && next < mail->recipient_count) {
		from = next;
		append_rcpts(smtp, mail, pipelining ? PIPELINE_MAX : 1, &next);
		if (flush(smtp, err) < 0 ||
		    read_rcpt_replies(smtp, mail, from, next, true, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the message ---- */

static int
send_piece(void *context, struct bytes piece, struct err *err)
{
	struct smtp *smtp = context;
	struct bytes block;

	if (smtp->write_failed)
		return err_set(err, ERR_TEMP, "%s: the connection is gone",
		    smtp->peer);
	while (piece.len > 0) {
		block = piece;
		if (block.len > BLOCK_MAX)
			block.len = BLOCK_MAX;
		smtp_dots_append(&smtp->dots, block, &smtp->out);
		if (smtp->out.len >= OUTPUT_MAX && flush(smtp, err) < 0)
			return -1;
		piece.data += block.len;
		piece.len -= block.len;
	}
	return 0;
}

/* The server hung up in the middle of the message: did it say why? */
static enum smtp_outcome
hear_last_word(struct smtp *smtp, struct smtp_reply *reply, struct err *err)
{
	struct smtp_reply last;

	if (read_reply(smtp, LAST_WORD_MS, NULL, &last, NULL) < 0 ||
	    last.code < 400)
		return SMTP_NOT_SENT;
	*reply = last;
	err_set(err, last.code >= 500 ? ERR_INPUT : ERR_TEMP,
	    "%s: %d %s, in the middle of the message", smtp->peer, last.code,
	    last.text);
	return SMTP_REFUSED;
}

static enum smtp_outcome
refused(struct smtp *smtp, const char *what, const struct smtp_reply *reply,
    struct err *err)
{
	smtp->needs_reset = true;
	err_set(err, reply->code >= 500 ? ERR_INPUT : ERR_TEMP,
	    "%s answered %s: %d %s%s%s", smtp->peer, what, reply->code,
	    reply->enhanced, reply->enhanced[0] != '\0' ? " " : "",
	    reply->text);
	return SMTP_REFUSED;
}

/* An answer that is neither yes nor no to this command. */
static enum smtp_outcome
out_of_step(struct smtp *smtp, const char *what, const struct smtp_reply *reply,
    struct err *err)
{
	smtp->dead = true;
	(void)unwelcome(smtp, what, reply, err);
	return SMTP_NOT_SENT;
}

static enum smtp_outcome
send_dot(struct smtp *smtp, struct smtp_reply *reply, struct err *err)
{
	smtp_dots_end(&smtp->dots, &smtp->out);
	/* An answer that is already there is none to the dot. */
	if (check_silence(smtp, reply, err) < 0)
		return reply->code >= 400 ? SMTP_REFUSED : SMTP_NOT_SENT;
	if (flush(smtp, err) < 0)
		return hear_last_word(smtp, reply, err);
	if (read_reply(smtp, smtp->timeout_ms * DOT_TIMEOUT_FACTOR, NULL, reply,
		err) < 0)
		return SMTP_UNKNOWN;
	if (reply->code / 100 == 2)
		return SMTP_ACCEPTED;
	if (reply->code >= 400)
		return refused(smtp, "the message", reply, err);
	(void)out_of_step(smtp, "the message", reply, err);
	return SMTP_UNKNOWN;
}

static enum smtp_outcome
send_message(struct smtp *smtp, const struct smtp_mail *mail,
    struct smtp_reply *reply, struct err *err)
{
	buf_append_str(&smtp->out, "DATA\r\n");
	if (ask(smtp, NULL, reply, err) < 0)
		return SMTP_NOT_SENT;
	if (reply->code >= 400)
		return refused(smtp, "DATA", reply, err);
	if (reply->code != 354)
		return out_of_step(smtp, "DATA", reply, err);
	memset(reply, 0, sizeof(*reply));
	smtp->dots = SMTP_DOT_LINE_START;
	if (mail->source(mail->source_context, send_piece, smtp, err) != 0 ||
	    smtp->write_failed) {
		smtp->dead = true;
		buf_reset(&smtp->out);
		return smtp->write_failed ? hear_last_word(smtp, reply, err)
					  : SMTP_NOT_SENT;
	}
	return send_dot(smtp, reply, err);
}

/* Nobody was accepted: the answer that gives most hope. */
static void
choose_refusal(const struct smtp_mail *mail, struct smtp_reply *reply)
{
	size_t i;

	smtp_reply_set(reply, 554, "5.5.1", BYTES_LIT("no recipients"));
	for (i = 0; i < mail->recipient_count; i++)
		if (i == 0 ||
		    (reply->code >= 500 &&
			mail->recipients[i].reply.code / 100 == 4))
			*reply = mail->recipients[i].reply;
}

static bool
is_anyone_accepted(const struct smtp_mail *mail)
{
	size_t i;

	for (i = 0; i < mail->recipient_count; i++)
		if (mail->recipients[i].reply.code / 100 == 2)
			return true;
	return false;
}

static int
reset(struct smtp *smtp, struct smtp_reply *reply, struct err *err)
{
	if (smtp->dead)
		return err_set(err, ERR_TEMP, "%s: the connection is gone",
		    smtp->peer);
	if (!smtp->needs_reset)
		return 0;
	smtp->needs_reset = false;
	buf_append_str(&smtp->out, "RSET\r\n");
	if (ask(smtp, NULL, reply, err) < 0)
		return -1;
	if (reply->code == 250)
		return 0;
	smtp->dead = true;
	return unwelcome(smtp, "RSET", reply, err);
}

enum smtp_outcome
smtp_send(struct smtp *smtp, struct smtp_mail *mail, struct smtp_reply *reply,
    struct err *err)
{
	bool has_utf8;

	memset(reply, 0, sizeof(*reply));
	if (refuse_ourselves(smtp, mail, &has_utf8, reply)) {
		err_set(err, ERR_INPUT, "%d %s %s", reply->code,
		    reply->enhanced, reply->text);
		return SMTP_REFUSED;
	}
	if (reset(smtp, reply, err) < 0 ||
	    send_envelope(smtp, mail, has_utf8, reply, err) < 0)
		return SMTP_NOT_SENT;
	if (reply->code >= 400)
		return refused(smtp, "MAIL", reply, err);
	if (reply->code / 100 != 2)
		return out_of_step(smtp, "MAIL", reply, err);
	if (!is_anyone_accepted(mail)) {
		choose_refusal(mail, reply);
		return refused(smtp, "RCPT", reply, err);
	}
	if (smtp->dead) {
		err_set(err, ERR_TEMP, "%s goes down", smtp->peer);
		return SMTP_NOT_SENT;
	}
	return send_message(smtp, mail, reply, err);
}
