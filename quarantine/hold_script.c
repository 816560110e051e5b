/*
 * hold_script.c - the scripts of the quarantine, and arguments for them.
 *
 * Each works in the slot of one domain, checks the state it starts from,
 * and can be run twice.  Times come from the caller (base/clock), but for
 * the deadline of a hold, which is by the clock of the server that has the
 * script: a server that was stopped must not carry it out when nobody
 * waits for it any more.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "quarantine/hold.h"

/*
 * Removes an entry; gives back its bytes exactly once, with the member of
 * the expiry set that says how many they are.  An index that is damaged
 * keeps nobody from removing (pcall).
 */
#define LUA_DROP                                                               \
	"local function drop(entry, index, ilocal, expiry, due, bytes, id, "   \
	"    member, charge)\n"                                                \
	"  local had = redis.call('DEL', entry)\n"                             \
	"  redis.pcall('ZREM', index, id)\n"                                   \
	"  redis.pcall('ZREM', ilocal, id)\n"                                  \
	"  redis.pcall('ZREM', due, id)\n"                                     \
	"  if redis.pcall('ZREM', expiry, member) == 1 then\n"                 \
	"    local left = redis.pcall('DECRBY', bytes, charge)\n"              \
	"    if type(left) ~= 'number' or left < 0 then\n"                     \
	"      redis.call('SET', bytes, '0')\n"                                \
	"    end\n"                                                            \
	"  end\n"                                                              \
	"  return had\n"                                                       \
	"end\n"

/* A script is not rolled back: what could fail half-way is looked at
 * before. */
#define LUA_IS                                                                 \
	"local function is(key, want)\n"                                       \
	"  local t = redis.call('TYPE', key).ok\n"                             \
	"  if t ~= want and t ~= 'none' then\n"                                \
	"    error(key .. ' is a ' .. t)\n"                                    \
	"  end\n"                                                              \
	"end\n"

