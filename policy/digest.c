/*
 * digest.c - the hashes that signatures are made over, by OpenSSL.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/arena.h"
#include "policy/digest.h"

struct digest {
	EVP_MD_CTX *ctx;
	EVP_MD_CTX *copy; /* for values read on the way */
};

/* What fails here has failed for lack of memory. */
static void
must(bool done)
{
	if (!done)
		abort();
}

size_t
digest_len(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_SHA1 ? 20 : 32;
}

struct digest *
digest_new(enum digest_algorithm algorithm)
{
	struct digest *digest = xmalloc(sizeof(*digest));

	digest->ctx = EVP_MD_CTX_new();
	digest->copy = EVP_MD_CTX_new();
	must(digest->ctx != NULL && digest->copy != NULL &&
	    EVP_DigestInit_ex(digest->ctx,
		algorithm == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256(),
		NULL) == 1);
	return digest;
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->ctx);
	EVP_MD_CTX_free(digest->copy);
	free(digest);
}

void
digest_add(struct digest *digest, const void *data, size_t len)
{
	must(EVP_DigestUpdate(digest->ctx, data, len) == 1);
}

void
digest_value(const struct digest *digest, uint8_t out[DIGEST_MAX])
{
	digest_value_with(digest, NULL, 0, out);
}

void
digest_value_with(const struct digest *digest, const void *data, size_t len,
    uint8_t out[DIGEST_MAX])
{
	must(EVP_MD_CTX_copy_ex(digest->copy, digest->ctx) == 1 &&
	    EVP_DigestUpdate(digest->copy, data, len) == 1 &&
	    EVP_DigestFinal_ex(digest->copy, out, NULL) == 1);
}
