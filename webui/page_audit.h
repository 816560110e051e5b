/*
 * page_audit.h - changes of settings as people read them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_PAGE_AUDIT_H
#define WEBUI_PAGE_AUDIT_H

#include <jansson.h>

#include "base/i18n.h"

/*
 * Copies of the entries of the audit (doc/api.md), each change with "name"
 * in that language, and "before" and "after" as text; one that only came or
 * went has "mark" instead.  The caller's.
 */
json_t *page_audit_entries(enum language language, const json_t *entries);

#endif
