/*
 * i18n.h - words for people, in English and Japanese.
 *
 * Every text a person reads is an English message in the code or in a
 * template, and is looked up in the catalogue (po/LANGUAGE.po) of the
 * language that the reader wants.  The language is an argument, never the
 * locale of the process.  A message that has no translation is shown as it
 * is.  All calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_I18N_H
#define BASE_I18N_H

#include "base/buf.h"

enum language {
	LANGUAGE_EN,
	LANGUAGE_JA,
	LANGUAGE_COUNT
};

/* "en", "ja" (as in lang=); the name in the language itself. */
const char *language_tag(enum language language);
const char *language_name(enum language language);
/* -1 when there is no such tag. */
int language_parse(const char *tag);
/*
 * The best of an Accept-Language field (RFC 9110 section 12.5.4), which is
 * hostile: bounded work, and LANGUAGE_EN when nothing fits.  NULL is fine.
 */
enum language language_accept(const char *field);

/* Of msgid; the answer lives as long as the process, or is msgid itself. */
const char *i18n_text(enum language language, const char *msgid);
/* The form for n of one message that has a plural. */
const char *i18n_plural(enum language language, const char *msgid,
    const char *msgid_plural, unsigned long n);

/* The compiled catalogue (base/mo.h); empty for the language of the messages
 * themselves.  For tests. */
struct bytes i18n_catalogue(enum language language);

/* Marks a text in a table as a message. */
#define N_(msgid) msgid

#endif
