/*
 * fake_smtp.h - an SMTP server on a thread that plays a script.
 *
 * A script is a list of lines, ended by NULL:
 *
 *	"> text"    send text and CRLF
 *	"+ text"    send text as it is
 *	"< text"    read a line, which must begin with text
 *	"ehlo"      read EHLO, offer what fake_smtp_offer says
 *	"data"      read a message up to its dot
 *	"bytes N"   read N bytes
 *	"flood"     send a line without end until the client goes
 *	"nul"       send a NUL
 *	"tls"       hand-shake
 *	"pause N"   wait N milliseconds
 *	"here"      tell fake_smtp_wait_here
 *	"eof"       wait until the client closes
 *	"close"     close
 *	"reset"     close with RST
 *	"next"      close, then take the next connection
 *
 * At the end of the script the connection is closed.  What the client did
 * wrong is told by fake_smtp_stop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_MAIL_FAKE_SMTP_H
#define TESTS_MAIL_FAKE_SMTP_H

#include <stdbool.h>

#include "base/buf.h"

struct fake_smtp;

/* offer: keywords of the EHLO reply, separated by commas. */
struct fake_smtp *fake_smtp_start(const char *const *script, const char *offer);
const char *fake_smtp_port(const struct fake_smtp *fake);
/* Until the script has come to "here"; false after 20 s. */
bool fake_smtp_wait_here(struct fake_smtp *fake);
/* Ends and joins the thread; "" or what went wrong. */
const char *fake_smtp_stop(struct fake_smtp *fake);
void fake_smtp_free(struct fake_smtp *fake);

/* After fake_smtp_stop: the messages read, dots taken away, one behind the
 * other, and the lines of the client. */
struct bytes fake_smtp_message(const struct fake_smtp *fake);
const char *fake_smtp_lines(const struct fake_smtp *fake);

/* A file with the certificate that "tls" shows, good for 127.0.0.1. */
const char *fake_smtp_certificate(const struct fake_smtp *fake);

#endif
