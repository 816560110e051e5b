/*
 * option.h - settings as tables: a row holds all there is to know.
 *
 * The same mechanism reads sekimori.conf and the policy of domains and
 * mailboxes; parser, help, sample file, man page, API and pages are made
 * from the rows, so they never disagree.
 *
 * Limits: a value has at most OPTION_TEXT_MAX octets, a list at most
 * OPTION_LIST_MAX values.
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

#define OPTION_TEXT_MAX 1024
#define OPTION_LIST_MAX 1000

enum option_type {
	OPT_BOOL,    /* bool; yes, no, true, false, on, off */
	OPT_NUMBER,  /* uint64_t */
	OPT_MODE,    /* uint64_t permissions of a file, octal; 0660 */
	OPT_SIZE,    /* uint64_t bytes; 256k, 64M, 2G */
	OPT_SECONDS, /* uint64_t seconds; 5, 15m, 12h, 30d */
	OPT_PERCENT, /* uint64_t 0..100 */
	OPT_POINTS,  /* int64_t thousandths; 5, 3.25, -0.5 */
	OPT_STRING,  /* char * (heap), never NULL: UTF-8 without controls */
	OPT_WORD,    /* int: index into words */
	OPT_LIST,    /* struct option_list of strings without comma, space */
	OPT_SECRET,  /* as OPT_STRING, never shown, wiped when freed */
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
	/* OPT_STRING, OPT_SECRET, OPT_LIST: of each value; NULL: any.  The
	 * text says what a value must be: "must be an absolute path". */
	int (*check)(const char *value, struct err *err);
	enum option_apply apply;
	const char *section; /* heading in the sample and the manual */
	const char *help;    /* one or two sentences */
};

/*
 * Sets the field from text.  -1 with ERR_INPUT "name: must be 1s to 30s,
 * not "90m"", the field unchanged.  An OPT_LIST is split at commas and
 * white space.
 */
int option_set(const struct option *option, void *object, struct bytes text,
    struct err *err);
/* OPT_LIST from several values. */
int option_set_list(const struct option *option, void *object, size_t n,
    const char *const *values, struct err *err);
/* Would this be a value of an OPT_LIST?  0, or -1 as option_set. */
int option_check_item(const struct option *option, struct bytes item,
    struct err *err);
/* Appends the field's value as option_set would read it ("***" for a
 * secret that is set).  -1: out is full. */
int option_format(const struct option *option, const void *object,
    struct buf *out);
/* All rows of a table to their defaults; the struct was all zero. */
void option_defaults(const struct option *options, size_t n, void *object);
void option_free_all(const struct option *options, size_t n, void *object);
/* Deep copy of the rows' fields into a struct that was all zero. */
void option_copy_all(const struct option *options, size_t n, const void *from,
    void *to);
/* NULL when there is no such row. */
const struct option *option_find(const struct option *options, size_t n,
    const char *name);
/* The row whose name is nearest to a mistyped one; NULL when none is. */
const struct option *option_guess(const struct option *options, size_t n,
    const char *name);
/* "yes or no", "1M to 2G", "a, b or c": for messages and manuals.  "" when
 * there is nothing to say. */
void option_range(const struct option *option, struct buf *out);

#endif
