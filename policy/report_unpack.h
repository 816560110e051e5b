/*
 * report_unpack.h - reports out of gzip and zip, with limits against bombs.
 *
 * Zip: the central directory is read, entries stored or deflated; anything
 * else (encryption, several disks, ZIP64, entries over each other) is
 * refused.  What comes out is checked against its CRC.
 *
 * Limits: UNPACK_IN_MAX octets in; REPORT_XML_MAX out, all files together,
 * and beyond UNPACK_FREE_BYTES at most UNPACK_RATIO_MAX times what went in;
 * UNPACK_FILES_MAX files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_REPORT_UNPACK_H
#define POLICY_REPORT_UNPACK_H

#include "base/buf.h"
#include "base/err.h"

#define UNPACK_IN_MAX (25UL * 1024 * 1024)
#define UNPACK_FREE_BYTES (4UL * 1024 * 1024)
#define UNPACK_RATIO_MAX 200
#define UNPACK_FILES_MAX 20

/*
 * Calls each for every file in it: once with data itself when it is not
 * packed; name is then "".  What each returns other than 0 ends it and is
 * returned.  -1 with ERR_INPUT or ERR_LIMIT.
 */
int report_unpack(struct bytes data,
    int (*each)(void *context, const char *name, struct bytes content,
	struct err *err),
    void *context, struct err *err);

#endif
