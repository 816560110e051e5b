/*
 * history_text.h - text as the history searches it: folded, and cut into
 * grams.
 *
 * Folding makes equal what people take for equal: case (Latin, Greek,
 * Cyrillic), full-width and half-width forms, kana with a separate voicing
 * mark, all kinds of white space.  Grams overlap: one begins at each
 * character and is two characters long when that character is CJK, else
 * three.  So text that contains a query contains the query's grams one
 * after the other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_HISTORY_TEXT_H
#define QUARANTINE_HISTORY_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends the folded text; malformed UTF-8 becomes U+FFFD.  0, -1 full. */
int history_fold(struct bytes text, struct buf *out);

/*
 * Calls each for every gram: folded, with the octets of text that it stands
 * for.  Stops and returns what each returns unless that is 0.
 */
int history_grams(struct bytes text,
    int (*each)(void *context, struct bytes gram, size_t start, size_t end),
    void *context);

/* Is text long enough to have a gram?  If not it has to be looked for by
 * reading everything. */
bool history_has_grams(struct bytes text);

#endif
