/*
 * session.c - one SMTP connection, as libmilter shows it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"

#include "milter/daemon.h"
#include "milter/session.h"
#include "milter/transaction.h"

/* A host name has 255 octets, a user name of SASL may have some more; what
 * clients send as HELO is often neither. */
#define TEXT_MAX 512

struct session *
session_new(struct daemon *daemon, bool leading_space)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->daemon = daemon;
	session->leading_space = leading_space;
	session->turned_away = !daemon_add_session(daemon);
	return session;
}

void
session_abandon(struct session *session)
{
	size_t i;

	if (session == NULL)
		return;
	for (i = 0; i < SESSION_TEXT_COUNT; i++)
		free(session->texts[i]);
	free(session);
}

void
session_free(struct session *session)
{
	if (session == NULL)
		return;
	session_end_transaction(session);
	daemon_remove_session(session->daemon);
	session_abandon(session);
}

static char *
clean(const char *text)
{
	struct bytes bytes = bytes_of(text);
	struct buf buf;
	char *tab;

	if (bytes.len > TEXT_MAX)
		bytes.len = TEXT_MAX;
	buf_init(&buf, (size_t)TEXT_MAX * 4);
	/* A malformed octet becomes three at most: it fits. */
	(void)utf8_append_clean(&buf, bytes);
	while (buf.data != NULL && (tab = strchr(buf.data, '\t')) != NULL)
		*tab = ' ';
	return buf_steal(&buf);
}

void
session_set(struct session *session, enum session_text which, const char *text)
{
	free(session->texts[which]);
	session->texts[which] = text != NULL ? clean(text) : NULL;
}

const char *
session_get(const struct session *session, enum session_text which)
{
	return session->texts[which] != NULL ? session->texts[which] : "";
}

void
session_end_transaction(struct session *session)
{
	struct transaction *transaction = session->transaction;

	session->transaction = NULL;
	transaction_free(transaction);
}
