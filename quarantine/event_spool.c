/*
 * event_spool.c - events on disk while the store cannot take them.
 *
 *	file:   magic[16] head[8] check[8] record...
 *	record: "SKEV" length[4] check[8] text
 *
 * Numbers are little-endian; a check is the first 8 octets of the SHA-256
 * of the length (or the head) and the text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/log.h"
#include "quarantine/event_spool.h"

#define FILE_MAGIC_LEN 16
#define FILE_HEAD_LEN 32
#define RECORD_MAGIC_LEN 4
#define RECORD_HEAD_LEN 16
#define CHECK_LEN 8
/* Read from the file at once, while looking for the next good record. */
#define SEARCH_SIZE 65536
/* Of one event_spool_read, and one record more. */
#define READ_MAX (4 * 1024 * 1024)

static const unsigned char file_magic[FILE_MAGIC_LEN] = { 'S', 'e', 'k', 'i',
	'm', 'o', 'r', 'i', 'E', 'v', 'e', 'n', 't', 's', '1', '\n' };
static const unsigned char record_magic[RECORD_MAGIC_LEN] = { 'S', 'K', 'E',
	'V' };

struct event_spool {
	pthread_mutex_t lock;
	char *file;
	int fd;
	uint64_t max;
	uint64_t head; /* of the first record to be read */
	uint64_t end;  /* of the file */
	uint64_t base; /* what went from the front since it was opened */
	bool dirty;    /* not synced */
};

/* ---- bytes ---- */

static void
put_le(unsigned char *out, uint64_t value, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t
get_le(const unsigned char *in, size_t len)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < len; i++)
		value |= (uint64_t)in[i] << 8 * i;
	return value;
}

static void
make_check(const void *head, size_t head_len, struct bytes text,
    unsigned char out[CHECK_LEN])
{
	struct sha256 *hash = sha256_new();
	uint8_t digest[SHA256_LEN];

	sha256_update(hash, head, head_len);
	sha256_update(hash, text.data, text.len);
	sha256_final(hash, digest);
	sha256_free(hash);
	memcpy(out, digest, CHECK_LEN);
}

static int
disk_error(const struct event_spool *spool, const char *what, struct err *err)
{
	return err_set(err, ERR_TEMP, "%s: %s: %s", spool->file, what,
	    strerror(errno));
}

