/*
 * history_consume.c - from the event streams of the store into the file.
 *
 * The entries of all shards that are new, up to a batch, go into one
 * transaction together with the cursors.  Only then the store is told how
 * far we are; what we have may be trimmed when all other consumers have it
 * too.  A crash at any point at worst reads entries again whose events the
 * file has, which changes nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/store.h"
#include "base/str.h"
#include "quarantine/history_impl.h"

/* Entries of a shard in one transaction. */
#define BATCH 200
/* Octets of the id of an entry: two numbers of 20 digits. */
#define ENTRY_SIZE 48
#define KEY_SIZE 32
/* Between two looks while waiting. */
#define LOOK_MS 200

/*
 * KEYS: stream, hash of the consumers.  ARGV: consumer, its cursor, now and
 * the longest silence in ms.  A consumer is "ENTRY SEEN_MS".  Drops who was
 * silent for too long and trims to the lowest cursor; returns whom it
 * dropped.
 */
static const struct store_script sign_script = {
	"history_sign",
	"local function before(a, b)\n"
	"  local am, as = string.match(a, '^(%d+)-?(%d*)$')\n"
	"  local bm, bs = string.match(b, '^(%d+)-?(%d*)$')\n"
	"  am, bm = tonumber(am), tonumber(bm)\n"
	"  if am ~= bm then return am < bm end\n"
	"  return (tonumber(as) or 0) < (tonumber(bs) or 0)\n"
	"end\n"
	"redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])\n"
	"local all = redis.call('HGETALL', KEYS[2])\n"
	"local lowest, dropped = ARGV[2], {}\n"
	"for i = 1, #all, 2 do\n"
	"  local entry, seen = string.match(all[i + 1], '^(%S+) (%d+)$')\n"
	"  if not entry or\n"
	"      tonumber(ARGV[3]) - tonumber(seen) > tonumber(ARGV[4]) then\n"
	"    redis.call('HDEL', KEYS[2], all[i])\n"
	"    dropped[#dropped + 1] = all[i]\n"
	"  elseif before(entry, lowest) then\n"
	"    lowest = entry\n"
	"  end\n"
	"end\n"
	"redis.call('XTRIM', KEYS[1], 'MINID', lowest)\n"
	"return dropped\n",
};

/* What was read of one shard. */
struct batch {
	struct store_reply *reply;
	const struct store_reply *entries; /* in it; NULL: none */
	char cursor[ENTRY_SIZE];
	bool moved; /* the cursor */
	bool away;  /* the store */
};

static void
stream_key(char out[KEY_SIZE], unsigned shard)
{
	(void)snprintf(out, KEY_SIZE, "sk:{ev:%u}:events", shard);
}

static void
consumers_key(char out[KEY_SIZE], unsigned shard)
{
	(void)snprintf(out, KEY_SIZE, "sk:{ev:%u}:consumers", shard);
}

/* ---- cursors ---- */

static int
load_cursor(struct history *history, unsigned shard, char out[ENTRY_SIZE],
    struct err *err)
{
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_statement(history,
	    "SELECT entry FROM cursor WHERE shard = :shard", err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":shard", shard);
	rc = history_step(history, stmt, err);
	(void)snprintf(out, ENTRY_SIZE, "%s",
	    rc > 0 ? (const char *)sqlite3_column_text(stmt, 0) : "0");
	sqlite3_reset(stmt);
	return rc < 0 ? -1 : 0;
}

static int
save_cursor(struct history *history, unsigned shard, const char *entry,
    struct err *err)
{
	sqlite3_stmt *stmt;
	int rc;

	stmt = history_statement(history,
	    "INSERT OR REPLACE INTO cursor (shard, entry) "
	    "VALUES (:shard, :entry)",
	    err);
	if (stmt == NULL)
		return -1;
	history_bind_int(stmt, ":shard", shard);
	history_bind_text(stmt, ":entry", entry);
	rc = history_step(history, stmt, err);
	sqlite3_reset(stmt);
	return rc < 0 ? -1 : 0;
}

/* ---- reading ---- */

/* The part of a reply at a path of indexes, or NULL. */
static const struct store_reply *
item(const struct store_reply *reply, size_t index)
{
	if (reply == NULL || reply->type != STORE_ARRAY ||
	    index >= reply->count)
		return NULL;
	return &reply->items[index];
}

