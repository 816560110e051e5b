/*
 * dkim_sign.h - DKIM signatures for mail that our own users send.
 *
 * By libopendkim, relaxed/relaxed and SHA-256.  What a reader sees is signed
 * once more than it is there (oversigned), so that nobody can add to it;
 * what relays add or change (Received, Return-Path,
 * Authentication-Results, our own fields) is never signed.
 *
 * A struct dkim_signer is opened once and safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DKIM_SIGN_H
#define POLICY_DKIM_SIGN_H

#include "mail/message.h"
#include "policy/signing_key.h"

struct dkim_signer;

/* NULL with ERR_CONFIG when the library lacks what we need. */
struct dkim_signer *dkim_signer_open(struct err *err);
void dkim_signer_close(struct dkim_signer *signer);

struct dkim_identity {
	const char *domain; /* d= */
	const char *selector;
	const struct signing_key *key;
};

/*
 * *value: that of a DKIM-Signature over this header, as it will leave, and
 * the message's body; with its leading space, folded by CRLF and tab, in
 * the arena.  Sign for each key from the same header, then insert them all.
 * -1: ERR_INPUT for a message that cannot be signed, ERR_TEMP.
 */
int dkim_sign_message(const struct dkim_signer *signer, struct arena *arena,
    const struct dkim_identity *identity, const struct header *header,
    const struct message *message, const char **value, struct err *err);

#endif
