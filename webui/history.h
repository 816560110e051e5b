/*
 * history.h - the history as handlers read it: opened when it is first
 * needed, one request at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HISTORY_H
#define WEBUI_HISTORY_H

#include "quarantine/history.h"
#include "webui/api.h"

/* As history_search and history_counts; ERR_TEMP while there is no file. */
int web_history_search(struct request *request,
    const struct history_query *query, const char *before, size_t limit,
    json_t **rows, char **next, struct err *err);
json_t *web_history_counts(struct request *request, const char *domain,
    int64_t since_ms, struct err *err);

/* The domain of the mail of this id, in the arena; NULL: not known. */
const char *web_history_domain_of(struct request *request, const char *id);
/* What happened to it so far: a new array, empty when not known. */
json_t *web_history_timeline(struct request *request, const char *id);

#endif
