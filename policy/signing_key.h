/*
 * signing_key.h - private keys that DKIM and ARC sign with.
 *
 * RSA of 1,024 bits and more, or Ed25519.  Immutable once read; all calls
 * but _free are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SIGNING_KEY_H
#define POLICY_SIGNING_KEY_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/digest.h"

struct signing_key;

/* From PEM (PKCS #8 or PKCS #1, no passphrase).  NULL with ERR_INPUT. */
struct signing_key *signing_key_read(struct bytes pem, struct err *err);
/* A fresh one; bits 0: Ed25519.  NULL with ERR_INPUT for odd bits. */
struct signing_key *signing_key_generate(unsigned bits, struct err *err);
void signing_key_free(struct signing_key *key);

/* a= of its signatures: "rsa-sha256" or "ed25519-sha256". */
const char *signing_key_algorithm(const struct signing_key *key);
/* Appends the key record that belongs into the DNS. */
int signing_key_record(const struct signing_key *key, struct buf *out);
/* Appends the key as PEM; wipe what is not needed any more. */
int signing_key_pem(const struct signing_key *key, struct buf *out);
/* Appends the signature over a SHA-256 digest, as base64. */
int signing_key_sign(const struct signing_key *key,
    const uint8_t digest[DIGEST_MAX], struct buf *out, struct err *err);

#endif
