/*
 * header.h - the header of a message, field by field, bytes as received.
 *
 * A field's value is everything behind the colon, the leading space
 * included (the milter asks for SMFIP_HDR_LEADSPC), folds as "\r\n" + white
 * space, without the final line end.  What the wire carried as a lone LF
 * inside a value is put down as CRLF, since that is what the MTA received.
 *
 * Names are found by hash: finding and counting do not depend on how many
 * fields there are.
 *
 * Limits are the caller's (conf header_max, header_count_max): header_add
 * reports ERR_LIMIT and adds nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct header_field {
	struct bytes name;  /* as received, without space before the colon */
	struct bytes value; /* with leading space and folds */
	struct bytes raw;   /* the whole field with its line end */
};

struct header_name;

struct header {
	size_t count;
	struct header_field *fields; /* in order of the message, top first */
	size_t bytes;                /* names, colons, values, line ends */
	/* private */
	size_t size;
	size_t bytes_max;
	size_t count_max;
	struct arena *arena;
	size_t name_count;
	size_t slot_count; /* a power of two */
	struct header_name **slots;
};

void header_init(struct header *header, struct arena *arena, size_t bytes_max,
    size_t count_max);
/* Copies into the arena.  -1 ERR_LIMIT. */
int header_add(struct header *header, struct bytes name, struct bytes value,
    struct err *err);

/* The nth (0 first from the top) field of that name, ASCII case ignored;
 * NULL when there are not so many. */
const struct header_field *header_find(const struct header *header,
    const char *name, size_t nth);
size_t header_count_named(const struct header *header, const char *name);

/* The value unfolded and trimmed, in the arena; "" when empty.  A NUL
 * stands behind it, not counted. */
struct bytes header_field_text(struct arena *arena,
    const struct header_field *field);

#endif
