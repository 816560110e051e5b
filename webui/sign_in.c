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
#define KEY_CLIENT "sk:{c:sign-in}:ip:"

/*
 * KEYS: user, client ("" for none); ARGV: now in ms, client given.  A hash
 * each: n, and until (ms) while it is closed.  Only an attempt that is let
 * through counts, so who waits as told is not punished for asking.
 */
static const struct store_script attempt_script = {
	"sign-in.attempt",
	/* clang-format off */
	"local now = tonumber(ARGV[1])\n"
	"local wait = 0\n"
	"for i = 1, #KEYS do\n"
	"  local till = tonumber(redis.call('HGET', KEYS[i], 'until') or '0')\n"
	"  if till - now > wait then wait = till - now end\n"
	"end\n"
	"if wait > 0 then return wait end\n"
	"local n = redis.call('HINCRBY', KEYS[1], 'n', 1)\n"
	"if n >= 5 then\n"
	"  local s = math.min(900, 30 * 2 ^ (n - 5))\n"
	"  redis.call('HSET', KEYS[1], 'until', now + s * 1000)\n"
	"end\n"
	"redis.call('EXPIRE', KEYS[1], 7200)\n"
	"if KEYS[2] then\n"
	"  local m = redis.call('HINCRBY', KEYS[2], 'n', 1)\n"
	"  if m == 1 then redis.call('EXPIRE', KEYS[2], 900) end\n"
	"  if m >= 30 then\n"
	"    redis.call('HSET', KEYS[2], 'n', 0, 'until', now + 900000)\n"
	"    redis.call('EXPIRE', KEYS[2], 900)\n"
	"  end\n"
	"end\n"
	"return 0\n",
	/* clang-format on */
};

/* KEYS as above. */
static const struct store_script success_script = {
	"sign-in.success",
	/* clang-format off */
	"redis.call('DEL', KEYS[1])\n"
	"if KEYS[2] and tonumber(redis.call('HGET', KEYS[2], 'n') or '0') > 0"
	" then\n"
	"  redis.call('HINCRBY', KEYS[2], 'n', -1)\n"
	"end\n"
	"return 1\n",
	/* clang-format on */
};

static struct bytes
user_key(struct arena *arena, const char *user)
{
	return bytes_of(arena_printf(arena, KEY_USER "%s", user));
}

/* false: not known. */
static bool
client_key(struct arena *arena, const char *client, struct bytes *key)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;

	if (client == NULL || ip_parse(bytes_of(client), &ip) < 0)
		return false;
	/* Whoever has one address of a /64 has them all. */
	if (ip.family == IP_V6)
		memset(ip.bytes + 8, 0, 8);
	ip_format(&ip, text);
	*key = bytes_of(arena_printf(arena, KEY_CLIENT "%s", text));
	return true;
}

static int
run(struct store *store, struct arena *arena, const struct store_script *script,
    const char *user, const char *client, int64_t *answer, struct err *err)
{
	struct store_reply *reply;
	struct bytes argv[3];
	size_t keys = 1;

	argv[0] = user_key(arena, user);
	keys += client_key(arena, client, &argv[1]);
	argv[keys] = bytes_of(arena_printf(arena, "%" PRId64, clock_wall_ms()));
	if (store_eval(store, script, keys, keys + 1, argv, &reply, err) < 0)
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
	return sign_in_success(store, arena, user, NULL, err);
}

int64_t
sign_in_locked(struct store *store, struct arena *arena, const char *user,
    struct err *err)
{
	const char *key = user_key(arena, user).data;
	struct store_reply *reply;
	uint64_t until = 0;

	if (store_runf(store, key, &reply, err, "HGET %s until", key) < 0)
		return -1;
	if (reply->type == STORE_STRING &&
	    parse_u64(reply->text, 0, INT64_MAX, &until) < 0)
		until = 0;
	store_reply_free(reply);
	return seconds_of((int64_t)until - clock_wall_ms());
}