static int
read_shard(struct store *store, unsigned shard, struct batch *batch,
    struct err *err)
{
	char key[KEY_SIZE];

	stream_key(key, shard);
	if (store_runf(store, key, &batch->reply, err,
		"XREAD COUNT %d STREAMS %s %s", (int64_t)BATCH, key,
		batch->cursor) < 0)
		return -1;
	/* [ [ key, [ [ id, [ field, value ] ], ... ] ] ] */
	batch->entries = item(item(batch->reply, 0), 1);
	return 0;
}

/* Takes one entry; 0, -1. */
static int
take_entry(struct history *history, const struct store_reply *entry,
    struct batch *batch, struct err *err)
{
	const struct store_reply *id = item(entry, 0);
	const struct store_reply *value = item(item(entry, 1), 1);

	if (id == NULL || id->text.len >= ENTRY_SIZE)
		return err_set(err, ERR_TEMP, "a stream without entry ids");
	if (history_take_event(history,
		value != NULL ? value->text : (struct bytes){ "", 0 }, err) < 0)
		return -1;
	memcpy(batch->cursor, id->text.data, id->text.len);
	batch->cursor[id->text.len] = '\0';
	batch->moved = true;
	return 0;
}

static int64_t
take_batch(struct history *history, unsigned shard, struct batch *batch,
    struct err *err)
{
	size_t i, n = batch->entries != NULL ? batch->entries->count : 0;

	for (i = 0; i < n; i++)
		if (take_entry(history, &batch->entries->items[i], batch, err) <
		    0)
			return -1;
	if (batch->moved && save_cursor(history, shard, batch->cursor, err) < 0)
		return -1;
	return (int64_t)n;
}

static int64_t
take_batches(struct history *history, struct batch batches[EVENT_SHARDS],
    struct err *err)
{
	int64_t taken = 0, n;
	unsigned shard;

