/*
 * mo.h - reads compiled gettext catalogues (.mo).
 *
 * A catalogue is bytes; nothing is kept beside them.  Every access is
 * checked: a broken catalogue has fewer messages, and harms nobody.  Both
 * byte orders are read.  Messages with a context or system-dependent
 * strings are not looked for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_MO_H
#define BASE_MO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* One message.  With a plural, id holds both forms and text holds all, each
 * with a NUL behind it but the last. */
struct mo_message {
	struct bytes id;
	struct bytes text;
};

/* 0 when it is no catalogue. */
uint32_t mo_count(struct bytes mo);
/* The one with this number, 0..count-1.  False when it is broken. */
bool mo_message(struct bytes mo, uint32_t number, struct mo_message *message);
/* By its id, or the first of its two forms. */
bool mo_find(struct bytes mo, const char *id, struct mo_message *message);

#endif
