/*
 * hold_chunks.c - the bytes of a mail: pieces of 256 kB, each a zstd frame
 * of its own, so that memory stays bounded both ways.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mail/message.h"
#include "quarantine/hold.h"

#define ZSTD_LEVEL 3
/* So many compressed bytes wait before they are sent at once. */
#define BATCH_BYTES_MAX (1024 * 1024)
#define BATCH_COMMANDS_MAX 64

struct hold_writer {
	struct quarantine *q;
	struct bytes id;
	const char *meta_key; /* names the slot */
	const char *life;     /* ms, as text */
	struct arena *arena;  /* of the batch */
	ZSTD_CCtx *zstd;
	char *raw; /* HOLD_CHUNK_SIZE */
	size_t raw_len;
	size_t chunks;
	uint64_t stored;
	size_t batch_bytes;
	size_t n;
	struct store_command commands[BATCH_COMMANDS_MAX];
};

/* ---- digest ---- */

static int
digest_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	sha256_update(context, piece.data, piece.len);
	return 0;
}

int
hold_digest_make(struct message *message, struct hold_digest *digest,
    struct err *err)
{
	struct sha256 *hash = sha256_new();
	int rc = message_each(message, digest_piece, hash, err);

	digest->size = message_size(message);
	sha256_final(hash, digest->sha256);
	sha256_free(hash);
	return rc;
}

/* ---- writing ---- */

static void
writer_reset(struct hold_writer *w)
{
	arena_free(w->arena);
	w->arena = arena_new(4096);
	w->n = 0;
	w->batch_bytes = 0;
}

static int
writer_flush(struct hold_writer *w, struct err *err)
{
	struct store_reply *replies[BATCH_COMMANDS_MAX];
	size_t i;
	int rc = 0;

	if (w->n == 0)
		return 0;
	if (store_pipeline_durable(w->q->store, w->meta_key, w->n, w->commands,
		replies, err) < 0)
		return -1;
	for (i = 0; i < w->n; i++) {
		if (rc == 0)
			rc = store_reply_error(replies[i], err);
		store_reply_free(replies[i]);
	}
	writer_reset(w);
	return rc;
}

/* Everything in argv lives until the flush. */
static int
writer_command(struct hold_writer *w, const struct hold_args *args,
    struct err *err)
{
	if (w->n == BATCH_COMMANDS_MAX)
		return err_set(err, ERR_LIMIT, "too many commands at once");
	w->commands[w->n++] = (struct store_command){ args->argc, args->argv };
	return 0;
}

static const char *
chunk_key(struct arena *arena, struct bytes id, size_t n)
{
	return arena_printf(arena, "sk:{m:%.*s}:chunk:%zu", (int)id.len,
	    id.data, n);
}

static int
writer_chunk(struct hold_writer *w, struct err *err)
{
	size_t size = ZSTD_compressBound(w->raw_len), len;
	char *frame = arena_alloc(w->arena, size);
	struct hold_args args;

	len = ZSTD_compressCCtx(w->zstd, frame, size, w->raw, w->raw_len,
	    ZSTD_LEVEL);
	if (ZSTD_isError(len))
		return err_set(err, ERR_TEMP, "zstd: %s",
		    ZSTD_getErrorName(len));
	hold_args_init(&args, w->arena);
	hold_arg_str(&args, "SET");
	hold_arg_str(&args, chunk_key(w->arena, w->id, w->chunks++));
	hold_arg(&args, (struct bytes){ frame, len });
	hold_arg_str(&args, "PX");
	hold_arg_str(&args, w->life);
	w->raw_len = 0;
	w->stored += len;
	w->batch_bytes += size;
	if (writer_command(w, &args, err) < 0)
		return -1;
	return w->batch_bytes >= BATCH_BYTES_MAX ? writer_flush(w, err) : 0;
}

static int
writer_piece(void *context, struct bytes piece, struct err *err)
{
	struct hold_writer *w = context;

	while (piece.len > 0) {
		size_t room = HOLD_CHUNK_SIZE - w->raw_len;
		size_t len = piece.len < room ? piece.len : room;

		memcpy(w->raw + w->raw_len, piece.data, len);
		w->raw_len += len;
		piece.data += len;
		piece.len -= len;
		if (w->raw_len == HOLD_CHUNK_SIZE && writer_chunk(w, err) < 0)
			return -1;
	}
	return 0;
}

