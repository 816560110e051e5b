/*
 * signature_write.h - signature fields of our own: DKIM-Signature,
 * ARC-Message-Signature, ARC-Seal.
 *
 * A field is written twice: with b= empty, which is what gets signed, and
 * with b= in its place.  b= has lines of its own, so that the rest of the
 * field is the same both times.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SIGNATURE_WRITE_H
#define POLICY_SIGNATURE_WRITE_H

#include "mail/header.h"
#include "policy/body_hash.h"
#include "policy/signature.h"
#include "policy/signing_key.h"

/* The body as our own signatures sign it: whole, relaxed, SHA-256.  Ask for
 * it before the body comes. */
const struct body_digest *signature_want_body(struct body_hash *hash);

/* What a DKIM-Signature or an ARC-Message-Signature is to say. */
struct signature_draft {
	struct arena *arena;
	enum signature_kind kind;
	const struct signing_key *key;
	const char *domain, *selector;
	const struct header *header; /* as it will leave */
	const struct body_digest *body;
	/* fields to sign, each as often as it is there; NULL at the end */
	const char *const *names;
	/* fields to sign once more than they are there, so that none can be
	 * added; NULL: none */
	const char *const *oversigned;
	unsigned instance; /* i= of ARC */
	int64_t now_s;
	size_t line_max; /* octets before a line is folded, 0: 72 */
};

/* The value, with its leading space, folded by CRLF and space; NULL with
 * *err. */
const char *signature_write(const struct signature_draft *draft,
    struct err *err);

/* ---- for the seal, which is like no other ---- */

struct field_writer {
	struct buf buf;
	size_t line_max; /* octets, without the space that begins a line */
	size_t column;
};

void field_writer_init(struct field_writer *w, size_t max, size_t line_max);
/* A token, on the next line when this one is too short for it. */
void field_put(struct field_writer *w, const char *token);
/* "a=...;" and "b=...;". */
void field_put_signature(struct field_writer *w, struct arena *arena,
    const struct signing_key *key, const char *b);
/* The text, in the arena; the writer is empty then.  NULL: it was full. */
const char *field_writer_text(struct field_writer *w, struct arena *arena);

/* "Name:value\r\n" as a field. */
struct header_field field_make(struct arena *arena, const char *name,
    const char *value);
/* Where the empty b= of a field that was written without it has its
 * value. */
struct bytes field_empty_b(const struct header_field *field);
/* Base64 of the signature over a digest; NULL with *err. */
const char *signature_sign(struct arena *arena, const struct signing_key *key,
    const uint8_t *digest, struct err *err);

#endif
