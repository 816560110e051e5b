/*
 * policy_pool.h - makes and shares merged policies.
 *
 * A policy is its parent (the next level up) with some options set.  The
 * same options over the same parent are the same object, so that equal
 * policies can be told by their pointers.  Safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_POLICY_POOL_H
#define POLICY_POLICY_POOL_H

#include "policy/policy.h"

/* An option that a level sets; text is valid for it. */
struct policy_setting {
	const struct option *option;
	const char *text;
};

struct policy_pool;

struct policy_pool *policy_pool_new(void);
/* All policies of the pool have been put back. */
void policy_pool_free(struct policy_pool *pool);

/* All defaults; lives as long as the pool. */
const struct policy *policy_pool_defaults(const struct policy_pool *pool);

/* A reference to parent with n settings over it, in the order of the
 * option table; parent itself when n is 0. */
const struct policy *policy_pool_get(struct policy_pool *pool,
    const struct policy *parent, size_t n,
    const struct policy_setting *settings);
void policy_pool_put(struct policy_pool *pool, const struct policy *policy);

#endif
