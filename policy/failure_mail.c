/*
 * failure_mail.c - a DMARC failure report as a mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "mail/charset.h"
#include "policy/failure_mail.h"
#include "policy/report_letter.h"

#define BOUNDARY "=_sekimori_failure"
/* A line is folded at white space behind so many columns... */
#define COLUMNS 76
/* ...and anywhere before it gets too long (RFC 5322 section 2.1.1). */
#define COLUMNS_MAX 900

/* ---- fields ---- */

/* What a line may hold: printable ASCII. */
static char
safe(char c)
{
	if (c == '\t')
		return ' ';
	return c >= 0x20 && c < 0x7f ? c : '?';
}

/* "Name: value", folded. */
static void
write_field(struct buf *out, const char *name, const char *value)
{
	size_t column = strlen(name) + 1, word;
	const char *p = value;

	buf_printf(out, "%s:", name);
	while (*p != '\0') {
		while (*p == ' ' || *p == '\t')
			p++;
		word = strcspn(p, " \t");
		if (word == 0)
			break;
		if (word > COLUMNS_MAX)
			word = COLUMNS_MAX;
		if (column > strlen(name) + 1 && column + 1 + word > COLUMNS) {
			buf_append_str(out, "\r\n");
			column = 0;
		}
		buf_append_char(out, ' ');
		for (column += 1 + word; word > 0; word--)
			buf_append_char(out, safe(*p++));
	}
	buf_append_str(out, "\r\n");
}

/* Left out when there is nothing to say. */
static void
write_if(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		write_field(out, name, value);
}

static void
write_address(struct buf *out, const char *name, const char *address)
{
	struct buf value;

	buf_init(&value, FAILURE_TEXT_MAX);
	buf_printf(&value, "<%s>", address);
	write_field(out, name, buf_str(&value));
	buf_free(&value);
}

/* RFC 6591 section 3.2.6: "txt : DOMAIN : "RECORD"". */
static void
write_spf_record(struct buf *out, const struct failure *failure)
{
	const char *p;
	struct buf value;

	if (failure->spf_record[0] == '\0')
		return;
	buf_init(&value, FAILURE_TEXT_MAX);
	buf_printf(&value, "txt : %s : \"", failure->spf_domain);
	for (p = failure->spf_record; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_append_char(&value, '\\');
		buf_append_char(&value, *p);
	}
	buf_append_char(&value, '"');
	write_field(out, "SPF-DNS", buf_str(&value));
	buf_free(&value);
}

/* ---- the parts ---- */

static void
write_text(struct arena *arena, const struct failure_mail *mail,
    struct buf *out)
{
	const struct failure *failure = mail->failure;

	buf_printf(out,
	    "--" BOUNDARY "\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "This is a DMARC failure report (RFC 9991) about a mail that %s\r\n"
	    "received from %s on\r\n"
	    "%s,\r\n"
	    "and that claims to be from %s.\r\n"
	    "The DMARC record of %s asks for it (ruf=).\r\n"
	    "\r\n",
	    mail->submitter, failure->source_ip,
	    letter_date(arena, failure->arrival_ms / 1000),
	    failure->from_domain, failure->policy_domain);
	if (mail->incidents > 1)
		buf_printf(out,
		    "It stands for %" PRIu64 " mails that failed in the same "
		    "way.\r\n\r\n",
		    mail->incidents);
	buf_printf(out,
	    "The mail itself is not part of it.  Of its header there is "
	    "what\r\n"
	    "helps to find the cause; %zu fields are left out, and the "
	    "local\r\n"
	    "parts of addresses are replaced by keyed hashes (RFC 6590), "
	    "but\r\n"
	    "for those of your domain.  The same hash is the same mailbox.\r\n"
	    "\r\n",
	    failure->header.left_out);
}

static void
write_feedback(struct arena *arena, const struct failure_mail *mail,
    struct buf *out)
{
	const struct failure *f = mail->failure;
	size_t i;