static const struct store_script scripts[SCRIPT_COUNT] = {
	/*
	 * Undoes a hold, and keeps one that is still under way from being
	 * carried out.
	 * KEYS index expiry due bytes outbox tomb, [entry dup ilocal]...
	 * ARGV tomb_ms, [id member charge event]...
	 * Returns how many are there still, as somebody releases them.
	 */
	[SCRIPT_CANCEL] = { "cancel a hold",
	    LUA_DROP
	    "redis.call('SET', KEYS[6], '1', 'PX', ARGV[1])\n"
	    "local left = 0\n"
	    "for i = 0, (#KEYS - 6) / 3 - 1 do\n"
	    "  local entry, dup = KEYS[7 + i * 3], KEYS[8 + i * 3]\n"
	    "  local id = ARGV[2 + i * 4]\n"
	    "  local state = redis.call('HGET', entry, 'state')\n"
	    "  if state == 'held' or state == 'to-deliver' then\n"
	    "    drop(entry, KEYS[1], KEYS[9 + i * 3], KEYS[2], KEYS[3],\n"
	    "      KEYS[4], id, ARGV[3 + i * 4], ARGV[4 + i * 4])\n"
	    "    redis.pcall('HDEL', KEYS[5], ARGV[5 + i * 4])\n"
	    "    if redis.call('GET', dup) == id then\n"
	    "      redis.call('DEL', dup)\n"
	    "    end\n"
	    "  elseif state then\n"
	    "    left = left + 1\n"
	    "  end\n"
	    "end\n"
	    "return left\n" },
	/*
	 * KEYS bytes, dup...
	 * Returns the server's time in ms, the bytes in use, and for each
	 * dup the id of the entry, or nil.
	 */
	[SCRIPT_CHECK] = { "check before a hold",
	    "local t = redis.call('TIME')\n"
	    "local out = { t[1] * 1000 + math.floor(t[2] / 1000),\n"
	    "  tonumber(redis.call('GET', KEYS[1])) or 0 }\n"
	    "for i = 2, #KEYS do\n"
	    "  out[i + 1] = redis.call('GET', KEYS[i])\n"
	    "end\n"
	    "return out\n" },
	/*
	 * KEYS entry
	 * ARGV token, end of the lease from now on
	 */
	[SCRIPT_DOT] = { "note the final dot",
	    "local f = redis.call('HMGET', KEYS[1], 'state', 'lease')\n"
	    "if f[1] ~= 'releasing' or f[2] ~= ARGV[1] then\n"
	    "  return 0\n"
	    "end\n"
	    "redis.call('HSET', KEYS[1], 'dot', '1', 'lease_until', ARGV[2])\n"
	    "return 1\n" },
	/*
	 * KEYS entry index ilocal expiry due bytes outbox
	 * ARGV id member charge now, event id and text (may be empty)
	 * Returns 1, 0 it was gone, 2 somebody releases it.
	 */
	[SCRIPT_DROP] = { "remove an entry",
	    LUA_DROP
	    "local f = redis.call('HMGET', KEYS[1], 'state', 'lease_until')\n"
	    "if f[1] == 'releasing' and\n"
	    "    (tonumber(f[2]) or 0) > tonumber(ARGV[4]) then\n"
	    "  return 2\n"
	    "end\n"
	    "local had = drop(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5],\n"
	    "  KEYS[6], ARGV[1], ARGV[2], ARGV[3])\n"
	    "if had == 1 and ARGV[5] ~= '' and f[1] ~= 'released' then\n"
	    "  redis.call('HSET', KEYS[7], ARGV[5], ARGV[6])\n"
	    "end\n"
	    "return had\n" },
	/*
	 * A domain without work leaves a list of domains, unless somebody
	 * has noted it anew.
	 * KEYS list
	 * ARGV domain, score
	 */
	[SCRIPT_FORGET_DOMAIN] = { "forget a domain",
	    "if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then\n"
	    "  return redis.call('ZREM', KEYS[1], ARGV[1])\n"
	    "end\n"
	    "return 0\n" },
	/*
	 * KEYS index expiry due bytes outbox tomb, [entry dup ilocal]...
	 * ARGV deadline (ms of the server), most bytes, dup_ms,
	 *   [id state row record charge local expires received life_ms due
	 *    event text member signatures]...
	 * Returns for each the id that it has already, or ''; or a status:
	 * late, full.
	 */
	[SCRIPT_HOLD] = { "hold",
	    LUA_IS
	    "local t = redis.call('TIME')\n"
	    "if t[1] * 1000 + t[2] / 1000 > tonumber(ARGV[1]) or\n"
	    "    redis.call('EXISTS', KEYS[6]) == 1 then\n"
	    "  return { ok = 'late' }\n"
	    "end\n"
	    "is(KEYS[1], 'zset')\n"
	    "is(KEYS[2], 'zset')\n"
	    "is(KEYS[3], 'zset')\n"
	    "is(KEYS[5], 'hash')\n"
	    "local n, sum = (#KEYS - 6) / 3, 0\n"
	    "local out, fresh = {}, {}\n"
	    "for i = 1, n do\n"
	    "  local dup = KEYS[5 + i * 3]\n"
	    "  is(KEYS[6 + i * 3], 'zset')\n"
	    "  out[i] = redis.call('GET', dup) or fresh[dup] or ''\n"
	    "  if out[i] == '' then\n"
	    "    fresh[dup] = ARGV[i * 14 - 10]\n"
	    "    sum = sum + ARGV[i * 14 - 6]\n"
	    "  end\n"
	    "end\n"
	    "local used = tonumber(redis.call('GET', KEYS[4])) or 0\n"
	    "if sum > 0 and used + sum > tonumber(ARGV[2]) then\n"
	    "  return { ok = 'full' }\n"
	    "end\n"
	    "for i = 1, n do\n"
	    "  if out[i] == '' then\n"
	    "    local a, k = i * 14 - 10, 4 + i * 3\n"
	    "    local id = ARGV[a]\n"
	    "    redis.call('HSET', KEYS[k], 'state', ARGV[a + 1],\n"
	    "      'row', ARGV[a + 2], 'record', ARGV[a + 3],\n"
	    "      'charge', ARGV[a + 4], 'local', ARGV[a + 5],\n"
	    "      'expires', ARGV[a + 6])\n"
	    "    if ARGV[a + 13] ~= '' then\n"
	    "      redis.call('HSET', KEYS[k], 'signatures', ARGV[a + 13])\n"
	    "    end\n"
	    "    redis.call('PEXPIRE', KEYS[k], ARGV[a + 8])\n"
	    "    redis.call('ZADD', KEYS[1], ARGV[a + 7], id)\n"
	    "    redis.call('ZADD', KEYS[k + 2], ARGV[a + 7], id)\n"
	    "    redis.call('ZADD', KEYS[2], ARGV[a + 6], ARGV[a + 12])\n"
	    "    if ARGV[a + 9] ~= '' then\n"
	    "      redis.call('ZADD', KEYS[3], ARGV[a + 9], id)\n"
	    "    end\n"
	    "    if ARGV[a + 10] ~= '' then\n"
	    "      redis.call('HSET', KEYS[5], ARGV[a + 10], ARGV[a + 11])\n"
	    "    end\n"
	    "    redis.call('SET', KEYS[k + 1], id, 'PX', ARGV[3])\n"
	    "  end\n"
	    "end\n"
	    "redis.call('SET', KEYS[4], string.format('%.0f', used + sum))\n"
	    "return out\n" },
	/*
	 * KEYS entry due
	 * ARGV id now token until actor retry_unknown
	 * Returns 1 and the state before, or 0 and the state it is in.
	 */
	[SCRIPT_LEASE] = { "take the lease",
	    "local f = redis.call('HMGET', KEYS[1], 'state', 'expires',\n"
	    "  'lease_until', 'dot', 'prev')\n"
	    "local now = tonumber(ARGV[2])\n"
	    "local state = f[1]\n"
	    "if not state or (tonumber(f[2]) or 0) <= now then\n"
	    "  redis.call('ZREM', KEYS[2], ARGV[1])\n"
	    "  return { 0, 'removed' }\n"
	    "end\n"
	    "if state == 'releasing' then\n"
	    "  if (tonumber(f[3]) or 0) > now then\n"
	    "    return { 0, state }\n"
	    "  end\n"
	    "  state = f[4] and 'unknown' or f[5] or 'held'\n"
	    "  redis.call('HSET', KEYS[1], 'state', state)\n"
	    "end\n"
	    "if state ~= 'held' and state ~= 'to-deliver' and\n"
	    "    state ~= 'refused' and\n"
	    "    not (state == 'unknown' and ARGV[6] == '1') then\n"
	    "  redis.call('ZREM', KEYS[2], ARGV[1])\n"
	    "  return { 0, state }\n"
	    "end\n"
	    "redis.call('HSET', KEYS[1], 'state', 'releasing',\n"
	    "  'prev', state, 'lease', ARGV[3], 'lease_until', ARGV[4],\n"
	    "  'actor', ARGV[5])\n"
	    "redis.call('HDEL', KEYS[1], 'dot')\n"
	    "redis.call('HINCRBY', KEYS[1], 'tries', 1)\n"
	    "if state == 'to-deliver' then\n"
	    "  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])\n"
	    "end\n"
	    "return { 1, state }\n" },
	/*
	 * KEYS bytes
	 * ARGV what it was, what it should be
	 */
	[SCRIPT_SET_BYTES] = { "count bytes anew",
	    "if (redis.call('GET', KEYS[1]) or '') == ARGV[1] then\n"
	    "  redis.call('SET', KEYS[1], ARGV[2])\n"
	    "  return 1\n"
	    "end\n"
	    "return 0\n" },
	/*
	 * A lease that ran out and was taken by nobody else is still good
	 * for telling what came of it.
	 * KEYS entry due
	 * ARGV id now token state reply due
	 */
	[SCRIPT_SETTLE] = { "settle",
	    "local f = redis.call('HMGET', KEYS[1], 'state', 'lease')\n"
	    "if f[2] ~= ARGV[3] or\n"
	    "    (f[1] ~= 'releasing' and f[1] ~= 'unknown') then\n"
	    "  return 0\n"
	    "end\n"
	    "redis.call('HSET', KEYS[1], 'state', ARGV[4],\n"
	    "  'reply', ARGV[5], 'settled', ARGV[2])\n"
	    "redis.call('HDEL', KEYS[1], 'lease', 'lease_until', 'dot',\n"
	    "  'prev')\n"
	    "if ARGV[4] == 'to-deliver' then\n"
	    "  redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1])\n"
	    "else\n"
	    "  redis.call('ZREM', KEYS[2], ARGV[1])\n"
	    "end\n"
	    "return 1\n" },
};

