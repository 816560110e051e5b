/*
 * fuzz_charset.c - text in any charset, and header fields for people.
 *
 * The first octet picks the charset.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/charset.h"

#define MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_body(const char *charset, struct bytes in)
{
	struct buf out;

	buf_init(&out, MAX);
	if ((charset_to_utf8(charset, in, &out) < 0) != out.overflow)
		abort();
	if (!utf8_is_valid(buf_bytes(&out)))
		abort();
	buf_free(&out);
}

static void
check_header(struct bytes in)
{
	struct arena *arena = arena_new(0);
	const char *text, *again;
	struct buf out;

	text = charset_phrase_text(arena, in, MAX);
	if (strlen(text) > MAX || !utf8_is_valid(bytes_of(text)))
		abort();
	text = charset_header_text(arena, in, MAX);
	if (strlen(text) > MAX || !utf8_is_valid(bytes_of(text)))
		abort();
	/* what we write is read as it was */
	buf_init(&out, 10 * MAX);
	if (charset_encode_header(bytes_of(text), &out) < 0)
		abort();
	again = charset_header_text(arena, buf_bytes(&out), MAX);
	if (strcmp(text, again) != 0)
		abort();
	buf_free(&out);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { NULL, "utf-8", "iso-2022-jp",
		"shift_jis", "euc-jp", "iso-8859-1", "gb2312", "big5", "euc-kr",
		"iso-2022-kr", "utf-7", "utf-16" };
	struct bytes in = { (const char *)data, size };

	check_header(in);
	if (size == 0)
		return 0;
	check_body(charsets[data[0] % (sizeof(charsets) / sizeof(*charsets))],
	    (struct bytes){ in.data + 1, in.len - 1 });
	return 0;
}
