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
	const char *theme; /* "light", "dark", NULL: as the system has it */
	const struct principal *principal; /* ROLE_NONE: not signed in */
	const char *user;    /* the name that signed in, or NULL */
	const char *csrf;    /* for the hidden field "csrf" of each form */
	const char *path;    /* of the request, for the navigation */
	const json_t *query; /* of the request, for filters and paging */
	/* Names of domains that this principal may choose from, or NULL: an
	 * array of strings, at most some hundreds. */
	const json_t *domains;
	/* A message of what was just done, and its kind, or NULL: its name
	 * comes from the cookie that a redirect set (RFC 6265), so only
	 * names of the table in page_words.c are shown. */
	const char *notice;
	json_t *notice_values; /* what the message names, or NULL */
	/* When a form was not carried out and its page is shown again: the
	 * model of the error ({"error": ...}) and what was given, or NULL. */
	const json_t *error;
	const json_t *form;
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

/*
 * Forms say in names of fields what JSON says by its shape.  Brings the
 * fields of a form (an object of strings; of arrays of strings where a name
 * came several times) into the shape that handlers read, in place:
 *   "options.NAME"      member of the object "options"
 *   "inherit.NAME"      the option is null (inherited again), whatever
 *                       "options.NAME" says
 *   "as_shown.NAME"     what the page showed: an option that still has this
 *                       value is left out
 *   "routes.N.host"     members of the N-th of a list (N < 100); those
 *                       without a host are left out
 *   "since", "until"    a date or time of a date field, in local time:
 *                       milliseconds
 *   "within"            "24h", "7d": "since" that long ago
 * An empty field that is none of these is left out.
 */
void page_form_fold(json_t *fields);

/* A file that all pages use: /assets/NAME. */
struct page_asset {
	const char *name;
	const char *content_type;
	const char *etag; /* of the content, quoted */
	const unsigned char *data;
	size_t len;
};
/* False when there is none.  The layout links them as NAME?v=..., which
 * changes with the content. */
bool page_asset_find(const char *name, struct page_asset *asset);

/* Each message that pages need, for tests and catalogues. */
void page_each_message(const struct pages *pages,
    void (*see)(void *context, const char *where, const char *msgid,
	const char *plural),
    void *context);
/* Is there a template of this name? */
bool page_has_template(const struct pages *pages, const char *name);

#endif
