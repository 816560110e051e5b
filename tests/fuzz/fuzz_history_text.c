/*
 * fuzz_history_text.c - folding and grams of any text.
 *
 * Folding twice changes nothing, and a part of a text has its grams, one
 * after the other, among those of the text: that is what the search relies
 * on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "quarantine/history_text.h"

#define TEXT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each gram behind a NUL, so that runs of grams can be looked for. */
static int
each_gram(void *context, struct bytes gram, size_t start, size_t end)
{
	struct buf *out = context;

	if (start >= end)
		abort();
	buf_append_char(out, '\0');
	buf_append_bytes(out, gram);
	return 0;
}

static void
grams_of(struct bytes text, struct buf *out)
{
	buf_init(out, 16 * TEXT_MAX);
	history_grams(text, each_gram, out);
	if ((out->len > 0) != history_has_grams(text))
		abort();
	buf_append_char(out, '\0');
}

/* The characters of text from the one at octet a on, to the one at b. */
static struct bytes
part_of(struct bytes text, size_t a, size_t b)
{
	while (a < text.len && ((unsigned char)text.data[a] & 0xc0) == 0x80)
		a++;
	while (b < text.len && ((unsigned char)text.data[b] & 0xc0) == 0x80)
		b++;
	return (struct bytes){ text.data + a, b > a ? b - a : 0 };
}

static void
check_part(struct bytes text, struct bytes part)
{
	struct buf all, some;

	grams_of(text, &all);
	grams_of(part, &some);
	if (some.len > 1 &&
	    memmem(all.data, all.len, some.data, some.len) == NULL)
		abort();
	buf_free(&all);
	buf_free(&some);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct buf folded, again;

	if (size < 2 || size > TEXT_MAX)
		return 0;
	buf_init(&folded, 4 * TEXT_MAX);
	buf_init(&again, 4 * TEXT_MAX);
	history_fold(text, &folded);
	history_fold(buf_bytes(&folded), &again);
	if (!utf8_is_valid(buf_bytes(&folded)) || folded.len != again.len ||
	    memcmp(folded.data, again.data, folded.len) != 0)
		abort();
	if (folded.len > 0)
		check_part(buf_bytes(&folded),
		    part_of(buf_bytes(&folded), data[0] % folded.len,
			data[1] % (folded.len + 1)));
	buf_free(&folded);
	buf_free(&again);
	return 0;
}
