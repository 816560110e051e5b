/*
 * mime_param.h - Content-Type, Content-Disposition: a value with parameters.
 *
 * Read as mails are, not as RFC 2045 would have them: parameters without
 * quotes that have spaces, encoded words in quotes, ISO-2022-JP and 8-bit
 * octets as they are, RFC 2231 in pieces and out of order.  Nothing fails:
 * what cannot be read is not there.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_MIME_PARAM_H
#define MAIL_MIME_PARAM_H

#include "base/arena.h"
#include "base/buf.h"

/* Pieces of one parameter (RFC 2231 section 3), and octets of it. */
#define MIME_PARAM_PIECES_MAX 64
#define MIME_PARAM_BYTES_MAX 4096

/* The value before the parameters in lower case: "text/plain"; "" when it
 * has other than token characters and slashes. */
const char *mime_param_value(struct arena *arena, struct bytes field);

/* The parameter of that name (lower case) as UTF-8 text on one line, of at
 * most max bytes; NULL when there is none.  What RFC 2231 encodes goes
 * before what it does not. */
const char *mime_param_text(struct arena *arena, struct bytes field,
    const char *name, size_t max);

#endif
