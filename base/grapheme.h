/*
 * grapheme.h - where a text may be cut: between what readers take for
 * characters (Unicode Standard Annex 29), not within them.
 *
 * A character of several code points (a letter with its accents, a flag, a
 * family of faces) is kept whole.  What only Indic conjuncts need is left
 * out: a cut within one shows another form of it, and nothing wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_GRAPHEME_H
#define BASE_GRAPHEME_H

#include "base/buf.h"

/* Whoever piles up more than these wants no letter. */
#define GRAPHEME_CHARS_MAX 16

/* Octets of the first character of s; 1 for what is not UTF-8, 0 for an
 * empty s. */
size_t grapheme_len(struct bytes s);

#endif
