/*
 * arc_chain.h - the ARC sets of a message, as they stand in its header.
 *
 * RFC 8617 section 4: a set is one ARC-Authentication-Results, one
 * ARC-Message-Signature and one ARC-Seal of the same instance; the chain is
 * the sets 1 to N.  What is read here is the structure; whether it holds is
 * the check's to find out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_ARC_CHAIN_H
#define POLICY_ARC_CHAIN_H

#include "policy/signature.h"

#define ARC_SETS_MAX 50

struct arc_set {
	const struct header_field *results; /* ARC-Authentication-Results */
	struct bytes said;                  /* its value, behind "i=N;" */
	struct signature message;
	struct signature seal;
};

struct arc_chain {
	size_t count;                      /* highest instance that was seen */
	struct arc_set sets[ARC_SETS_MAX]; /* instance 1 is sets[0] */
	/* The newest seal says cv=fail: the chain is closed, and nobody adds
	 * to it (section 5.1.2). */
	bool closed;
};

/* Has the message any ARC field? */
bool arc_chain_is_there(const struct header *header);
/* 0, or -1 with ERR_INPUT: these fields are no chain. */
int arc_chain_read(struct arena *arena, const struct header *header,
    struct arc_chain *chain, struct err *err);

/* What a seal signs (section 5.1.1): the fields of its set and of all sets
 * before it.  Go through the sets from the first to the last. */
struct arc_scope {
	struct digest *digest;
	struct buf text;
};
/* header_bytes: of the whole header, which no scope exceeds. */
void arc_scope_init(struct arc_scope *scope, size_t header_bytes);
void arc_scope_fini(struct arc_scope *scope);
/* The digest for this set's seal; the set then belongs to the scope of
 * those behind it. */
void arc_scope_add(struct arc_scope *scope, const struct arc_set *set,
    uint8_t out[DIGEST_MAX]);

#endif
