/*
 * dns_zone_impl.h - a zone in memory: shared by its reader and its finder.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_DNS_ZONE_IMPL_H
#define BASE_DNS_ZONE_IMPL_H

#include "base/dns_impl.h"

#define ZONE_CHAINS 8192

/* Where a type that is asked for has its place in a node. */
enum zone_place {
	ZONE_A,
	ZONE_AAAA,
	ZONE_MX,
	ZONE_PTR,
	ZONE_TXT,
	ZONE_COUNT,
	ZONE_NONE = ZONE_COUNT, /* read, never asked for */
};

extern const enum dns_type zone_types[ZONE_COUNT];

/* What a name does instead of answering. */
enum zone_pretence {
	ZONE_PRETEND_NOTHING,
	ZONE_PRETEND_SERVFAIL,
	ZONE_PRETEND_TIMEOUT,
	ZONE_PRETEND_BOGUS
};

struct zone_node {
	LIST_ENTRY(zone_node) chain;
	uint64_t hash;
	struct dns_reply *replies[ZONE_COUNT];
	struct dns_draft *drafts[ZONE_COUNT]; /* while the file is read */
	uint32_t ttl_s[ZONE_COUNT];
	enum zone_pretence pretence[ZONE_COUNT]; /* types named in the file */
	enum zone_pretence otherwise;            /* types without records */
	struct dns_wire *alias;
	bool has_records; /* of any type but CNAME */
	unsigned delay_ms;
	struct dns_wire name;
};

LIST_HEAD(zone_nodes, zone_node);

struct dns_zone {
	struct zone_nodes chains[ZONE_CHAINS];
};

/* The node of a name; it and those above it are made when not there. */
struct zone_node *zone_node_get(struct dns_zone *zone,
    const struct dns_wire *name);

#endif
