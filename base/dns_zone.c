/*
 * dns_zone.c - a zone file instead of the DNS, for tests and for trying
 * things out.  doc/dns-zone.md describes the file.
 *
 * Every name of the file and every name above it is a node; answers are
 * made when the file is read.  After that the zone is immutable and read
 * by any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/dns_zone_impl.h"

#define ALIASES_MAX 10
#define TTL_NEGATIVE_S 300

const enum dns_type zone_types[ZONE_COUNT] = { DNS_A, DNS_AAAA, DNS_MX, DNS_PTR,
	DNS_TXT };

/* ---- nodes ---- */

static struct zone_node *
node_find(const struct dns_zone *zone, const struct dns_wire *name)
{
	uint64_t hash = dns_wire_hash(name, 0);
	struct zone_node *node;

	LIST_FOREACH(node, &zone->chains[hash % ZONE_CHAINS], chain)
	if (node->hash == hash && dns_wire_equal(&node->name, name))
		return node;
	return NULL;
}

/* Without its first label; false at the root. */
static bool
wire_parent(const struct dns_wire *name, struct dns_wire *out)
{
	size_t skip = (size_t)name->data[0] + 1;

	if (skip == 1)
		return false;
	out->len = (uint8_t)(name->len - skip);
	memmove(out->data, name->data + skip, out->len);
	return true;
}

struct zone_node *
zone_node_get(struct dns_zone *zone, const struct dns_wire *name)
{
	struct zone_node *node, *wanted = NULL;
	struct dns_wire at;

	dns_wire_copy(&at, name);
	do {
		node = node_find(zone, &at);
		if (node != NULL)
			return wanted != NULL ? wanted : node;
		node = xcalloc(1, sizeof(*node));
		node->hash = dns_wire_hash(&at, 0);
		dns_wire_copy(&node->name, &at);
		LIST_INSERT_HEAD(&zone->chains[node->hash % ZONE_CHAINS], node,
		    chain);
		if (wanted == NULL)
			wanted = node;
	} while (wire_parent(&at, &at));
	return wanted;
}

static void
node_free(struct zone_node *node)
{
	size_t i;

	for (i = 0; i < ZONE_COUNT; i++) {
		dns_reply_unref(node->replies[i]);
		if (node->drafts[i] != NULL)
			dns_draft_fini(node->drafts[i]);
		free(node->drafts[i]);
	}
	free(node->alias);
	free(node);
}

void
dns_zone_free(struct dns_zone *zone)
{
	struct zone_node *node;
	size_t i;

	if (zone == NULL)
		return;
	for (i = 0; i < ZONE_CHAINS; i++)
		while ((node = LIST_FIRST(&zone->chains[i])) != NULL) {
			LIST_REMOVE(node, chain);
			node_free(node);
		}
	free(zone);
}

/* ---- answers ---- */

/* "*." before name; false when that is too long. */
static bool
wire_wildcard(const struct dns_wire *name, struct dns_wire *out)
{
	if (name->len > DNS_WIRE_MAX - 2)
		return false;
	out->data[0] = 1;
	out->data[1] = '*';
	memcpy(out->data + 2, name->data, name->len);
	out->len = (uint8_t)(name->len + 2);
	return true;
}

/* RFC 4592: the wildcard just below the closest name that exists. */
static const struct zone_node *
node_answering(const struct dns_zone *zone, const struct dns_wire *name)
{
	const struct zone_node *node = node_find(zone, name);
	struct dns_wire at, wildcard;

	if (node != NULL)
		return node;
	dns_wire_copy(&at, name);
	while (wire_parent(&at, &at))
		if (node_find(zone, &at) != NULL)
			return wire_wildcard(&at, &wildcard)
			    ? node_find(zone, &wildcard)
			    : NULL;
	return NULL;
}

static struct dns_reply *
pretend(enum zone_pretence pretence)
{
	switch (pretence) {
	case ZONE_PRETEND_SERVFAIL:
		return dns_reply_new_failure(DNS_SERVFAIL);
	case ZONE_PRETEND_BOGUS:
		return dns_reply_new_failure(DNS_BOGUS);
	case ZONE_PRETEND_TIMEOUT:
		return NULL;
	case ZONE_PRETEND_NOTHING:
		break;
	}
	return dns_reply_new_negative(DNS_NODATA, TTL_NEGATIVE_S);
}

static enum zone_place
place_of(enum dns_type type)
{
	enum zone_place place = ZONE_A;

	while (place < ZONE_COUNT && zone_types[place] != type)
		place++;
	return place;
}

struct dns_reply *
dns_zone_find(const struct dns_zone *zone, const struct dns_wire *name,
    enum dns_type type, unsigned *delay_ms)
{
	enum zone_place place = place_of(type);
	const struct zone_node *node;
	unsigned aliases;

	*delay_ms = 0;
	if (place == ZONE_NONE)
		return pretend(ZONE_PRETEND_NOTHING);
	for (aliases = 0; aliases <= ALIASES_MAX; aliases++) {
		node = node_answering(zone, name);
		if (node == NULL)
			return dns_reply_new_negative(DNS_NXDOMAIN,
			    TTL_NEGATIVE_S);
		*delay_ms += node->delay_ms;
		if (node->pretence[place] != ZONE_PRETEND_NOTHING)
			return pretend(node->pretence[place]);
		if (node->replies[place] != NULL)
			return dns_reply_ref(node->replies[place]);
		if (node->alias == NULL)
			return pretend(node->otherwise);
		name = node->alias;
	}
	return dns_reply_new_failure(DNS_SERVFAIL);
}