static int
write_at(struct event_spool *spool, int fd, const void *data, size_t len,
    uint64_t offset, struct err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return disk_error(spool, "write", err);
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* How many bytes there are, up to len; -1. */
static ssize_t
read_at(struct event_spool *spool, void *data, size_t len, uint64_t offset,
    struct err *err)
{
	char *p = data;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(spool->fd, p + done, len - done,
		    (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_error(spool, "read", err);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* ---- the head of the file ---- */

static int
head_write(struct event_spool *spool, int fd, uint64_t head, struct err *err)
{
	unsigned char data[FILE_HEAD_LEN];

	memcpy(data, file_magic, FILE_MAGIC_LEN);
	put_le(data + FILE_MAGIC_LEN, head, 8);
	make_check(data + FILE_MAGIC_LEN, 8, (struct bytes){ NULL, 0 },
	    data + FILE_MAGIC_LEN + 8);
	return write_at(spool, fd, data, sizeof(data), 0, err);
}

/* A head that is no good is none: all records are read again. */
static int
head_read(struct event_spool *spool, struct err *err)
{
	unsigned char data[FILE_HEAD_LEN], check[CHECK_LEN];
	ssize_t n = read_at(spool, data, sizeof(data), 0, err);
	uint64_t head;

	if (n < 0)
		return -1;
	/* What is shorter may be ours, too: its maker died early. */
	if (memcmp(data, file_magic,
		n < FILE_MAGIC_LEN ? (size_t)n : FILE_MAGIC_LEN) != 0)
		return err_set(err, ERR_CONFIG,
		    "%s: is no spool file of events", spool->file);
	spool->head = FILE_HEAD_LEN;
	if (n < FILE_HEAD_LEN)
		return 0;
	head = get_le(data + FILE_MAGIC_LEN, 8);
	make_check(data + FILE_MAGIC_LEN, 8, (struct bytes){ NULL, 0 }, check);
	if (memcmp(check, data + FILE_MAGIC_LEN + 8, CHECK_LEN) == 0 &&
	    head >= FILE_HEAD_LEN && head <= spool->end)
		spool->head = head;
	return 0;
}

/* ---- opening ---- */

static int
spool_begin(struct event_spool *spool, struct err *err)
{
	struct stat st;

	if (flock(spool->fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_CONFIG, "%s: another process has it",
		    spool->file);
	if (fstat(spool->fd, &st) < 0)
		return disk_error(spool, "stat", err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s: is no plain file",
		    spool->file);
	spool->end = (uint64_t)st.st_size;
	spool->head = FILE_HEAD_LEN;
	if (spool->end > 0 && head_read(spool, err) < 0)
		return -1;
	if (spool->end >= FILE_HEAD_LEN)
		return 0;
	/* New, or its maker died over it. */
	if (head_write(spool, spool->fd, FILE_HEAD_LEN, err) < 0)
		return -1;
	spool->end = FILE_HEAD_LEN;
	return 0;
}

struct event_spool *
event_spool_open(const char *file, uint64_t max, struct err *err)
{
	struct event_spool *spool = xcalloc(1, sizeof(*spool));

	spool->file = xstrdup(file);
	spool->max = max;
	pthread_mutex_init(&spool->lock, NULL);
	spool->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (spool->fd < 0)
		err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	else if (spool_begin(spool, err) == 0)
		return spool;
	event_spool_close(spool);
	return NULL;
}

void
event_spool_close(struct event_spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->fd >= 0)
		close(spool->fd);
	pthread_mutex_destroy(&spool->lock);
	free(spool->file);
	free(spool);
}

/* ---- appending ---- */

static void
encode_record(struct buf *out, struct bytes text)
{
	unsigned char head[RECORD_HEAD_LEN];

	memcpy(head, record_magic, RECORD_MAGIC_LEN);
	put_le(head + RECORD_MAGIC_LEN, text.len, 4);
	make_check(head + RECORD_MAGIC_LEN, 4, text, head + 8);
	buf_append(out, head, sizeof(head));
	buf_append_bytes(out, text);
}

/* Under the lock. */
static int
append(struct event_spool *spool, size_t n, const struct bytes *texts,
    struct err *err)
{
	struct buf out;
	size_t i, size = 0;
	int rc;

	for (i = 0; i < n; i++) {
		if (texts[i].len > EVENT_TEXT_MAX)
			return err_set(err, ERR_LIMIT, "event of %zu bytes",
			    texts[i].len);
		size += RECORD_HEAD_LEN + texts[i].len;
	}
	buf_init(&out, size);
	for (i = 0; i < n; i++)
		encode_record(&out, texts[i]);
	rc = write_at(spool, spool->fd, out.data, out.len, spool->end, err);
	buf_free(&out);
	if (rc == 0) {
		spool->end += size;
		spool->dirty = true;
	} else if (ftruncate(spool->fd, (off_t)spool->end) < 0) {
		/* What half stands there is passed over when it is read. */
		log_info("%s: %s", spool->file, strerror(errno));
	}
	return rc;
}

static size_t
size_of(size_t n, const struct bytes *texts)
{
	size_t i, size = 0;

	for (i = 0; i < n; i++)
		size += RECORD_HEAD_LEN + texts[i].len;
	return size;
}

/* Copies what is still to be read; the old file stays when that fails. */
static int
copy_live(struct event_spool *spool, int fd, struct err *err)
{
	char *data = xmalloc(SEARCH_SIZE);
	uint64_t from = spool->head, to = FILE_HEAD_LEN;
	int rc = head_write(spool, fd, FILE_HEAD_LEN, err);

	while (rc == 0 && from < spool->end) {
		ssize_t n = read_at(spool, data, SEARCH_SIZE, from, err);

		if (n <= 0)
			rc = n < 0 ? -1
				   : err_set(err, ERR_TEMP, "%s: is shorter",
					 spool->file);
		else
			rc = write_at(spool, fd, data, (size_t)n, to, err);
		from += n > 0 ? (uint64_t)n : 0;
		to += n > 0 ? (uint64_t)n : 0;
	}
	free(data);
	return rc;
}

/* The live part in a file of its own, in the place of the old one. */
static int
write_anew(struct event_spool *spool, const char *name, int fd, struct err *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return disk_error(spool, "lock", err);
	if (copy_live(spool, fd, err) < 0)
		return -1;
	if (fdatasync(fd) < 0 || rename(name, spool->file) < 0)
		return disk_error(spool, "new file", err);
	return 0;
}

/* Without what was read already.  Under the lock. */
static int
compact(struct event_spool *spool, struct err *err)
{
	char *name = xprintf("%s.new", spool->file);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	int rc = fd < 0 ? disk_error(spool, "new file", err)
			: write_anew(spool, name, fd, err);

	free(name);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	close(spool->fd);
	spool->fd = fd;
	spool->base += spool->head - FILE_HEAD_LEN;
	spool->end -= spool->head - FILE_HEAD_LEN;
	spool->head = FILE_HEAD_LEN;
	return 0;
}

int
event_spool_append(struct event_spool *spool, size_t n,
    const struct bytes *texts, struct err *err)
{
	size_t size = size_of(n, texts);
	int rc = 0;

	pthread_mutex_lock(&spool->lock);
	/* Worth it when a good part of the file is behind us. */
	if (spool->end + size > spool->max && spool->head > spool->max / 4)
		rc = compact(spool, err);
	if (rc == 0 && spool->end + size > spool->max)
		rc = err_set(err, ERR_LIMIT, "%s: is full (%" PRIu64 " bytes)",
		    spool->file, spool->max);
	if (rc == 0)
		rc = append(spool, n, texts, err);
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

int
event_spool_sync(struct event_spool *spool, struct err *err)
{
	int rc = 0, fd = -1;

	pthread_mutex_lock(&spool->lock);
	/* Not under the lock: others append while the disk is busy. */
	if (spool->dirty)
		fd = dup(spool->fd);
	spool->dirty = false;
	pthread_mutex_unlock(&spool->lock);
	if (fd < 0)
		return 0;
	if (fdatasync(fd) < 0)
		rc = disk_error(spool, "sync", err);
	close(fd);
	return rc;
}

/* ---- reading ---- */

/* The record at offset: 1 good, 0 none, -1. */
static int
read_record(struct event_spool *spool, struct arena *arena, uint64_t offset,
    struct bytes *text, struct err *err)
{
	unsigned char head[RECORD_HEAD_LEN], check[CHECK_LEN];
	uint64_t len;
	char *data;
	ssize_t n = read_at(spool, head, sizeof(head), offset, err);

	if (n < 0)
		return -1;
	len = get_le(head + RECORD_MAGIC_LEN, 4);
	if (n < RECORD_HEAD_LEN ||
	    memcmp(head, record_magic, RECORD_MAGIC_LEN) != 0 ||
	    len > EVENT_TEXT_MAX || offset + RECORD_HEAD_LEN + len > spool->end)
		return 0;
	data = arena_alloc(arena, (size_t)len + 1);
	n = read_at(spool, data, (size_t)len, offset + RECORD_HEAD_LEN, err);
	if (n < 0)
		return -1;
	*text = (struct bytes){ data, (size_t)len };
	make_check(head + RECORD_MAGIC_LEN, 4, *text, check);
	return (uint64_t)n == len && memcmp(check, head + 8, CHECK_LEN) == 0;
}

/* The next place from offset on where a record may stand; the end when
 * there is none. */
static int
next_magic(struct event_spool *spool, uint64_t *offset, struct err *err)
{
	char *data = xmalloc(SEARCH_SIZE);
	int rc = 0;

	while (*offset < spool->end) {
		ssize_t n = read_at(spool, data, SEARCH_SIZE, *offset, err);
		const char *at;

		if (n < RECORD_MAGIC_LEN) {
			rc = n < 0 ? -1 : 0;
			*offset = n < 0 ? *offset : spool->end;
			break;
		}
		at = memmem(data, (size_t)n, record_magic, RECORD_MAGIC_LEN);
		if (at != NULL) {
			*offset += (uint64_t)(at - data);
			break;
		}
		/* It may begin in the last octets. */
		*offset += (uint64_t)n - (RECORD_MAGIC_LEN - 1);
	}
	free(data);
	return rc;
}

/* The first good record from *offset on: 1, 0 none, -1. */
static int
find_record(struct event_spool *spool, struct arena *arena, uint64_t *offset,
    struct bytes *text, struct err *err)
{
	uint64_t began = *offset;
	int rc = 0;

	while (*offset < spool->end) {
		rc = read_record(spool, arena, *offset, text, err);
		if (rc != 0)
			break;
		(*offset)++;
		if (next_magic(spool, offset, err) < 0) {
			rc = -1;
			break;
		}
	}
	if (*offset > began && rc >= 0)
		log_warn("%s: %" PRIu64 " damaged bytes passed over",
		    spool->file, *offset - began);
	return rc;
}

int
event_spool_read(struct event_spool *spool, struct arena *arena, size_t limit,
    struct bytes *texts, size_t *n, uint64_t *end, struct err *err)
{
	uint64_t offset;
	int rc = 1;

	*n = 0;
	pthread_mutex_lock(&spool->lock);
	offset = spool->head;
	while (*n < limit && offset - spool->head < READ_MAX && rc == 1) {
		rc = find_record(spool, arena, &offset, &texts[*n], err);
		if (rc == 1)
			offset += RECORD_HEAD_LEN + texts[(*n)++].len;
	}
	*end = spool->base + offset;
	pthread_mutex_unlock(&spool->lock);
	return rc < 0 ? -1 : 0;
}

int
event_spool_advance(struct event_spool *spool, uint64_t end, size_t n,
    const struct bytes *texts, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&spool->lock);
	if (n > 0)
		rc = append(spool, n, texts, err);
	if (rc == 0) {
		spool->head = end - spool->base;
		if (spool->head >= spool->end &&
		    ftruncate(spool->fd, FILE_HEAD_LEN) == 0) {
			spool->base += spool->end - FILE_HEAD_LEN;
			spool->head = spool->end = FILE_HEAD_LEN;
		}
		rc = head_write(spool, spool->fd, spool->head, err);
	}
	pthread_mutex_unlock(&spool->lock);
	return rc;
}

uint64_t
event_spool_bytes(struct event_spool *spool)
{
	uint64_t bytes;

	pthread_mutex_lock(&spool->lock);
	bytes = spool->end > spool->head ? spool->end - spool->head : 0;
	pthread_mutex_unlock(&spool->lock);
	return bytes;
}
