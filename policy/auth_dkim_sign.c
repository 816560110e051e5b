/*
 * auth_dkim_sign.c - DKIM signatures for mail that our own users send.
 *
 * Not by libopendkim: for each Ed25519 signature it leaks the private key
 * [570 octets a message], and its canonical forms are not exact (see
 * auth_dkim.c).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/auth_dkim_sign.h"
#include "policy/signature_write.h"

/* RFC 6376 section 5.4.1, and what readers act on. */
static const char *const names[] = {
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
static const char *const oversigned[] = {
	"from",
	"sender",
	"reply-to",
	"to",
	"cc",
	"subject",
	"content-type",
	"content-transfer-encoding",
	NULL,
};

/* Only where there is one: the MTA adds what is missing (RFC 6409 section
 * 8), Sendmail after it has asked us. */
static const char *const oversigned_if_there[] = { "date", "message-id" };

#define OVERSIGNED (sizeof(oversigned) / sizeof(oversigned[0]))
#define IF_THERE (sizeof(oversigned_if_there) / sizeof(oversigned_if_there[0]))

static void
choose_oversigned(const struct header *header,
    const char *chosen[OVERSIGNED + IF_THERE])
{
	size_t i, n = 0;

	for (i = 0; i < IF_THERE; i++)
		if (header_count_named(header, oversigned_if_there[i]) > 0)
			chosen[n++] = oversigned_if_there[i];
	memcpy(chosen + n, oversigned, sizeof(oversigned));
}

const char *
auth_dkim_sign(struct arena *arena, const struct auth_dkim_identity *identity,
    const struct header *header, const struct body_digest *body, int64_t now_s,
    struct err *err)
{
	const char *chosen[OVERSIGNED + IF_THERE];
	const struct signature_draft draft = {
		.arena = arena,
		.kind = SIG_DKIM,
		.key = identity->key,
		.domain = identity->domain,
		.selector = identity->selector,
		.header = header,
		.body = body,
		.names = names,
		.oversigned = chosen,
		.now_s = now_s,
	};

	if (header_count_named(header, "from") == 0) {
		err_set(err, ERR_INPUT, "no From to sign");
		return NULL;
	}
	choose_oversigned(header, chosen);
	return signature_write(&draft, err);
}
