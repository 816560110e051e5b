/*
 * dns.h - questions to the DNS that nobody has to wait for.
 *
 * One thread of our own runs libunbound; answers go into a cache that any
 * thread reads without a hop.  A transaction asks through a struct dns_set:
 * dns_ask gives the answer that is there, or starts the question and says
 * that it is on its way.  A check that misses an answer stops, and is run
 * again from the start when dns_set_wait reports that something arrived.
 *
 * With a zone file (option dns_zone) all answers come from that file and
 * nothing else is asked: for tests and for `sekimori scan`.
 *
 * Limits: names of 253 octets in labels of 63; answers of 64 kB; 1,000
 * records an answer; DNS_SET_MAX questions a set; the cache holds
 * cache_max answers, negative ones too, each for its TTL (at most a day,
 * negative at most 15 minutes, failures 5 s).
 *
 * struct dns is safe from any thread.  A struct dns_set belongs to one
 * thread at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_DNS_H
#define BASE_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"

struct dns;
struct dns_set;

#define DNS_NAME_MAX 253
/* More than all checks of one scan can ask for at worst (SPF 120, iprev 11,
 * DKIM 10, ARC 100, DMARC 124): a mail must not be able to use up what
 * DMARC needs, and so to make its failure a temperror. */
#define DNS_SET_MAX 400

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
};

enum dns_status {
	DNS_OK,       /* one record or more of the type asked for */
	DNS_NODATA,   /* the name exists, but not with this type */
	DNS_NXDOMAIN, /* the name does not exist, or cannot exist */
	DNS_SERVFAIL, /* the servers failed, refused, or sent nonsense */
	DNS_TIMEOUT,  /* no answer before the deadline */
	DNS_BOGUS,    /* DNSSEC validation failed */
};

/* Failures are those after which one does not know: SERVFAIL, TIMEOUT,
 * BOGUS. */
bool dns_status_is_failure(enum dns_status status);
/* "ok", "nodata", "nxdomain", "servfail", "timeout", "bogus". */
const char *dns_status_name(enum dns_status status);

struct dns_record {
	uint16_t preference; /* DNS_MX */
	struct ip ip;        /* DNS_A, DNS_AAAA */
	const char *name;    /* DNS_MX, DNS_PTR: lower case, no final dot;
			      * "" is the root; other octets as \DDD */
	struct bytes text;   /* DNS_TXT: strings joined, any octets */
};

/* Immutable; aliases (CNAME) have been followed. */
struct dns_answer {
	enum dns_status status;
	bool secure; /* validated by DNSSEC */
	size_t count;
	const struct dns_record *records;
};

struct dns_options {
	const char *const *servers; /* "address" or "address@port";
				     * NULL: /etc/resolv.conf */
	size_t server_count;
	const char *zone_file;    /* NULL: ask the DNS */
	const char *trust_anchor; /* file of the DNSSEC root key; NULL: do
				   * not validate */
	unsigned timeout_ms;      /* of one question, 0: 5,000 */
	size_t cache_max;         /* answers, 0: 100,000 */
};

struct dns_stats {
	uint64_t asked; /* by dns_ask */
	uint64_t cache_hits;
	uint64_t queries;  /* sent to the resolver */
	uint64_t failures; /* answers that are failures */
	uint64_t timeouts;
	uint64_t cached; /* answers in the cache now */
};

/* NULL with *err set: ERR_CONFIG with file:line for a bad zone file. */
struct dns *dns_open(const struct dns_options *options, struct err *err);
void dns_close(struct dns *dns); /* no set may be left */
void dns_get_stats(struct dns *dns, struct dns_stats *out);

struct dns_set *dns_set_new(struct dns *dns);
/* Nobody waits for questions under way any more; answers are freed. */
void dns_set_free(struct dns_set *set);

/*
 * The answer, valid until dns_set_free; or NULL: it was asked now or
 * before and is on its way.  Never blocks.  name is case-insensitive, with
 * or without final dot; octets as \DDD; a name that cannot exist (an empty
 * label, too long) is answered DNS_NXDOMAIN.  Beyond DNS_SET_MAX questions
 * the answer is DNS_SERVFAIL.  Within a set the same question has the same
 * answer for ever.
 */
const struct dns_answer *dns_ask(struct dns_set *set, const char *name,
    enum dns_type type);

/* The name under which ip is found in reverse: in-addr.arpa, ip6.arpa. */
#define DNS_REVERSE_SIZE 80
void dns_reverse_name(const struct ip *ip, char out[DNS_REVERSE_SIZE]);

/* Has an answer arrived since the last call of dns_set_wait or of this?
 * Never blocks. */
bool dns_set_has_news(struct dns_set *set);

/* Questions on their way. */
size_t dns_set_pending(const struct dns_set *set);

/*
 * Wait until an answer arrives (1) or nothing is on its way (0), at the
 * latest until the monotonic time until_ms; then all that is still on its
 * way is given up, becomes DNS_TIMEOUT, and 1 is returned.
 */
int dns_set_wait(struct dns_set *set, int64_t until_ms);

#endif
