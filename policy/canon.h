/*
 * canon.h - header and body in the forms that DKIM and ARC sign.
 *
 * RFC 6376 section 3.4, by the octet: white space is space and tab, a line
 * end is CRLF; NUL, lone CR, lone LF and 8-bit octets are data like others.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_CANON_H
#define POLICY_CANON_H

#include <stdint.h>

#include "base/buf.h"
#include "mail/header.h"

enum canon {
	CANON_SIMPLE,
	CANON_RELAXED
};

/* Append the field with its CRLF.  0, or -1 when out is full. */
int canon_header(enum canon canon, const struct header_field *field,
    struct buf *out);
/* The field that holds the signature: without cut (a part of its value) and
 * without CRLF. */
int canon_signature(enum canon canon, const struct header_field *field,
    struct bytes cut, struct buf *out);

/*
 * A body, as it comes, any octets in pieces of any size.  write is given
 * the canonical body in pieces; the memory used does not depend on the
 * body.
 */
struct canon_body {
	enum canon canon;
	void (*write)(void *context, const char *data, size_t len);
	void *context;
	/* private: what was read but not written, as it means nothing at the
	 * end of a line or of the body */
	uint64_t crlfs; /* line ends */
	bool space;     /* then white space (relaxed) */
	bool cr;        /* then a CR, perhaps of a CRLF */
	bool any;       /* something was written */
	size_t len;
	char out[512]; /* written by the octet, not passed on yet */
};

void canon_body_init(struct canon_body *body, enum canon canon,
    void (*write)(void *context, const char *data, size_t len), void *context);
void canon_body_add(struct canon_body *body, struct bytes piece);
void canon_body_end(struct canon_body *body);

#endif
