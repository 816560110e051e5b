/*
 * fuzz_mime.c - a raw message taken apart: every part within its bounds.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_part(const struct mime *mime, const struct mime_part *part)
{
	struct buf out;

	if (part->depth >= MIME_DEPTH_MAX ||
	    mime_find(mime, part->number) != part)
		abort();
	if (part->name != NULL &&
	    (strlen(part->name) > 3 * MIME_NAME_MAX ||
		!utf8_is_valid(bytes_of(part->name))))
		abort();
	buf_init(&out, 100000);
	if (mime_part_content(part, &out) == 0 && !part->container &&
	    out.len != part->size)
		abort();
	buf_reset(&out);
	(void)mime_part_text(part, &out);
	if (!utf8_is_valid(buf_bytes(&out)))
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0);
	struct mime *mime;
	size_t i;

	mime_open();
	mime = mime_parse(arena, (struct bytes){ (const char *)data, size });
	if (mime->count > MIME_PARTS_MAX)
		abort();
	for (i = 0; i < mime->count && i < 50; i++)
		check_part(mime, &mime->parts[i]);
	mime_free(mime);

	arena_free(arena);
	return 0;
}
