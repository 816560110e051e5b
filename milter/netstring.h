/*
 * netstring.h - "5:hello,": length, colon, bytes, comma.
 *
 * A parser of what arrived so far; it touches no socket.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_NETSTRING_H
#define MILTER_NETSTRING_H

#include "base/buf.h"

/*
 * The first netstring of in, of at most max bytes.  1: *text is its bytes
 * (inside in) and *used how far to move on; 0: there is more to come;
 * -1: this is no netstring, or a longer one.
 */
int netstring_parse(struct bytes in, size_t max, struct bytes *text,
    size_t *used);

/* -1 when out is full; nothing is appended then. */
int netstring_append(struct buf *out, struct bytes text);

#endif
