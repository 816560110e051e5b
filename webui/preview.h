/*
 * preview.h - a held mail as a page that can do nothing.
 *
 * The page is shown in a sandboxed frame of its own, under a policy that
 * forbids scripts, forms and loading (doc/DESIGN.md); what is in it is safe
 * without that, too.  Above the mail stands what was left out of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PREVIEW_H
#define WEBUI_PREVIEW_H

#include "base/arena.h"
#include "base/i18n.h"
#include "mail/html.h"

struct mime;

enum preview_part {
	PREVIEW_HTML,
	PREVIEW_TEXT
};

/* Of the page: its markup twice over, and its pictures. */
#define PREVIEW_BYTES_MAX ((size_t)12 * 1024 * 1024)
/* Of processor time, after which no further body of a mail is begun. */
#define PREVIEW_CPU_MAX_MS 1000
/* Of the text of one body. */
#define PREVIEW_TEXT_MAX ((size_t)1024 * 1024)

/* Has the mail what this part shows?  HTML is text to those who want text. */
bool preview_has(const struct mime *mime, enum preview_part part);

/* Appends the page.  0, or -1 when it would be over the ceiling of out. */
int preview_write(struct arena *arena, const struct mime *mime,
    enum preview_part part, enum language language, struct buf *out);

/* The HTML bodies as html.h has them; html_fini. */
void preview_html(struct arena *arena, const struct mime *mime,
    enum language language, struct html *html);

/* The mail as plain text for a terminal: quotes with "> ", control
 * characters but tab and line end as U+FFFD.  0, or -1 when it was cut. */
int preview_plain(struct arena *arena, const struct mime *mime,
    struct buf *out);

/* Each message that a preview shows. */
void preview_each_message(void (*see)(void *context, const char *where,
			      const char *msgid, const char *plural),
    void *context);

#endif
