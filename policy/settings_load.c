/*
 * settings_load.c - reads a snapshot out of the store.
 *
 * Every change of the settings is one script that adds one to the
 * generation and notes it as the score of each object it touched: in
 * "changed" those that exist, in "gone" those that do not.  So what is newer
 * than a generation is one range, and everything is what is newer than 0.
 *
 * A change during reading touches objects with a score above the generation
 * that was read before.  They are read again, until the generation stands
 * still: the snapshot is then the state of exactly that generation.  What is
 * gone matters as soon as anything was read.  The keys are described in
 * doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/store.h"
#include "base/str.h"
#include "policy/settings_keys.h"
#include "policy/settings_parts.h"

/* Objects asked for at once, and their fields: an answer must arrive whole
 * within the timeout, however many recipients a domain has. */
#define BATCH 256
#define BATCH_FIELDS 20000
/* Each round reads what changed during the one before. */
#define ROUNDS_MAX 100

struct head {
	uint64_t generation; /* 0: nothing was ever stored */
	uint64_t floor;      /* below it, not all that is gone is known */
	bool has_secret;
	uint8_t secret[SETTINGS_SECRET_SIZE];
};

static int
damaged(struct err *err, const char *key, const char *what)
{
	return err_set(err, ERR_INPUT, "%s: %s", key, what);
}

/* ---- the head ---- */

static int
read_number(const struct store_reply *reply, const char *key, uint64_t *out,
    struct err *err)
{
	*out = 0;
	if (reply->type == STORE_NIL)
		return 0;
	if (store_reply_error(reply, err) < 0)
		return err_prefix(err, "%s", key);
	if (reply->type != STORE_STRING ||
	    parse_u64(reply->text, 0, UINT64_MAX, out) < 0)
		return damaged(err, key, "not a number");
	return 0;
}

static int
read_secret(const struct store_reply *reply, struct head *head, struct err *err)
{
	head->has_secret = reply->type != STORE_NIL;
	if (!head->has_secret)
		return 0;
	if (store_reply_error(reply, err) < 0)
		return err_prefix(err, "%s", SETTINGS_KEY_SECRET);
	if (reply->type != STORE_STRING ||
	    reply->text.len != SETTINGS_SECRET_SIZE)
		return damaged(err, SETTINGS_KEY_SECRET, "not 32 octets");
	memcpy(head->secret, reply->text.data, SETTINGS_SECRET_SIZE);
	return 0;
}

static int
load_head(struct store *store, struct head *head, struct err *err)
{
	const struct bytes generation[] = { BYTES_LIT("GET"),
		BYTES_LIT(SETTINGS_KEY_GENERATION) };
	const struct bytes low[] = { BYTES_LIT("GET"),
		BYTES_LIT(SETTINGS_KEY_FLOOR) };
	const struct bytes secret[] = { BYTES_LIT("GET"),
		BYTES_LIT(SETTINGS_KEY_SECRET) };
	const struct store_command commands[] = { { 2, generation }, { 2, low },
		{ 2, secret } };
	struct store_reply *replies[3];
	int rc = -1;

	if (store_pipeline(store, SETTINGS_KEY_GENERATION, 3, commands, replies,
		err) < 0)
		return -1;
	if (read_number(replies[0], SETTINGS_KEY_GENERATION, &head->generation,
		err) == 0 &&
	    read_number(replies[1], SETTINGS_KEY_FLOOR, &head->floor, err) ==
		0 &&
	    read_secret(replies[2], head, err) == 0)
		rc = 0;
	store_reply_free(replies[0]);
	store_reply_free(replies[1]);
	store_reply_free(replies[2]);
	return rc;
}

/* The first program that needs the secret makes it. */
static int
make_secret(struct store *store, struct head *head, struct err *err)
{
	uint8_t secret[SETTINGS_SECRET_SIZE];
	struct bytes value = { (const char *)secret, sizeof(secret) };
	struct store_reply *reply = NULL;
	int rc;

	random_bytes(secret, sizeof(secret));
	rc = store_runf(store, SETTINGS_KEY_SECRET, &reply, err, "SET %s %b NX",
	    SETTINGS_KEY_SECRET, &value);
	secret_wipe(secret, sizeof(secret));
	store_reply_free(reply);
	if (rc < 0)
		return -1;
	if (load_head(store, head, err) < 0)
		return -1;
	if (!head->has_secret)
		return err_set(err, ERR_TEMP, "%s was just made and is gone",
		    SETTINGS_KEY_SECRET);
	return 0;
}

