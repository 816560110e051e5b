/*
 * release_header.c - the signed header of what we inject ourselves.
 *
 *	X-Sekimori-Release: v=1; i=HELD ID; x=EXPIRY; h=HMAC
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "policy/settings.h"
#include "quarantine/release.h"

#define SECRET_LEN 32
#define EXPIRY_TEXT_SIZE 24
/* How far the clocks of two machines of ours may be apart. */
#define CLOCK_SKEW_S 60

static void
sign(const uint8_t *secret, struct bytes held_id, const char *recipient,
    const uint8_t hash[32], uint64_t expiry_s, uint8_t out[SHA256_LEN])
{
	char expiry[EXPIRY_TEXT_SIZE];
	const struct bytes key = { (const char *)secret, SECRET_LEN };
	struct bytes parts[5];

	snprintf(expiry, sizeof(expiry), "%" PRIu64, expiry_s);
	parts[0] = bytes_of("release");
	parts[1] = held_id;
	parts[2] = bytes_of(recipient);
	parts[3] = (struct bytes){ (const char *)hash, 32 };
	parts[4] = bytes_of(expiry);
	hmac_sha256(key, parts, sizeof(parts) / sizeof(*parts), out);
}

int
release_header_make(const struct settings *settings, const char *held_id,
    const char *recipient, const uint8_t hash[32], struct buf *out)
{
	const uint8_t *secret = settings_secret(settings);
	uint64_t expiry_s = (uint64_t)clock_wall_s() + RELEASE_LIFE_S;
	uint8_t mac[SHA256_LEN];

	if (secret == NULL)
		return -1;
	sign(secret, bytes_of(held_id), recipient, hash, expiry_s, mac);
	if (buf_printf(out, RELEASE_FIELD ": v=1; i=%s; x=%" PRIu64 ";\r\n\th=",
		held_id, expiry_s) < 0 ||
	    base64url_encode((struct bytes){ (const char *)mac, sizeof(mac) },
		out) < 0)
		return -1;
	return buf_append_str(out, "\r\n");
}

/* What release_header_make wrote, but for white space. */
static bool
read_value(struct bytes value, struct bytes *held_id, uint64_t *expiry_s,
    struct buf *mac)
{
	struct cursor c = cursor_of(value);

	cursor_space(&c);
	if (!cursor_literal(&c, "v=1;"))
		return false;
	cursor_space(&c);
	if (!cursor_literal(&c, "i="))
		return false;
	*held_id = cursor_until(&c, ";");
	if (!cursor_char(&c, ';'))
		return false;
	cursor_space(&c);
	if (!cursor_literal(&c, "x=") || !cursor_u64(&c, INT64_MAX, expiry_s) ||
	    !cursor_char(&c, ';'))
		return false;
	cursor_space(&c);
	return cursor_literal(&c, "h=") &&
	    base64url_decode(bytes_trim(
				 (struct bytes){ c.p, (size_t)(c.end - c.p) }),
		mac) == 0 &&
	    mac->len == SHA256_LEN;
}

bool
release_header_check(const struct settings *settings, struct bytes value,
    const char *recipient, const uint8_t hash[32])
{
	const uint8_t *secret = settings_secret(settings);
	uint64_t now_s = (uint64_t)clock_wall_s(), expiry_s = 0;
	uint8_t want[SHA256_LEN];
	struct bytes held_id;
	struct buf mac;
	bool good;

	if (secret == NULL)
		return false;
	buf_init(&mac, SHA256_LEN);
	good = read_value(value, &held_id, &expiry_s, &mac);
	if (good) {
		sign(secret, held_id, recipient, hash, expiry_s, want);
		good = secret_equal(mac.data, want, sizeof(want)) &&
		    expiry_s + CLOCK_SKEW_S >= now_s &&
		    expiry_s <= now_s + RELEASE_LIFE_S + CLOCK_SKEW_S;
	}
	buf_free(&mac);
	return good;
}