static json_t *
meta_json(const struct hold_mail *mail, const struct hold_digest *digest,
    const struct hold_writer *w)
{
	char hex[SHA256_LEN * 2 + 1];
	json_t *meta = json_object();

	str_hex(digest->sha256, sizeof(digest->sha256), hex);
	json_object_set_new(meta, "size",
	    json_integer((json_int_t)digest->size));
	json_object_set_new(meta, "stored",
	    json_integer((json_int_t)w->stored));
	json_object_set_new(meta, "chunks",
	    json_integer((json_int_t)w->chunks));
	json_object_set_new(meta, "sha256", json_string(hex));
	hold_json_text(meta, "sender", mail->sender);
	hold_json_text(meta, "sender_params", mail->sender_params);
	hold_json_text(meta, "client_ip", mail->client_ip);
	hold_json_text(meta, "helo", mail->helo);
	hold_json_text(meta, "received", mail->received);
	hold_json_text(meta, "results", mail->results);
	hold_json_text(meta, "authserv_id", mail->authserv_id);
	hold_json_text(meta, "message_id", mail->message_id);
	return meta;
}

/* Last, so that meta data always have their chunks. */
static int
writer_meta(struct hold_writer *w, const struct hold_mail *mail,
    const struct hold_digest *digest, size_t n,
    const struct hold_entry *entries, struct err *err)
{
	const char *live = hold_mail_key(w->arena, w->id, "live");
	json_t *meta = meta_json(mail, digest, w);
	struct hold_args args;
	size_t i;

	hold_args_init(&args, w->arena);
	hold_arg_str(&args, "SADD");
	hold_arg_str(&args, live);
	for (i = 0; i < n; i++)
		if (!entries[i].already)
			hold_arg_str(&args, entries[i].id);
	if (writer_command(w, &args, err) < 0)
		goto fail;
	hold_args_init(&args, w->arena);
	hold_arg_str(&args, "PEXPIRE");
	hold_arg_str(&args, live);
	hold_arg_str(&args, w->life);
	if (writer_command(w, &args, err) < 0)
		goto fail;
	hold_args_init(&args, w->arena);
	hold_arg_str(&args, "SET");
	hold_arg_str(&args, w->meta_key);
	hold_arg_str(&args, hold_json_dump(w->arena, meta));
	hold_arg_str(&args, "PX");
	hold_arg_str(&args, w->life);
	json_decref(meta);
	return writer_command(w, &args, err);
fail:
	json_decref(meta);
	return -1;
}

int
hold_chunks_write(struct quarantine *q, const struct hold_mail *mail,
    const struct hold_digest *digest, size_t n,
    const struct hold_entry *entries, int64_t life_ms, uint64_t *stored,
    struct err *err)
{
	struct arena *arena = arena_new(1024);
	struct hold_writer w = { .q = q,
		.id = bytes_of(mail->id),
		.life = arena_printf(arena, "%lld", (long long)life_ms),
		.zstd = ZSTD_createCCtx(),
		.raw = xmalloc(HOLD_CHUNK_SIZE) };
	int rc = -1;

	w.meta_key = hold_mail_key(arena, w.id, "meta");
	writer_reset(&w);
	if (w.zstd == NULL)
		err_set(err, ERR_TEMP, "zstd: no memory");
	else
		rc = message_each(mail->message, writer_piece, &w, err);
	if (rc == 0 && w.raw_len > 0)
		rc = writer_chunk(&w, err);
	if (rc == 0)
		rc = writer_meta(&w, mail, digest, n, entries, err);
	if (rc == 0)
		rc = writer_flush(&w, err);
	*stored = w.stored;
	ZSTD_freeCCtx(w.zstd);
	arena_free(w.arena);
	arena_free(arena);
	free(w.raw);
	return rc < 0 ? -1 : 0;
}

