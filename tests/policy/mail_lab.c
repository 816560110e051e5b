/*
 * mail_lab.c - signed mail and the scan of it, for tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "mail/message.h"
#include "policy/signature_write.h"
#include "tests/policy/mail_lab.h"

/* ---- keys ---- */

struct lab *
lab_new(void)
{
	struct lab *lab = xcalloc(1, sizeof(*lab));

	lab->arena = arena_new(0);
	lab->dns = fake_dns_new();
	lab->rsa = EVP_RSA_gen(2048);
	lab->rsa_short = EVP_RSA_gen(512);
	lab->ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (lab->rsa == NULL || lab->rsa_short == NULL || lab->ed == NULL)
		abort();
	lab->dkim.rules = signature_rules_default;
	lab->dkim.tries_max = AUTH_DKIM_TRIES_MAX;
	lab_envelope(lab, "", "", "");
	return lab;
}

void
lab_envelope(struct lab *lab, const char *ip, const char *helo,
    const char *sender)
{
	struct envelope *envelope = &lab->envelope;

	memset(envelope, 0, sizeof(*envelope));
	envelope->id = "01JXXXXXXXXXXXXXXXXXXXXXXX";
	envelope->queue_id = "";
	envelope->client.hostname = "";
	envelope->client.helo = helo;
	envelope->client.auth = "";
	envelope->client.tls = "";
	envelope->client.daemon = "";
	envelope->sender_params = "";
	envelope->received_ms = clock_wall_ms();
	if ((*ip != '\0' && ip_parse(bytes_of(ip), &envelope->client.ip) < 0) ||
	    address_parse(lab->arena, bytes_of(sender), &envelope->sender,
		NULL) < 0)
		abort();
}

static void
lab_end_scan(struct lab *lab)
{
	scan_fini(lab->scan);
	lab->scan = NULL;
	if (lab->message != NULL)
		message_fini(lab->message);
	lab->message = NULL;
}

void
lab_free(struct lab *lab)
{
	lab_end_scan(lab);
	EVP_PKEY_free(lab->rsa);
	EVP_PKEY_free(lab->rsa_short);
	EVP_PKEY_free(lab->ed);
	dns_close(lab->dns);
	arena_free(lab->arena);
	free(lab);
}

void
lab_forget_zone(struct lab *lab)
{
	lab_end_scan(lab);
	dns_close(lab->dns);
	lab->dns = fake_dns_new();
}

static const char *
base64_of(struct lab *lab, const void *data, size_t len)
{
	struct buf buf;
	const char *text;

	buf_init(&buf, len * 2 + 4);
	if (base64_encode((struct bytes){ data, len }, &buf) < 0)
		abort();
	text = arena_strdup(lab->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

const char *
lab_public(struct lab *lab, EVP_PKEY *key)
{
	unsigned char raw[32], *der = NULL;
	size_t raw_len = sizeof(raw);
	const char *text;
	int len;

	if (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) == 1)
		return base64_of(lab, raw, raw_len);
	len = i2d_PUBKEY(key, &der);
	if (len <= 0)
		abort();
	text = base64_of(lab, der, (size_t)len);
	OPENSSL_free(der);
	return text;
}

void
lab_publish(struct lab *lab, const char *name, const char *tags, EVP_PKEY *key)
{
	struct bytes record =
	    lab_text(lab, "%s p=%s", tags, lab_public(lab, key));

	fake_dns_add(lab->dns, name, DNS_TXT, record);
}

/* ---- text ---- */

struct bytes
lab_text(struct lab *lab, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(lab->arena, fmt, ap);
	va_end(ap);
	return bytes_of(text);
}

struct bytes
lab_replace(struct lab *lab, struct bytes text, struct bytes old,
    struct bytes new)
{
	const char *p = text.data, *end = p + text.len, *hit;
	struct bytes out;
	struct buf buf;

	buf_init(&buf, SIZE_MAX / 2);
	while (
	    (hit = memmem(p, (size_t)(end - p), old.data, old.len)) != NULL) {
		buf_append(&buf, p, (size_t)(hit - p));
		buf_append_bytes(&buf, new);
		p = hit + old.len;
	}
	buf_append(&buf, p, (size_t)(end - p));
	out.data = arena_memdup(lab->arena, buf_str(&buf), buf.len);
	out.len = buf.len;
	buf_free(&buf);
	return out;
}

struct bytes
lab_join(struct lab *lab, struct bytes a, struct bytes b)
{
	char *out = arena_alloc(lab->arena, a.len + b.len + 1);

	memcpy(out, a.data, a.len);
	memcpy(out + a.len, b.data, b.len);
	out[a.len + b.len] = '\0';
	return (struct bytes){ out, a.len + b.len };
}

/* ---- signing ---- */

static struct message *
read_message(struct lab *lab, struct bytes raw)
{
	static const struct message_limits limits = { 1 << 20, 2000, 1 << 20,
		"/tmp" };
	struct message *message = message_new(lab->arena, &limits);

	/* What is no message at all is one without header and body. */
	(void)message_read(message, raw, NULL);
	return message;
}

static int
add_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	body_hash_add(context, piece);
	return 0;
}

