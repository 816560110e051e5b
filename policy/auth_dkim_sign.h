/*
 * auth_dkim_sign.h - DKIM signatures for mail that our own users send.
 *
 * Relaxed/relaxed and SHA-256.  What a reader sees is signed once more than
 * it is there (oversigned), so that nobody can add to it; what relays add
 * or change (Received, Return-Path, Authentication-Results, our own fields)
 * is never signed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_AUTH_DKIM_SIGN_H
#define POLICY_AUTH_DKIM_SIGN_H

#include "mail/header.h"
#include "policy/body_hash.h"
#include "policy/signing_key.h"

struct auth_dkim_identity {
	const char *domain; /* d= */
	const char *selector;
	const struct signing_key *key;
};

/*
 * The value of a DKIM-Signature over this header, as it will leave, and the
 * body (signature_want_body); with its leading space, folded by CRLF and
 * space, in the arena.  Sign for each key over the same header, then insert
 * them all.  NULL with ERR_INPUT for a message without From, ERR_TEMP.
 */
const char *auth_dkim_sign(struct arena *arena,
    const struct auth_dkim_identity *identity, const struct header *header,
    const struct body_digest *body, int64_t now_s, struct err *err);

#endif
