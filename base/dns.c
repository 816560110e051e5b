/*
 * dns.c - questions to the DNS that nobody has to wait for: sets.
 *
 * A set is the slots of the questions its owner has asked.  The owner's
 * thread reads slots without a lock; other threads only tell that an
 * answer has come, under the set's mutex.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dns_impl.h"

#define CACHE_MAX_DEFAULT 100000
#define SLOTS_FIRST 16
#define SLOTS_MORE 48 /* (DNS_SET_MAX - 16) / 48 = 8 blocks */

struct dns {
	struct dns_cache *cache;
	struct dns_zone *zone; /* or NULL */
	struct dns_resolver *resolver;
	pthread_condattr_t cond_attr; /* monotonic */
};

/* Slots stay where they are, as questions point to those that wait. */
struct block {
	struct block *next;
	struct dns_slot slots[SLOTS_MORE];
};

struct dns_set {
	struct dns *dns;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	atomic_size_t pending;
	atomic_bool news;
	size_t count;
	struct block *blocks, *last;
	struct dns_slot slots[SLOTS_FIRST];
};

static const struct dns_answer answer_nxdomain = { .status = DNS_NXDOMAIN };
static const struct dns_answer answer_nodata = { .status = DNS_NODATA };
static const struct dns_answer answer_servfail = { .status = DNS_SERVFAIL };
static const struct dns_answer answer_timeout = { .status = DNS_TIMEOUT };

static const char *const status_names[] = {
	[DNS_OK] = "ok",
	[DNS_NODATA] = "nodata",
	[DNS_NXDOMAIN] = "nxdomain",
	[DNS_SERVFAIL] = "servfail",
	[DNS_TIMEOUT] = "timeout",
	[DNS_BOGUS] = "bogus",
};

bool
dns_status_is_failure(enum dns_status status)
{
	return status == DNS_SERVFAIL || status == DNS_TIMEOUT ||
	    status == DNS_BOGUS;
}

const char *
dns_status_name(enum dns_status status)
{
	return status_names[status];
}

/* ---- struct dns ---- */

struct dns *
dns_open(const struct dns_options *options, struct err *err)
{
	struct dns *dns = xcalloc(1, sizeof(*dns));

	pthread_condattr_init(&dns->cond_attr);
	pthread_condattr_setclock(&dns->cond_attr, CLOCK_MONOTONIC);
	dns->cache = dns_cache_new(
	    options->cache_max > 0 ? options->cache_max : CACHE_MAX_DEFAULT);
	if (options->zone_file != NULL) {
		dns->zone = dns_zone_load(options->zone_file, err);
		if (dns->zone == NULL) {
			dns_close(dns);
			return NULL;
		}
	}
	dns->resolver = dns_resolver_start(options, dns->zone, dns->cache, err);
	if (dns->resolver == NULL) {
		dns_close(dns);
		return NULL;
	}
	return dns;
}

void
dns_close(struct dns *dns)
{
	if (dns == NULL)
		return;
	if (dns->resolver != NULL)
		dns_resolver_stop(dns->resolver);
	dns_cache_free(dns->cache);
	dns_zone_free(dns->zone);
	pthread_condattr_destroy(&dns->cond_attr);
	free(dns);
}

void
dns_get_stats(struct dns *dns, struct dns_stats *out)
{
	memset(out, 0, sizeof(*out));
	dns_cache_stats(dns->cache, out);
	dns_resolver_stats(dns->resolver, out);
}

/* ---- sets ---- */

struct dns_set *
dns_set_new(struct dns *dns)
{
	struct dns_set *set = xmalloc(sizeof(*set));

	set->dns = dns;
	pthread_mutex_init(&set->mutex, NULL);
	pthread_cond_init(&set->cond, &dns->cond_attr);
	atomic_init(&set->pending, 0);
	atomic_init(&set->news, false);
	set->count = 0;
	set->blocks = NULL;
	set->last = NULL;
	return set;
}

/* A walk over the slots in use. */
struct walk {
	struct dns_set *set;
	struct block *next;
	struct dns_slot *slots;
	size_t left;   /* of this block */
	size_t unseen; /* behind this block */
};

static struct walk
walk_begin(struct dns_set *set)
{
	size_t first = set->count < SLOTS_FIRST ? set->count : SLOTS_FIRST;

	return (struct walk){ set, set->blocks, set->slots, first,
		set->count - first };
}

static struct dns_slot *
walk_next(struct walk *walk)
{
	if (walk->left == 0) {
		if (walk->unseen == 0)
			return NULL;
		walk->left =
		    walk->unseen < SLOTS_MORE ? walk->unseen : SLOTS_MORE;
		walk->unseen -= walk->left;
		walk->slots = walk->next->slots;
		walk->next = walk->next->next;
	}
	walk->left--;
	return walk->slots++;
}

static struct dns_slot *
slot_new(struct dns_set *set)
{
	size_t n = set->count++;
	struct block *block;

	if (n < SLOTS_FIRST)
		return &set->slots[n];
	n = (n - SLOTS_FIRST) % SLOTS_MORE;
	if (n == 0) {
		block = xmalloc(sizeof(*block));
		block->next = NULL;
		*(set->last != NULL ? &set->last->next : &set->blocks) = block;
		set->last = block;
	}
	return &set->last->slots[n];
}

