/*
 * page.h - turns models into pages.
 *
 * A handler's model (webui/api.h) becomes an HTML page through the template
 * that its route names, inside the layout: navigation by role, language,
 * notices.  Templates, style sheet, script and icons are part of the
 * program.  The templates escape what they show unless a writer of ours
 * made it; no byte of a mail goes around that.
 *
 * A struct pages is immutable; all calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_H
#define WEBUI_PAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/i18n.h"
#include "webui/api.h"

struct pages;

/* Ceiling of one page. */
#define PAGE_BYTES_MAX (4 * 1024 * 1024)

/* What a page shows beside its model. */
struct page_view {
	enum language language;
	const struct principal *principal; /* ROLE_NONE: not signed in */
	const char *user;    /* the name that signed in, or NULL */
	const char *csrf;    /* for the hidden field "csrf" of each form */
	const char *path;    /* of the request, for the navigation */
	const json_t *query; /* of the request, for filters and paging */
	/* A message of what was just done, and its kind, or NULL: its name
	 * comes from the cookie that a redirect set (RFC 6265), so only
	 * names of the table in page.c are shown. */
	const char *notice;
	json_t *notice_values; /* what the message names, or NULL */
};

/* Compiles all templates: an error is a mistake of ours. */
struct pages *pages_new(struct err *err);
void pages_free(struct pages *pages);

/*
 * The page of a response: its template, or for one without (an error) the
 * page of errors.  ERR_LIMIT when it would be over the ceiling of out.
 */
int page_render(const struct pages *pages, const struct page_view *view,
    const struct response *response, struct buf *out, struct err *err);

/* A file that all pages use: /assets/NAME. */
struct page_asset {
	const char *name;
	const char *content_type;
	const char *etag; /* of the content, quoted */
	const unsigned char *data;
	size_t len;
};
/* NULL when there is none.  The layout links them as NAME?v=ETAG. */
const struct page_asset *page_asset_find(const char *name);

#endif
