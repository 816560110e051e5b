/*
 * arc_seal.h - our own ARC set on a message that goes on (RFC 8617 section
 * 5.1).
 *
 * Sealing is the last edit but the insertion itself: the header is the one
 * that will leave, with foreign results deleted, the Subject marked, and
 * without the set that is made here.  The three fields are then inserted on
 * top.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_ARC_SEAL_H
#define POLICY_ARC_SEAL_H

#include "mail/header.h"
#include "policy/auth.h"
#include "policy/body_hash.h"
#include "policy/signing_key.h"

struct arc_seal_request {
	const struct header *header;
	const struct body_digest *body; /* signature_want_body */
	const struct auth_arc *arc;     /* what the check found */
	/* the value for ARC-Authentication-Results behind "i=N; ": our
	 * authserv-id and results, as in Authentication-Results */
	const char *results;
	const char *domain, *selector;
	const struct signing_key *key;
	int64_t now_s;
	/* fields to sign, "from", NULL at the end; NULL: the default */
	const char *const *names;
	/* octets of a line before it is folded; 0: 72.  The folds become
	 * part of what is signed. */
	size_t line_max;
};

/* Values with their leading space, folded by CRLF and space. */
struct arc_sealed {
	const char *results;           /* ARC-Authentication-Results */
	const char *message_signature; /* ARC-Message-Signature */
	const char *seal;              /* ARC-Seal */
};

/*
 * 1: sealed; 0: nothing is to be added, as the chain is closed (its newest
 * seal says cv=fail), full, or could not be judged for lack of DNS; -1.
 */
int arc_seal(struct arena *arena, const struct arc_seal_request *request,
    struct arc_sealed *sealed, struct err *err);

#endif
