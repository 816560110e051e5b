/*
 * text.h - a text/plain body as paragraphs with their level of quoting.
 *
 * Lines are what the sender meant: format=flowed (RFC 3676) is put together
 * again, also with DelSp; in other text a line stays a line.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

/* Octets of one flowed paragraph; a longer one becomes several lines. */
#define TEXT_LINE_MAX ((size_t)64 * 1024)
/* Deeper quotes count as this deep. */
#define TEXT_QUOTES_MAX 20

struct text_form {
	bool flowed, delsp;
};

/* Calls line for each, without its quote marks and its line end; false from
 * it ends the reading. */
void text_each_line(struct bytes utf8, const struct text_form *form,
    bool (*line)(void *context, unsigned quotes, struct bytes text),
    void *context);

#endif