int
settings_stored_generation(struct store *store, uint64_t *generation,
    struct err *err)
{
	struct store_reply *reply;
	int rc;

	if (store_runf(store, SETTINGS_KEY_GENERATION, &reply, err, "GET %s",
		SETTINGS_KEY_GENERATION) < 0)
		return -1;
	rc = reply->type == STORE_NIL ? 0 : 1;
	if (read_number(reply, SETTINGS_KEY_GENERATION, generation, err) < 0)
		rc = -1;
	store_reply_free(reply);
	return rc;
}

/* ---- objects ---- */

/* The reply to HGETALL becomes an object of the build. */
static int
take_object(struct settings_build *build, struct bytes name,
    const struct store_reply *reply, struct err *err)
{
	size_t i, n = reply->count;
	struct bytes *fields;
	struct err why;
	char *copy;
	int rc = 0;

	if (store_reply_error(reply, err) < 0)
		return err_prefix(err, SETTINGS_KEY_PREFIX "%.*s",
		    (int)name.len, name.data);
	if (reply->type != STORE_ARRAY || n % 2 != 0)
		return err_set(err, ERR_INPUT,
		    SETTINGS_KEY_PREFIX "%.*s: not a hash", (int)name.len,
		    name.data);
	copy = xmemdup(name.data, name.len);
	fields = xcalloc(n > 0 ? n : 1, sizeof(*fields));
	for (i = 0; i < n; i++)
		fields[i] = reply->items[i].text;
	if (settings_build_put(build, copy, n / 2, fields, &why) < 0)
		rc = err_set(err, why.kind, SETTINGS_KEY_PREFIX "%s", why.text);
	free(fields);
	free(copy);
	return rc;
}

/* The same question about each object. */
static struct store_command *
ask_each(struct arena *arena, struct bytes question, size_t n,
    const struct store_reply *names)
{
	struct store_command *commands =
	    arena_calloc(arena, n, sizeof(*commands));
	struct bytes *argv = arena_calloc(arena, 2 * n, sizeof(*argv));
	size_t i;

	for (i = 0; i < n; i++) {
		argv[2 * i] = question;
		argv[2 * i + 1] =
		    bytes_of(arena_printf(arena, SETTINGS_KEY_PREFIX "%.*s",
			(int)names[i].text.len, names[i].text.data));
		commands[i].argc = 2;
		commands[i].argv = &argv[2 * i];
	}
	return commands;
}

