/*
 * key_record.h - public keys as the DNS publishes them, and what they prove.
 *
 * RFC 6376 section 3.6.1, RFC 8301, RFC 8463.  A key is a few numbers in
 * the arena; it becomes a key of OpenSSL's for the moment of a
 * verification only, which costs little as nothing is decoded there.
 *
 * Ceilings, as both numbers are a stranger's: modulus 8,192 bits, exponent
 * 64 bits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_KEY_RECORD_H
#define POLICY_KEY_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/digest.h"

enum key_type {
	KEY_RSA,
	KEY_ED25519
};

#define KEY_BITS_MAX 8192
/* What is wrong with a key record with an empty p=. */
#define KEY_REVOKED_PROBLEM "key revoked"

struct key_record {
	enum key_type type;
	unsigned bits;         /* of the modulus; 256 for Ed25519 */
	bool testing;          /* t=y */
	bool strict;           /* t=s: i= and d= must be the same domain */
	bool sha1, sha256;     /* h= */
	struct bytes modulus;  /* RSA: big endian, no leading zero */
	uint64_t exponent;     /* RSA */
	struct bytes ed_point; /* Ed25519: 32 octets */
};

/*
 * Read a key record.  -1 with ERR_INPUT when it is none, or none for mail
 * (s=), revoked or unusable: the text says which.
 */
int key_record_read(struct arena *arena, struct bytes record,
    struct key_record *key, struct err *err);

/*
 * RSA keys as OpenSSL has them, with what it computes at their first use;
 * that takes as long as the verification itself.  Keeps a fixed number; a key
 * that falls on the place of another takes it.  Safe from any thread.
 */
struct key_cache;

struct key_cache *key_cache_new(void);
void key_cache_free(struct key_cache *cache);

/* Is signature one by this key over the digest?  cache: or NULL. */
bool key_record_verifies(const struct key_record *key, struct key_cache *cache,
    enum digest_algorithm algorithm, const uint8_t *digest,
    struct bytes signature);

#endif
