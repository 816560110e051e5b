/*
 * page_phrases.h - errors in the language of the reader.
 *
 * Errors are one line of English, written where the fact is known, with
 * names and numbers in it.  Here their forms are listed, with holes for
 * these, and translated; what is not listed is shown as it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_PHRASES_H
#define WEBUI_PAGE_PHRASES_H

#include "base/buf.h"
#include "base/i18n.h"

/* Appends the text, translated when its form is known. */
void phrase_translate(enum language language, const char *text,
    struct buf *out);

void phrase_messages(void (*see)(void *context, const char *where,
			 const char *msgid, const char *plural),
    void *context);

#endif