/* What is no hash counts nothing; that is told when it is read. */
static int
count_fields(struct store *store, struct arena *arena, size_t n,
    const struct store_reply *names, size_t *counts, struct err *err)
{
	struct store_reply **replies = arena_calloc(arena, n, sizeof(*replies));
	size_t i;

	if (store_pipeline(store, SETTINGS_KEY_GENERATION, n,
		ask_each(arena, BYTES_LIT("HLEN"), n, names), replies, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		counts[i] =
		    replies[i]->integer > 0 ? (size_t)replies[i]->integer : 0;
		store_reply_free(replies[i]);
	}
	return 0;
}

/* Objects by their names, in one go. */
static int
load_at_once(struct store *store, struct settings_build *build,
    struct arena *arena, size_t n, const struct store_reply *names,
    struct err *err)
{
	struct store_reply **replies = arena_calloc(arena, n, sizeof(*replies));
	size_t i;
	int rc;

	rc = store_pipeline(store, SETTINGS_KEY_GENERATION, n,
	    ask_each(arena, BYTES_LIT("HGETALL"), n, names), replies, err);
	for (i = 0; i < n && rc == 0; i++)
		rc = take_object(build, names[i].text, replies[i], err);
	for (i = 0; i < n; i++)
		store_reply_free(replies[i]);
	return rc;
}

/* Up to BATCH objects, as many at once as make BATCH_FIELDS fields. */
static int
load_batch(struct store *store, struct settings_build *build, size_t n,
    const struct store_reply *names, struct err *err)
{
	struct arena *arena = arena_new(0);
	size_t *counts = arena_calloc(arena, n, sizeof(*counts));
	size_t i, end, fields;
	int rc = 0;

	if (n > 1)
		rc = count_fields(store, arena, n, names, counts, err);
	for (i = 0; i < n && rc == 0; i = end) {
		fields = counts[i];
		for (end = i + 1; end < n; end++) {
			fields += counts[end];
			if (fields > BATCH_FIELDS)
				break;
		}
		rc = load_at_once(store, build, arena, end - i, names + i, err);
	}
	arena_free(arena);
	return rc;
}

static int
load_range(struct store *store, struct settings_build *build, const char *key,
    uint64_t above, struct err *err)
{
	char *least = xprintf("(%" PRIu64, above);
	struct store_reply *names;
	size_t i, n;
	int rc;

	rc = store_runf(store, key, &names, err, "ZRANGEBYSCORE %s %s +inf",
	    key, least);
	free(least);
	if (rc < 0)
		return -1;
	if (names->type != STORE_ARRAY)
		rc = damaged(err, key, "not a sorted set");
	for (i = 0; rc == 0 && i < names->count; i += n) {
		n = names->count - i < BATCH ? names->count - i : BATCH;
		rc = load_batch(store, build, n, names->items + i, err);
	}
	store_reply_free(names);
	return rc;
}

/* ---- the snapshot ---- */

/* Is old an earlier state of what the store has? */
static bool
is_ancestor(const struct settings *old, const struct head *head)
{
	return old != NULL && old->has_secret && head->has_secret &&
	    memcmp(old->secret, head->secret, sizeof(old->secret)) == 0 &&
	    old->generation <= head->generation &&
	    old->generation >= head->floor;
}

static struct settings *
load_newer(struct store *store, struct settings *base, struct head *head,
    struct err *err)
{
	struct settings_build *build = settings_build_new(base);
	uint64_t have = base != NULL ? base->generation : 0, reading;
	struct settings *settings = NULL;
	unsigned round;

	settings_build_secret(build, head->secret, sizeof(head->secret));
	for (round = 0; have < head->generation; round++) {
		reading = head->generation;
		if (round == ROUNDS_MAX) {
			err_set(err, ERR_TEMP,
			    "settings change faster than they can be read");
			goto out;
		}
		if (load_range(store, build, SETTINGS_KEY_CHANGED, have, err) <
			0 ||
		    (have > 0 &&
			load_range(store, build, SETTINGS_KEY_GONE, have, err) <
			    0) ||
		    load_head(store, head, err) < 0)
			goto out;
		have = reading;
		if (have < head->floor) {
			err_set(err, ERR_TEMP,
			    "too much was removed while settings were read");
			goto out;
		}
	}
	settings = settings_build_finish(build, have);
out:
	settings_build_free(build);
	return settings;
}

struct settings *
settings_load(struct store *store, struct settings *old, struct err *err)
{
	struct settings *settings;
	struct head head;

	if (load_head(store, &head, err) < 0)
		return NULL;
	if (old != NULL && old->generation > 0 && head.generation == 0) {
		err_set(err, ERR_INPUT,
		    "%s is gone: the store was emptied after generation "
		    "%" PRIu64 "; restart to begin anew",
		    SETTINGS_KEY_GENERATION, old->generation);
		return NULL;
	}
	if (!head.has_secret && make_secret(store, &head, err) < 0)
		return NULL;
	if (!is_ancestor(old, &head)) {
		if (old != NULL && old->generation > 0)
			log_warn("settings: the store holds others than "
				 "before (generation %" PRIu64 ", had %" PRIu64
				 "): all are read",
			    head.generation, old->generation);
		old = NULL;
	}
	if (old != NULL && old->generation == head.generation)
		settings = settings_ref(old);
	else
		settings = load_newer(store, old, &head, err);
	secret_wipe(&head, sizeof(head));
	return settings;
}
