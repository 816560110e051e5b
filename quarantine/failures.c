/*
 * failures.c - descriptions of DMARC failures on their way to the sidecar.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/store.h"
#include "quarantine/failures.h"

#define KEY "sk:{fr}:failures"

/*
 * KEYS stream
 * ARGV most, life in seconds, text...
 * Returns how many were appended.
 */
static const struct store_script append_script = { "append failures",
	"local now = tonumber(redis.call('TIME')[1])\n"
	"redis.call('XTRIM', KEYS[1], 'MINID', (now - ARGV[2]) * 1000)\n"
	"local room = ARGV[1] - redis.call('XLEN', KEYS[1])\n"
	"local n = 0\n"
	"while n < #ARGV - 2 and n < room do\n"
	"  n = n + 1\n"
	"  redis.call('XADD', KEYS[1], '*', 'f', ARGV[n + 2])\n"
	"end\n"
	"redis.call('EXPIRE', KEYS[1], ARGV[2])\n"
	"return n\n" };

/* KEYS stream.  The oldest text, or false. */
static const struct store_script take_script = { "take a failure",
	"local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)\n"
	"if #first == 0 then\n"
	"  return false\n"
	"end\n"
	"redis.call('XDEL', KEYS[1], first[1][1])\n"
	"return first[1][2][2]\n" };

size_t
failures_append(struct store *store, size_t n, const struct bytes *texts,
    struct err *err)
{
	struct bytes *argv = xcalloc(n + 3, sizeof(*argv));
	struct store_reply *reply;
	char most[24], life[24];
	size_t i, appended = 0;

	(void)snprintf(most, sizeof(most), "%d", FAILURES_MAX);
	(void)snprintf(life, sizeof(life), "%d", FAILURES_LIFE_S);
	argv[0] = BYTES_LIT(KEY);
	argv[1] = bytes_of(most);
	argv[2] = bytes_of(life);
	for (i = 0; i < n; i++)
		argv[i + 3] = texts[i];
	if (store_eval(store, &append_script, 1, n + 3, argv, &reply, err) ==
	    0) {
		if (reply->type == STORE_INTEGER && reply->integer > 0)
			appended = (size_t)reply->integer;
		store_reply_free(reply);
		if (appended < n)
			err_set(err, ERR_LIMIT, KEY ": is at its ceiling");
	}
	free(argv);
	return appended;
}

int64_t
failures_count(struct store *store, struct err *err)
{
	struct store_reply *reply;
	int64_t n;

	if (store_runf(store, KEY, &reply, err, "XLEN " KEY) < 0)
		return -1;
	n = reply->type == STORE_INTEGER ? reply->integer : 0;
	store_reply_free(reply);
	return n;
}

int
failures_take(struct store *store, char **text, size_t *len, struct err *err)
{
	const struct bytes key = BYTES_LIT(KEY);
	struct store_reply *reply;
	int rc = 0;

	if (store_eval(store, &take_script, 1, 1, &key, &reply, err) < 0)
		return -1;
	if (reply->type == STORE_STRING) {
		*text = xmemdup(reply->text.data, reply->text.len);
		*len = reply->text.len;
		rc = 1;
	}
	store_reply_free(reply);
	return rc;
}
