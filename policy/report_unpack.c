/*
 * report_unpack.c - reports out of gzip and zip.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* zlib reads our octets, and does not change them. */
#define ZLIB_CONST
#include <zlib.h>

#include "base/utf8.h"
#include "policy/dmarc_report.h"
#include "policy/report_unpack.h"

#define PIECE 65536
#define NAME_MAX_BYTES 1024
/* For inflateInit2: gzip with its header, or a deflate stream alone. */
#define WINDOW_GZIP (15 + 16)
#define WINDOW_RAW (-15)

/* What has come out so far, and may. */
struct budget {
	size_t in; /* octets that went in */
	size_t out;
};

static int
spend(struct budget *budget, size_t n, struct err *err)
{
	budget->out += n;
	if (budget->out > REPORT_XML_MAX)
		return err_set(err, ERR_LIMIT,
		    "unpacked it is larger than %lu MB",
		    REPORT_XML_MAX / (1024 * 1024));
	if (budget->out > UNPACK_FREE_BYTES &&
	    budget->out / UNPACK_RATIO_MAX > budget->in)
		return err_set(err, ERR_LIMIT,
		    "unpacked it is more than %d times as large: a bomb",
		    UNPACK_RATIO_MAX);
	return 0;
}

/* ---- inflating ---- */

/* 1 the end of a stream, 0 go on, -1. */
static int
inflate_piece(z_stream *stream, struct budget *budget, struct buf *out,
    struct err *err)
{
	unsigned char piece[PIECE];
	size_t n;
	int rc;

	stream->next_out = piece;
	stream->avail_out = sizeof(piece);
	rc = inflate(stream, Z_NO_FLUSH);
	n = sizeof(piece) - stream->avail_out;
	if (rc == Z_MEM_ERROR)
		return err_set(err, ERR_TEMP, "memory ran out");
	if (rc == Z_BUF_ERROR || (rc == Z_OK && n == 0))
		return err_set(err, ERR_INPUT, "the packed data end early");
	if (rc != Z_OK && rc != Z_STREAM_END)
		return err_set(err, ERR_INPUT, "the packed data are damaged");
	if (spend(budget, n, err) < 0)
		return -1;
	if (buf_append(out, piece, n) < 0)
		return err_set(err, ERR_LIMIT, "unpacked it is too large");
	return rc == Z_STREAM_END;
}

static int
inflate_begin(z_stream *stream, struct bytes data, int window, struct err *err)
{
	memset(stream, 0, sizeof(*stream));
	stream->next_in = (const Bytef *)data.data;
	stream->avail_in = (uInt)data.len; /* <= UNPACK_IN_MAX */
	if (inflateInit2(stream, window) != Z_OK)
		return err_set(err, ERR_TEMP, "memory ran out");
	return 0;
}

static bool
is_padding(const z_stream *stream)
{
	size_t i;

	for (i = 0; i < stream->avail_in; i++)
		if (stream->next_in[i] != 0)
			return false;
	return true;
}

/* Members may follow each other (RFC 1952 section 2.2), and then zeros. */
static int
unpack_gzip(struct bytes data, struct budget *budget, struct buf *out,
    struct err *err)
{
	z_stream stream;
	int rc;

	if (inflate_begin(&stream, data, WINDOW_GZIP, err) < 0)
		return -1;
	do {
		do
			rc = inflate_piece(&stream, budget, out, err);
		while (rc == 0);
		if (rc > 0 && is_padding(&stream))
			break;
		if (rc > 0)
			(void)inflateReset(&stream);
	} while (rc > 0);
	(void)inflateEnd(&stream);
	return rc < 0 ? -1 : 0;
}

/* ---- zip ---- */

/* Signatures and sizes of the fixed parts (APPNOTE 4.3). */
#define ZIP_END 0x06054b50u
#define ZIP_END_SIZE 22
#define ZIP_CENTRAL 0x02014b50u
#define ZIP_CENTRAL_SIZE 46
#define ZIP_LOCAL 0x04034b50u
#define ZIP_LOCAL_SIZE 30
#define ZIP_COMMENT_MAX 65535
#define ZIP_ENCRYPTED 0x0041u /* either kind */
#define ZIP_STORED 0
#define ZIP_DEFLATED 8

struct zip_entry {
	struct bytes name;
	struct bytes packed;
	unsigned method;
	uint32_t crc;
	size_t size; /* unpacked */
};

