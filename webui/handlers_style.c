/*
 * handlers_style.c - the page that shows all parts of pages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "webui/handlers.h"

int
handle_style(struct request *request, struct response *response,
    struct err *err)
{
	(void)request;
	(void)err;
	response->model = json_object();
	return 0;
}