void
hold_args_init(struct hold_args *args, struct arena *arena)
{
	memset(args, 0, sizeof(*args));
	args->arena = arena;
}

void
hold_arg(struct hold_args *args, struct bytes borrowed)
{
	if (args->argc == args->size) {
		size_t size = args->size > 0 ? args->size * 2 : 16;
		struct bytes *argv =
		    arena_calloc(args->arena, size, sizeof(*argv));

		if (args->argc > 0)
			memcpy(argv, args->argv, args->argc * sizeof(*argv));
		args->argv = argv;
		args->size = size;
	}
	args->argv[args->argc++] = borrowed;
}

void
hold_arg_str(struct hold_args *args, const char *borrowed)
{
	hold_arg(args, bytes_of(borrowed));
}

void
hold_arg_int(struct hold_args *args, int64_t value)
{
	hold_arg_str(args, arena_printf(args->arena, "%lld", (long long)value));
}

void
hold_key(struct hold_args *args, const char *borrowed)
{
	hold_arg_str(args, borrowed);
	args->keys = args->argc;
}

int
hold_run(struct quarantine *q, enum hold_script_id id, bool durable,
    const struct hold_args *args, struct store_reply **reply, struct err *err)
{
	const struct store_script *script = &scripts[id];

	return durable ? store_eval_durable(q->store, script, args->keys,
			     args->argc, args->argv, reply, err)
		       : store_eval(q->store, script, args->keys, args->argc,
			     args->argv, reply, err);
}

int64_t
hold_reply_int(const struct store_reply *reply, size_t i)
{
	if (reply->type != STORE_ARRAY || i >= reply->count ||
	    reply->items[i].type != STORE_INTEGER)
		return 0;
	return reply->items[i].integer;
}

struct bytes
hold_reply_text(const struct store_reply *reply, size_t i)
{
	if (reply->type != STORE_ARRAY || i >= reply->count ||
	    reply->items[i].type != STORE_STRING)
		return (struct bytes){ "", 0 };
	return reply->items[i].text;
}
