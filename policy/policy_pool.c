/*
 * policy_pool.c - makes and shares merged policies.
 *
 * The table holds no reference of its own: a policy leaves it with its last
 * user.  A policy keeps its parent, so the parent's address in the key
 * stays true for as long as the key is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "policy/policy_pool.h"

struct pooled {
	struct policy policy; /* first: what callers hold points here */
	size_t refs;
	struct pooled *parent; /* NULL: the defaults */
	struct buf key;
};

struct policy_pool {
	pthread_mutex_t lock;
	struct strmap table; /* key -> struct pooled */
	struct pooled *defaults;
};

static struct pooled *
pooled_of(const struct policy *policy)
{
	return (struct pooled *)(uintptr_t)policy;
}

static void
pooled_free(struct pooled *pooled)
{
	option_free_all(policy_options, policy_option_count, &pooled->policy);
	buf_free(&pooled->key);
	free(pooled);
}

struct policy_pool *
policy_pool_new(void)
{
	struct policy_pool *pool = xcalloc(1, sizeof(*pool));

	pthread_mutex_init(&pool->lock, NULL);
	strmap_init(&pool->table);
	pool->defaults = xcalloc(1, sizeof(*pool->defaults));
	pool->defaults->refs = 1;
	option_defaults(policy_options, policy_option_count,
	    &pool->defaults->policy);
	return pool;
}

void
policy_pool_free(struct policy_pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->table.count == 0 && pool->defaults->refs == 1);
	pooled_free(pool->defaults);
	strmap_free(&pool->table);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

const struct policy *
policy_pool_defaults(const struct policy_pool *pool)
{
	return &pool->defaults->policy;
}

/* Parent and settings as bytes.  Texts hold no NUL, so it ends each. */
static void
make_key(const struct pooled *parent, size_t n,
    const struct policy_setting *settings, struct buf *key)
{
	size_t i;

	buf_append(key, &parent, sizeof(parent));
	for (i = 0; i < n; i++) {
		buf_append(key, &settings[i].option, sizeof(struct option *));
		buf_append(key, settings[i].text, strlen(settings[i].text) + 1);
	}
}

static struct pooled *
pooled_new(struct pooled *parent, size_t n,
    const struct policy_setting *settings, struct buf *take_key)
{
	struct pooled *pooled = xcalloc(1, sizeof(*pooled));
	size_t i;
	int rc;

	option_copy_all(policy_options, policy_option_count, &parent->policy,
	    &pooled->policy);
	for (i = 0; i < n; i++) {
		rc = option_set(settings[i].option, &pooled->policy,
		    bytes_of(settings[i].text), NULL);
		assert(rc == 0);
		(void)rc;
	}
	parent->refs++;
	pooled->parent = parent;
	pooled->key = *take_key;
	return pooled;
}

const struct policy *
policy_pool_get(struct policy_pool *pool, const struct policy *parent, size_t n,
    const struct policy_setting *settings)
{
	struct pooled *pooled = pooled_of(parent);
	struct buf key;
	void **slot;

	pthread_mutex_lock(&pool->lock);
	if (n > 0) {
		buf_init(&key, SIZE_MAX / 2);
		make_key(pooled, n, settings, &key);
		slot = strmap_put(&pool->table, buf_bytes(&key));
		if (*slot == NULL)
			*slot = pooled_new(pooled, n, settings, &key);
		else
			buf_free(&key);
		pooled = *slot;
	}
	pooled->refs++;
	pthread_mutex_unlock(&pool->lock);
	return &pooled->policy;
}

void
policy_pool_put(struct policy_pool *pool, const struct policy *policy)
{
	struct pooled *pooled = pooled_of(policy), *parent;

	pthread_mutex_lock(&pool->lock);
	while (pooled != NULL && --pooled->refs == 0) {
		parent = pooled->parent;
		strmap_remove(&pool->table, buf_bytes(&pooled->key));
		pooled_free(pooled);
		pooled = parent;
	}
	pthread_mutex_unlock(&pool->lock);
}
