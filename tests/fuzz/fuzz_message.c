/*
 * fuzz_message.c - a raw message: what is read comes out as it went in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
collect(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	return buf_append_bytes(context, piece);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct message_limits limits = { 100000, 1000, 5000,
		"/tmp" };
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits), *again;
	struct buf first, second;
	size_t i;

	buf_init(&first, SIZE_MAX);
	buf_init(&second, SIZE_MAX);
	again = message_new(arena, &limits);
	if (message_read(message, (struct bytes){ (const char *)data, size },
		NULL) == 0 &&
	    message->limit == NULL) {
		for (i = 0; i < message->header.count; i++)
			header_field_text(arena, &message->header.fields[i]);
		if (message_each(message, collect, &first, NULL) != 0 ||
		    first.len != message_size(message))
			abort();
		if (message_read(again, buf_bytes(&first), NULL) < 0 ||
		    message_each(again, collect, &second, NULL) != 0)
			abort();
		if (!bytes_equal(buf_bytes(&first), buf_bytes(&second)))
			abort();
	}
	message_fini(message);
	message_fini(again);
	buf_free(&first);
	buf_free(&second);
	arena_free(arena);
	return 0;
}
