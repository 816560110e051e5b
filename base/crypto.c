/*
 * crypto.c - hashes and keyed hashes, by OpenSSL.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/str.h"

static const char alphabet_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct sha256 {
	EVP_MD_CTX *ctx;
};

static void
must(bool done)
{
	if (!done)
		abort();
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *hash = xmalloc(sizeof(*hash));

	hash->ctx = EVP_MD_CTX_new();
	must(hash->ctx != NULL &&
	    EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) == 1);
	return hash;
}

void
sha256_update(struct sha256 *hash, const void *data, size_t len)
{
	must(EVP_DigestUpdate(hash->ctx, data, len) == 1);
}

void
sha256_final(struct sha256 *hash, uint8_t out[SHA256_LEN])
{
	must(EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1);
}

void
sha256_free(struct sha256 *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->ctx);
	free(hash);
}

static void
length_prefix(size_t len, uint8_t out[8])
{
	uint64_t n = len;
	unsigned i;

	for (i = 8; i-- > 0; n >>= 8)
		out[i] = (uint8_t)(n & 0xff);
}

void
hmac_sha256(struct bytes key, const struct bytes *parts, size_t n,
    uint8_t out[SHA256_LEN])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint8_t prefix[8];
	size_t i, len;

	must(mac != NULL && ctx != NULL);
	must(EVP_MAC_init(ctx, (const uint8_t *)(key.len > 0 ? key.data : ""),
		 key.len, params) == 1);
	for (i = 0; i < n; i++) {
		length_prefix(parts[i].len, prefix);
		must(EVP_MAC_update(ctx, prefix, sizeof(prefix)) == 1);
		must(parts[i].len == 0 ||
		    EVP_MAC_update(ctx, (const uint8_t *)parts[i].data,
			parts[i].len) == 1);
	}
	must(EVP_MAC_final(ctx, out, &len, SHA256_LEN) == 1 &&
	    len == SHA256_LEN);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
secret_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

void
random_bytes(void *out, size_t len)
{
	uint8_t *p = out;
	ssize_t got;

	while (len > 0) {
		got = getrandom(p, len, 0);
		if (got < 0) {
			must(errno == EINTR);
			continue;
		}
		p += got;
		len -= (size_t)got;
	}
}

static int
give_up(struct buf *out, size_t before)
{
	if (out->data != NULL) {
		out->len = before;
		out->data[before] = '\0';
	}
	return -1;
}

static int
encode(struct bytes in, const char *alphabet, bool padded, struct buf *out)
{
	const uint8_t *p = (const uint8_t *)in.data;
	size_t before = out->len, i;
	char four[4];

	for (i = 0; i < in.len; i += 3) {
		size_t have = in.len - i < 3 ? in.len - i : 3;
		uint32_t n = (uint32_t)p[i] << 16;

		if (have > 1)
			n |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			n |= p[i + 2];
		four[0] = alphabet[n >> 18];
		four[1] = alphabet[(n >> 12) & 63];
		four[2] = have > 1 ? alphabet[(n >> 6) & 63] : '=';
		four[3] = have > 2 ? alphabet[n & 63] : '=';
		if (buf_append(out, four, padded ? 4 : have + 1) < 0)
			return give_up(out, before);
	}
	return 0;
}

int
base64_encode(struct bytes in, struct buf *out)
{
	return encode(in, alphabet_plain, true, out);
}

int
base64url_encode(struct bytes in, struct buf *out)
{
	return encode(in, alphabet_url, false, out);
}

static int
digit_value(char c, char c62, char c63)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == c62)
		return 62;
	return c == c63 ? 63 : -1;
}

int
base64_digit(char c)
{
	return digit_value(c, '+', '/');
}

/* Four digits are three octets. */
struct decoder {
	struct buf *out;
	uint32_t bits; /* of the group so far */
	size_t digits; /* all */
};

/* The octets of a group of that many digits. */
static int
decoder_group(const struct decoder *d, size_t digits)
{
	uint32_t bits = d->bits << (4 - digits) * 6;
	const char octets[3] = { (char)(bits >> 16), (char)(bits >> 8),
		(char)bits };

	return buf_append(d->out, octets, digits - 1);
}

static int
decoder_digit(struct decoder *d, int value)
{
	d->bits = (d->bits << 6) | (uint32_t)value;
	return ++d->digits % 4 == 0 ? decoder_group(d, 4) : 0;
}

/* The last group may be short, but one digit is no octet. */
static int
decoder_end(const struct decoder *d)
{
	size_t digits = d->digits % 4;

	if (digits == 0)
		return 0;
	return digits > 1 ? decoder_group(d, digits) : -1;
}

/* The bits of the last digit that belong to no octet. */
static uint32_t
decoder_rest(const struct decoder *d)
{
	static const uint32_t masks[] = { 0, 0x3f, 0x0f, 0x03 };

	return d->bits & masks[d->digits % 4];
}

static int
decode_plain(struct bytes in, struct decoder *d)
{
	size_t i, padding = 0;

	for (i = 0; i < in.len; i++) {
		int value = base64_digit(in.data[i]);

		if (value >= 0) {
			if (padding > 0 || decoder_digit(d, value) < 0)
				return -1;
		} else if (in.data[i] == '=') {
			padding++;
		} else if (!ascii_is_space(in.data[i])) {
			return -1;
		}
	}
	if (padding != 0 && padding != (4 - d->digits % 4) % 4)
		return -1;
	return decoder_end(d);
}

static int
decode_url(struct bytes in, struct decoder *d)
{
	size_t i;

	for (i = 0; i < in.len; i++) {
		int value = digit_value(in.data[i], '-', '_');

		if (value < 0 || decoder_digit(d, value) < 0)
			return -1;
	}
	return decoder_rest(d) == 0 ? decoder_end(d) : -1;
}

static int
decode(struct bytes in, int (*how)(struct bytes, struct decoder *),
    struct buf *out)
{
	struct decoder d = { .out = out };
	size_t before = out->len;

	return how(in, &d) == 0 ? 0 : give_up(out, before);
}

int
base64_decode(struct bytes in, struct buf *out)
{
	return decode(in, decode_plain, out);
}

int
base64url_decode(struct bytes in, struct buf *out)
{
	return decode(in, decode_url, out);
}
