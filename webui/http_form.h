/*
 * http_form.h - query strings, forms and uploads, as JSON objects.
 *
 * Values are text; a name that is there twice has an array of them.  What
 * names with dots mean is said in webui/page.h (page_form_fold).
 *
 * All input is hostile: names and values must be UTF-8 without NUL; at most
 * HTTP_FORM_FIELDS_MAX fields, HTTP_FORM_NAME_MAX octets of a name, and
 * HTTP_JSON_VALUES_MAX values in JSON.  The size of the whole is the caller's
 * limit.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HTTP_FORM_H
#define WEBUI_HTTP_FORM_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_FORM_FIELDS_MAX 2000
#define HTTP_FORM_NAME_MAX 200
#define HTTP_JSON_VALUES_MAX 100000

enum http_media {
	MEDIA_NONE,      /* no Content-Type */
	MEDIA_FORM,      /* application/x-www-form-urlencoded */
	MEDIA_MULTIPART, /* multipart/form-data */
	MEDIA_JSON,
	MEDIA_OTHER
};
/* Of a Content-Type field; NULL is fine. */
enum http_media http_media_of(const char *content_type);

/*
 * Each gives a new object, or NULL with ERR_INPUT (ERR_LIMIT for what has
 * too many fields or values).
 */

/* A query, or a form (application/x-www-form-urlencoded). */
json_t *http_form_parse(struct bytes text, struct err *err);
/*
 * RFC 7578.  A file named X becomes X_base64 with its contents and
 * X_filename with its name as the browser gave it; one that was not chosen
 * is not there.
 */
json_t *http_multipart_parse(const char *content_type, struct bytes body,
    struct err *err);
/* An object and nothing else; no name twice. */
json_t *http_json_parse(struct bytes body, struct err *err);

/* "a%20b" appended to out; plus: '+' is a space, as in forms.  -1: a bad
 * escape, or out is full. */
int http_percent_decode(struct bytes text, bool plus, struct buf *out);

#endif
