/*
 * dkim_sign.c - DKIM signatures for mail that our own users send, by
 * libopendkim.
 *
 * The library signs what it takes a message to be; where that is not what
 * the message is (a NUL ends a field for it, see auth_dkim.c), the message
 * is refused here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <opendkim/dkim.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "policy/dkim_sign.h"

/* RFC 6376 section 5.4.1 and what readers act on. */
static const char *const sign_names[] = {
	"from",
	"sender",
	"reply-to",
	"to",
	"cc",
	"subject",
	"date",
	"message-id",
	"in-reply-to",
	"references",
	"mime-version",
	"content-type",
	"content-transfer-encoding",
	"list-id",
	"list-unsubscribe",
	"list-unsubscribe-post",
	NULL,
};
static const char *const oversign_names[] = {
	"from",
	"sender",
	"reply-to",
	"to",
	"cc",
	"subject",
	"date",
	"message-id",
	"content-type",
	"content-transfer-encoding",
	NULL,
};

struct dkim_signer {
	DKIM_LIB *library;
};

/* ---- the library ---- */

static bool
set_option(DKIM_LIB *library, dkim_opts_t option, const void *value, size_t len)
{
	/* It copies what it is given and changes nothing. */
	return dkim_options(library, DKIM_OP_SETOPT, option,
		   (void *)(uintptr_t)value, len) == DKIM_STAT_OK;
}

struct dkim_signer *
dkim_signer_open(struct err *err)
{
	struct dkim_signer *signer;
	DKIM_LIB *library = dkim_init(NULL, NULL);

	if (library == NULL) {
		err_set(err, ERR_CONFIG, "libopendkim does not start");
		return NULL;
	}
	if (!dkim_libfeature(library, DKIM_FEATURE_SHA256) ||
	    !dkim_libfeature(library, DKIM_FEATURE_ED25519) ||
	    !dkim_libfeature(library, DKIM_FEATURE_OVERSIGN) ||
	    !set_option(library, DKIM_OPTS_SIGNHDRS, sign_names,
		sizeof(const char **)) ||
	    !set_option(library, DKIM_OPTS_OVERSIGNHDRS, oversign_names,
		sizeof(const char **))) {
		dkim_close(library);
		err_set(err, ERR_CONFIG,
		    "libopendkim lacks SHA-256, Ed25519 or oversigning");
		return NULL;
	}
	signer = xmalloc(sizeof(*signer));
	signer->library = library;
	return signer;
}

void
dkim_signer_close(struct dkim_signer *signer)
{
	if (signer == NULL)
		return;
	dkim_close(signer->library);
	free(signer);
}

/* ---- one message ---- */

static int
refused(DKIM *dkim, DKIM_STAT status, struct err *err)
{
	const char *why = dkim_geterror(dkim);

	return err_set(err,
	    status == DKIM_STAT_SYNTAX || status == DKIM_STAT_INVALID
		? ERR_INPUT
		: ERR_TEMP,
	    "DKIM: %s", why != NULL ? why : dkim_getresultstr(status));
}

static int
feed_header(DKIM *dkim, const struct header *header, struct err *err)
{
	DKIM_STAT status;
	size_t i;

	for (i = 0; i < header->count; i++) {
		struct bytes raw = header->fields[i].raw;

		if (memchr(raw.data, '\0', raw.len) != NULL)
			return err_set(err, ERR_INPUT,
			    "DKIM: a header field holds a NUL");
		/* Without its line end; the library only reads. */
		status = dkim_header(dkim, (u_char *)(uintptr_t)raw.data,
		    raw.len - 2);
		if (status != DKIM_STAT_OK)
			return refused(dkim, status, err);
	}
	status = dkim_eoh(dkim);
	return status == DKIM_STAT_OK ? 0 : refused(dkim, status, err);
}

static int
feed_body(void *context, struct bytes piece, struct err *err)
{
	DKIM *dkim = context;
	DKIM_STAT status =
	    dkim_body(dkim, (u_char *)(uintptr_t)piece.data, piece.len);

	return status == DKIM_STAT_OK ? 0 : refused(dkim, status, err);
}

static int
take_value(DKIM *dkim, struct arena *arena, const char **value, struct err *err)
{
	DKIM_STAT status = dkim_eom(dkim, NULL);
	u_char *text;
	size_t len;

	if (status == DKIM_STAT_OK)
		status = dkim_getsighdr_d(dkim, strlen("DKIM-Signature: "),
		    &text, &len);
	if (status != DKIM_STAT_OK)
		return refused(dkim, status, err);
	*value = arena_printf(arena, " %.*s", (int)len, (const char *)text);
	return 0;
}

static DKIM *
open_message(const struct dkim_signer *signer,
    const struct dkim_identity *identity, const char *pem, struct err *err)
{
	bool rsa =
	    strcmp(signing_key_algorithm(identity->key), "rsa-sha256") == 0;
	DKIM_STAT status;
	DKIM *dkim;

	dkim = dkim_sign(signer->library, (const u_char *)"sign", NULL,
	    (const dkim_sigkey_t)(uintptr_t)pem,
	    (const u_char *)identity->selector,
	    (const u_char *)identity->domain, DKIM_CANON_RELAXED,
	    DKIM_CANON_RELAXED,
	    rsa ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256, -1, &status);
	if (dkim == NULL)
		err_set(err, ERR_TEMP, "DKIM: %s", dkim_getresultstr(status));
	return dkim;
}

int
dkim_sign_message(const struct dkim_signer *signer, struct arena *arena,
    const struct dkim_identity *identity, const struct header *header,
    const struct message *message, const char **value, struct err *err)
{
	struct buf pem;
	DKIM *dkim;
	int rc = -1;

	buf_init(&pem, 16 * 1024);
	if (signing_key_pem(identity->key, &pem) < 0) {
		err_set(err, ERR_TEMP, "DKIM: the key cannot be written");
		goto out;
	}
	dkim = open_message(signer, identity, buf_str(&pem), err);
	if (dkim == NULL)
		goto out;
	if (feed_header(dkim, header, err) == 0 &&
	    spool_each(message->body, feed_body, dkim, err) == 0)
		rc = take_value(dkim, arena, value, err);
	(void)dkim_free(dkim);
out:
	if (pem.data != NULL)
		secret_wipe(pem.data, pem.size);
	buf_free(&pem);
	return rc;
}
