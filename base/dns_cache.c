/*
 * dns_cache.c - questions and their answers, by name and type.
 *
 * A question is in the table from the moment it is first asked, so that
 * whoever asks the same meanwhile waits for the same answer.  Answered ones
 * stay for their TTL, at most `max` of them and at most a kilobyte each on
 * average; the one that was used longest ago goes first.  The table is cut
 * into shards with a mutex each, held for some tens of nanoseconds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dns_impl.h"

#define SHARDS 64u /* a power of 2 */
#define CACHE_LINE 64
#define OCTETS_PER_ANSWER 1024
#define CHAIN_LENGTH 2 /* average when a shard is full */

LIST_HEAD(chain, dns_question);

struct shard {
	_Alignas(CACHE_LINE) pthread_mutex_t mutex;
	struct chain *chains;
	size_t chain_mask;
	TAILQ_HEAD(lru_head, dns_question)
	lru; /* answered ones, newest first */
	size_t count, count_max;
	size_t octets, octets_max;
	uint64_t asked, hits;
};

struct dns_cache {
	struct shard shards[SHARDS];
};

/* ---- questions ---- */

struct dns_question *
dns_question_new(const struct dns_wire *name, enum dns_type type, uint64_t hash)
{
	struct dns_question *question =
	    xcalloc(1, offsetof(struct dns_question, name.data) + name->len);

	question->hash = hash;
	question->type = type;
	question->asked_ms = clock_mono_ms();
	dns_wire_copy(&question->name, name);
	atomic_init(&question->refs, 1);
	atomic_init(&question->reply, NULL);
	LIST_INIT(&question->waiters);
	return question;
}

static void
question_ref(struct dns_question *question)
{
	atomic_fetch_add_explicit(&question->refs, 1, memory_order_relaxed);
}

void
dns_question_unref(struct dns_question *question)
{
	if (atomic_fetch_sub_explicit(&question->refs, 1,
		memory_order_acq_rel) != 1)
		return;
	dns_reply_unref(atomic_load(&question->reply));
	dns_reply_unref(question->delayed);
	free(question);
}

static size_t
question_size(const struct dns_question *question,
    const struct dns_reply *reply)
{
	return sizeof(*question) + reply->size;
}

/* ---- a shard ---- */

static struct shard *
shard_of(struct dns_cache *cache, uint64_t hash)
{
	return &cache->shards[hash & (SHARDS - 1)];
}

static struct chain *
chain_of(struct shard *shard, uint64_t hash)
{
	return &shard->chains[(hash / SHARDS) & shard->chain_mask];
}

static struct dns_question *
shard_find(struct shard *shard, uint64_t hash, const struct dns_wire *name,
    enum dns_type type)
{
	struct dns_question *question;

	LIST_FOREACH(question, chain_of(shard, hash), chain)
	if (question->hash == hash && question->type == type &&
	    dns_wire_equal(&question->name, name))
		return question;
	return NULL;
}

/* The table's reference is the caller's. */
static void
shard_insert(struct shard *shard, struct dns_question *question)
{
	LIST_INSERT_HEAD(chain_of(shard, question->hash), question, chain);
	question->in_cache = true;
}

static void
shard_remove(struct shard *shard, struct dns_question *question)
{
	struct dns_reply *reply = atomic_load(&question->reply);

	LIST_REMOVE(question, chain);
	question->in_cache = false;
	if (reply != NULL) {
		TAILQ_REMOVE(&shard->lru, question, lru);
		shard->count--;
		shard->octets -= question_size(question, reply);
	}
	dns_question_unref(question);
}

/* An answered question takes its place; others make room for it. */
static void
shard_keep(struct shard *shard, struct dns_question *question,
    const struct dns_reply *reply)
{
	struct dns_question *oldest;

	TAILQ_INSERT_HEAD(&shard->lru, question, lru);
	question->expires_ms = clock_mono_ms() + (int64_t)reply->ttl_s * 1000;
	shard->count++;
	shard->octets += question_size(question, reply);
	while (shard->count > shard->count_max ||
	    shard->octets > shard->octets_max) {
		oldest = TAILQ_LAST(&shard->lru, lru_head);
		shard_remove(shard, oldest);
		/* One that does not fit even alone is the last to go. */
		if (oldest == question)
			return;
	}
}

static void
shard_init(struct shard *shard, size_t max)
{
	size_t chains = 1;

	while (chains * CHAIN_LENGTH < max)
		chains *= 2;
	pthread_mutex_init(&shard->mutex, NULL);
	shard->chains = xcalloc(chains, sizeof(shard->chains[0]));
	shard->chain_mask = chains - 1;
	TAILQ_INIT(&shard->lru);
	shard->count_max = max;
	shard->octets_max = max * OCTETS_PER_ANSWER;
}

static void
shard_fini(struct shard *shard)
{
	struct dns_question *question;
	size_t i;

	for (i = 0; i <= shard->chain_mask; i++)
		while ((question = LIST_FIRST(&shard->chains[i])) != NULL)
			shard_remove(shard, question);
	free(shard->chains);
	pthread_mutex_destroy(&shard->mutex);
}

/* ---- the cache ---- */

