/*
 * fuzz_release.c - the signed header of a release, and a stored message on
 * its way out.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "mail/message.h"
#include "policy/settings_build.h"
#include "quarantine/release.h"
#include "quarantine/release_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody guesses the HMAC. */
static void
check_header(struct bytes value)
{
	static const uint8_t secret[32] = { 1 }, hash[32] = { 2 };
	struct settings_build *build = settings_build_new(NULL);
	struct settings *settings;

	settings_build_secret(build, secret, sizeof(secret));
	settings = settings_build_finish(build, 1);
	settings_build_free(build);
	if (release_header_check(settings, value, "a@example.net", hash))
		abort();
	settings_unref(settings);
}

static int
append_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

static void
run_message(struct bytes stored, const struct release_header_rules *rules,
    size_t step, struct buf *out)
{
	struct release_message *message;
	struct bytes piece;

	buf_init(out, SIZE_MAX);
	message = release_message_new(rules, append_piece, out);
	while (stored.len > 0) {
		piece = stored;
		if (piece.len > step)
			piece.len = step;
		if (release_message_piece(message, piece, NULL) != 0)
			abort();
		stored.data += piece.len;
		stored.len -= piece.len;
	}
	if (release_message_end(message, NULL) != 0)
		abort();
	release_message_free(message);
}

/* Where the pieces end makes no difference; and going through it a second
 * time changes nothing any more. */
static void
check_message(struct bytes stored)
{
	static const struct release_header_rules rules = { "[SPAM]",
		"mx.example.net" };
	struct buf whole, pieces, again;

	run_message(stored, &rules, SIZE_MAX, &whole);
	run_message(stored, &rules, 3, &pieces);
	run_message(buf_bytes(&whole), &rules, SIZE_MAX, &again);
	if (!bytes_equal(buf_bytes(&whole), buf_bytes(&pieces)) ||
	    !bytes_equal(buf_bytes(&whole), buf_bytes(&again)))
		abort();
	buf_free(&whole);
	buf_free(&pieces);
	buf_free(&again);
}

/* What is stored has been a message before. */
static void
check_stored(struct bytes raw)
{
	static const struct message_limits limits = { 100000, 1000, 100000,
		"/tmp" };
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	struct buf stored;

	buf_init(&stored, SIZE_MAX);
	if (message_read(message, raw, NULL) == 0 &&
	    message_each(message, append_piece, &stored, NULL) == 0)
		check_message(buf_bytes(&stored));
	buf_free(&stored);
	message_fini(message);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };

	check_header(in);
	check_stored(in);
	return 0;
}
