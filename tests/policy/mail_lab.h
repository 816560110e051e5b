/*
 * mail_lab.h - signed mail and the scan of it, for tests.
 *
 * Keys are made at run time, DNS is fake_dns.  With tests/policy/said_spf.c
 * linked in, SPF says what the test tells it to (lab->spf).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_POLICY_MAIL_LAB_H
#define TESTS_POLICY_MAIL_LAB_H

#include <openssl/evp.h>

#include "policy/auth_dkim.h"
#include "policy/scan.h"
#include "tests/policy/fake_dns.h"

struct lab {
	struct arena *arena;
	struct dns *dns;
	EVP_PKEY *rsa, *rsa_short, *ed; /* 2048, 512 bits, Ed25519 */
	/* of the next scan */
	struct auth_dkim_options dkim;
	struct envelope envelope; /* no client, the null sender at first */
	struct auth_spf spf;      /* with said_spf.c */
	/* of the last scan */
	struct message *message;
	struct scan *scan;
	const struct body_digest *body; /* as our own signatures want it */
};

struct lab *lab_new(void);
void lab_free(struct lab *lab);

/* From ADDRESS ("" null), by the client with that address and HELO name. */
void lab_envelope(struct lab *lab, const char *ip, const char *helo,
    const char *sender);
/* An empty zone, for what is scanned from now on. */
void lab_forget_zone(struct lab *lab);

/* The value of p= in a key record. */
const char *lab_public(struct lab *lab, EVP_PKEY *key);
/* "NAME._domainkey.DOMAIN" with the tags and the key. */
void lab_publish(struct lab *lab, const char *name, const char *tags,
    EVP_PKEY *key);

/*
 * Puts a signature on top of a message.  tags are all but bh= and b=, which
 * are computed; bh= may be given to have it as it is.  field names the
 * header field.
 */
struct bytes lab_sign_as(struct lab *lab, const char *field,
    struct bytes message, const char *tags, EVP_PKEY *key);
struct bytes lab_sign(struct lab *lab, struct bytes message, const char *tags,
    EVP_PKEY *key);

/* Scans a raw message (CRLF) in body pieces of that size; the results are
 * valid until the next one. */
const struct auth *lab_scan(struct lab *lab, struct bytes raw, size_t piece);

/* Formatted, in the lab's arena. */
struct bytes lab_text(struct lab *lab, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* One behind the other. */
struct bytes lab_join(struct lab *lab, struct bytes a, struct bytes b);
/* With every old replaced. */
struct bytes lab_replace(struct lab *lab, struct bytes text, struct bytes old,
    struct bytes new);

#endif
