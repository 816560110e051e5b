/*
 * option.h - settings as tables: a row holds all there is to know.
 *
 * The same mechanism reads sekimori.conf and the policy of domains and
 * mailboxes; parser, help, sample file, man page, API and pages are made
 * from the rows, so they never disagree.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum option_type {
	OPT_BOOL,    /* bool; yes, no, true, false, on, off */
	OPT_NUMBER,  /* uint64_t */
	OPT_SIZE,    /* uint64_t bytes; 256k, 64M, 2G */
	OPT_SECONDS, /* uint64_t seconds; 5, 15m, 12h, 30d */
	OPT_PERCENT, /* uint64_t 0..100 */
	OPT_POINTS,  /* int64_t thousandths; 5, 3.25, -0.5 */
	OPT_STRING,  /* char * (heap), never NULL */
	OPT_WORD,    /* int: index into words */
	OPT_LIST,    /* struct option_list of strings */
	OPT_SECRET,  /* char *, never shown */
};

enum option_apply {
	APPLY_AT_ONCE,  /* SIGHUP, or for policy: the next message */
	APPLY_AT_START, /* needs a restart */
};

struct option_list {
	size_t count;
	char **items;
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;      /* of the field in the struct */
	const char *preset; /* the default, as text */
	const char *least;  /* NULL: no bound */
	const char *most;
	const char *const *words; /* OPT_WORD: NULL-terminated */
	/* OPT_STRING, OPT_LIST: of each value; NULL: any */
	int (*check)(const char *value, struct err *err);
	enum option_apply apply;
	const char *section; /* heading in the sample and the manual */
	const char *help;    /* one or two sentences */
};

/* Sets the field from text; ERR_INPUT says what is wrong and what would
 * be right, with the field's name; the field is unchanged then. */
int option_set(const struct option *option, void *object, struct bytes text,
    struct err *err);
/* OPT_LIST from several values. */
int option_set_list(const struct option *option, void *object, size_t n,
    const char *const *values, struct err *err);
/* Appends the field's value as option_set would read it ("***" for a
 * secret that is set). */
int option_format(const struct option *option, const void *object,
    struct buf *out);
/* All rows of a table to their defaults; the struct was all zero. */
void option_defaults(const struct option *options, size_t n, void *object);
void option_free_all(const struct option *options, size_t n, void *object);
/* Deep copy of the rows' fields. */
void option_copy_all(const struct option *options, size_t n, const void *from,
    void *to);
/* NULL when there is no such row. */
const struct option *option_find(const struct option *options, size_t n,
    const char *name);
/* "yes or no", "1M to 2G", "one of a, b, c": for messages and manuals. */
void option_range(const struct option *option, struct buf *out);

#endif
