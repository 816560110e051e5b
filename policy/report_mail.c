/*
 * report_mail.c - an aggregate report as a mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* zlib reads our octets, and does not change them. */
#define ZLIB_CONST
#include <zlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "policy/report_mail.h"
#include "policy/signature_write.h"

#define PIECE 65536
#define HEADER_MAX 65536
#define FIELDS_MAX 32
#define BASE64_COLUMNS 76
#define WINDOW_GZIP (15 + 16)
#define MEMORY_LEVEL 8
#define DATE_SIZE 16
#define BOUNDARY "=_sekimori_report"

const char *
report_mail_id(struct arena *arena, int64_t day_s, const char *policy_domain,
    const char *submitter)
{
	char date[DATE_SIZE] = "";
	const time_t t = (time_t)day_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y%m%d", &tm);
	return arena_printf(arena, "%s.%s@%s", date, policy_domain, submitter);
}

const char *
report_mail_file(struct arena *arena, const struct report_mail *mail)
{
	return arena_printf(arena, "%s!%s!%" PRId64 "!%" PRId64 ".xml.gz",
	    mail->submitter, mail->report->domain, mail->report->begin_s,
	    mail->report->end_s);
}

int
report_mail_pack(struct bytes data, struct buf *out)
{
	unsigned char piece[PIECE];
	z_stream stream;
	int rc;

	memset(&stream, 0, sizeof(stream));
	if (data.len > REPORT_XML_MAX ||
	    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_GZIP,
		MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	stream.next_in = (const Bytef *)data.data;
	stream.avail_in = (uInt)data.len;
	do {
		stream.next_out = piece;
		stream.avail_out = sizeof(piece);
		rc = deflate(&stream, Z_FINISH);
		(void)buf_append(out, piece, sizeof(piece) - stream.avail_out);
	} while (rc == Z_OK);
	(void)deflateEnd(&stream);
	return rc == Z_STREAM_END && !out->overflow ? 0 : -1;
}

/* ---- the header ---- */

struct field {
	const char *name, *value;
};

static size_t
make_fields(struct arena *arena, const struct report_mail *mail,
    struct field fields[FIELDS_MAX])
{
	const struct dmarc_report *report = mail->report;
	char date[CLOCK_RFC5322_SIZE];
	size_t n = 0;

	clock_rfc5322((time_t)mail->now_s, date);
	fields[n++] = (struct field){ "Date", arena_strdup(arena, date) };
	fields[n++] = (struct field){ "From", mail->from };
	fields[n++] = (struct field){ "To", mail->to };
	fields[n++] = (struct field){ "Subject",
		arena_printf(arena,
		    "Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>",
		    report->domain, mail->submitter, report->id) };
	fields[n++] = (struct field){ "Message-ID",
		arena_printf(arena, "<%s>", report->id) };
	fields[n++] = (struct field){ "Auto-Submitted", "auto-generated" };
	fields[n++] = (struct field){ "MIME-Version", "1.0" };
	fields[n++] = (struct field){ "Content-Type",
		"multipart/mixed;\r\n boundary=\"" BOUNDARY "\"" };
	return n;
}

/* ---- the body ---- */

static void
write_base64(struct bytes data, struct buf *out)
{
	struct buf coded;
	size_t at, n;

	buf_init(&coded, REPORT_XML_MAX * 2);
	(void)base64_encode(data, &coded);
	for (at = 0; at < coded.len; at += n) {
		n = coded.len - at;
		if (n > BASE64_COLUMNS)
			n = BASE64_COLUMNS;
		buf_append(out, coded.data + at, n);
		buf_append_str(out, "\r\n");
	}
	if (coded.overflow)
		out->overflow = true;
	buf_free(&coded);
}

static void
write_body(struct arena *arena, const struct report_mail *mail,
    struct bytes packed, struct buf *out)
{
	const struct dmarc_report *report = mail->report;
	const char *file = report_mail_file(arena, mail);

	buf_printf(out,
	    "--" BOUNDARY "\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "This is a DMARC aggregate report (RFC 9990) about mail that\r\n"
	    "claims to be from %s, as %s saw it.\r\n"
	    "The DMARC record of %s asks for it (rua=).\r\n"
	    "\r\n"
	    "--" BOUNDARY "\r\n"
	    "Content-Type: application/gzip;\r\n"
	    " name=\"%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment;\r\n"
	    " filename=\"%s\"\r\n"
	    "\r\n",
	    report->domain, mail->submitter, report->domain, file, file);
	write_base64(packed, out);
	buf_append_str(out, "--" BOUNDARY "--\r\n");
}

/* ---- signing ---- */

/* A DKIM-Signature for each identity, on top of out. */
static int
write_signatures(struct arena *arena, const struct report_mail *mail,
    const struct field *fields, size_t n, struct bytes body, struct buf *out,
    struct err *err)
{
	struct body_hash *hash;
	const struct body_digest *digest;
	struct header header;
	const char *value;
	size_t i;
	int rc = 0;

	if (mail->identity_count == 0)
		return 0;
	header_init(&header, arena, HEADER_MAX, FIELDS_MAX);
	for (i = 0; i < n; i++)
		if (header_add(&header, bytes_of(fields[i].name),
			bytes_of(arena_printf(arena, " %s", fields[i].value)),
			err) < 0)
			return -1;
	hash = body_hash_new(arena);
	digest = signature_want_body(hash);
	body_hash_add(hash, body);
	body_hash_end(hash);
	for (i = 0; rc == 0 && i < mail->identity_count; i++) {
		value = auth_dkim_sign(arena, &mail->identities[i], &header,
		    digest, mail->now_s, err);
		if (value == NULL)
			rc = -1;
		else
			buf_printf(out, "DKIM-Signature:%s\r\n", value);
	}
	body_hash_free(hash);
	return rc;
}

int
report_mail_write(const struct report_mail *mail, struct bytes packed,
    struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct field fields[FIELDS_MAX];
	size_t i, n = make_fields(arena, mail, fields);
	struct buf body;
	int rc;

	buf_init(&body, REPORT_XML_MAX * 2);
	write_body(arena, mail, packed, &body);
	rc = write_signatures(arena, mail, fields, n, buf_bytes(&body), out,
	    err);
	for (i = 0; i < n; i++)
		buf_printf(out, "%s: %s\r\n", fields[i].name, fields[i].value);
	buf_append_str(out, "\r\n");
	buf_append_bytes(out, buf_bytes(&body));
	if (rc == 0 && (out->overflow || body.overflow))
		rc = err_set(err, ERR_LIMIT, "the report is too large to mail");
	buf_free(&body);
	arena_free(arena);
	return rc;
}
