/*
 * utf8.h - UTF-8 by the letter of RFC 3629.
 *
 * No over-long forms, no surrogates, nothing above U+10FFFF.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

#include "base/buf.h"

/* Bytes of the well-formed character at the start of s, or 0. */
size_t utf8_char_len(struct bytes s);
bool utf8_is_valid(struct bytes s);
/* Reads one character; returns its length, or 0 when malformed or empty. */
size_t utf8_decode(struct bytes s, uint32_t *code_point);
/* Writes 1 to 4 bytes, returns how many; 0 for no valid code point. */
size_t utf8_encode(uint32_t code_point, char out[4]);
/*
 * Appends s with every malformed byte and every control character but
 * space and tab as U+FFFD: text that JSON and pages can carry.
 * Returns 0, or -1 when buf is full.
 */
int utf8_append_clean(struct buf *buf, struct bytes s);

#endif
