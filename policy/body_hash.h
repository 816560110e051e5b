/*
 * body_hash.h - digests of the body, each made once for all who want it.
 *
 * Signatures of one message mostly want the same digest of the body, and
 * DKIM and ARC want the same ones.  Whoever needs one says so before the
 * body comes; the body is then brought into each canonical form once and
 * hashed once by each algorithm, however many lengths (l=) are asked for.
 *
 * In a scan it is the check `body`, to be found by body_hash_of.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_BODY_HASH_H
#define POLICY_BODY_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "policy/canon.h"
#include "policy/digest.h"

struct body_hash;
struct scan;

#define BODY_WHOLE UINT64_MAX

/* One digest; the last three are valid after body_hash_end. */
struct body_digest {
	uint64_t limit; /* canonical octets that count, or BODY_WHOLE */
	bool reached;   /* the body is not shorter than limit */
	uint64_t total; /* canonical octets of the whole body */
	uint8_t value[DIGEST_MAX];
};

/* Lives in the arena, but for body_hash_free. */
struct body_hash *body_hash_new(struct arena *arena);
void body_hash_free(struct body_hash *hash);

/* Before the first piece of the body; the same question has the same
 * answer. */
const struct body_digest *body_hash_want(struct body_hash *hash,
    enum canon canon, enum digest_algorithm algorithm, uint64_t limit);
void body_hash_add(struct body_hash *hash, struct bytes piece);
void body_hash_end(struct body_hash *hash);

/* That of a scan; made when it is first asked for. */
struct body_hash *body_hash_of(struct scan *scan);

#endif
