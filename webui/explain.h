/*
 * explain.h - why a mail was judged as it was, in sentences.
 *
 * From a decision record (doc/decision-record.md).  A sentence is an
 * object: "name" (that stays), "template" (the English message, with
 * {holes}), "values" (an object: what the holes stand for), "points" (that
 * it counted, or null) and "text" (English, filled in).  Values come from
 * mails: whoever shows a sentence escapes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_EXPLAIN_H
#define WEBUI_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/i18n.h"

/* A new array, in the order of telling: what it is, why, what follows.
 * held: it lies in quarantine.  A record of another version, or none, has
 * few sentences or none. */
json_t *explain_record(const json_t *record, bool held);

/* A sentence in a language: 0, or -1 when out is full. */
int explain_text(enum language language, const json_t *sentence,
    struct buf *out);

/* Is there a sentence of that name?  For tests. */
bool explain_has(const char *name);

/* Each message, for the catalogues. */
void explain_each_message(void (*see)(void *context, const char *where,
			      const char *msgid, const char *plural),
    void *context);

#endif
