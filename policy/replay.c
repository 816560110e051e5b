/*
 * replay.c - how often a signature has been seen of late.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/store.h"
#include "base/str.h"
#include "policy/auth_dkim.h"
#include "policy/replay.h"

#define HASH_LEN 16
#define SIGNATURES_MAX AUTH_DKIM_TRIES_MAX

/* The hour begins with the first message. */
static const struct store_script script = { "replay",
	"local n = {} "
	"for i, key in ipairs(KEYS) do "
	"n[i] = redis.call('INCR', key) "
	"if n[i] == 1 then redis.call('EXPIRE', key, ARGV[1]) end "
	"end "
	"return n" };

/* Domain, selector and the start of b= tell signatures apart (RFC 6008);
 * they come from a mail, a hash of them does not. */
static const char *
key_of(struct arena *arena, const struct auth_dkim_signature *signature)
{
	char hex[HASH_LEN * 2 + 1];
	uint8_t hash[SHA256_LEN];
	struct sha256 *sha = sha256_new();
	const char *text = arena_printf(arena, "%s %s %s", signature->domain,
	    signature->selector, signature->b_prefix);

	sha256_update(sha, text, strlen(text));
	sha256_final(sha, hash);
	sha256_free(sha);
	str_hex(hash, HASH_LEN, hex);
	return arena_printf(arena, "sk:{c:replay}:%s", hex);
}

static void
note_counts(const struct store_reply *reply, size_t n,
    struct auth_dkim_signature **signatures)
{
	size_t i;

	for (i = 0; i < n && i < reply->count; i++)
		if (reply->items[i].type == STORE_INTEGER &&
		    reply->items[i].integer > 0)
			signatures[i]->seen = (uint64_t)reply->items[i].integer;
}

void
replay_count(struct store *store, struct scan *scan, unsigned budget_ms)
{
	struct auth_dkim *dkim = &scan->auth.dkim;
	struct auth_dkim_signature *signatures[SIGNATURES_MAX];
	struct bytes argv[SIGNATURES_MAX + 1];
	struct store_reply *reply;
	struct err err;
	size_t i, n = 0;

	for (i = 0; i < dkim->count && n < SIGNATURES_MAX; i++) {
		if (!dkim->signatures[i].trusted)
			continue;
		signatures[n] = &dkim->signatures[i];
		argv[n++] = bytes_of(key_of(scan->arena, &dkim->signatures[i]));
	}
	if (n == 0)
		return;
	argv[n] = bytes_of(arena_printf(scan->arena, "%d", REPLAY_WINDOW_S));
	if (store_eval_within(store, budget_ms, &script, n, n + 1, argv, &reply,
		&err) < 0) {
		log_debug("signatures are not counted: %s", err.text);
		return;
	}
	note_counts(reply, n, signatures);
	store_reply_free(reply);
}
