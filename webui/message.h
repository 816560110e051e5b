/*
 * message.h - what handlers show of a held mail's contents.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_MESSAGE_H
#define WEBUI_MESSAGE_H

#include "webui/api.h"

/* The stored bytes of the mail that the request is about; the caller frees
 * out.  -1 with nothing to free. */
int message_fetch(struct request *request, struct buf *out, struct err *err);

/* Puts what a raw message holds into the model of held mail: parts and what
 * a preview would show (doc/api.md).  -1: ERR_TEMP, too many ask for this at
 * once.  Without a message (the reader may not see it) they are null. */
int message_model(struct request *request, struct bytes raw, json_t *model,
    struct err *err);
void message_model_none(json_t *model);

/* Each recipient of the message that the principal may see, a new array. */
json_t *message_recipients(struct request *request);

#endif
