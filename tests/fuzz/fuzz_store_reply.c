/*
 * fuzz_store_reply.c - what Redis sends, in pieces of the input's choice.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>

#include "base/store_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all of the tree, so that a sanitizer sees what is not there. */
static size_t
walk(const struct store_reply *reply)
{
	size_t sum = reply->text.len, i;

	if (reply->text.data != NULL)
		sum += (unsigned char)reply->text.data[reply->text.len];
	for (i = 0; i < reply->count; i++)
		sum += walk(&reply->items[i]);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_reader *reader = store_reader_new();
	/* The first octet says how long the pieces are. */
	size_t piece = size > 0 ? 1 + data[0] : 1, at;
	struct store_reply *reply;
	struct err err;
	int rc = 0;

	for (at = 1; at < size && rc >= 0; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		if (store_reader_feed(reader, (const char *)data + at, len,
			&err) < 0)
			break;
		while ((rc = store_reader_get(reader, &reply, &err)) > 0) {
			if (walk(reply) == SIZE_MAX)
				abort();
			(void)store_reply_error(reply, &err);
			store_reply_free(reply);
		}
	}
	(void)store_reader_is_empty(reader);
	store_reader_free(reader);
	return 0;
}
