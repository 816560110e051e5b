/*
 * fuzz_redact.c - values of header fields on their way to strangers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "policy/redact.h"

#define OCTETS_MAX 4096
#define HIDDEN "taro@"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_word(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 0x80;
}

/* Text for JSON, without the recipient. */
static void
check(const char *value)
{
	const char *c;

	if (!utf8_is_valid(bytes_of(value)))
		abort();
	for (c = strstr(value, HIDDEN); c != NULL; c = strstr(c + 1, HIDDEN))
		if (c == value || !is_word(c[-1]))
			abort();
	for (c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 && *c != '\t')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "Received", "From", "To",
		"DKIM-Signature", "Content-Type", "Subject" };
	static const char *const locals[] = { "taro" };
	struct bytes value = { (const char *)data, size };
	struct arena *arena = arena_new(0);
	const struct redaction redaction = { .arena = arena,
		.key = BYTES_LIT("key"),
		.keep = "d.test",
		.local_count = 1,
		.locals = locals };
	struct redacted_header out;
	struct header header;
	size_t i, octets = 0;

	check(redact_text(&redaction, value));
	check(redact_tags(&redaction, value));
	header_init(&header, arena, 1UL << 20, 100);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)header_add(&header, bytes_of(names[i]), value, NULL);
	redact_header(&redaction, &header, OCTETS_MAX, &out);
	if (out.count + out.left_out != header.count)
		abort();
	for (i = 0; i < out.count; i++) {
		check(out.fields[i].value);
		octets +=
		    strlen(out.fields[i].name) + strlen(out.fields[i].value);
	}
	if (octets > OCTETS_MAX)
		abort();
	arena_free(arena);
	return 0;
}
