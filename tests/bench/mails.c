/*
 * mails.c - the mails of the load client, as packets of the milter protocol.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <libmilter/mfdef.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/str.h"

#include "tests/bench/mails.h"

#define INDEX_MAX (64UL * 1024 * 1024)
#define FILE_MAX (256UL * 1024 * 1024)
#define PACKETS_MAX (512UL * 1024 * 1024)
/* As Postfix cuts it. */
#define CHUNK 65535
#define FIRST_COUNT 16

/* Twice the room whenever count is a power of two. */
static void *
grow(void *array, size_t count, size_t item)
{
	if (count > 0 && (count < FIRST_COUNT || (count & (count - 1)) != 0))
		return array;
	return xrealloc(array, (count > 0 ? count * 2 : FIRST_COUNT) * item);
}

/* ---- packets ---- */

void
packet_append(struct buf *out, char command, struct bytes data)
{
	uint32_t len = htonl((uint32_t)data.len + 1);

	if (buf_append(out, &len, sizeof(len)) < 0 ||
	    buf_append_char(out, command) < 0 ||
	    buf_append_bytes(out, data) < 0)
		abort();
}

static void
packets_add(struct packets *packets, char command, struct bytes data)
{
	packet_append(&packets->data, command, data);
	packets->ends =
	    grow(packets->ends, packets->count, sizeof(*packets->ends));
	packets->ends[packets->count++] = packets->data.len;
}

static void
packets_free(struct packets *packets)
{
	buf_free(&packets->data);
	free(packets->ends);
}

/* ---- a mail ---- */

/* MTAs give the lines of a folded field with LF between. */
static void
append_unix(struct buf *out, struct bytes value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (value.data[i] != '\r' || i + 1 == value.len ||
		    value.data[i + 1] != '\n')
			(void)buf_append_char(out, value.data[i]);
}

static void
add_field(struct packets *packets, struct bytes name, struct bytes value)
{
	struct buf data;

	buf_init(&data, FILE_MAX);
	(void)buf_append_bytes(&data, name);
	(void)buf_append_char(&data, '\0');
	append_unix(&data, value);
	(void)buf_append_char(&data, '\0');
	packets_add(packets, SMFIC_HEADER, buf_bytes(&data));
	buf_free(&data);
}

/* From start to the CRLF that is not followed by white space; text must
 * end its header with an empty line. */
static const char *
field_end(const char *start, const char *end)
{
	const char *p = start;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		if (p == end || (*p != ' ' && *p != '\t'))
			return p;
	}
	return end;
}

static int
read_header(struct mail *mail, const char **text, const char *end,
    struct err *err)
{
	const char *p, *next, *colon;
	struct bytes name, value;

	for (p = *text; p < end && *p != '\r' && *p != '\n'; p = next) {
		next = field_end(p, end);
		colon = memchr(p, ':', (size_t)(next - p));
		if (colon == NULL)
			return err_set(err, ERR_INPUT, "%s: no header field",
			    mail->file);
		name = (struct bytes){ p, (size_t)(colon - p) };
		value = (struct bytes){ colon + 1, (size_t)(next - colon) - 1 };
		while (value.len > 0 &&
		    (value.data[value.len - 1] == '\n' ||
			value.data[value.len - 1] == '\r'))
			value.len--;
		add_field(&mail->header, name, value);
		if (value.len > 0 && value.data[0] == ' ') {
			value.data++;
			value.len--;
		}
		add_field(&mail->header_stripped, name, value);
	}
	if (p < end)
		p += *p == '\r' && p + 1 < end ? 2 : 1;
	*text = p;
	return 0;
}

static void
read_body(struct mail *mail, const char *p, const char *end)
{
	struct bytes piece;

	for (; p < end; p += piece.len) {
		piece = (struct bytes){ p, (size_t)(end - p) };
		if (piece.len > CHUNK)
			piece.len = CHUNK;
		packets_add(&mail->body, SMFIC_BODY, piece);
	}
}

