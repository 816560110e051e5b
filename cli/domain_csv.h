/*
 * domain_csv.h - domains and their settings as CSV.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_DOMAIN_CSV_H
#define CLI_DOMAIN_CSV_H

#include "cli/request.h"

/* The array `domains` of GET /domains. */
void domain_csv_write(const json_t *domains, struct buf *out);
/* An array of {"line", "body"}, each body for POST /domains.  NULL with
 * *err "FILE:LINE: reason". */
json_t *domain_csv_read(struct arena *arena, const char *file, struct err *err);

/* `run` of the commands. */
int domain_csv_import(struct cli *cli, const struct cli_args *args);
int domain_csv_export(struct cli *cli, const struct cli_args *args);

#endif