/* The answer of a slot as its owner may see it. */
static const struct dns_answer *
slot_look(struct dns_slot *slot)
{
	const struct dns_reply *reply;

	if (slot->answer == NULL) {
		reply = atomic_load_explicit(&slot->question->reply,
		    memory_order_acquire);
		if (reply != NULL)
			slot->answer = &reply->answer;
	}
	return slot->answer;
}

/* Called by whoever has the answer, with the shard locked. */
void
dns_slot_answered(struct dns_slot *slot)
{
	struct dns_set *set = slot->set;

	pthread_mutex_lock(&set->mutex);
	atomic_fetch_sub(&set->pending, 1);
	atomic_store(&set->news, true);
	pthread_cond_signal(&set->cond);
	pthread_mutex_unlock(&set->mutex);
}

static void
slot_give_up(struct dns_set *set, struct dns_slot *slot)
{
	if (slot_look(slot) != NULL)
		return;
	if (dns_cache_forget(set->dns->cache, slot)) {
		slot->answer = &answer_timeout;
		atomic_fetch_sub(&set->pending, 1);
	}
	/* Else it was answered just now. */
}

void
dns_set_free(struct dns_set *set)
{
	struct dns_slot *slot;
	struct block *block;
	struct walk walk;

	if (set == NULL)
		return;
	walk = walk_begin(set);
	while ((slot = walk_next(&walk)) != NULL) {
		/* Also when the answer was seen: whoever brought it may not
		 * have let go of this slot yet. */
		if (slot->was_out)
			(void)dns_cache_forget(set->dns->cache, slot);
		dns_question_unref(slot->question);
	}
	while ((block = set->blocks) != NULL) {
		set->blocks = block->next;
		free(block);
	}
	pthread_cond_destroy(&set->cond);
	pthread_mutex_destroy(&set->mutex);
	free(set);
}

static struct dns_slot *
slot_find(struct dns_set *set, const struct dns_wire *name, enum dns_type type,
    uint64_t hash)
{
	struct walk walk = walk_begin(set);
	struct dns_slot *slot;

	while ((slot = walk_next(&walk)) != NULL)
		if (slot->hash == hash && slot->question->type == type &&
		    slot->question->name.len == name->len &&
		    memcmp(slot->question->name.data, name->data, name->len) ==
			0)
			return slot;
	return NULL;
}

static const struct dns_answer *
ask(struct dns_set *set, const struct dns_wire *name, enum dns_type type,
    uint64_t hash)
{
	struct dns_slot *slot = slot_new(set);
	bool is_new;

	slot->set = set;
	slot->hash = hash;
	slot->answer = NULL;
	slot->waiting = false;
	/* Before it can be answered. */
	atomic_fetch_add(&set->pending, 1);
	is_new = dns_cache_ask(set->dns->cache, name, type, hash, slot);
	slot->was_out = slot->answer == NULL;
	if (!slot->was_out)
		atomic_fetch_sub(&set->pending, 1);
	if (is_new)
		dns_resolver_ask(set->dns->resolver, slot->question);
	return slot_look(slot);
}

const struct dns_answer *
dns_ask(struct dns_set *set, const char *name, enum dns_type type)
{
	struct dns_wire wire;
	struct dns_slot *slot;
	uint64_t hash;

	if (dns_wire_from_text(name, &wire) < 0)
		return &answer_nxdomain;
	if (wire.len == 1)
		return &answer_nodata;
	hash = dns_wire_hash(&wire, type);
	slot = slot_find(set, &wire, type, hash);
	if (slot != NULL)
		return slot_look(slot);
	if (set->count == DNS_SET_MAX)
		return &answer_servfail;
	return ask(set, &wire, type, hash);
}

bool
dns_set_has_news(struct dns_set *set)
{
	return atomic_exchange(&set->news, false);
}

size_t
dns_set_pending(const struct dns_set *set)
{
	return atomic_load(&set->pending);
}

/* Until there is news (1), nothing is out (0), or the time is up (-1). */
static int
wait_for_news(struct dns_set *set, int64_t until_ms)
{
	const struct timespec until = clock_mono_timespec(until_ms);
	bool news, nothing_out;
	int rc = 0;

	pthread_mutex_lock(&set->mutex);
	while (!atomic_load(&set->news) && atomic_load(&set->pending) > 0 &&
	    rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&set->cond, &set->mutex, &until);
	/* Both while nobody can answer, or the last news would be missed. */
	news = atomic_exchange(&set->news, false);
	nothing_out = atomic_load(&set->pending) == 0;
	pthread_mutex_unlock(&set->mutex);
	if (news)
		return 1;
	return nothing_out ? 0 : -1;
}

int
dns_set_wait(struct dns_set *set, int64_t until_ms)
{
	struct dns_slot *slot;
	struct walk walk;
	int rc = wait_for_news(set, until_ms);

	if (rc >= 0)
		return rc;
	walk = walk_begin(set);
	while ((slot = walk_next(&walk)) != NULL)
		slot_give_up(set, slot);
	return 1;
}
