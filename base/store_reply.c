/*
 * store_reply.c - bytes from Redis into replies.
 *
 * hiredis parses; the tree is built by functions of ours, which count as
 * they go: a stream that asks for more than a reply of ours ever holds is
 * an error of the stream.  hiredis itself bounds the depth (9).
 *
 * The items of an array stand in one block; each knows only its own
 * memory, so a tree is freed from its root.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/arena.h"
#include "base/store_impl.h"

/* hiredis 1.0 changed one type of its callbacks. */
#if HIREDIS_MAJOR >= 1
typedef size_t array_count;
#else
typedef int array_count;
#endif

struct store_reader {
	redisReader *redis;
	redisReplyObjectFunctions build; /* what hiredis calls */
	/* of the reply that is being built */
	size_t items;
	size_t bytes;
	bool over; /* a ceiling */
	bool torn; /* the length of a string is not its length */
};

static void
reply_fini(struct store_reply *reply)
{
	size_t i;

	for (i = 0; i < reply->count; i++)
		reply_fini(&reply->items[i]);
	free(reply->items);
	free((char *)reply->text.data);
}

void
store_reply_free(struct store_reply *reply)
{
	if (reply == NULL)
		return;
	reply_fini(reply);
	free(reply);
}

/* Where the reply of this task belongs: in its parent, or a new root. */
static struct store_reply *
place(const redisReadTask *task, enum store_type type)
{
	struct store_reply *reply;

	if (task->parent != NULL) {
		struct store_reply *parent = task->parent->obj;

		reply = &parent->items[task->idx];
	} else {
		reply = xcalloc(1, sizeof(*reply));
	}
	reply->type = type;
	return reply;
}

/* False when n more items or len more bytes pass a ceiling. */
static bool
count(const redisReadTask *task, size_t n, size_t len)
{
	struct store_reader *reader = task->privdata;

	if (n > STORE_REPLY_ITEMS_MAX - reader->items ||
	    len > STORE_REPLY_BYTES_MAX - reader->bytes) {
		reader->over = true;
		return false;
	}
	reader->items += n;
	reader->bytes += len;
	return true;
}

static void *
create_string(const redisReadTask *task, char *text, size_t len)
{
	enum store_type type = task->type == REDIS_REPLY_STATUS ? STORE_STATUS
	    : task->type == REDIS_REPLY_ERROR                   ? STORE_ERROR
								: STORE_STRING;
	struct store_reader *reader = task->privdata;
	struct store_reply *reply;

	if (!count(task, 0, len))
		return NULL;
	/* Both octets are there, and hiredis skips them without a look. */
	if (memcmp(text + len, "\r\n", 2) != 0) {
		reader->torn = true;
		return NULL;
	}
	reply = place(task, type);
	reply->text = (struct bytes){ xmemdup(text, len), len };
	return reply;
}

static void *
create_array(const redisReadTask *task, array_count elements)
{
	size_t n = elements > 0 ? (size_t)elements : 0;
	struct store_reply *reply;

	if (!count(task, n, 0))
		return NULL;
	reply = place(task, STORE_ARRAY);
	/* Cleared, so that a tree can be freed before it is whole. */
	reply->items = n > 0 ? xcalloc(n, sizeof(*reply->items)) : NULL;
	reply->count = n;
	return reply;
}

static void *
create_integer(const redisReadTask *task, long long value)
{
	struct store_reply *reply = place(task, STORE_INTEGER);

	reply->integer = value;
	return reply;
}

static void *
create_nil(const redisReadTask *task)
{
	return place(task, STORE_NIL);
}

static void
free_object(void *reply)
{
	store_reply_free(reply);
}

struct store_reader *
store_reader_new(void)
{
	struct store_reader *reader = xcalloc(1, sizeof(*reader));

	reader->build.createString = create_string;
	reader->build.createArray = create_array;
	reader->build.createInteger = create_integer;
	reader->build.createNil = create_nil;
	reader->build.freeObject = free_object;
	reader->redis = redisReaderCreateWithFunctions(&reader->build);
	if (reader->redis == NULL)
		abort();
	reader->redis->privdata = reader;
	return reader;
}

void
store_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	redisReaderFree(reader->redis);
	free(reader);
}

static int
reader_failed(struct store_reader *reader, struct err *err)
{
	if (reader->over)
		return err_set(err, ERR_TEMP,
		    "Redis sent a reply over the ceiling of %d items or %zu "
		    "bytes",
		    STORE_REPLY_ITEMS_MAX, STORE_REPLY_BYTES_MAX);
	return err_set(err, ERR_TEMP, "Redis sent what is no reply: %s",
	    reader->torn ? "a string of another length"
			 : reader->redis->errstr);
}

int
store_reader_feed(struct store_reader *reader, const char *data, size_t len,
    struct err *err)
{
	size_t waiting = reader->redis->len - reader->redis->pos;

	/* A reply is counted when built; until then its bytes wait here. */
	if (waiting > STORE_REPLY_BYTES_MAX)
		reader->over = true;
	if (reader->over ||
	    redisReaderFeed(reader->redis, data, len) != REDIS_OK)
		return reader_failed(reader, err);
	return 0;
}

int
store_reader_get(struct store_reader *reader, struct store_reply **reply,
    struct err *err)
{
	void *got = NULL;

	if (redisReaderGetReply(reader->redis, &got) != REDIS_OK)
		return reader_failed(reader, err);
	if (got == NULL)
		return 0;
	*reply = got;
	reader->items = 0;
	reader->bytes = 0;
	return 1;
}

bool
store_reader_is_empty(const struct store_reader *reader)
{
	/* A reply half built is on the stack (ridx), bytes are behind pos. */
	return reader->redis->len == reader->redis->pos &&
	    reader->redis->ridx == -1;
}
