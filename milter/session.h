/*
 * session.h - one SMTP connection, as libmilter shows it.
 *
 * It has at most one transaction.  libmilter calls for a session from many
 * threads, but never from two at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <stdbool.h>

#include "base/netaddr.h"

struct daemon;
struct transaction;

enum session_text {
	SESSION_HOSTNAME,
	SESSION_HELO,
	SESSION_AUTH,
	SESSION_TLS,
	SESSION_DAEMON,
	SESSION_AUTHSERV, /* {j}: the MTA's own name */
	SESSION_VERSION,  /* {v}: "Postfix 3.7.11", "8.17.1" of Sendmail */
	SESSION_TEXT_COUNT
};

struct session {
	struct daemon *daemon;
	bool leading_space; /* header values come with theirs */
	bool turned_away;   /* over connections_max */
	bool observes;      /* RCPT is not answered, so to the end of the
			     * session mode = observe holds */
	struct ip ip;
	char *texts[SESSION_TEXT_COUNT]; /* cleaned; NULL: not known */
	struct transaction *transaction;
};

struct session *session_new(struct daemon *daemon, bool leading_space);
/* Frees the transaction too. */
void session_free(struct session *session);
/* When the daemon is gone already: only what is the session's own. */
void session_abandon(struct session *session);

/*
 * Keeps a text that the MTA told us; NULL forgets it.  Control characters
 * and malformed UTF-8 are replaced; what is longer than a name can be is
 * cut there.
 */
void session_set(struct session *session, enum session_text which,
    const char *text);
/* "" when it is not known. */
const char *session_get(const struct session *session, enum session_text which);

/* Ends the transaction, if there is one: after end of message, at abort
 * and close, and when MAIL comes twice. */
void session_end_transaction(struct session *session);

#endif
