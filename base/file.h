/*
 * file.h - a file read whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends what the file holds; "-" is standard input.  -1 with ERR_CONFIG
 * "FILE: reason" when it cannot be read, or with ERR_LIMIT when it is
 * larger than out's ceiling allows.
 */
int file_read(const char *path, struct buf *out, struct err *err);

#endif