struct zip {
	struct bytes data;
	size_t at; /* in the central directory */
	size_t end;
	unsigned left; /* entries */
	size_t packed; /* octets of all entries so far */
};

static unsigned
get16(struct bytes data, size_t at)
{
	const unsigned char *p = (const unsigned char *)data.data + at;

	return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static uint32_t
get32(struct bytes data, size_t at)
{
	return (uint32_t)get16(data, at) | (uint32_t)get16(data, at + 2) << 16;
}

static int
damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_INPUT, "the zip archive is damaged: %s", what);
}

/* The last end record whose comment reaches to the end of the file. */
static int
find_end(struct bytes data, size_t *at)
{
	size_t i, least;

	if (data.len < ZIP_END_SIZE)
		return -1;
	least = data.len > ZIP_END_SIZE + ZIP_COMMENT_MAX
	    ? data.len - ZIP_END_SIZE - ZIP_COMMENT_MAX
	    : 0;
	for (i = data.len - ZIP_END_SIZE + 1; i-- > least;)
		if (get32(data, i) == ZIP_END &&
		    get16(data, i + 20) == data.len - i - ZIP_END_SIZE) {
			*at = i;
			return 0;
		}
	return -1;
}

static int
zip_open(struct zip *zip, struct bytes data, struct err *err)
{
	size_t end, size, offset;

	memset(zip, 0, sizeof(*zip));
	zip->data = data;
	if (find_end(data, &end) < 0)
		return damaged(err, "it has no end");
	zip->left = get16(data, end + 10);
	size = get32(data, end + 12);
	offset = get32(data, end + 16);
	if (get16(data, end + 4) != 0 || get16(data, end + 6) != 0 ||
	    get16(data, end + 8) != zip->left)
		return err_set(err, ERR_INPUT,
		    "the zip archive has several parts");
	if (zip->left == 0xffff || size == UINT32_MAX || offset == UINT32_MAX)
		return err_set(err, ERR_INPUT,
		    "the zip archive is of the large kind (ZIP64)");
	if (zip->left > UNPACK_FILES_MAX)
		return err_set(err, ERR_LIMIT,
		    "the zip archive holds %u files; at most %d are read",
		    zip->left, UNPACK_FILES_MAX);
	if (offset > end || size > end - offset)
		return damaged(err, "its directory is not in it");
	zip->at = offset;
	zip->end = offset + size;
	return 0;
}

/* The octets of an entry, by the local header that its offset leads to. */
static int
find_packed(struct zip *zip, size_t local, size_t size, struct bytes *packed,
    struct err *err)
{
	struct bytes data = zip->data;
	size_t begin;

	if (data.len < ZIP_LOCAL_SIZE || local > data.len - ZIP_LOCAL_SIZE ||
	    get32(data, local) != ZIP_LOCAL)
		return damaged(err, "a file is not where it should be");
	begin = local + ZIP_LOCAL_SIZE + get16(data, local + 26) +
	    get16(data, local + 28);
	if (begin > data.len || size > data.len - begin)
		return damaged(err, "a file goes over its end");
	/* Entries that share octets are how small bombs become large. */
	zip->packed += size;
	if (zip->packed > data.len)
		return damaged(err, "files lie over each other");
	packed->data = data.data + begin;
	packed->len = size;
	return 0;
}

/* 1 an entry, 0 there are no more, -1. */
static int
zip_next(struct zip *zip, struct zip_entry *entry, struct err *err)
{
	struct bytes data = zip->data;
	size_t at = zip->at, rest;
	uint32_t packed;

	memset(entry, 0, sizeof(*entry));
	if (zip->left == 0)
		return 0;
	zip->left--;
	if (zip->end - at < ZIP_CENTRAL_SIZE || get32(data, at) != ZIP_CENTRAL)
		return damaged(err, "its directory ends early");
	entry->name.len = get16(data, at + 28);
	rest = entry->name.len + get16(data, at + 30) + get16(data, at + 32);
	if (rest > zip->end - at - ZIP_CENTRAL_SIZE)
		return damaged(err, "its directory ends early");
	entry->name.data = data.data + at + ZIP_CENTRAL_SIZE;
	zip->at = at + ZIP_CENTRAL_SIZE + rest;
	if ((get16(data, at + 8) & ZIP_ENCRYPTED) != 0)
		return err_set(err, ERR_INPUT, "the zip archive is encrypted");
	entry->method = get16(data, at + 10);
	entry->crc = get32(data, at + 16);
	packed = get32(data, at + 20);
	entry->size = get32(data, at + 24);
	if (packed == UINT32_MAX || entry->size == UINT32_MAX)
		return err_set(err, ERR_INPUT,
		    "the zip archive is of the large kind (ZIP64)");
	if (find_packed(zip, get32(data, at + 42), packed, &entry->packed,
		err) < 0)
		return -1;
	return 1;
}

