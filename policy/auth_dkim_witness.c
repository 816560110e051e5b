/*
 * auth_dkim_witness.c - a second opinion on DKIM signatures, by libopendkim.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include <opendkim/dkim.h>

#include "base/clock.h"
#include "mail/message.h"
#include "policy/auth_dkim.h"
#include "policy/auth_dkim_witness.h"

#define KEY_WAIT_MS 5000

static int
failed(DKIM *dkim, DKIM_STAT status, struct err *err)
{
	const char *why = dkim_geterror(dkim);

	return err_set(err, status == DKIM_STAT_SYNTAX ? ERR_INPUT : ERR_TEMP,
	    "libopendkim: %s", why != NULL ? why : dkim_getresultstr(status));
}

/* What the scan has asked it is told; the rest is asked now. */
static DKIM_CBSTAT
look_up_key(DKIM *dkim, DKIM_SIGINFO *sig, u_char *out, size_t size)
{
	struct scan *scan = dkim_get_user_context(dkim);
	const char *name = arena_printf(scan->arena, "%s._domainkey.%s",
	    (const char *)dkim_sig_getselector(sig),
	    (const char *)dkim_sig_getdomain(sig));
	const int64_t until_ms = clock_mono_ms() + KEY_WAIT_MS;
	const struct dns_answer *answer;
	struct bytes text;

	while ((answer = dns_ask(scan->dns, name, DNS_TXT)) == NULL)
		(void)dns_set_wait(scan->dns, until_ms);
	if (dns_status_is_failure(answer->status))
		return DKIM_CBSTAT_TRYAGAIN;
	if (answer->count == 0 || answer->records[0].text.len >= size)
		return DKIM_CBSTAT_NOTFOUND;
	text = answer->records[0].text;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return DKIM_CBSTAT_CONTINUE;
}

/* The library takes what it only reads as not const. */
static u_char *
octets(struct bytes bytes)
{
	return (u_char *)(uintptr_t)bytes.data;
}

static int
feed_body(void *context, struct bytes piece, struct err *err)
{
	DKIM *dkim = context;
	DKIM_STAT status = dkim_body(dkim, octets(piece), piece.len);

	return status == DKIM_STAT_OK ? 0 : failed(dkim, status, err);
}

/* 0 also when signatures fail: that is what is asked. */
static int
feed(DKIM *dkim, const struct message *message, struct err *err)
{
	const struct header *header = &message->header;
	DKIM_STAT status;
	size_t i;

	for (i = 0; i < header->count; i++) {
		struct bytes raw = header->fields[i].raw;

		status =
		    dkim_header(dkim, octets(raw), raw.len - strlen("\r\n"));
		if (status != DKIM_STAT_OK)
			return failed(dkim, status, err);
	}
	status = dkim_eoh(dkim);
	if (status == DKIM_STAT_SYNTAX || status == DKIM_STAT_INTERNAL ||
	    status == DKIM_STAT_NORESOURCE)
		return failed(dkim, status, err);
	if (spool_each(message->body, feed_body, dkim, err) < 0)
		return -1;
	/* Says what the best signature came to; each is asked below. */
	(void)dkim_eom(dkim, NULL);
	return 0;
}

static const char *
text_of(struct arena *arena, const u_char *text)
{
	return text != NULL ? arena_strdup(arena, (const char *)text) : "";
}

static void
take_opinions(struct arena *arena, DKIM *dkim, struct auth_dkim_opinions *out)
{
	DKIM_SIGINFO **sigs;
	int i, n = 0;

	if (dkim_getsiglist(dkim, &sigs, &n) != DKIM_STAT_OK)
		n = 0;
	out->count = (size_t)n;
	out->opinions = arena_calloc(arena, out->count, sizeof(*out->opinions));
	for (i = 0; i < n; i++) {
		const char *why =
		    dkim_sig_geterrorstr(dkim_sig_geterror(sigs[i]));

		out->opinions[i].domain =
		    text_of(arena, dkim_sig_getdomain(sigs[i]));
		out->opinions[i].selector =
		    text_of(arena, dkim_sig_getselector(sigs[i]));
		out->opinions[i].pass = DKIM_SIG_CHECK(sigs[i]);
		if (!out->opinions[i].pass)
			out->opinions[i].problem = arena_strdup(arena,
			    why != NULL ? why : "body hash mismatch");
	}
}

static int
verify(DKIM_LIB *library, struct scan *scan, struct auth_dkim_opinions *out,
    struct err *err)
{
	DKIM_STAT status;
	DKIM *dkim;
	int rc;

	dkim = dkim_verify(library, (const u_char *)"witness", NULL, &status);
	if (dkim == NULL)
		return err_set(err, ERR_TEMP, "libopendkim: %s",
		    dkim_getresultstr(status));
	(void)dkim_set_user_context(dkim, scan);
	rc = feed(dkim, scan->message, err);
	if (rc == 0)
		take_opinions(scan->arena, dkim, out);
	(void)dkim_free(dkim);
	return rc;
}

int
auth_dkim_witness(struct scan *scan, struct auth_dkim_opinions *out,
    struct err *err)
{
	/* Every signature gets a handle and is processed. */
	unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES;
	DKIM_LIB *library;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	if (scan->message == NULL ||
	    header_count_named(&scan->message->header, "dkim-signature") >
		AUTH_DKIM_READ_MAX)
		return err_set(err, ERR_INPUT, "too many signatures");
	library = dkim_init(NULL, NULL);
	if (library == NULL)
		return err_set(err, ERR_CONFIG, "libopendkim does not start");
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags,
		sizeof(flags)) == DKIM_STAT_OK &&
	    dkim_set_key_lookup(library, look_up_key) == DKIM_STAT_OK)
		rc = verify(library, scan, out, err);
	else
		err_set(err, ERR_CONFIG, "libopendkim does not take options");
	dkim_close(library);
	return rc;
}
