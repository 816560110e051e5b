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

#include "base/crypto.h"
#include "policy/report_letter.h"
#include "policy/report_mail.h"

#define PIECE 65536
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

static void
add_fields(struct arena *arena, const struct report_mail *mail,
    struct letter *letter)
{
	const struct dmarc_report *report = mail->report;

	letter_add(letter, "Date", letter_date(arena, mail->now_s));
	letter_add(letter, "From", mail->from);
	letter_add(letter, "To",
	    letter_addresses(arena, mail->to_count, mail->to));
	letter_add(letter, "Subject",
	    arena_printf(arena,
		"Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>",
		report->domain, mail->submitter, report->id));
	letter_add(letter, "Message-ID",
	    arena_printf(arena, "<%s>", report->id));
	letter_add(letter, "Auto-Submitted", "auto-generated");
	letter_add(letter, "MIME-Version", "1.0");
	letter_add(letter, "Content-Type",
	    "multipart/mixed;\r\n boundary=\"" BOUNDARY "\"");
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

/* ---- the mail ---- */

int
report_mail_write(const struct report_mail *mail, struct bytes packed,
    struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct letter letter = { .now_s = mail->now_s,
		.identity_count = mail->identity_count,
		.identities = mail->identities };
	struct buf body;
	int rc;

	buf_init(&body, REPORT_XML_MAX * 2);
	add_fields(arena, mail, &letter);
	write_body(arena, mail, packed, &body);
	letter.body = buf_bytes(&body);
	if (body.overflow)
		rc = err_set(err, ERR_LIMIT, "the report is too large to mail");
	else
		rc = letter_write(&letter, out, err);
	buf_free(&body);
	arena_free(arena);
	return rc;
}
