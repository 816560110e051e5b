/*
 * sign_in.c - attempts to sign in are counted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "base/store.h"
#include "base/str.h"
#include "webui/sign_in.h"

#define KEY_USER "sk:{c:sign-in}:user:"
#define KEY_KNOWN "sk:{c:sign-in}:known:"
#define KEY_CLIENT "sk:{c:sign-in}:ip:"

/*
 * KEYS: user, known, client (not without one); ARGV: now in ms, network ("":
 * not known).  Hashes: n, and until (ms) while it is closed; of the user
 * also "n NET" and "until NET".  Only an attempt that is let through counts,
 * so who waits as told is not punished for asking, and the networks that a
 * hash can have are few.
 */
static const struct store_script attempt_script = {
	"sign-in.attempt",
	/* clang-format off */
	"local now, net = tonumber(ARGV[1]), ARGV[2]\n"
	"local known = redis.call('HEXISTS', KEYS[2], net) == 1\n"
	"local wait = 0\n"
	"local function heed(key, field)\n"
	"  local till = tonumber(redis.call('HGET', key, field) or '0')\n"
	"  if till - now > wait then wait = till - now end\n"
	"end\n"
	"local function count(field, free)\n"
	"  local n = redis.call('HINCRBY', KEYS[1], 'n' .. field, 1)\n"
	"  if n >= free then\n"
	"    local s = math.min(900, 30 * 2 ^ math.min(n - free, 10))\n"
	"    redis.call('HSET', KEYS[1], 'until' .. field, now + s * 1000)\n"
	"  end\n"
	"end\n"
	"heed(KEYS[1], 'until ' .. net)\n"
	"if not known then heed(KEYS[1], 'until') end\n"
	"if KEYS[3] then heed(KEYS[3], 'until') end\n"
	"if wait > 0 then return wait end\n"
	"count(' ' .. net, 5)\n"
	"if not known then count('', 30) end\n"
	"redis.call('EXPIRE', KEYS[1], 7200)\n"
	"if KEYS[3] then\n"
	"  local m = redis.call('HINCRBY', KEYS[3], 'n', 1)\n"
	"  if m == 1 then redis.call('EXPIRE', KEYS[3], 900) end\n"
	"  if m >= 30 then\n"
	"    redis.call('HSET', KEYS[3], 'n', 0, 'until', now + 900000)\n"
	"    redis.call('EXPIRE', KEYS[3], 900)\n"
	"  end\n"
	"end\n"
	"return 0\n",
	/* clang-format on */
};

/* KEYS and ARGV as above.  Other networks' attempts stay counted: whoever
 * guesses from many is not let on by the user's own sign-in. */
static const struct store_script success_script = {
	"sign-in.success",
	/* clang-format off */
	"local now, net = ARGV[1], ARGV[2]\n"
	"local known = redis.call('HEXISTS', KEYS[2], net) == 1\n"
	"redis.call('HDEL', KEYS[1], 'n ' .. net, 'until ' .. net)\n"
	"local function take_back(key)\n"
	"  if tonumber(redis.call('HGET', key, 'n') or '0') > 0 then\n"
	"    redis.call('HINCRBY', key, 'n', -1)\n"
	"  end\n"
	"end\n"
	"if not known then take_back(KEYS[1]) end\n"
	"if KEYS[3] then take_back(KEYS[3]) end\n"
	"if net == '' then return 1 end\n"
	"redis.call('HSET', KEYS[2], net, now)\n"
	"redis.call('EXPIRE', KEYS[2], 7776000)\n"
	"if redis.call('HLEN', KEYS[2]) > 20 then\n"
	"  local all, oldest = redis.call('HGETALL', KEYS[2]), 1\n"
	"  for i = 3, #all, 2 do\n"
	"    if tonumber(all[i + 1]) < tonumber(all[oldest + 1]) then\n"
	"      oldest = i\n"
	"    end\n"
	"  end\n"
	"  redis.call('HDEL', KEYS[2], all[oldest])\n"
	"end\n"
	"return 1\n",
	/* clang-format on */
};

static const char *
user_key(struct arena *arena, const char *user)
{
	return arena_printf(arena, KEY_USER "%s", user);
}

/* The network of a client; "": not known. */
static const char *
network_of(struct arena *arena, const char *client)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;

	if (client == NULL || ip_parse(bytes_of(client), &ip) < 0)
		return "";
	/* Whoever has one address of a /64 has them all. */
	if (ip.family == IP_V6)
		memset(ip.bytes + 8, 0, 8);
	ip_format(&ip, text);
	return arena_strdup(arena, text);
}

static int
run(struct store *store, struct arena *arena, const struct store_script *script,
    const char *user, const char *client, int64_t *answer, struct err *err)
{
	const char *network = network_of(arena, client);
	struct store_reply *reply;
	struct bytes argv[5];
	size_t keys = 0;

	argv[keys++] = bytes_of(user_key(arena, user));
	argv[keys++] = bytes_of(arena_printf(arena, KEY_KNOWN "%s", user));
	if (network[0] != '\0')
		argv[keys++] =
		    bytes_of(arena_printf(arena, KEY_CLIENT "%s", network));
	argv[keys] = bytes_of(arena_printf(arena, "%" PRId64, clock_wall_ms()));
	argv[keys + 1] = bytes_of(network);
	if (store_eval(store, script, keys, keys + 2, argv, &reply, err) < 0)
		return -1;
	*answer = reply->integer;
	store_reply_free(reply);
	return 0;
}

static int64_t
seconds_of(int64_t ms)
{
	return ms > 0 ? (ms + 999) / 1000 : 0;
}

int64_t
sign_in_attempt(struct store *store, struct arena *arena, const char *user,
    const char *client, struct err *err)
{
	int64_t wait_ms;

	if (run(store, arena, &attempt_script, user, client, &wait_ms, err) < 0)
		return -1;
	return seconds_of(wait_ms);
}

int
sign_in_success(struct store *store, struct arena *arena, const char *user,
    const char *client, struct err *err)
{
	int64_t ignored;

	return run(store, arena, &success_script, user, client, &ignored, err);
}

int
sign_in_unlock(struct store *store, struct arena *arena, const char *user,
    struct err *err)
{
	const char *key = user_key(arena, user);
	struct store_reply *reply;

	if (store_runf(store, key, &reply, err, "DEL %s", key) < 0)
		return -1;
	store_reply_free(reply);
	return 0;
}

/* The latest of all until in a reply to HGETALL. */
static uint64_t
latest_until(const struct store_reply *reply)
{
	uint64_t latest = 0, until;
	struct bytes name;
	size_t i;

	for (i = 0; reply->type == STORE_ARRAY && i + 1 < reply->count;
	     i += 2) {
		name = reply->items[i].text;
		if (name.len >= 5 && memcmp(name.data, "until", 5) == 0 &&
		    parse_u64(reply->items[i + 1].text, 0, INT64_MAX, &until) ==
			0 &&
		    until > latest)
			latest = until;
	}
	return latest;
}

int64_t
sign_in_locked(struct store *store, struct arena *arena, const char *user,
    struct err *err)
{
	const char *key = user_key(arena, user);
	struct store_reply *reply;
	uint64_t until;

	if (store_runf(store, key, &reply, err, "HGETALL %s", key) < 0)
		return -1;
	until = latest_until(reply);
	store_reply_free(reply);
	return seconds_of((int64_t)until - clock_wall_ms());
}
