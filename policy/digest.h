/*
 * digest.h - the hashes that signatures are made over.
 *
 * A running hash whose value can be read at any point and which then goes
 * on: l= and ARC seals need that.  A struct digest belongs to one thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_DIGEST_H
#define POLICY_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum digest_algorithm {
	DIGEST_SHA256,
	DIGEST_SHA1 /* historic (RFC 8301) */
};

#define DIGEST_MAX 32

/* Octets of a value: 32 or 20. */
size_t digest_len(enum digest_algorithm algorithm);

struct digest;

struct digest *digest_new(enum digest_algorithm algorithm);
void digest_free(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t len);
/* The value of all that was added so far. */
void digest_value(const struct digest *digest, uint8_t out[DIGEST_MAX]);
/* The value as if data had been added too. */
void digest_value_with(const struct digest *digest, const void *data,
    size_t len, uint8_t out[DIGEST_MAX]);

#endif
