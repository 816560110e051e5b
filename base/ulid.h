/*
 * ulid.h - identifiers that sort by time.
 *
 * 48 bits of milliseconds and 80 random bits in Crockford's base 32: 26
 * characters, no I, L, O, U.  Random bits come from the kernel, so ids
 * cannot be guessed.  Safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_ULID_H
#define BASE_ULID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define ULID_LEN 26

struct ulid {
	char text[ULID_LEN + 1];
};

struct ulid ulid_new(void);
/* The least id of a time, for searching by ids. */
struct ulid ulid_first(int64_t wall_ms);
/* Exactly 26 characters of the alphabet, not above the largest value. */
bool ulid_is_valid(struct bytes text);
/* Milliseconds since 1970 of a valid id. */
int64_t ulid_wall_ms(const char *text);

#endif
