/*
 * spool.c - the body of a message: in memory to a threshold, beyond it in
 * an unlinked temporary file.
 *
 * Once there is a file, the memory is what has not been written yet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "mail/spool.h"

#define PIECE_MAX (64 * 1024)
#define MEMORY_FIRST (8 * 1024)

struct spool {
	char *directory;
	char *memory;
	size_t len; /* of what is in memory */
	size_t size;
	size_t memory_max;
	int fd;           /* -1: all is in memory */
	uint64_t written; /* bytes in the file, before those in memory */
	bool failed;      /* bytes are missing; nothing is given out */
};

struct spool *
spool_new(const char *directory, size_t memory_max)
{
	struct spool *spool = xcalloc(1, sizeof(*spool));

	spool->directory = xstrdup(directory);
	spool->memory_max = memory_max;
	spool->fd = -1;
	return spool;
}

void
spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->fd >= 0)
		close(spool->fd);
	free(spool->memory);
	free(spool->directory);
	free(spool);
}

/* A file that nobody else can open and that is gone with its descriptor. */
static int
open_unlinked(const char *directory)
{
	char *path;
	int fd, saved;

	fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || errno == EMFILE || errno == ENFILE)
		return fd;
	/* Not every file system knows O_TMPFILE. */
	path = xprintf("%s/spool.XXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	saved = errno;
	if (fd >= 0)
		unlink(path);
	free(path);
	errno = saved;
	return fd;
}

static int
fail(struct spool *spool, const char *what, struct err *err)
{
	spool->failed = true;
	return err_set(err, ERR_TEMP, "%s in %s: %s", what, spool->directory,
	    strerror(errno));
}

static int
write_out(struct spool *spool, const char *data, size_t len, struct err *err)
{
	ssize_t n;

	while (len > 0) {
		n = write(spool->fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(spool, "cannot write a body", err);
		data += n;
		len -= (size_t)n;
		spool->written += (size_t)n;
	}
	return 0;
}

static int
flush(struct spool *spool, struct err *err)
{
	size_t len = spool->len;

	spool->len = 0;
	return write_out(spool, spool->memory, len, err);
}

/* From memory to a file; the memory becomes the write buffer. */
static int
spill(struct spool *spool, struct err *err)
{
	size_t keep = PIECE_MAX;

	spool->fd = open_unlinked(spool->directory);
	if (spool->fd < 0)
		return fail(spool, "cannot make a file for a body", err);
	if (flush(spool, err) < 0)
		return -1;
	if (keep > spool->memory_max)
		keep = spool->memory_max;
	spool->memory = xrealloc(spool->memory, keep);
	spool->size = keep;
	return 0;
}

static void
grow(struct spool *spool, size_t need)
{
	size_t size = spool->size > 0 ? spool->size : MEMORY_FIRST;

	if (need <= spool->size)
		return;
	while (size < need)
		size *= 2;
	if (size > spool->memory_max)
		size = spool->memory_max;
	spool->memory = xrealloc(spool->memory, size);
	spool->size = size;
}

int
spool_append(struct spool *spool, const void *data, size_t len, struct err *err)
{
	if (len == 0)
		return 0;
	if (spool->failed)
		return err_set(err, ERR_TEMP, "the body is not complete");
	if (spool->fd < 0 && len > spool->memory_max - spool->len) {
		if (spill(spool, err) < 0)
			return -1;
	} else if (spool->fd < 0) {
		grow(spool, spool->len + len);
	}
	if (spool->fd >= 0 && len > spool->size - spool->len) {
		if (flush(spool, err) < 0)
			return -1;
		if (len >= spool->size)
			return write_out(spool, data, len, err);
	}
	memcpy(spool->memory + spool->len, data, len);
	spool->len += len;
	return 0;
}

void
spool_skip(struct spool *spool, size_t len)
{
	spool->failed = true;
	spool->written += len;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->written + spool->len;
}

/* Up to len bytes of the file; all that are there. */
static int64_t
read_file(struct spool *spool, uint64_t offset, char *out, size_t len,
    struct err *err)
{
	size_t done = 0;
	ssize_t n;

	if (len > spool->written - offset)
		len = (size_t)(spool->written - offset);
	while (done < len) {
		n = pread(spool->fd, out + done, len - done,
		    (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* shorter than what was written */
		if (n <= 0)
			return fail(spool, "cannot read a body", err);
		done += (size_t)n;
	}
	return (int64_t)done;
}

int64_t
spool_read(struct spool *spool, uint64_t offset, void *out, size_t len,
    struct err *err)
{
	int64_t from_file = 0;
	size_t skip, rest;

	if (spool->failed)
		return err_set(err, ERR_TEMP, "the body is not complete");
	if (len > INT64_MAX)
		len = INT64_MAX;
	if (offset < spool->written) {
		from_file = read_file(spool, offset, out, len, err);
		if (from_file < 0 || (size_t)from_file == len)
			return from_file;
		offset = spool->written;
	}
	skip = offset - spool->written < spool->len
	    ? (size_t)(offset - spool->written)
	    : spool->len;
	rest = spool->len - skip;
	if (rest > len - (size_t)from_file)
		rest = len - (size_t)from_file;
	if (rest > 0)
		memcpy((char *)out + from_file, spool->memory + skip, rest);
	return from_file + (int64_t)rest;
}

/* The bytes in memory, which stand behind those in the file. */
static int
each_in_memory(struct spool *spool,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	struct bytes piece;
	size_t done;
	int rc = 0;

	for (done = 0; done < spool->len && rc == 0; done += piece.len) {
		piece =
		    (struct bytes){ spool->memory + done, spool->len - done };
		if (piece.len > PIECE_MAX)
			piece.len = PIECE_MAX;
		rc = each(context, piece, err);
	}
	return rc;
}

int
spool_each(struct spool *spool,
    int (*each)(void *context, struct bytes piece, struct err *err),
    void *context, struct err *err)
{
	uint64_t offset = 0;
	char *buffer = NULL;
	int64_t n;
	int rc = 0;

	if (spool->failed)
		return err_set(err, ERR_TEMP, "the body is not complete");
	if (spool->written > 0)
		buffer = xmalloc(PIECE_MAX);
	while (rc == 0 && offset < spool->written) {
		n = read_file(spool, offset, buffer, PIECE_MAX, err);
		if (n < 0)
			rc = -1;
		else
			rc = each(context, (struct bytes){ buffer, (size_t)n },
			    err);
		offset += n > 0 ? (uint64_t)n : 0;
	}
	free(buffer);
	return rc != 0 ? rc : each_in_memory(spool, each, context, err);
}
