/*
 * template.h - text with holes: JSON models become HTML.
 *
 * A subset of mustache, with what our pages need beside it.  Everything
 * that a model holds is escaped when it is shown; there is no tag that
 * shows it raw.  Markup comes from the templates themselves and from
 * filters, which are C code of ours.
 *
 *   {{a.b}} {{.}}           a value, from the innermost scope that has it
 *   {{a.length}}            of a list
 *   {{@index}}              of the innermost list: 0, 1, ...
 *   {{a|filter:word}}       the value written by a filter
 *   {{#a}}...{{/a}}         for each of a list; once when a is neither null,
 *                           false, 0, "" nor empty; a becomes a scope
 *   {{^a}}...{{/a}}         when it is not so
 *   {{#a="x|y"}}...{{/a}}   when a is x or y; {{#a=b}} when both are alike;
 *                           {{^a=...}} when not.  No new scope
 *   {{>part x=a y="text" z=t"Message"}}
 *                           another template, with names of its own
 *   {{<part x=a}}...{{/part}}
 *                           the same; {{>body}} there is what stands within
 *   {{t "Hello, {name}" name=a.b}}
 *                           a message in the language of the reader; what
 *                           it names may have a filter
 *   {{n "{n} mail" "{n} mails" count}}
 *                           a message with a plural
 *   {{! comment }}
 *
 * A hole may stand in text and in attributes in double quotes, nowhere
 * else: not in tags, scripts, styles, comments or the on... and style
 * attributes.  In href, src, action and formaction it must have the filter
 * `url` (percent-encodes), or, where it begins the address, `path` (an
 * address of ours, "/..."; else nothing).  This is checked when templates
 * are read, not when they are used.
 *
 * Spaces at the start of lines, and lines of nothing but tags, are left out.
 *
 * A set is immutable; all calls are safe from any thread.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/i18n.h"

#define TEMPLATE_SIZE_MAX (256 * 1024)
/* Tags within tags, of one template. */
#define TEMPLATE_NESTING_MAX 32
/* Templates and sections within each other, when rendered. */
#define TEMPLATE_DEPTH_MAX 64
/* Pieces of one rendering. */
#define TEMPLATE_STEPS_MAX 2000000

struct embedded;
struct template_set;
struct template_writer;

/* A filter writes a value (never NULL); argument is "" without one. */
struct template_filter {
	const char *name; /* NULL: the end of the table */
	/* It writes elements, so it may stand in text only. */
	bool markup;
	void (*write)(struct template_writer *writer, const json_t *value,
	    const char *argument);
};

/* All of them, by name without ".html".  NULL with *err: a mistake in a
 * template ("held.html:12: ...").  filters must live as long. */
struct template_set *template_set_new(const struct embedded *files,
    const struct template_filter *filters, struct err *err);
void template_set_free(struct template_set *set);
bool template_set_has(const struct template_set *set, const char *name);

struct template_run {
	enum language language;
	const json_t *globals; /* scope around the model, or NULL */
	const json_t *model;
	void *context; /* for filters */
};

/* Appends.  ERR_LIMIT when a ceiling is passed, that of out included. */
int template_render(const struct template_set *set, const char *name,
    const struct template_run *run, struct buf *out, struct err *err);

/* Each message that a template names; plural NULL when it has none. */
void template_each_message(const struct template_set *set,
    void (*see)(void *context, const char *where, const char *msgid,
	const char *plural),
    void *context);

/* ---- for filters ---- */

enum language template_language(const struct template_writer *writer);
void *template_context(const struct template_writer *writer);
/* Escaped for text and attributes in quotes. */
void template_put_text(struct template_writer *writer, struct bytes text);
/* As it is: only what our own code says. */
void template_put_markup(struct template_writer *writer, const char *markup);
/* As template_put_text: a string, number, true or false; else nothing. */
void template_put_value(struct template_writer *writer, const json_t *value);

#endif