struct dns_cache *
dns_cache_new(size_t max)
{
	struct dns_cache *cache;
	size_t i;

	cache = aligned_alloc(CACHE_LINE, sizeof(*cache));
	if (cache == NULL)
		abort();
	memset(cache, 0, sizeof(*cache));
	for (i = 0; i < SHARDS; i++)
		shard_init(&cache->shards[i], max / SHARDS + 1);
	return cache;
}

void
dns_cache_free(struct dns_cache *cache)
{
	size_t i;

	for (i = 0; i < SHARDS; i++)
		shard_fini(&cache->shards[i]);
	free(cache);
}

static void
slot_wait(struct dns_question *question, struct dns_slot *slot)
{
	LIST_INSERT_HEAD(&question->waiters, slot, waiter);
	slot->waiting = true;
}

bool
dns_cache_ask(struct dns_cache *cache, const struct dns_wire *name,
    enum dns_type type, uint64_t hash, struct dns_slot *slot)
{
	struct shard *shard = shard_of(cache, hash);
	struct dns_question *question;
	struct dns_reply *reply = NULL;
	bool is_new = false;

	pthread_mutex_lock(&shard->mutex);
	shard->asked++;
	question = shard_find(shard, hash, name, type);
	if (question != NULL) {
		reply = atomic_load_explicit(&question->reply,
		    memory_order_acquire);
		if (reply != NULL && question->expires_ms <= clock_mono_ms()) {
			shard_remove(shard, question);
			question = NULL;
			reply = NULL;
		}
	}
	if (question == NULL) {
		question = dns_question_new(name, type, hash);
		shard_insert(shard, question);
		is_new = true;
	} else if (reply != NULL) {
		shard->hits++;
		TAILQ_REMOVE(&shard->lru, question, lru);
		TAILQ_INSERT_HEAD(&shard->lru, question, lru);
	}
	question_ref(question);
	slot->question = question;
	if (reply != NULL)
		slot->answer = &reply->answer;
	else
		slot_wait(question, slot);
	if (is_new)
		question_ref(question); /* the caller's, for the resolver */
	pthread_mutex_unlock(&shard->mutex);
	return is_new;
}

/* The first reply of a question, to which the caller has a reference: it is
 * kept, and who waits is told. */
static void
answer_first(struct shard *shard, struct dns_question *question,
    struct dns_reply *take_reply)
{
	struct dns_slot *slot;

	/* A TTL of 0 is good for those who wait, and for nobody after. */
	if (question->in_cache && take_reply->ttl_s == 0)
		shard_remove(shard, question);
	atomic_store_explicit(&question->reply, take_reply,
	    memory_order_release);
	while ((slot = LIST_FIRST(&question->waiters)) != NULL) {
		LIST_REMOVE(slot, waiter);
		slot->waiting = false;
		dns_slot_answered(slot);
	}
	if (question->in_cache)
		shard_keep(shard, question, take_reply);
}

/*
 * A reply that came after the deadline: to those who have asked again, or
 * into the place of the failure that is remembered.
 */
static void
answer_late(struct shard *shard, const struct dns_question *question,
    struct dns_reply *take_reply)
{
	struct dns_question *there =
	    shard_find(shard, question->hash, &question->name, question->type);
	struct dns_reply *reply;

	if (there != NULL) {
		reply = atomic_load(&there->reply);
		if (reply == NULL) {
			answer_first(shard, there, take_reply);
			return;
		}
		if (!dns_status_is_failure(reply->answer.status)) {
			dns_reply_unref(take_reply);
			return;
		}
		shard_remove(shard, there);
	}
	there =
	    dns_question_new(&question->name, question->type, question->hash);
	/* Ours: the table's own may be gone before answer_first is done,
	 * with a TTL of 0 or where there is no room. */
	question_ref(there);
	shard_insert(shard, there);
	answer_first(shard, there, take_reply);
	dns_question_unref(there);
}

void
dns_cache_answer(struct dns_cache *cache, struct dns_question *question,
    struct dns_reply *take_reply)
{
	struct shard *shard = shard_of(cache, question->hash);

	pthread_mutex_lock(&shard->mutex);
	if (atomic_load(&question->reply) == NULL)
		answer_first(shard, question, take_reply);
	else if (dns_status_is_failure(take_reply->answer.status))
		dns_reply_unref(take_reply);
	else
		answer_late(shard, question, take_reply);
	pthread_mutex_unlock(&shard->mutex);
}

bool
dns_cache_forget(struct dns_cache *cache, struct dns_slot *slot)
{
	struct shard *shard = shard_of(cache, slot->question->hash);
	bool was_waiting;

	pthread_mutex_lock(&shard->mutex);
	was_waiting = slot->waiting;
	if (was_waiting) {
		LIST_REMOVE(slot, waiter);
		slot->waiting = false;
	}
	pthread_mutex_unlock(&shard->mutex);
	return was_waiting;
}

void
dns_cache_stats(struct dns_cache *cache, struct dns_stats *stats)
{
	size_t i;

	for (i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		stats->asked += shard->asked;
		stats->cache_hits += shard->hits;
		stats->cached += shard->count;
		pthread_mutex_unlock(&shard->mutex);
	}
}