static int
read_mail(struct mail *mail, struct err *err)
{
	const char *p, *end;
	struct buf text;
	int rc;

	buf_init(&mail->header.data, PACKETS_MAX);
	buf_init(&mail->header_stripped.data, PACKETS_MAX);
	buf_init(&mail->body.data, PACKETS_MAX);
	buf_init(&text, FILE_MAX);
	rc = file_read(mail->file, &text, err);
	if (rc == 0) {
		mail->size = text.len;
		p = buf_str(&text);
		end = p + text.len;
		rc = read_header(mail, &p, end, err);
		if (rc == 0)
			read_body(mail, p, end);
	}
	buf_free(&text);
	return rc;
}

/* ---- the index ---- */

static char *
take_field(struct cursor *c, const char *stops)
{
	struct bytes field = cursor_until(c, stops);

	return xmemdup(field.data, field.len);
}

static char *
take_file(struct cursor *c, const char *index)
{
	const char *slash = strrchr(index, '/');
	int directory = slash != NULL ? (int)(slash - index) + 1 : 0;
	struct bytes field = cursor_until(c, "\t\n");

	return xprintf("%.*s%.*s", directory, index, (int)field.len,
	    field.data);
}

static void
take_recipients(struct cursor *c, struct mail *mail)
{
	do {
		mail->recipients = grow(mail->recipients, mail->recipient_count,
		    sizeof(*mail->recipients));
		mail->recipients[mail->recipient_count++] =
		    take_field(c, ",\t\n");
	} while (cursor_char(c, ','));
}

static void
take_row(struct cursor *c, const char *index, struct mail *mail)
{
	memset(mail, 0, sizeof(*mail));
	mail->file = take_file(c, index);
	cursor_char(c, '\t');
	mail->ip = take_field(c, "\t\n");
	cursor_char(c, '\t');
	mail->hostname = take_field(c, "\t\n");
	cursor_char(c, '\t');
	mail->helo = take_field(c, "\t\n");
	cursor_char(c, '\t');
	mail->sender = take_field(c, "\t\n");
	cursor_char(c, '\t');
	take_recipients(c, mail);
	(void)cursor_until(c, "\n");
	cursor_char(c, '\n');
}

static void
mail_free(struct mail *mail)
{
	size_t i;

	for (i = 0; i < mail->recipient_count; i++)
		free(mail->recipients[i]);
	free(mail->recipients);
	free(mail->file);
	free(mail->ip);
	free(mail->hostname);
	free(mail->helo);
	free(mail->sender);
	packets_free(&mail->header);
	packets_free(&mail->header_stripped);
	packets_free(&mail->body);
}

static int
read_rows(struct mails *mails, struct bytes text, const char *index,
    size_t size_max, struct err *err)
{
	struct cursor c = cursor_of(text);
	struct mail *mail;

	while (!cursor_at_end(&c)) {
		mails->mails =
		    grow(mails->mails, mails->count, sizeof(*mails->mails));
		mail = &mails->mails[mails->count++];
		take_row(&c, index, mail);
		if (read_mail(mail, err) < 0)
			return -1;
		if (mail->size > size_max) {
			mail_free(mail);
			mails->count--;
		}
	}
	if (mails->count == 0)
		return err_set(err, ERR_INPUT, "%s: no mails", index);
	return 0;
}

int
mails_read(struct mails *mails, const char *index, size_t size_max,
    struct err *err)
{
	struct buf text;
	int rc;

	memset(mails, 0, sizeof(*mails));
	buf_init(&text, INDEX_MAX);
	rc = file_read(index, &text, err);
	if (rc == 0)
		rc = read_rows(mails, buf_bytes(&text), index, size_max, err);
	buf_free(&text);
	return rc;
}

void
mails_free(struct mails *mails)
{
	size_t i;

	for (i = 0; i < mails->count; i++)
		mail_free(&mails->mails[i]);
	free(mails->mails);
}
