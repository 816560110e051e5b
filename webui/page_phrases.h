/*
 * page_phrases.h - errors in the language of the reader.
 *
 * Errors are one line of English, written where the fact is known, with
 * names and numbers in it.  Their forms are listed (page_phrase_list.c),
 * with holes for these, and translated; what has no form is shown as it is.
 * Some holes are more than a place:
 *   {field}   the name of a parameter, shown as forms call it
 *   {state}, {role}, {level}   a word of ours, shown as pages call it
 *   {why}     a text of its own, translated in its turn
 *   {wanted}  what an option wants, translated by a list of its own
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_PHRASES_H
#define WEBUI_PAGE_PHRASES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/i18n.h"

/* Lists of forms end with NULL; the first that fits counts. */
extern const char *const page_phrases[];
/* What stands before a text: only where that is known. */
extern const char *const page_phrase_contexts[];
extern const char *const page_phrase_wanted[];

/* Room for a text in any language. */
#define PHRASE_SIZE_MAX ((size_t)16 * ERR_TEXT_MAX)

/* Appends the text, translated when its form is known: then true. */
bool phrase_translate(enum language language, const char *text,
    struct buf *out);

/* The same of what an option wants. */
bool phrase_wanted(enum language language, const char *text, struct buf *out);

void phrase_messages(void (*see)(void *context, const char *where,
			 const char *msgid, const char *plural),
    void *context);

#endif
