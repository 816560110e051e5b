/*
 * err.h - why something was not done: a kind, which drives behaviour, and
 * one line of text, which informs people.
 *
 * A function that can fail takes a struct err * as its last parameter,
 * returns -1 and fills it in.  The place that knows the fact writes the
 * text; layers above may put context before it.  Nobody logs on the way
 * up: the place that handles the error logs it once.  NULL is allowed
 * where the caller does not care.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_NONE,
	ERR_TEMP,   /* try again later; the mail is deferred */
	ERR_INPUT,  /* what was given is at fault */
	ERR_LIMIT,  /* a ceiling was reached */
	ERR_CONFIG, /* an operator must act */
};

#define ERR_TEXT_MAX 400

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX]; /* one line, no newline, cut when too long */
};

/* Sets *err (if not NULL).  Always returns -1, so: return err_set(...); */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts context before the text of an error already set.  Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

/* "temp", "input", ...: for logs and JSON. */
const char *err_kind_name(enum err_kind kind);

#endif
