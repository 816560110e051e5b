/*
 * transaction.h - one message: from MAIL to end of message, abort or close.
 *
 * Owns its arena and everything in it.  Each call takes what libmilter
 * said at one step; finish.h has the end of message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_TRANSACTION_H
#define MILTER_TRANSACTION_H

#include <stdbool.h>

#include "base/ulid.h"
#include "mail/envelope.h"
#include "policy/plan.h"

#include "milter/answer.h"
#include "milter/setup.h"

struct body_digest;
struct keyring_set;
struct message;
struct scan;
struct session;
struct settings;

struct transaction {
	struct session *session;
	struct arena *arena;
	struct ulid id;
	struct setup *setup;
	struct settings *settings; /* NULL: none loaded yet */
	const char *authserv_id;
	struct envelope envelope;
	bool sender_malformed;
	bool client_is_ours; /* by its network or by authentication */
	bool submitted;      /* not over SMTP: RCPT cannot be refused */
	bool from_release_network;
	bool observes;      /* nobody's mail is held, refused or changed */
	bool from_upstream; /* the client is known at the header's end */
	struct envelope_client peer; /* who speaks to our MTA */
	/* final mailboxes of the accepted recipients; verdict is set here
	 * when it was decided at RCPT already */
	size_t mailbox_count;
	struct plan_mailbox *mailboxes;
	bool watched; /* at least one of them is ours to judge */
	struct message *message;
	struct scan *scan; /* NULL without settings */
	/* what it may be signed or sealed with: milter/signing.h */
	struct {
		const char *domain;
		struct keyring_set *keys; /* NULL: nothing */
		const struct body_digest *body;
	} signing;
	const char *failure; /* the message could not be kept: why */
	int64_t begun_ms;    /* monotonic */
	/* private */
	size_t recipient_size, mailbox_size;
	uint64_t attempts; /* recipients, refused ones too */
	size_t refused;
	bool header_ended;
};

/*
 * At MAIL: a new transaction of the session.  sender and params are what
 * libmilter gave (params NULL-terminated).  queue_id: NULL unless known.
 */
struct transaction *transaction_new(struct session *session, const char *sender,
    char *const *params, const char *queue_id);
/* NULL is fine. */
void transaction_free(struct transaction *tx);

/* At RCPT.  The answer is ANSWER_CONTINUE, one of our table, or lies in the
 * arena. */
const struct answer *transaction_recipient(struct transaction *tx,
    const char *rcpt, char *const *params);

/* A field of the header, as it came over the wire. */
void transaction_header(struct transaction *tx, const char *name,
    const char *value);
/* Again, or late, does no harm. */
void transaction_header_end(struct transaction *tx);
void transaction_body(struct transaction *tx, struct bytes piece);

/* When the MTA tells it at last; NULL and "" change nothing. */
void transaction_set_queue_id(struct transaction *tx, const char *queue_id);

#endif
