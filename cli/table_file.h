/*
 * table_file.h - tables of the API as files: import and export.
 *
 * The API reads and writes them (doc/csv.md); here they come from a file
 * and go to standard output.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_TABLE_FILE_H
#define CLI_TABLE_FILE_H

#include "cli/request.h"

/* `run` of an import: the first operand is the file ("-": standard input),
 * the context a struct cli_request whose path takes csv_base64. */
int table_file_import(struct cli *cli, const struct cli_args *args);
/* `run` of an export, whose path gives text/csv. */
int table_file_export(struct cli *cli, const struct cli_args *args);

/* Options that every import and export has, and the fields they become. */
#define TABLE_IMPORT_OPTIONS                                                   \
	{ "replace-all", NULL,                                                 \
		"Remove what the file does not have, instead of leaving it.",  \
		false },                                                       \
	{                                                                      \
		"dry-run", NULL, "Say what would change, and change nothing.", \
		    false                                                      \
	}
#define TABLE_IMPORT_FIELDS                                                    \
	{                                                                      \
		"dry_run", FIELD_FLAG, 0, "dry-run"                            \
	}
#define TABLE_EXPORT_OPTIONS                                                   \
	{                                                                      \
		"charset", "NAME",                                             \
		    "utf-8, utf-8-bom or cp932, for spreadsheets.", false      \
	}
#define TABLE_EXPORT_FIELDS                                                    \
	{                                                                      \
		"charset", FIELD_OPTION, 0, NULL                               \
	}

#endif
