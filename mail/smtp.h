/*
 * smtp.h - a small SMTP client for release, reports and notices.
 *
 * RFC 5321 with PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, STARTTLS, AUTH
 * (PLAIN, LOGIN).  The message goes out dot-stuffed and otherwise untouched,
 * but for CRLF at its end when that is missing, and a second dot where a
 * server that takes a lone CR or LF for a line end would see the end of the
 * message.  One reply per recipient.  Blocking, with a deadline for each
 * step; a struct smtp belongs to one thread.
 *
 * Limits: reply lines of 4 kB, 200 lines a reply; a server that breaks them,
 * or that answers what was not asked, is not talked to any longer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum smtp_tls {
	SMTP_TLS_NEVER,
	/* When offered, any certificate will do; when it then fails that is
	 * an error, not a reason to go on in the clear. */
	SMTP_TLS_MAY,
	SMTP_TLS_MUST /* the certificate must be good for the host */
};

struct smtp_options {
	const char *host;
	const char *port;
	const char *helo;    /* NULL: the host's name */
	unsigned timeout_ms; /* connect, each reply; 0: 30,000; the reply
			      * to the final dot has ten times that */
	enum smtp_tls tls;
	const char *tls_ca_file; /* NULL: system */
	/* NULL: no AUTH.  Sent only over TLS, unless tls is NEVER. */
	const char *user, *password;
};

#define SMTP_REPLY_TEXT_SIZE 512

struct smtp_reply {
	int code; /* 250, 450, ...; 0: none came */
	/* the lines joined by spaces, without codes, valid UTF-8 without
	 * control characters; "..." where it was cut */
	char text[SMTP_REPLY_TEXT_SIZE];
	char enhanced[12]; /* "2.1.5", or "" */
};

struct smtp_recipient {
	const char *address;
	const char *params; /* "NOTIFY=NEVER ORCPT=...", may be NULL */
	/* To RCPT, none when MAIL was refused; 250 is what the server said
	 * then, the outcome says what became of the message. */
	struct smtp_reply reply;
};

/* What is known after smtp_send. */
enum smtp_outcome {
	SMTP_ACCEPTED, /* 2xx to the final dot */
	SMTP_REFUSED,  /* the server said no (see replies); 4xx or 5xx */
	SMTP_NOT_SENT, /* failed before the final dot was sent */
	SMTP_UNKNOWN,  /* the dot was sent, the answer never came */
};

struct smtp_mail {
	const char *sender; /* "" for the null sender */
	/* "BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=...": those the server
	 * does not offer are left out, but SMTPUTF8 (also needed when an
	 * address is not ASCII) and REQUIRETLS are then a refusal; SIZE is
	 * ours.  May be NULL. */
	const char *params;
	uint64_t size;
	size_t recipient_count;
	struct smtp_recipient *recipients;
	/* Writes the message by calling send (any number of pieces).  When
	 * it returns 0 the final dot follows; else the connection is
	 * dropped and nothing was sent. */
	int (*source)(void *context,
	    int (*send)(void *smtp, struct bytes piece, struct err *err),
	    void *smtp, struct err *err);
	void *source_context;
};

struct smtp;

/* Connect and greet.  NULL: ERR_TEMP, or ERR_CONFIG when name, certificate
 * or password are wrong. */
struct smtp *smtp_open(const struct smtp_options *options, struct err *err);

/*
 * One message; any number may follow each other as long as the outcome is
 * SMTP_ACCEPTED or SMTP_REFUSED.  A recipient refused does not keep the
 * others from being served.  *reply: the answer that decided: to MAIL, to
 * RCPT when all were refused (a 4xx among them rather than a 5xx), to DATA
 * or to the dot; refusals of our own (size, SMTPUTF8, an address that is
 * none) look like replies too.  err is set unless accepted.
 */
enum smtp_outcome smtp_send(struct smtp *smtp, struct smtp_mail *mail,
    struct smtp_reply *reply, struct err *err);

/* What it said when it was connected to, and whether it offers STARTTLS. */
const char *smtp_greeting(const struct smtp *smtp);
bool smtp_offers_tls(const struct smtp *smtp);

/* Can it be used for another message, as far as can be told without asking:
 * has the server neither said goodbye nor closed? */
bool smtp_is_alive(struct smtp *smtp);

/* QUIT, if the connection still lives.  NULL is fine. */
void smtp_close(struct smtp *smtp);

#endif