static const char *
body_hash_text(struct lab *lab, struct message *message,
    const struct signature *sig)
{
	struct body_hash *hash = body_hash_new(lab->arena);
	const struct body_digest *digest =
	    body_hash_want(hash, sig->body_canon, sig->digest, sig->length);
	const char *text;

	if (spool_each(message->body, add_piece, hash, NULL) < 0)
		abort();
	body_hash_end(hash);
	text = base64_of(lab, digest->value, digest_len(sig->digest));
	body_hash_free(hash);
	return text;
}

static const char *
signature_text(struct lab *lab, const struct signature *sig,
    const uint8_t *digest, EVP_PKEY *key)
{
	unsigned char signature[512];
	size_t len = sizeof(signature);
	bool done;

	if (sig->key_type == KEY_ED25519) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		done = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestSign(ctx, signature, &len, digest,
			digest_len(sig->digest)) == 1;
		EVP_MD_CTX_free(ctx);
	} else {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

		done = EVP_PKEY_sign_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_signature_md(ctx,
			sig->digest == DIGEST_SHA1 ? EVP_sha1()
						   : EVP_sha256()) == 1 &&
		    EVP_PKEY_sign(ctx, signature, &len, digest,
			digest_len(sig->digest)) == 1;
		EVP_PKEY_CTX_free(ctx);
	}
	if (!done)
		abort();
	return base64_of(lab, signature, len);
}

struct bytes
lab_sign_as(struct lab *lab, const char *field, struct bytes raw,
    const char *tags, EVP_PKEY *key)
{
	enum signature_kind kind =
	    strcmp(field, "DKIM-Signature") == 0 ? SIG_DKIM : SIG_ARC_MESSAGE;
	const char *bh = strstr(tags, "bh=") != NULL ? "" : "; bh=AAAA";
	uint8_t digest[DIGEST_MAX];
	struct message *message;
	struct signature sig;
	struct bytes whole;
	int round;

	/* Once to know what the body's hash is, once with it. */
	for (round = 0; round < 2; round++) {
		whole = lab_join(lab,
		    lab_text(lab, "%s: %s%s; b=AAAA\r\n", field, tags, bh),
		    raw);
		message = read_message(lab, whole);
		/* What cannot be read cannot be signed either: the test
		 * wants it as it is. */
		if (signature_read(lab->arena, kind, &message->header.fields[0],
			&sig, NULL) < 0) {
			message_fini(message);
			return whole;
		}
		if (round == 0 && *bh != '\0')
			bh = lab_text(lab, "; bh=%s",
			    body_hash_text(lab, message, &sig))
				 .data;
		signature_header_digest(lab->arena, &sig, &message->header,
		    digest);
		message_fini(message);
	}
	return lab_join(lab,
	    lab_text(lab, "%s: %s%s; b=%s\r\n", field, tags, bh,
		signature_text(lab, &sig, digest, key)),
	    raw);
}

struct bytes
lab_sign(struct lab *lab, struct bytes raw, const char *tags, EVP_PKEY *key)
{
	return lab_sign_as(lab, "DKIM-Signature", raw, tags, key);
}

/* ---- scanning ---- */

struct feed {
	struct scan *scan;
	size_t piece;
};

static int
feed_body(void *context, struct bytes bytes, struct err *err)
{
	const struct feed *feed = context;
	struct bytes part;

	(void)err;
	while (bytes.len > 0) {
		part = bytes;
		if (part.len > feed->piece)
			part.len = feed->piece;
		scan_body(feed->scan, part);
		bytes.data += part.len;
		bytes.len -= part.len;
	}
	return 0;
}

const struct auth *
lab_scan(struct lab *lab, struct bytes raw, size_t piece)
{
	struct feed feed = { NULL, piece };

	lab_end_scan(lab);
	lab->message = read_message(lab, raw);
	lab->scan = feed.scan = scan_new(lab->arena, lab->dns, &lab->envelope,
	    NULL, "mx.example.org");
	auth_dkim_set(lab->scan, &lab->dkim);
	scan_reach(lab->scan, SCAN_MAIL);
	lab->scan->message = lab->message;
	scan_reach(lab->scan, SCAN_HEADERS);
	lab->body = signature_want_body(body_hash_of(lab->scan));
	if (spool_each(lab->message->body, feed_body, &feed, NULL) < 0)
		abort();
	scan_reach(lab->scan, SCAN_END);
	scan_finish(lab->scan, INT64_MAX);
	return &lab->scan->auth;
}
