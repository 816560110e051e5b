/*
 * page_impl.h - the parts of page.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_IMPL_H
#define WEBUI_PAGE_IMPL_H

#include "base/template.h"
#include "webui/page.h"

/* What filters know of the run. */
struct page_context {
	int64_t now_ms;
};

/* page_filters.c */
extern const struct template_filter page_filters[];
/* The messages that filters show. */
void page_filter_messages(void (*see)(void *context, const char *where,
			      const char *msgid, const char *plural),
    void *context);

/* page_model.c: what a template needs beside the model; a new object, or
 * NULL when nothing. */
json_t *page_extra(const struct page_view *view, const char *template,
    const json_t *model);

#endif