static int
inflate_entry(const struct zip_entry *entry, struct budget *budget,
    struct buf *out, struct err *err)
{
	z_stream stream;
	int rc;

	if (inflate_begin(&stream, entry->packed, WINDOW_RAW, err) < 0)
		return -1;
	do
		rc = inflate_piece(&stream, budget, out, err);
	while (rc == 0 && out->len <= entry->size);
	(void)inflateEnd(&stream);
	return rc < 0 ? -1 : 0;
}

static int
unpack_entry(const struct zip_entry *entry, struct budget *budget,
    struct buf *out, struct err *err)
{
	if (entry->method == ZIP_DEFLATED) {
		if (inflate_entry(entry, budget, out, err) < 0)
			return -1;
	} else if (entry->method == ZIP_STORED) {
		if (spend(budget, entry->packed.len, err) < 0)
			return -1;
		if (buf_append_bytes(out, entry->packed) < 0)
			return err_set(err, ERR_LIMIT, "it is too large");
	} else {
		return err_set(err, ERR_INPUT,
		    "a file is packed in a way (%u) that is not read",
		    entry->method);
	}
	if (out->len != entry->size)
		return damaged(err, "a file is not as long as it should be");
	if (crc32_z(0, (const Bytef *)buf_str(out), out->len) != entry->crc)
		return damaged(err, "a file has another checksum");
	return 0;
}

typedef int each_fn(void *context, const char *name, struct bytes content,
    struct err *err);

static int
give_entry(const struct zip_entry *entry, struct budget *budget, each_fn *each,
    void *context, struct err *err)
{
	struct buf out, name;
	int rc;

	buf_init(&name, NAME_MAX_BYTES);
	buf_init(&out, REPORT_XML_MAX);
	if (utf8_append_clean(&name, entry->name) < 0)
		(void)buf_append_str(&name, "...");
	rc = unpack_entry(entry, budget, &out, err);
	if (rc == 0)
		rc = each(context, buf_str(&name), buf_bytes(&out), err);
	else
		err_prefix(err, "%s", buf_str(&name));
	buf_free(&out);
	buf_free(&name);
	return rc;
}

static int
unpack_zip(struct bytes data, each_fn *each, void *context, struct err *err)
{
	struct budget budget = { data.len, 0 };
	struct zip_entry entry;
	struct zip zip;
	size_t n = 0;
	int rc;

	if (zip_open(&zip, data, err) < 0)
		return -1;
	while ((rc = zip_next(&zip, &entry, err)) > 0) {
		/* A folder. */
		assert(entry.name.data != NULL);
		if (entry.name.len > 0 &&
		    entry.name.data[entry.name.len - 1] == '/')
			continue;
		n++;
		rc = give_entry(&entry, &budget, each, context, err);
		if (rc != 0)
			return rc;
	}
	if (rc == 0 && n == 0)
		return err_set(err, ERR_INPUT, "the zip archive is empty");
	return rc;
}

/* ---- any ---- */

int
report_unpack(struct bytes data, each_fn *each, void *context, struct err *err)
{
	struct budget budget = { data.len, 0 };
	struct buf out;
	int rc;

	if (data.len > UNPACK_IN_MAX)
		return err_set(err, ERR_LIMIT, "it is larger than %lu MB",
		    UNPACK_IN_MAX / (1024 * 1024));
	if (data.len >= 4 && memcmp(data.data, "PK", 2) == 0)
		return unpack_zip(data, each, context, err);
	if (data.len < 2 || memcmp(data.data, "\x1f\x8b", 2) != 0)
		return each(context, "", data, err);
	buf_init(&out, REPORT_XML_MAX);
	rc = unpack_gzip(data, &budget, &out, err);
	if (rc == 0)
		rc = each(context, "", buf_bytes(&out), err);
	buf_free(&out);
	return rc;
}