	buf_append_str(out,
	    "--" BOUNDARY "\r\n"
	    "Content-Type: message/feedback-report\r\n"
	    "\r\n"
	    "Feedback-Type: auth-failure\r\n"
	    "Version: 1\r\n"
	    "User-Agent: Sekimori/" PACKAGE_VERSION "\r\n");
	write_field(out, "Auth-Failure", f->what);
	write_if(out, "Authentication-Results", f->results);
	write_field(out, "Identity-Alignment", f->alignment);
	write_if(out, "Delivery-Result", f->delivery);
	write_if(out, "DKIM-Domain", f->dkim_domain);
	write_if(out, "DKIM-Identity", f->dkim_identity);
	write_if(out, "DKIM-Selector", f->dkim_selector);
	write_spf_record(out, f);
	write_field(out, "Original-Envelope-Id", f->id);
	write_address(out, "Original-Mail-From", f->mail_from);
	for (i = 0; i < f->recipient_count; i++)
		write_address(out, "Original-Rcpt-To", f->recipients[i]);
	write_field(out, "Arrival-Date",
	    letter_date(arena, f->arrival_ms / 1000));
	if (f->authserv_id[0] != '\0')
		write_field(out, "Reporting-MTA",
		    arena_printf(arena, "dns; %s", f->authserv_id));
	write_field(out, "Source-IP", f->source_ip);
	write_field(out, "Reported-Domain", f->from_domain);
	if (mail->incidents > 1)
		write_field(out, "Incidents",
		    arena_printf(arena, "%" PRIu64, mail->incidents));
	buf_append_str(out, "\r\n");
}

/* Only names of letters, digits and hyphens. */
static bool
is_name(const char *name)
{
	return name[0] != '\0' && name[0] != '-' &&
	    name[strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-")] == '\0';
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* What is not ASCII is Japanese in a Subject, or a name in a From. */
static void
write_header_field(struct buf *out, const struct redacted_field *field)
{
	struct buf coded;

	if (!is_name(field->name))
		return;
	if (is_ascii(field->value)) {
		write_field(out, field->name, field->value);
		return;
	}
	buf_init(&coded, FAILURE_TEXT_MAX);
	(void)charset_encode_header(bytes_of(field->value), &coded);
	buf_printf(out, "%s: %s\r\n", field->name, buf_str(&coded));
	buf_free(&coded);
}

static void
write_header(const struct failure *failure, struct buf *out)
{
	size_t i;

	buf_append_str(out,
	    "--" BOUNDARY "\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "\r\n");
	for (i = 0; i < failure->header.count; i++)
		write_header_field(out, &failure->header.fields[i]);
	buf_append_str(out, "\r\n--" BOUNDARY "--\r\n");
}

/* ---- the mail ---- */

static void
add_fields(struct arena *arena, const struct failure_mail *mail,
    struct letter *letter)
{
	const struct failure *failure = mail->failure;

	letter_add(letter, "Date", letter_date(arena, mail->now_s));
	letter_add(letter, "From", mail->from);
	letter_add(letter, "To",
	    letter_addresses(arena, mail->to_count, mail->to));
	letter_add(letter, "Subject",
	    arena_printf(arena, "DMARC failure report:\r\n %s\r\n from %s",
		failure->from_domain, failure->source_ip));
	letter_add(letter, "Message-ID",
	    arena_printf(arena, "<failure.%s@%s>", failure->id,
		mail->submitter));
	letter_add(letter, "Auto-Submitted", "auto-generated");
	letter_add(letter, "MIME-Version", "1.0");
	letter_add(letter, "Content-Type",
	    "multipart/report; report-type=feedback-report;\r\n"
	    " boundary=\"" BOUNDARY "\"");
}

int
failure_mail_write(const struct failure_mail *mail, struct buf *out,
    struct err *err)
{
	struct arena *arena = arena_new(0);
	struct letter letter = { .now_s = mail->now_s,
		.identity_count = mail->identity_count,
		.identities = mail->identities };
	struct buf body;
	int rc;

	buf_init(&body, FAILURE_MAIL_MAX);
	add_fields(arena, mail, &letter);
	write_text(arena, mail, &body);
	write_feedback(arena, mail, &body);
	write_header(mail->failure, &body);
	letter.body = buf_bytes(&body);
	if (body.overflow)
		rc = err_set(err, ERR_LIMIT, "the report is too large to mail");
	else
		rc = letter_write(&letter, out, err);
	buf_free(&body);
	arena_free(arena);
	return rc;
}
