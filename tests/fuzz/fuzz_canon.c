/*
 * fuzz_canon.c - canonical bodies: the same in one piece and in many, and
 * not changed by being made canonical once more.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "policy/canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
collect(void *context, const char *data, size_t len)
{
	if (buf_append(context, data, len) < 0)
		abort();
}

static void
run(enum canon canon, struct bytes in, size_t piece, struct buf *out)
{
	struct canon_body body;
	struct bytes part;

	canon_body_init(&body, canon, collect, out);
	while (in.len > 0) {
		part.data = in.data;
		part.len = in.len < piece ? in.len : piece;
		canon_body_add(&body, part);
		in.data += part.len;
		in.len -= part.len;
	}
	canon_body_end(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct buf whole, pieces, again;
	enum canon canon;

	for (canon = CANON_SIMPLE; canon <= CANON_RELAXED; canon++) {
		buf_init(&whole, size + 2);
		buf_init(&pieces, size + 2);
		buf_init(&again, size + 2);
		run(canon, in, SIZE_MAX, &whole);
		run(canon, in, 1 + size % 67, &pieces);
		run(canon, buf_bytes(&whole), SIZE_MAX, &again);
		if (!bytes_equal(buf_bytes(&whole), buf_bytes(&pieces)) ||
		    !bytes_equal(buf_bytes(&whole), buf_bytes(&again)))
			abort();
		buf_free(&whole);
		buf_free(&pieces);
		buf_free(&again);
	}
	return 0;
}
