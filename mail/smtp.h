/*
 * smtp.h - a small SMTP client for release, reports and notices.
 *
 * RFC 5321 with PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, STARTTLS, AUTH
 * (PLAIN, LOGIN).  The body goes out dot-stuffed and otherwise untouched.
 * One reply per recipient.  Blocking, with a deadline for each step; a
 * struct smtp belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum smtp_tls {
	SMTP_TLS_NEVER,
	SMTP_TLS_MAY,
	SMTP_TLS_MUST
};

struct smtp_options {
	const char *host;
	const char *port;
	const char *helo;
	unsigned timeout_ms; /* connect, each reply; 0: 30,000; the reply
			      * to the final dot has ten times that */
	enum smtp_tls tls;
	const char *tls_ca_file;     /* NULL: system */
	const char *user, *password; /* NULL: no AUTH */
};

struct smtp_reply {
	int code;          /* 250, 450, ...; 0: none came */
	char text[512];    /* the last line, cleaned */
	char enhanced[12]; /* "2.1.5", or "" */
};

struct smtp_recipient {
	const char *address;
	const char *params; /* "NOTIFY=NEVER ORCPT=...", may be NULL */
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
	const char *params; /* "BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=...":
			     * those the server does not offer are left out,
			     * but SMTPUTF8 is then a refusal */
	uint64_t size;
	size_t recipient_count;
	struct smtp_recipient *recipients;
	/* Writes the message by calling send (any number of pieces). */
	int (*source)(void *context,
	    int (*send)(void *smtp, struct bytes piece, struct err *err),
	    void *smtp, struct err *err);
	void *source_context;
};

struct smtp;

struct smtp *smtp_open(const struct smtp_options *options, struct err *err);
/* *reply: the answer that decided (MAIL, DATA or the dot). */
enum smtp_outcome smtp_send(struct smtp *smtp, struct smtp_mail *mail,
    struct smtp_reply *reply, struct err *err);
/* QUIT, if the connection still lives. */
void smtp_close(struct smtp *smtp);

#endif
