/*
 * event_stream.c - events into the streams, many at once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/store.h"
#include "quarantine/event_stream.h"
#include "quarantine/events.h"

#define KEY_SIZE 32

/*
 * KEYS stream
 * ARGV most, text...
 * Returns how many were appended: all or none.
 */
static const struct store_script append_script = { "append events",
	"if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then\n"
	"  return 0\n"
	"end\n"
	"for i = 2, #ARGV do\n"
	"  redis.call('XADD', KEYS[1], '*', 'e', ARGV[i])\n"
	"end\n"
	"return #ARGV - 1\n" };

unsigned
event_shard(const char *message_id)
{
	/* FNV-1a over the ULID: the part before the number. */
	uint32_t hash = 2166136261u;

	for (; *message_id != '\0' && *message_id != '.'; message_id++)
		hash = (hash ^ (unsigned char)*message_id) * 16777619u;
	return (hash ^ hash >> 16) % EVENT_SHARDS;
}

static size_t
append_shard(struct store *store, uint64_t most, unsigned shard, size_t n,
    struct event_item *items, struct err *err)
{
	struct bytes *argv = xcalloc(n + 2, sizeof(*argv));
	char key[KEY_SIZE], limit[24];
	struct store_reply *reply;
	size_t argc = 2, i;
	bool done = false;

	(void)snprintf(key, sizeof(key), "sk:{ev:%u}:events", shard);
	(void)snprintf(limit, sizeof(limit), "%llu", (unsigned long long)most);
	argv[0] = bytes_of(key);
	argv[1] = bytes_of(limit);
	for (i = 0; i < n; i++)
		if (!items[i].sent && items[i].shard == shard)
			argv[argc++] = items[i].text;
	if (argc > 2 &&
	    store_eval(store, &append_script, 1, argc, argv, &reply, err) ==
		0) {
		done = reply->type == STORE_INTEGER && reply->integer > 0;
		if (!done)
			err_set(err, ERR_LIMIT, "%s: is at its ceiling", key);
		store_reply_free(reply);
	}
	for (i = 0; i < n && done; i++)
		if (items[i].shard == shard)
			items[i].sent = true;
	free(argv);
	return done ? argc - 2 : 0;
}

size_t
event_stream_append(struct store *store, uint64_t most, size_t n,
    struct event_item *items, struct err *err)
{
	size_t sent = 0;
	unsigned shard;

	for (shard = 0; shard < EVENT_SHARDS; shard++)
		sent += append_shard(store, most, shard, n, items, err);
	return sent;
}
