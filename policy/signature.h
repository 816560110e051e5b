/*
 * signature.h - one signature field: DKIM-Signature, ARC-Message-Signature or
 * ARC-Seal.
 *
 * RFC 6376 section 3.5 and RFC 8617 section 4.1: the three share their tags
 * and their arithmetic, so that DKIM and ARC read and prove them here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SIGNATURE_H
#define POLICY_SIGNATURE_H

#include "base/dns.h"
#include "policy/auth.h"
#include "policy/body_hash.h"
#include "policy/canon.h"
#include "policy/key_record.h"

enum signature_kind {
	SIG_DKIM,
	SIG_ARC_MESSAGE,
	SIG_ARC_SEAL,
};

/* Names in h= beyond this make the signature unreadable. */
#define SIGNATURE_NAMES_MAX 1000
/* The problem of a signature whose body is another one. */
#define BODY_HASH_PROBLEM "body hash did not verify"
/* Key records of one name that are tried. */
#define SIGNATURE_KEYS_MAX 4

/* Views and strings live as long as the header and the arena. */
struct signature {
	enum signature_kind kind;
	const struct header_field *field;
	const char *algorithm; /* a= as given; NULL: not readable */
	enum key_type key_type;
	enum digest_algorithm digest;
	enum canon header_canon, body_canon;
	const char *domain;   /* d= */
	const char *selector; /* s= */
	const char *identity; /* i=, decoded when ASCII; NULL: none */
	const char *identity_domain;
	struct bytes names; /* h= */
	struct bytes b, bh; /* decoded */
	struct bytes cut;   /* what is taken out of the field for its digest */
	char b_prefix[16];
	uint64_t length;    /* l=, BODY_WHOLE: none */
	int64_t signed_s;   /* t=, 0: none */
	int64_t expires_s;  /* x=, 0: none */
	unsigned instance;  /* i= of ARC */
	struct bytes chain; /* cv= */
};

/*
 * Read a field.  -1 with ERR_INPUT when it breaks the rules or asks for
 * what does not exist; what could be read is in *sig all the same, for
 * reports.
 */
int signature_read(struct arena *arena, enum signature_kind kind,
    const struct header_field *field, struct signature *sig, struct err *err);

/* What seems to be d= of a field, for who wants to ask the DNS ahead; NULL:
 * not readable.  No more than a guess: the field is not checked. */
const char *signature_domain(struct arena *arena,
    const struct header_field *field);

/* selector._domainkey.domain */
const char *signature_key_name(struct arena *arena,
    const struct signature *sig);

/* The digest of the fields named in h= and of the signature's own field
 * (RFC 6376 section 3.7).  Not for a seal. */
void signature_header_digest(struct arena *arena, const struct signature *sig,
    const struct header *header, uint8_t out[DIGEST_MAX]);

/*
 * Why a signature that holds does not speak for all that a reader sees, or
 * NULL when it does: From is not signed; the body goes on behind l=; or there
 * are more fields than h= names of a kind that a message has once at most
 * (RFC 5322 section 3.6), and a mail reader may well show the one that was
 * added.  body: as it was ordered for this signature.
 */
const char *signature_distrust(struct arena *arena, const struct signature *sig,
    const struct header *header, const struct body_digest *body);

/* What a verifier accepts, RFC 8301 unless told otherwise; and the keys that
 * it knows. */
struct signature_rules {
	bool sha1;
	unsigned rsa_bits_min;
	struct key_cache *keys; /* or NULL */
};
extern const struct signature_rules signature_rules_default;

/* What came of a signature. */
struct signature_proof {
	enum auth_result result;
	const char *problem; /* NULL when it passed */
	unsigned key_bits;   /* 0: no key was found */
	bool testing;        /* t=y in the key */
};

/*
 * Does the signature hold?  answer: of its key's name; header: its digest;
 * body: NULL for a seal.
 */
void signature_prove(struct arena *arena, const struct signature *sig,
    const struct signature_rules *rules, const struct dns_answer *answer,
    const uint8_t *header, const struct body_digest *body,
    struct signature_proof *proof);

#endif
