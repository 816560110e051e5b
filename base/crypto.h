/*
 * crypto.h - hashes and keyed hashes, by OpenSSL; no key ever in a log.
 *
 * OpenSSL failing at these is memory running out: it ends the process, as
 * any small allocation that fails does.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHA256_LEN 32

/* A running SHA-256; _final may be called once. */
struct sha256;
struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *hash, const void *data, size_t len);
void sha256_final(struct sha256 *hash, uint8_t out[SHA256_LEN]);
void sha256_free(struct sha256 *hash);

/* HMAC-SHA-256 over the parts, each preceded by its length (8 octets, big
 * endian), so that no two lists of parts are the same input. */
void hmac_sha256(struct bytes key, const struct bytes *parts, size_t n,
    uint8_t out[SHA256_LEN]);
/* In constant time. */
bool secret_equal(const void *a, const void *b, size_t len);
void secret_wipe(void *data, size_t len);
/* From the kernel. */
void random_bytes(void *out, size_t len);

/*
 * All of these append to out.  -1: in is malformed, or out is at its
 * ceiling; out is then as before.
 */

/* Base64 (RFC 4648 section 4), with padding. */
int base64_encode(struct bytes in, struct buf *out);
/* Takes what mail headers and DNS records carry: white space anywhere is
 * skipped, padding may be absent (RFC 6376 section 2.10) but not wrong. */
int base64_decode(struct bytes in, struct buf *out);
/* What one digit stands for, 0..63; -1: it is none. */
int base64_digit(char c);
/* base64url without padding (RFC 4648 section 5): for links and headers. */
int base64url_encode(struct bytes in, struct buf *out);
/* Only what base64url_encode writes, so that a token has one form. */
int base64url_decode(struct bytes in, struct buf *out);

#endif
