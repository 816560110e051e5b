/*
 * settings_lists.c - the allow and block rows of one level, found by hash.
 *
 * Patterns of addresses lie in one table: "a@b" and "@b" as they are, ".b"
 * as "b", which no other pattern looks like.  All three are then parts of
 * the key that is looked up, so nothing is copied.  ".b" stands for b
 * itself and everything below it, and "@b", which is narrower, goes before
 * it.  (Postfix leaves b itself out, which would let pass what somebody who
 * blocks a sender's whole family means to block.)
 *
 * Networks lie in one table too, by address and prefix length; the lengths
 * that occur are tried from the longest.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mail/address.h"
#include "policy/settings_parts.h"

#define NULL_SENDER "<>"
#define NETWORK_KEY_MAX 18 /* family, bits, address */

void
lists_init(struct lists *lists)
{
	memset(lists, 0, sizeof(*lists));
	strmap_init(&lists->senders);
	strmap_init(&lists->recipients);
	strmap_init(&lists->clients);
}

void
lists_free(struct lists *lists)
{
	strmap_free(&lists->senders);
	strmap_free(&lists->recipients);
	strmap_free(&lists->clients);
}

static size_t
network_key(const struct ip *ip, unsigned bits, uint8_t key[NETWORK_KEY_MAX])
{
	size_t len = ip->family == IP_V4 ? 4 : 16;
	unsigned whole = bits / 8, rest = bits % 8;

	memset(key, 0, NETWORK_KEY_MAX);
	key[0] = (uint8_t)ip->family;
	key[1] = (uint8_t)bits;
	memcpy(key + 2, ip->bytes, whole);
	if (rest > 0)
		key[2 + whole] = ip->bytes[whole] & (uint8_t)(0xff00u >> rest);
	return 2 + len;
}

/* Longest first, each once. */
static void
prefix_lengths_add(struct prefix_lengths *lengths, unsigned bits)
{
	unsigned i;

	for (i = 0; i < lengths->count && lengths->bits[i] >= bits; i++)
		if (lengths->bits[i] == bits)
			return;
	memmove(lengths->bits + i + 1, lengths->bits + i, lengths->count - i);
	lengths->bits[i] = (uint8_t)bits;
	lengths->count++;
}

static void
put_row(struct strmap *map, struct bytes key, struct arena *arena,
    const struct list_row *row)
{
	void **slot = strmap_put(map, key);
	struct list_pair *pair = *slot;

	if (pair == NULL)
		*slot = pair = arena_calloc(arena, 1, sizeof(*pair));
	pair->rows[row->kind] = row;
}

static int
add_client(struct lists *lists, struct arena *arena, const struct list_row *row,
    struct err *err)
{
	struct network network;
	uint8_t key[NETWORK_KEY_MAX];
	size_t len;

	if (network_parse(bytes_of(row->pattern), &network, err) < 0)
		return -1;
	len = network_key(&network.ip, network.bits, key);
	prefix_lengths_add(network.ip.family == IP_V4 ? &lists->v4 : &lists->v6,
	    network.bits);
	put_row(&lists->clients,
	    (struct bytes){ arena_memdup(arena, key, len), len }, arena, row);
	return 0;
}

enum list_pattern
list_pattern_kind(const char *pattern)
{
	const char *at = strchr(pattern, '@');

	if (pattern[0] == '.' && at == NULL)
		return PATTERN_BELOW;
	if (at == pattern && strchr(at + 1, '@') == NULL)
		return PATTERN_DOMAIN;
	return PATTERN_ADDRESS;
}

int
lists_add(struct lists *lists, struct arena *arena, const struct list_row *row,
    struct err *err)
{
	enum list_pattern kind = list_pattern_kind(row->pattern);
	bool sender = row->side == LIST_SENDER;
	struct bytes key = bytes_of(row->pattern);

	if (row->side == LIST_CLIENT)
		return add_client(lists, arena, row, err);
	if (kind == PATTERN_BELOW) {
		key.data++;
		key.len--;
		if (sender)
			lists->sender_suffixes = true;
		else
			lists->recipient_suffixes = true;
	} else if (strchr(row->pattern, '@') == NULL &&
	    strcmp(row->pattern, NULL_SENDER) != 0) {
		return err_set(err, ERR_INPUT,
		    "must be an address, @domain or .domain");
	}
	put_row(sender ? &lists->senders : &lists->recipients, key, arena, row);
	return 0;
}

static bool
is_live(const struct list_row *row)
{
	return row->expires_s == 0 || row->expires_s > clock_wall_s();
}

/* A tie: block wins. */
static const struct list_row *
choose(const struct list_pair *pair, unsigned kinds)
{
	const struct list_row *row;

	if (pair == NULL)
		return NULL;
	row = pair->rows[LIST_BLOCK];
	if (row != NULL && (kinds & LIST_MASK_BLOCK) && is_live(row))
		return row;
	row = pair->rows[LIST_ALLOW];
	if (row != NULL &&
	    (kinds &
		(row->unauthenticated ? LIST_MASK_ALLOW_UNAUTHENTICATED
				      : LIST_MASK_ALLOW)) &&
	    is_live(row))
		return row;
	return NULL;
}

static const struct list_row *
find_address(const struct strmap *map, bool suffixes, const char *key,
    unsigned kinds)
{
	const char *at, *domain;
	const struct list_row *row;

	if (map->count == 0)
		return NULL;
	row = choose(strmap_get(map, bytes_of(key)), kinds);
	if (row != NULL)
		return row;
	at = strrchr(key, '@');
	if (at == NULL)
		return NULL;
	row = choose(strmap_get(map, bytes_of(at)), kinds);
	if (row != NULL || !suffixes)
		return row;
	for (domain = at + 1;; domain++) {
		row = choose(strmap_get(map, bytes_of(domain)), kinds);
		if (row != NULL)
			return row;
		domain = strchr(domain, '.');
		if (domain == NULL)
			return NULL;
	}
}

const struct list_row *
lists_find_sender(const struct lists *lists, const struct address *address,
    unsigned kinds)
{
	return find_address(&lists->senders, lists->sender_suffixes,
	    address_is_null(address) ? NULL_SENDER : address->key, kinds);
}

const struct list_row *
lists_find_recipient(const struct lists *lists, const char *mailbox_key,
    unsigned kinds)
{
	return find_address(&lists->recipients, lists->recipient_suffixes,
	    mailbox_key, kinds);
}

const struct list_row *
lists_find_client(const struct lists *lists, const struct ip *ip,
    unsigned kinds)
{
	const struct prefix_lengths *lengths =
	    ip->family == IP_V4 ? &lists->v4 : &lists->v6;
	const struct list_row *row;
	uint8_t key[NETWORK_KEY_MAX];
	unsigned i;
	size_t len;

	if (ip->family == IP_NONE)
		return NULL;
	for (i = 0; i < lengths->count; i++) {
		len = network_key(ip, lengths->bits[i], key);
		row = choose(strmap_get(&lists->clients,
				 (struct bytes){ (const char *)key, len }),
		    kinds);
		if (row != NULL)
			return row;
	}
	return NULL;
}
