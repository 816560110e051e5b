/*
 * scope.h - whose domain, mailbox or held mail a request is about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_SCOPE_H
#define WEBUI_SCOPE_H

#include "webui/api.h"

/* Fills in domain, mailbox and entry of the request as its route asks.
 * -1: not given, not there, or not the principal's (status 400, 404, 403). */
int scope_check(struct request *request, struct err *err);

#endif
