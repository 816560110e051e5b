/*
 * session.c - who is signed in: sessions in the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/store.h"
#include "base/str.h"
#include "webui/session.h"

#define KEY_PREFIX "sk:{c:session}:"
#define TOKEN_OCTETS 32
/* base64url of them */
#define TOKEN_LEN 43
/* Use is noted when so much time went by, so that most pages write nothing. */
#define NOTE_EVERY_MS "60000"

/* KEYS: the session; ARGV: now, idle in ms. */
static const struct store_script find_script = {
	"session.find",
	/* clang-format off */
	"local s = redis.call('HMGET', KEYS[1], 'user', 'csrf', 'stamp', 'ends',"
	"  'seen')\n"
	"if not s[1] then return false end\n"
	"local now = tonumber(ARGV[1])\n"
	"local idle = tonumber(ARGV[2])\n"
	"if now >= tonumber(s[4]) or now - tonumber(s[5]) >= idle then\n"
	"  redis.call('DEL', KEYS[1])\n"
	"  return false\n"
	"end\n"
	"if now - tonumber(s[5]) >= " NOTE_EVERY_MS " then\n"
	"  redis.call('HSET', KEYS[1], 'seen', now)\n"
	"  redis.call('PEXPIRE', KEYS[1], idle)\n"
	"end\n"
	"return {s[1], s[2], s[3]}\n",
	/* clang-format on */
};

/* KEYS: the session; ARGV: user, csrf, stamp, ends, now, idle. */
static const struct store_script create_script = {
	"session.create",
	/* clang-format off */
	"redis.call('HSET', KEYS[1], 'user', ARGV[1], 'csrf', ARGV[2],"
	"  'stamp', ARGV[3], 'ends', ARGV[4], 'seen', ARGV[5])\n"
	"redis.call('PEXPIRE', KEYS[1], ARGV[6])\n"
	"return 1\n",
	/* clang-format on */
};

const char *
session_token(struct arena *arena)
{
	uint8_t octets[TOKEN_OCTETS];
	struct buf text;
	const char *token;

	random_bytes(octets, sizeof(octets));
	buf_init(&text, TOKEN_LEN);
	(void)base64url_encode((struct bytes){ (const char *)octets,
				   sizeof(octets) },
	    &text);
	token = arena_strdup(arena, buf_str(&text));
	buf_free(&text);
	return token;
}

/* The store must not give sessions away to who can read it. */
static const char *
key_of(struct arena *arena, const char *token)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct sha256 *hash = sha256_new();

	sha256_update(hash, token, strlen(token));
	sha256_final(hash, digest);
	sha256_free(hash);
	str_hex(digest, sizeof(digest), hex);
	return arena_printf(arena, KEY_PREFIX "%s", hex);
}

static struct bytes
number(struct arena *arena, int64_t n)
{
	return bytes_of(arena_printf(arena, "%" PRId64, n));
}

int
session_create(struct store *store, struct arena *arena, const char *user,
    const char *stamp, struct session *session, struct err *err)
{
	const int64_t now = clock_wall_ms();
	struct store_reply *reply;
	struct session made = { .token = session_token(arena),
		.csrf = session_token(arena),
		.user = arena_strdup(arena, user),
		.stamp = arena_strdup(arena, stamp) };
	const struct bytes argv[] = {
		bytes_of(key_of(arena, made.token)),
		bytes_of(made.user),
		bytes_of(made.csrf),
		bytes_of(made.stamp),
		number(arena, now + SESSION_LIFE_S * (int64_t)1000),
		number(arena, now),
		number(arena, SESSION_IDLE_S * (int64_t)1000),
	};

	if (store_eval(store, &create_script, 1, sizeof(argv) / sizeof(argv[0]),
		argv, &reply, err) < 0)
		return -1;
	store_reply_free(reply);
	*session = made;
	return 0;
}

int
session_find(struct store *store, struct arena *arena, const char *token,
    struct session *session, struct err *err)
{
	struct store_reply *reply;
	struct bytes argv[3];
	int rc = 0;

	if (strlen(token) != TOKEN_LEN)
		return 0;
	argv[0] = bytes_of(key_of(arena, token));
	argv[1] = number(arena, clock_wall_ms());
	argv[2] = number(arena, SESSION_IDLE_S * (int64_t)1000);
	if (store_eval(store, &find_script, 1, 3, argv, &reply, err) < 0)
		return -1;
	if (reply->type == STORE_ARRAY && reply->count == 3) {
		session->token = arena_strdup(arena, token);
		session->user = arena_strdup(arena, reply->items[0].text.data);
		session->csrf = arena_strdup(arena, reply->items[1].text.data);
		session->stamp = arena_strdup(arena, reply->items[2].text.data);
		rc = 1;
	}
	store_reply_free(reply);
	return rc;
}

int
session_end(struct store *store, const char *token, struct err *err)
{
	struct arena *arena = arena_new(0);
	const char *key = key_of(arena, token);
	struct store_reply *reply;
	int rc = store_runf(store, key, &reply, err, "DEL %s", key);

	if (rc == 0)
		store_reply_free(reply);
	arena_free(arena);
	return rc;
}
