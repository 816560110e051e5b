/*
 * failure.h - a DMARC failure report (RFC 9991): when the owner of a domain
 * asks for one, and what it says.
 *
 * The milter decides and describes, the sidecar writes and sends; between
 * the two it is JSON (doc/redis-keys.md).  It is redacted before it leaves
 * the milter: nothing behind it knows who the recipients were.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_FAILURE_H
#define POLICY_FAILURE_H

#include <jansson.h>

#include "base/err.h"
#include "policy/redact.h"

struct auth;
struct envelope;
struct scan;

/* Octets of a description as JSON. */
#define FAILURE_TEXT_MAX ((size_t)64 * 1024)
/* Octets of the header that goes with it. */
#define FAILURE_HEADER_MAX ((size_t)16 * 1024)
#define FAILURE_RECIPIENTS_MAX 10
/* Recipients whose local parts are looked for in the header; a mail for
 * more of them is described without. */
#define FAILURE_LOCALS_MAX 64

/* ---- when ---- */

enum failure_kind {
	FAILURE_NONE,
	FAILURE_DMARC, /* fo=0, fo=1 */
	FAILURE_DKIM,  /* fo=d: a signature failed, aligned or not */
	FAILURE_SPF,   /* fo=s: SPF failed, aligned or not */
};

/*
 * Does the owner of the policy want to hear of this?  By ruf= and fo= of the
 * record that applied (RFC 9989 section 4.7); of several reasons the first
 * in the order above.  0 and 1 exclude each other: with both, 0 counts.
 * Never by the record of a public suffix (psd=y), nor while the DNS did not
 * answer.
 */
enum failure_kind failure_wanted(const struct auth *auth);

/* Is the mail about something itself: a report, a bounce, an answer of a
 * program?  A report about it could be answered by a report. */
bool failure_is_answer(const struct envelope *envelope,
    const struct header *header);

/* ---- what ---- */

/* Strings live in an arena; "" when there is nothing to say. */
struct failure {
	const char *id; /* our message id */
	int64_t arrival_ms;
	const char *what; /* Auth-Failure: "dmarc", "signature", "spf", ... */
	const char *policy_domain, *from_domain;
	const char *ruf; /* as published */
	const char *authserv_id;
	const char *results;   /* Authentication-Results, without the name */
	const char *alignment; /* mechanisms that failed to align, "none" */
	const char *delivery;  /* Delivery-Result */
	const char *source_ip; /* of the client */
	const char *mail_from; /* redacted */
	const char *dkim_domain, *dkim_identity, *dkim_selector;
	const char *spf_domain, *spf_record; /* of an SPF that failed */
	size_t recipient_count;
	const char *recipients[FAILURE_RECIPIENTS_MAX]; /* redacted */
	struct redacted_header header;
};

/* What the milter adds to a scan. */
struct failure_context {
	enum failure_kind kind;
	const char *delivery;
	struct bytes key; /* of the hashes */
	bool with_header; /* else Date, From and Message-ID only */
};

void failure_describe(struct arena *arena, const struct scan *scan,
    const struct failure_context *context, struct failure *failure);

/* A new reference. */
json_t *failure_to_json(const struct failure *failure);
/* What is read may have been written by anybody.  -1 ERR_INPUT. */
int failure_from_json(struct arena *arena, struct bytes text,
    struct failure *failure, struct err *err);

/* Tells conditions apart: two reports with the same one say the same.  In
 * the arena. */
const char *failure_condition(struct arena *arena,
    const struct failure *failure);

#endif
