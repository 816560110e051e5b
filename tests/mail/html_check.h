/*
 * html_check.h - is it HTML that a preview may carry?
 *
 * A strict reader of its own, for what mail/html writes: tags of a list,
 * each with attributes of a list in double quotes, well nested; nothing that
 * loads, runs or leads anywhere.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_MAIL_HTML_CHECK_H
#define TESTS_MAIL_HTML_CHECK_H

#include "base/buf.h"

/* NULL, or what is wrong. */
const char *html_check_markup(struct bytes markup);
const char *html_check_sheet(struct bytes sheet);

#endif
