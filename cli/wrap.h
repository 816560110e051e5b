/*
 * wrap.h - text for people: broken into lines, and how wide it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_WRAP_H
#define CLI_WRAP_H

#include <stdint.h>

#include "base/buf.h"

/* Columns that UTF-8 takes on a terminal: wide East Asian characters and
 * emoji two, combining marks none.  Malformed bytes count as one. */
size_t text_width(struct bytes text);
/* As many bytes of text as fit into columns, never half a character. */
size_t text_fit(struct bytes text, size_t columns);

/* Words of text from the present column (indent) on, following lines
 * indented; a line end at the end. */
void wrap_text(const char *text, size_t indent, size_t columns,
    struct buf *out);

#endif
