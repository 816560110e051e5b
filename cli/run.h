/*
 * run.h - another program's output.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Runs argv[0] (found by PATH; argv ends with NULL), without a shell, and
 * appends what it writes to its standard output.  -1 with
 * ERR_CONFIG when it cannot be run or its status is not 0: the text is the
 * last line it wrote to its standard error.
 */
int run_and_read(const char *const *argv, struct buf *out, struct err *err);

#endif