	if (history_exec(history, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (shard = 0; shard < EVENT_SHARDS; shard++) {
		n = take_batch(history, shard, &batches[shard], err);
		if (n < 0) {
			history_exec(history, "ROLLBACK", NULL);
			return -1;
		}
		taken += n;
	}
	if (history_exec(history, "COMMIT", err) < 0) {
		history_exec(history, "ROLLBACK", NULL);
		return -1;
	}
	return taken;
}

/* ---- telling the store ---- */

static char *
consumer_name(struct history *history, struct err *err)
{
	char *name = NULL;
	sqlite3_stmt *stmt;

	stmt = history_statement(history,
	    "SELECT name FROM name WHERE what = 'consumer'", err);
	if (stmt != NULL && history_step(history, stmt, err) > 0)
		name = xstrdup((const char *)sqlite3_column_text(stmt, 0));
	sqlite3_reset(stmt);
	return name;
}

static int
sign_shard(struct store *store, const char *consumer, unsigned shard,
    const char *cursor, struct err *err)
{
	char stream[KEY_SIZE], consumers[KEY_SIZE], now[32], silence[32];
	struct store_reply *dropped;
	struct bytes argv[6];
	size_t i;

	stream_key(stream, shard);
	consumers_key(consumers, shard);
	(void)snprintf(now, sizeof(now), "%" PRId64, clock_wall_ms());
	(void)snprintf(silence, sizeof(silence), "%" PRId64,
	    (int64_t)HISTORY_SILENCE_DAYS * 86400 * 1000);
	argv[0] = bytes_of(stream);
	argv[1] = bytes_of(consumers);
	argv[2] = bytes_of(consumer);
	argv[3] = bytes_of(cursor);
	argv[4] = bytes_of(now);
	argv[5] = bytes_of(silence);
	if (store_eval(store, &sign_script, 2, 6, argv, &dropped, err) < 0)
		return -1;
	for (i = 0; dropped->type == STORE_ARRAY && i < dropped->count; i++)
		log_warn("history: dropped consumer %.*s of shard %u: silent "
			 "for more than %d days; it will miss what is "
			 "trimmed from now on",
		    (int)dropped->items[i].text.len,
		    dropped->items[i].text.data, shard, HISTORY_SILENCE_DAYS);
	store_reply_free(dropped);
	return 0;
}

/* Of the shards that moved; from time to time of all, as a sign of life. */
static int
sign(struct history *history, struct store *store,
    const struct batch batches[EVENT_SHARDS], struct err *err)
{
	bool all = history->signed_ms == 0 ||
	    clock_mono_ms() - history->signed_ms >= HISTORY_SIGN_MS;
	char *consumer = consumer_name(history, err);
	int rc = consumer != NULL ? 0 : -1;
	unsigned shard;

	for (shard = 0; consumer != NULL && shard < EVENT_SHARDS; shard++)
		if (!batches[shard].away && (all || batches[shard].moved) &&
		    sign_shard(store, consumer, shard, batches[shard].cursor,
			err) < 0)
			rc = -1;
	free(consumer);
	if (all && rc == 0)
		history->signed_ms = clock_mono_ms();
	return rc;
}

/* ---- entries that are gone ---- */

/* "MS-SEQ" as two numbers; false: no such id. */
static bool
parse_entry(struct bytes text, uint64_t *ms, uint64_t *seq)
{
	struct cursor c = cursor_of(text);

	*seq = 0;
	if (!cursor_u64(&c, UINT64_MAX, ms))
		return false;
	return cursor_at_end(&c) ||
	    (cursor_char(&c, '-') && cursor_u64(&c, UINT64_MAX, seq) &&
		cursor_at_end(&c));
}

/* Was an entry behind our cursor removed before we read it?  That happens
 * when this sidecar was silent for too long and was dropped. */
static void
warn_of_gap(struct store *store, unsigned shard, const struct batch *batch)
{
	const struct store_reply *name, *value;
	uint64_t ms, seq, our_ms, our_seq;
	struct store_reply *info;
	char key[KEY_SIZE];
	size_t i;

	stream_key(key, shard);
	if (!parse_entry(bytes_of(batch->cursor), &our_ms, &our_seq) ||
	    our_ms == 0 ||
	    store_runf(store, key, &info, NULL, "XINFO STREAM %s", key) < 0)
		return; /* nothing read yet, or no such stream */
	for (i = 0; i + 1 < info->count; i += 2) {
		name = item(info, i);
		value = item(info, i + 1);
		if (!bytes_equal(name->text,
			BYTES_LIT("max-deleted-entry-id")) ||
		    !parse_entry(value->text, &ms, &seq))
			continue;
		if (ms > our_ms || (ms == our_ms && seq > our_seq))
			log_error("history: events of shard %u between %s and "
				  "%.*s were removed before they were read; "
				  "they are missing",
			    shard, batch->cursor, (int)value->text.len,
			    value->text.data);
	}
	store_reply_free(info);
}

/* ---- one look at all streams ---- */

/* A shard whose node is away does not hold up the others. */
static int
read_shards(struct history *history, struct store *store,
    struct batch batches[EVENT_SHARDS], struct err *err)
{
	unsigned shard;
	int away = 0;

	for (shard = 0; shard < EVENT_SHARDS; shard++) {
		if (load_cursor(history, shard, batches[shard].cursor, err) < 0)
			return -1;
		if (history->signed_ms == 0)
			warn_of_gap(store, shard, &batches[shard]);
		if (read_shard(store, shard, &batches[shard], err) < 0) {
			batches[shard].away = true;
			away++;
		}
	}
	return away;
}

static bool
has_news(const struct batch batches[EVENT_SHARDS])
{
	unsigned shard;

	for (shard = 0; shard < EVENT_SHARDS; shard++)
		if (batches[shard].entries != NULL)
			return true;
	return false;
}

static int64_t
look(struct history *history, struct store *store, struct err *err)
{
	struct batch batches[EVENT_SHARDS] = { 0 };
	int away = read_shards(history, store, batches, err);
	int64_t taken = 0;
	unsigned shard;

	if (away < 0)
		taken = -1;
	else if (has_news(batches))
		taken = take_batches(history, batches, err);
	if (taken >= 0 && sign(history, store, batches, err) < 0)
		away = 1;
	for (shard = 0; shard < EVENT_SHARDS; shard++)
		store_reply_free(batches[shard].reply);
	return taken == 0 && away != 0 ? -1 : taken;
}

int64_t
history_consume(struct history *history, struct store *store, unsigned wait_ms,
    struct err *err)
{
	int64_t until_ms = clock_mono_ms() + wait_ms, taken;
	struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	for (;;) {
		taken = look(history, store, err);
		if (taken != 0 || clock_mono_ms() >= until_ms)
			return taken;
		if (nanosleep(&pause, NULL) < 0)
			return 0;
	}
}
