/*
 * tables.h - which columns a table has; for settings_import.c and
 * settings_export.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_TABLES_H
#define POLICY_TABLES_H

#include "policy/settings_edit.h"

struct table_form {
	const char *name;           /* "lists" */
	const char *prefix;         /* of its fields in the store */
	const char *const *columns; /* NULL-terminated, in their order */
	size_t required;            /* so many of the first must be there */
	bool with_options;          /* policy options follow as columns */
	const char *help;           /* the columns in words */
};

extern const struct table_form table_forms[TABLE_COUNT];

/* Upper bound of table_column_count. */
#define TABLE_COLUMNS_MAX 64
size_t table_column_count(const struct table_form *form);
const char *table_column(const struct table_form *form, size_t i);

/* Would a spreadsheet take this cell for a formula?  Such comments are
 * written with an apostrophe before them, which reading removes. */
bool table_is_formula(const char *text);

#endif
