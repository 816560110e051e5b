/*
 * mdoc.h - our own words inside a manual page.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_MDOC_H
#define BASE_MDOC_H

#include "base/buf.h"

/* Text lines: each sentence (two spaces after a full stop) on a line of its
 * own, nothing in it a macro or an escape. */
void mdoc_text(const char *text, struct buf *out);
/* One argument of a macro, in quotes. */
void mdoc_argument(const char *text, struct buf *out);

#endif
