/*
 * route.h - a server of a route as text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include "cli/cli.h"

/* "[192.0.2.10]:25", or "example.net:25" for what its MX records name. */
const char *route_server_text(struct cli *cli, const json_t *route);

#endif