/* ---- reading ---- */

struct meta {
	uint64_t size;
	size_t chunks;
	uint8_t sha256[SHA256_LEN];
};

static int
meta_numbers(const json_t *json, const char *key, struct meta *meta,
    struct err *err)
{
	json_int_t size = json_integer_value(json_object_get(json, "size"));
	json_int_t chunks = json_integer_value(json_object_get(json, "chunks"));
	const char *hex = json_string_value(json_object_get(json, "sha256"));
	size_t i;

	if (size < 0 || (uint64_t)size > HOLD_MESSAGE_MAX || chunks < 0 ||
	    chunks != (size + HOLD_CHUNK_SIZE - 1) / HOLD_CHUNK_SIZE ||
	    hex == NULL || strlen(hex) != 2 * sizeof(meta->sha256))
		return err_set(err, ERR_INPUT, "%s: damaged", key);
	meta->size = (uint64_t)size;
	meta->chunks = (size_t)chunks;
	for (i = 0; i < sizeof(meta->sha256); i++) {
		int high = ascii_hex_value(hex[2 * i]);
		int low = ascii_hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_set(err, ERR_INPUT, "%s: damaged", key);
		meta->sha256[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* 1, 0 not there, -1. */
static int
meta_read(struct quarantine *q, const char *key, json_t **json, struct err *err)
{
	struct store_reply *reply;
	int rc = -1;

	if (store_runf(q->store, key, &reply, err, "GET %s", key) < 0)
		return -1;
	if (reply->type == STORE_NIL)
		rc = 0;
	else if ((*json = hold_json_parse(reply->text, key, err)) != NULL)
		rc = 1;
	store_reply_free(reply);
	return rc;
}

/* Bytes of a frame into raw, which must become want long. */
static int
chunk_decompress(struct bytes frame, char *raw, size_t want, const char *key,
    struct err *err)
{
	/* The frame says its size before anything is made of it. */
	unsigned long long says =
	    ZSTD_getFrameContentSize(frame.data, frame.len);
	size_t len;

	if (says != want)
		return err_set(err, ERR_INPUT, "%s: damaged: wrong size", key);
	len = ZSTD_decompress(raw, want, frame.data, frame.len);
	if (ZSTD_isError(len) || len != want)
		return err_set(err, ERR_INPUT, "%s: damaged: %s", key,
		    ZSTD_isError(len) ? ZSTD_getErrorName(len) : "too short");
	return 0;
}

static int
chunk_read(struct quarantine *q, const char *key, char *raw, size_t want,
    struct err *err)
{
	struct store_reply *reply;
	int rc;

	if (store_runf(q->store, key, &reply, err, "GET %s", key) < 0)
		return -1;
	if (reply->type != STORE_STRING)
		rc = err_set(err, ERR_INPUT, "%s: is missing", key);
	else
		rc = chunk_decompress(reply->text, raw, want, key, err);
	store_reply_free(reply);
	return rc;
}

static int
chunks_each(struct quarantine *q, struct bytes id, const struct meta *meta,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct sha256 *hash = sha256_new();
	char *raw = xmalloc(HOLD_CHUNK_SIZE);
	uint8_t digest[SHA256_LEN];
	uint64_t left = meta->size;
	size_t i;
	int rc = 0;

	for (i = 0; i < meta->chunks && rc == 0; i++) {
		size_t want =
		    left < HOLD_CHUNK_SIZE ? (size_t)left : HOLD_CHUNK_SIZE;

		rc = chunk_read(q, chunk_key(arena, id, i), raw, want, err);
		if (rc == 0) {
			sha256_update(hash, raw, want);
			rc = each(context, (struct bytes){ raw, want }, err);
		}
		left -= want;
	}
	sha256_final(hash, digest);
	sha256_free(hash);
	if (rc == 0 && !secret_equal(digest, meta->sha256, sizeof(digest)))
		rc = err_set(err, ERR_INPUT,
		    "held mail %.*s: the bytes are not those that were stored",
		    (int)id.len, id.data);
	free(raw);
	arena_free(arena);
	return rc;
}

int
quarantine_read(struct quarantine *q, const char *held_id,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	struct arena *arena;
	struct meta meta = { 0 };
	struct bytes id;
	const char *key;
	json_t *json = NULL;
	int rc;

	if (hold_id_parse(held_id, &id, err) < 0)
		return -1;
	arena = arena_new(1024);
	key = hold_mail_key(arena, id, "meta");
	rc = meta_read(q, key, &json, err);
	if (rc == 0)
		rc = err_set(err, ERR_INPUT, "%s: is missing", key);
	else if (rc > 0)
		rc = meta_numbers(json, key, &meta, err);
	if (rc == 0)
		rc = chunks_each(q, id, &meta, each, context, err);
	json_decref(json);
	arena_free(arena);
	return rc;
}

/* ---- removing ---- */

/* UNLINK, or PEXPIRE with a life, of every key of a mail. */
static int
for_each_key(struct quarantine *q, struct bytes id, size_t chunks,
    const char *command, const char *life, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *meta_key = hold_mail_key(arena, id, "meta");
	struct store_command *commands =
	    arena_calloc(arena, chunks + 2, sizeof(*commands));
	struct store_reply **replies =
	    arena_calloc(arena, chunks + 2, sizeof(struct store_reply *));
	size_t i;
	int rc;

	for (i = 0; i < chunks + 2; i++) {
		struct hold_args args;

		hold_args_init(&args, arena);
		hold_arg_str(&args, command);
		/* meta first: what has no meta data is not there. */
		hold_arg_str(&args,
		    i == 0       ? meta_key
			: i == 1 ? hold_mail_key(arena, id, "live")
				 : chunk_key(arena, id, i - 2));
		if (life != NULL) {
			hold_arg_str(&args, life);
			hold_arg_str(&args, "LT"); /* never longer */
		}
		commands[i] = (struct store_command){ args.argc, args.argv };
	}
	rc = store_pipeline(q->store, meta_key, chunks + 2, commands, replies,
	    err);
	for (i = 0; i < chunks + 2 && rc == 0; i++)
		store_reply_free(replies[i]);
	arena_free(arena);
	return rc;
}

void
hold_chunks_undo(struct quarantine *q, const struct hold_mail *mail,
    uint64_t size)
{
	struct err err;

	if (for_each_key(q, bytes_of(mail->id),
		(size_t)((size + HOLD_CHUNK_SIZE - 1) / HOLD_CHUNK_SIZE),
		"UNLINK", NULL, &err) < 0)
		log_info("%s: chunks stay until they expire: %s", mail->id,
		    err.text);
}

static int
expire_all(struct quarantine *q, struct bytes id, const char *meta_key,
    struct err *err)
{
	char life[24];
	struct meta meta = { 0 };
	json_t *json = NULL;
	int rc = meta_read(q, meta_key, &json, err);

	if (rc <= 0)
		return rc;
	(void)snprintf(life, sizeof(life), "%lld",
	    (long long)HOLD_CHUNK_EXTRA_MS);
	rc = meta_numbers(json, meta_key, &meta, err);
	json_decref(json);
	if (rc < 0)
		return -1;
	return for_each_key(q, id, meta.chunks, "PEXPIRE", life, err);
}

int
hold_chunks_release(struct quarantine *q, const char *held_id, struct err *err)
{
	struct arena *arena;
	struct store_reply *reply;
	struct bytes id;
	const char *live, *meta_key;
	bool last = false;
	int rc;

	if (hold_id_parse(held_id, &id, err) < 0)
		return -1;
	arena = arena_new(1024);
	live = hold_mail_key(arena, id, "live");
	meta_key = hold_mail_key(arena, id, "meta");
	rc = store_runf(q->store, live, NULL, err, "SREM %s %s", live, held_id);
	if (rc == 0)
		rc = store_runf(q->store, live, &reply, err, "SCARD %s", live);
	if (rc == 0) {
		last = reply->type == STORE_INTEGER && reply->integer == 0;
		store_reply_free(reply);
	}
	if (rc == 0 && last)
		rc = expire_all(q, id, meta_key, err);
	arena_free(arena);
	return rc;
}
