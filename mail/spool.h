/*
 * spool.h - the body of a message: in memory to a threshold, beyond it in
 * an unlinked temporary file.
 *
 * Memory stays bounded whatever the size.  Bytes are kept as they came:
 * NUL, bare CR and LF, long lines.  A spool belongs to one thread at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MAIL_SPOOL_H
#define MAIL_SPOOL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct spool;

/* directory: where the file would be made; copied. */
struct spool *spool_new(const char *directory, size_t memory_max);
void spool_free(struct spool *spool);

/* ERR_TEMP when the disk does not take it; the message is to be deferred. */
int spool_append(struct spool *spool, const void *data, size_t len,
    struct err *err);
/* Octets that nobody will read are counted only.  From then on nothing is
 * given out. */
void spool_skip(struct spool *spool, size_t len);
uint64_t spool_size(const struct spool *spool);

/* All bytes in order, in pieces of at most 64 kB; each must return 0 to go
 * on.  Returns 0, what each returned, or -1 with *err. */
int spool_each(struct spool *spool,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err);
/* Copies up to len bytes from offset; returns how many, -1 with *err. */
int64_t spool_read(struct spool *spool, uint64_t offset, void *out, size_t len,
    struct err *err);

#endif
