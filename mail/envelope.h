/*
 * envelope.h - what SMTP said about a transaction and its session.
 *
 * Everything lives in the transaction's arena; strings are validated: no
 * control characters, "" when not known.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "base/netaddr.h"
#include "mail/address.h"

struct envelope_client {
	struct ip ip;         /* IP_NONE: local or unknown */
	const char *hostname; /* verified by the MTA, "[...]" or "" */
	const char *helo;     /* "" when none was given */
	const char *auth;     /* {auth_authen} */
	const char *tls;      /* {tls_version} */
	const char *daemon;   /* {daemon_name} */
};

struct envelope_recipient {
	struct address address;
	const char *rcpt;   /* exactly the bytes RCPT gave: for smfi_delrcpt */
	const char *params; /* ESMTP parameters, "NOTIFY=NEVER ORCPT=..." */
};

struct envelope {
	const char *id;       /* our message id (ULID) */
	const char *queue_id; /* the MTA's, "" until known */
	struct envelope_client client;
	/* the gateway before us (option upstream), where client is who its
	 * Received names; IP_NONE: client is our peer */
	struct ip upstream;
	struct address sender;
	const char *sender_params; /* "SIZE=... BODY=8BITMIME SMTPUTF8" */
	bool smtputf8;
	uint64_t declared_size; /* SIZE=, 0 when none */
	size_t recipient_count;
	struct envelope_recipient *recipients;
	int64_t received_ms; /* wall clock at MAIL */
};

#endif
