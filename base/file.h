/*
 * file.h - files read whole, and whose they are.
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

/*
 * A file that root has made becomes that of its directory's owner, or the
 * daemons, which are not root, could not use it.  As anybody else: nothing.
 * -1 with errno.
 */
int file_adopt(int fd, const char *path);

#endif
