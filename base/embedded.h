/*
 * embedded.h - files that are part of the program.
 *
 * scripts/embed makes tables of them: catalogues of translations,
 * templates, style sheet, script, icons.  Nothing is read from disk when
 * the program runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* NULL: the end of the table */
	const unsigned char *data;
	size_t len;      /* a NUL stands behind, not counted */
	const char *tag; /* of the content, quoted, for ETag */
};

/* Each table that scripts/embed makes. */
extern const struct embedded i18n_catalogues[];
extern const struct embedded page_templates[];
extern const struct embedded page_files[];

#endif
