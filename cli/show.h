/*
 * show.h - JSON models for people: tables, and fields below each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

#include "cli/cli.h"

enum show_as {
	SHOW_TEXT,
	SHOW_TIME,    /* milliseconds since 1970 */
	SHOW_SIZE,    /* bytes: 12.3 kB */
	SHOW_NUMBER,  /* aligned to the right */
	SHOW_FLAG,    /* its heading in lower case, or nothing */
	SHOW_LIST,    /* an array of strings: a, b */
	SHOW_OPTIONS, /* an object: a=b c=d */
	SHOW_DOMAIN,  /* in its own script, where that is safe */
	SHOW_CLASS,   /* {"main", "sub"}: phish/dmarc */
};

struct show_column {
	const char *heading;
	const char *path; /* "class.main" */
	enum show_as as;
	bool flexible; /* may be cut to fit a terminal */
};

/* rows: an array of objects.  nothing: what is printed instead of an empty
 * table. */
void show_table(struct cli *cli, const json_t *rows, size_t count,
    const struct show_column *columns, const char *nothing);
/* The fields that have a value, a line each. */
void show_fields(struct cli *cli, const json_t *object, size_t count,
    const struct show_column *columns);
/* The text of one value; "" when it is not there. */
const char *show_value(struct cli *cli, const json_t *object,
    const struct show_column *column);
/* One value by its path; NULL when not there. */
const json_t *show_find(const json_t *object, const char *path);

/* A decision record (doc/decision-record.md): what, why, and by which
 * results. */
void show_record(struct cli *cli, const json_t *record);

#endif
