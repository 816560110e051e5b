/*
 * ulid.c - identifiers that sort by time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/ulid.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct ulid
ulid_first(int64_t wall_ms)
{
	uint64_t ms = (uint64_t)wall_ms;
	struct ulid id;
	int i;

	for (i = 9; i >= 0; i--) {
		id.text[i] = alphabet[ms & 31];
		ms >>= 5;
	}
	memset(id.text + 10, '0', ULID_LEN - 10);
	id.text[ULID_LEN] = '\0';
	return id;
}

struct ulid
ulid_new(void)
{
	struct ulid id = ulid_first(clock_wall_ms());
	unsigned char random[10];
	uint64_t bits = 0;
	int i, have = 0, at = 0;

	/* Up to 256 bytes never come short (getrandom(2)). */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	for (i = 10; i < ULID_LEN; i++) {
		while (have < 5) {
			bits = (bits << 8) | random[at++];
			have += 8;
		}
		have -= 5;
		id.text[i] = alphabet[(bits >> have) & 31];
	}
	return id;
}

bool
ulid_is_valid(struct bytes text)
{
	size_t i;

	if (text.len != ULID_LEN || text.data[0] > '7')
		return false;
	for (i = 0; i < text.len; i++)
		if (text.data[i] == '\0' ||
		    strchr(alphabet, text.data[i]) == NULL)
			return false;
	return true;
}

int64_t
ulid_wall_ms(const char *text)
{
	int64_t ms = 0;
	int i;

	for (i = 0; i < 10; i++)
		ms = (ms << 5) | (strchr(alphabet, text[i]) - alphabet);
	return ms;
}
