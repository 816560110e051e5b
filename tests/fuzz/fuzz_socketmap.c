/*
 * fuzz_socketmap.c - what a client may send to the socketmap server.
 *
 * The input is taken as one request, and as netstrings with a request each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "policy/settings_build.h"

#include "milter/netstring.h"
#include "milter/socketmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char directory[] =
    "{\"domain:a.example\": {\"made\": {}, \"alias:t\": {\"to\":"
    " [\"a@a.example\", \"b@b.example\"]},"
    " \"routes\": [{\"host\": \"mx.a.example\", \"port\": 25,"
    "  \"priority\": 1}]},"
    " \"domain:b.example\": {\"option:restrict_recipients\": \"yes\","
    "  \"recipient:b\": {}},"
    " \"domain:c.example\": {\"alias_domain\": {\"to\": \"b.example\"}}}";

static struct settings *
load(void)
{
	json_t *json = json_loads(directory, 0, NULL);
	struct settings *settings = settings_new_from_json(json, NULL);

	json_decref(json);
	if (settings == NULL)
		abort();
	return settings;
}

/* Every answer is one of the four words, and has no bytes that would end
 * a line in a log of Postfix's. */
static void
check_reply(struct bytes reply)
{
	static const char *const words[] = { "OK ", "NOTFOUND ", "TEMP ",
		"PERM " };
	size_t i, len;

	if (memchr(reply.data, '\0', reply.len) != NULL)
		abort();
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (reply.len >= len && memcmp(reply.data, words[i], len) == 0)
			return;
	}
	abort();
}

static void
answer(const struct settings *settings, struct bytes request, struct buf *out)
{
	buf_reset(out);
	if (socketmap_answer(settings, "+-", request, out) == 0)
		check_reply(buf_bytes(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings *settings;
	struct bytes in = { (const char *)data, size }, request;
	struct buf out;
	size_t used;

	if (settings == NULL)
		settings = load();
	buf_init(&out, SOCKETMAP_REPLY_MAX);
	answer(settings, in, &out);
	while (
	    netstring_parse(in, SOCKETMAP_REQUEST_MAX, &request, &used) == 1) {
		buf_reset(&out);
		if (socketmap_answer(settings, "+-", request, &out) == 0)
			check_reply(buf_bytes(&out));
		in = (struct bytes){ in.data + used, in.len - used };
	}
	buf_free(&out);
	return 0;
}
