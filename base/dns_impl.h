/*
 * dns_impl.h - what the files of base/dns share; nobody else includes it.
 *
 *	dns.c           sets, and questions asked at once going out once
 *	dns_cache.c     questions and their answers, by name and type
 *	dns_name.c      names: text to wire and back
 *	dns_reply.c     answers: built, and read from a DNS message
 *	dns_resolver.c  the thread that runs libunbound
 *	dns_zone.c      a zone file instead of the DNS
 *
 * A question lives in the cache, in the slots of sets, and with the
 * resolver while it is out; each holds a reference.  Its reply is set once
 * and never changes, which is what a set promises its owner.
 *
 * Locks, in this order: a shard of the cache, then a set's mutex.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_DNS_IMPL_H
#define BASE_DNS_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/dns.h"

#define DNS_TTL_MAX_S 86400
#define DNS_TTL_NEGATIVE_MAX_S 900
/* Without an SOA to say more.  RFC 2308 section 5 would have it not kept, so
 * that servers do not feed it to each other for ever; nobody asks us. */
#define DNS_TTL_NEGATIVE_S 60
#define DNS_TTL_FAILURE_S 5
#define DNS_RECORD_MAX 1000
#define DNS_ALIAS_MAX 16 /* CNAMEs followed */

/* Types that are read or written but never asked for. */
#define DNS_NS 2
#define DNS_CNAME 5
#define DNS_SOA 6

/* ---- names ---- */

#define DNS_WIRE_MAX 255

/* Uncompressed wire form in lower case, the root label included.  It may be
 * allocated only as long as it is: copy it with dns_wire_copy. */
struct dns_wire {
	uint8_t len; /* 1..255 */
	uint8_t data[DNS_WIRE_MAX];
};

void dns_wire_copy(struct dns_wire *to, const struct dns_wire *from);
bool dns_wire_equal(const struct dns_wire *a, const struct dns_wire *b);
/* -1: no name can be written like this. */
int dns_wire_from_text(const char *text, struct dns_wire *out);
/* Appends text as dns.h describes it. */
int dns_wire_to_text(const uint8_t *wire, struct buf *out);
uint64_t dns_wire_hash(const struct dns_wire *name, unsigned type);

/* ---- replies ---- */

/* An answer with what the cache must know. */
struct dns_reply {
	struct dns_answer answer;
	atomic_uint refs;
	uint32_t ttl_s;
	size_t size; /* octets of the whole allocation */
};

struct dns_reply *dns_reply_ref(struct dns_reply *reply);
void dns_reply_unref(struct dns_reply *reply);
/* Without records; its TTL is what dns.h says of failures. */
struct dns_reply *dns_reply_new_failure(enum dns_status status);
struct dns_reply *dns_reply_new_negative(enum dns_status status,
    uint32_t ttl_s);

/* Collects records; may be used again after dns_draft_reset. */
struct dns_draft {
	enum dns_type type;
	size_t count;
	struct dns_draft_record {
		uint16_t preference;
		struct ip ip;
		size_t offset, len; /* in text */
	} * records;
	size_t size;
	struct buf text;
};

void dns_draft_init(struct dns_draft *draft);
void dns_draft_fini(struct dns_draft *draft);
void dns_draft_reset(struct dns_draft *draft, enum dns_type type);
/* Adds a record from its uncompressed or, within message, compressed rdata
 * (message NULL: uncompressed).  -1: malformed or too many. */
int dns_draft_add(struct dns_draft *draft, struct bytes message,
    struct bytes rdata);
struct dns_reply *dns_draft_reply(const struct dns_draft *draft, uint32_t ttl_s,
    bool secure);

/*
 * The answer to a question out of a DNS message, which is taken as
 * hostile: whatever is wrong with it makes the answer DNS_SERVFAIL.
 */
struct dns_reply *dns_reply_parse(struct dns_draft *draft, struct bytes message,
    const struct dns_wire *name, enum dns_type type, bool secure);

/* ---- the cache ---- */

struct dns_slot;

struct dns_question {
	uint64_t hash;
	atomic_uint refs;
	enum dns_type type;
	/* NULL while on its way. */
	_Atomic(struct dns_reply *) reply;
	int64_t asked_ms;
	/* of the shard */
	int64_t expires_ms;
	bool in_cache;
	LIST_HEAD(dns_waiters, dns_slot) waiters;
	LIST_ENTRY(dns_question) chain;
	TAILQ_ENTRY(dns_question) lru; /* when answered */
	/* of the resolver */
	struct dns_resolver *resolver;
	STAILQ_ENTRY(dns_question) queue;
	TAILQ_ENTRY(dns_question) out;
	bool is_late;
	struct dns_reply *delayed; /* of a zone file */
	unsigned delay_ms;
	/* last: allocated as long as it is */
	struct dns_wire name;
};

/* A set's interest in a question. */
struct dns_slot {
	struct dns_question *question;   /* referenced */
	const struct dns_answer *answer; /* NULL: not seen yet */
	struct dns_set *set;
	uint64_t hash;
	bool was_out; /* the answer was not there when asked */
	/* of the shard */
	bool waiting;
	LIST_ENTRY(dns_slot) waiter;
};

struct dns_question *dns_question_new(const struct dns_wire *name,
    enum dns_type type, uint64_t hash);
void dns_question_unref(struct dns_question *question);

struct dns_cache;

struct dns_cache *dns_cache_new(size_t max);
void dns_cache_free(struct dns_cache *cache);

/*
 * Puts a reference to the question into slot, and the answer if there is
 * one; else the slot waits, and dns_slot_answered will be called for it.
 * Returns true when the question is new and the caller must see to it that
 * it gets answered: by dns_cache_answer, to which it then owes a call.
 */
bool dns_cache_ask(struct dns_cache *cache, const struct dns_wire *name,
    enum dns_type type, uint64_t hash, struct dns_slot *slot);

/*
 * The question has a reply (taken).  When it had one before, which was
 * that of the deadline, the late reply is put into the cache for those who
 * ask from now on.
 */
void dns_cache_answer(struct dns_cache *cache, struct dns_question *question,
    struct dns_reply *take_reply);

/* The slot waits no longer.  False: it has been answered in the meantime. */
bool dns_cache_forget(struct dns_cache *cache, struct dns_slot *slot);

void dns_cache_stats(struct dns_cache *cache, struct dns_stats *stats);

/* Called with the shard locked. */
void dns_slot_answered(struct dns_slot *slot);

/* ---- the zone file ---- */

struct dns_zone;

struct dns_zone *dns_zone_load(const char *file, struct err *err);
/* From text, for tests; file: as named in errors. */
struct dns_zone *dns_zone_parse(const char *file, struct bytes text,
    struct err *err);
void dns_zone_free(struct dns_zone *zone);
/* A reference; NULL: no answer ever comes.  *delay_ms: and not before. */
struct dns_reply *dns_zone_find(const struct dns_zone *zone,
    const struct dns_wire *name, enum dns_type type, unsigned *delay_ms);

/* ---- the resolver ---- */

struct dns_resolver;

/* zone NULL: libunbound. */
struct dns_resolver *dns_resolver_start(const struct dns_options *options,
    const struct dns_zone *zone, struct dns_cache *cache, struct err *err);
void dns_resolver_stop(struct dns_resolver *resolver);
/* See to it that the question is answered, at once or later; takes the
 * caller's reference. */
void dns_resolver_ask(struct dns_resolver *resolver,
    struct dns_question *take_question);
void dns_resolver_stats(struct dns_resolver *resolver, struct dns_stats *stats);

#endif
