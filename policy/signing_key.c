/*
 * signing_key.c - private keys that DKIM and ARC sign with, by OpenSSL.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "policy/key_record.h"
#include "policy/signing_key.h"

#define RSA_BITS_MIN 1024

struct signing_key {
	EVP_PKEY *pkey;
	bool ed25519;
};

/* Takes pkey. */
static struct signing_key *
make_key(EVP_PKEY *pkey, struct err *err)
{
	struct signing_key *key;
	bool ed25519 = EVP_PKEY_is_a(pkey, "ED25519") == 1;
	int bits = EVP_PKEY_get_bits(pkey);

	if (!ed25519 &&
	    (EVP_PKEY_is_a(pkey, "RSA") != 1 || bits < RSA_BITS_MIN ||
		bits > KEY_BITS_MAX)) {
		EVP_PKEY_free(pkey);
		err_set(err, ERR_INPUT,
		    "neither Ed25519 nor RSA of %d to %d bits", RSA_BITS_MIN,
		    KEY_BITS_MAX);
		return NULL;
	}
	key = xmalloc(sizeof(*key));
	key->pkey = pkey;
	key->ed25519 = ed25519;
	return key;
}

/* A key with a passphrase is refused, not asked for on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *context)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)context;
	return -1;
}

struct signing_key *
signing_key_read(struct bytes pem, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (pem.len <= INT32_MAX &&
	    (bio = BIO_new_mem_buf(pem.data, (int)pem.len)) != NULL) {
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
		BIO_free(bio);
	}
	if (pkey == NULL) {
		ERR_clear_error();
		err_set(err, ERR_INPUT, "no private key in PEM");
		return NULL;
	}
	return make_key(pkey, err);
}

struct signing_key *
signing_key_generate(unsigned bits, struct err *err)
{
	EVP_PKEY *pkey;

	if (bits != 0 && (bits < RSA_BITS_MIN || bits > KEY_BITS_MAX)) {
		err_set(err, ERR_INPUT, "RSA keys have %d to %d bits",
		    RSA_BITS_MIN, KEY_BITS_MAX);
		return NULL;
	}
	pkey = bits == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
			 : EVP_RSA_gen(bits);
	if (pkey == NULL) {
		ERR_clear_error();
		err_set(err, ERR_TEMP, "OpenSSL could not make a key");
		return NULL;
	}
	return make_key(pkey, err);
}

void
signing_key_free(struct signing_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const char *
signing_key_algorithm(const struct signing_key *key)
{
	return key->ed25519 ? "ed25519-sha256" : "rsa-sha256";
}

int
signing_key_record(const struct signing_key *key, struct buf *out)
{
	unsigned char raw[32], *der = NULL;
	struct bytes public = { (const char *)raw, sizeof(raw) };
	int len, rc;

	if (key->ed25519) {
		if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &public.len) !=
		    1)
			return -1;
	} else {
		len = i2d_PUBKEY(key->pkey, &der);
		if (len < 0)
			return -1;
		public.data = (const char *)der;
		public.len = (size_t)len;
	}
	rc = buf_printf(out,
		 "v=DKIM1; k=%s; p=", key->ed25519 ? "ed25519" : "rsa") < 0 ||
		base64_encode(public, out) < 0
	    ? -1
	    : 0;
	OPENSSL_free(der);
	return rc;
}

int
signing_key_pem(const struct signing_key *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	long len;
	int rc = -1;

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
		NULL) == 1 &&
	    (len = BIO_get_mem_data(bio, &data)) > 0)
		rc = buf_append(out, data, (size_t)len);
	BIO_free(bio);
	return rc;
}

static bool
sign_rsa(EVP_PKEY *pkey, const uint8_t *digest, unsigned char *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool done;

	done = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, out, len, digest, digest_len(DIGEST_SHA256)) ==
		1;
	EVP_PKEY_CTX_free(ctx);
	return done;
}

static bool
sign_ed25519(EVP_PKEY *pkey, const uint8_t *digest, unsigned char *out,
    size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done;

	done = ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, out, len, digest, digest_len(DIGEST_SHA256)) ==
		1;
	EVP_MD_CTX_free(ctx);
	return done;
}

int
signing_key_sign(const struct signing_key *key,
    const uint8_t digest[DIGEST_MAX], struct buf *out, struct err *err)
{
	unsigned char signature[KEY_BITS_MAX / 8];
	size_t len = sizeof(signature);
	bool done;

	done = key->ed25519 ? sign_ed25519(key->pkey, digest, signature, &len)
			    : sign_rsa(key->pkey, digest, signature, &len);
	if (!done) {
		ERR_clear_error();
		return err_set(err, ERR_TEMP, "OpenSSL could not sign");
	}
	if (base64_encode((struct bytes){ (const char *)signature, len }, out) <
	    0)
		return err_set(err, ERR_LIMIT, "no room for a signature");
	return 0;
}
