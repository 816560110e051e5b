/*
 * html_css.h - the CSS of a mail, as much of it as a preview may carry.
 *
 * An allow-list: properties that colour, size and align what is there, with
 * values of names, numbers, colours and font names.  Nothing that loads
 * (url(), @import), computes (expression(), var(), calc()), moves out of its
 * place (position, negative margins) or overrules (!important).  A
 * declaration that has anything else in it is left out whole; what comes out
 * is written anew, from printable characters that mean nothing in HTML:
 * no angle brackets, double quotes, ampersands, backslashes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_HTML_CSS_H
#define MAIL_HTML_CSS_H

#include "base/buf.h"

/* Classes and ids of a mail get this in front, here and in its HTML, so
 * that they cannot be ours. */
#define HTML_CSS_PREFIX "m-"

#define HTML_CSS_RULES_MAX 2000
#define HTML_CSS_SELECTORS_MAX 100 /* of one rule */
#define HTML_CSS_STEPS_MAX 10      /* of one selector */

/* How much was left out: declarations or selectors, and url() among them. */
struct html_css_count {
	size_t dropped;
	size_t urls;
};

/* A style attribute: appends "name:value;..." */
void html_css_declarations(struct bytes css, struct buf *out,
    struct html_css_count *count);

/* A style sheet.  Each selector is put within scope (".mail"), for which
 * html and body stand too; at-rules are left out. */
void html_css_sheet(struct bytes css, const char *scope, struct buf *out,
    struct html_css_count *count);

/* Appends a class or id with the prefix; 0, or -1 when it is none. */
int html_css_append_name(struct bytes name, struct buf *out);

#endif
