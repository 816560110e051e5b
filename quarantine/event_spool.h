/*
 * event_spool.h - events on disk while the store cannot take them.
 *
 * One file: a head that says where the first unsent record stands, and
 * records with a length and a checksum.  Appended at the end, read from the
 * front, emptied when all is read.  A tail that was torn by a crash, or a
 * record that went bad, is passed over with a log line; what stands behind
 * it is found again.
 *
 * A process that dies loses nothing that was appended; a machine that dies
 * loses at most what was appended without sync.  The head is not synced:
 * then records are read again, and sent twice, which the history ignores.
 *
 * One process a file (locked).  All calls are safe from any thread, but
 * reading and advancing belong to one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef QUARANTINE_EVENT_SPOOL_H
#define QUARANTINE_EVENT_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EVENT_TEXT_MAX (1024 * 1024)

struct arena;
struct event_spool;

/* max: bytes of the file. */
struct event_spool *event_spool_open(const char *file, uint64_t max,
    struct err *err);
void event_spool_close(struct event_spool *spool);

/* All or none.  ERR_LIMIT: the file is full; ERR_TEMP: the disk does not
 * take it. */
int event_spool_append(struct event_spool *spool, size_t n,
    const struct bytes *texts, struct err *err);
/* What was appended is on the disk. */
int event_spool_sync(struct event_spool *spool, struct err *err);

/*
 * Up to limit records (and a few MB) from the front, in the arena.  *end is
 * for event_spool_advance: where the first that was not read stands.  *n
 * is 0 when there are no more.
 */
int event_spool_read(struct event_spool *spool, struct arena *arena,
    size_t limit, struct bytes *texts, size_t *n, uint64_t *end,
    struct err *err);
/*
 * They need not be read again, but for the n texts given: those are put at
 * the end of the file first, whatever its size.
 */
int event_spool_advance(struct event_spool *spool, uint64_t end, size_t n,
    const struct bytes *texts, struct err *err);

/* Bytes that are to be read. */
uint64_t event_spool_bytes(struct event_spool *spool);

#endif
