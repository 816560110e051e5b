/*
 * fuzz_table_text.c - files of people: which charset they are in.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/table_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes file = { (const char *)data, size };
	struct buf text, coded, back;
	unsigned line;
	struct err err;

	buf_init(&text, 1 << 20);
	buf_init(&coded, 1 << 20);
	buf_init(&back, 1 << 20);
	if (table_decode(file, &text, &line, &err) == 0) {
		if (!utf8_is_valid(buf_bytes(&text)))
			abort();
		/* Out and in again is the same, whatever the charset. */
		if (table_encode(TABLE_UTF8_BOM, buf_bytes(&text), &coded,
			&err) < 0 ||
		    table_decode(buf_bytes(&coded), &back, &line, &err) < 0 ||
		    !bytes_equal(buf_bytes(&text), buf_bytes(&back)))
			abort();
		buf_reset(&coded);
		(void)table_encode(TABLE_CP932, buf_bytes(&text), &coded, &err);
	} else if (err.text[0] == '\0') {
		abort();
	}
	buf_free(&text);
	buf_free(&coded);
	buf_free(&back);
	return 0;
}
