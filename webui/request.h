/*
 * request.h - what handlers read from a request, and how they fail.
 *
 * A parameter is looked for in the path, then in the query (GET) or the
 * body (POST).  Forms give text, JSON gives values: both are taken.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_REQUEST_H
#define WEBUI_REQUEST_H

#include <stdint.h>

#include "policy/settings_edit.h"
#include "webui/api.h"

/* NULL when it is not there or null. */
json_t *request_value(const struct request *request, const char *name);
/* Text that is not empty into *text, else NULL.  -1: not text. */
int request_text(struct request *request, const char *name, const char **text,
    struct err *err);
/* The same, but it must be there. */
int request_need_text(struct request *request, const char *name,
    const char **text, struct err *err);
/* Of several the last. */
int request_flag(struct request *request, const char *name, bool *flag,
    struct err *err);
/* Absent: preset. */
int request_number(struct request *request, const char *name, int64_t least,
    int64_t most, int64_t preset, int64_t *number, struct err *err);
/* An index into words; absent: preset. */
int request_word(struct request *request, const char *name,
    const char *const *words, size_t n, int preset, int *word, struct err *err);
/* "limit": 1 to 1,000; absent: preset. */
int request_limit(struct request *request, int64_t preset, size_t *limit,
    struct err *err);
/* A list: an array, or text split at commas and white space.  New, NULL. */
json_t *request_list(struct request *request, const char *name,
    struct err *err);

/* -1 with ERR_INPUT, the parameter and an HTTP status (400, 404, 409). */
int request_refuse(struct request *request, int status, const char *field,
    struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The settings as they are in the store now; a reference.  NULL. */
struct settings *request_settings(struct request *request, struct err *err);

/* An edit by this principal; request_edited ends it: keeps the snapshot it
 * may have read and, when rc is -1, takes over what was wrong. */
void request_edit(struct request *request, struct edit *edit);
int request_edited(struct request *request, struct edit *edit, int rc);
/* The mailbox of the scope as people write it: for edits, which read
 * addresses. */
const char *request_address(const struct request *request);
/* What the scope found, as the target of an edit. */
struct edit_target request_target(const struct request *request);

#endif
