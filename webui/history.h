/*
 * history.h - the history as handlers read it.
 *
 * It is opened when it is first needed, as often as requests read it at
 * once.  Searches may take HISTORY_SEARCH_MAX_S: so few run at once, and few
 * wait, that pages which only want to know of one mail find a reader, and
 * all others a worker.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HISTORY_H
#define WEBUI_HISTORY_H

#include "quarantine/history.h"
#include "webui/api.h"

struct histories *histories_new(const char *state_dir);
void histories_free(struct histories *histories);

/* As history_search and history_counts; ERR_TEMP while there is no file, and
 * for a search without an id when too many wait already. */
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
