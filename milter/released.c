/*
 * released.c - mail that we released ourselves and see again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "base/crypto.h"
#include "mail/message.h"
#include "quarantine/release.h"

#include "milter/released.h"

static int
hash_piece(void *context, struct bytes piece, struct err *err)
{
	(void)err;
	sha256_update(context, piece.data, piece.len);
	return 0;
}

/*
 * The hash is that of the stored message: what stands below our field.
 * Above it are the fields that we and the MTAs have put before.
 */
static int
hash_below(const struct message *message, const struct header_field *field,
    uint8_t out[SHA256_LEN])
{
	const struct header *header = &message->header;
	const struct header_field *end = header->fields + header->count;
	struct sha256 *hash = sha256_new();
	struct err err;
	int rc;

	while (++field < end)
		sha256_update(hash, field->raw.data, field->raw.len);
	sha256_update(hash, "\r\n", 2);
	rc = spool_each(message->body, hash_piece, hash, &err);
	sha256_final(hash, out);
	sha256_free(hash);
	return rc;
}

bool
released_is_ours(const struct transaction *tx)
{
	const struct header_field *field;
	uint8_t hash[SHA256_LEN];

	if (!tx->from_release_network || tx->mailbox_count != 1)
		return false;
	/* Ours is the topmost; those below came with the message. */
	field = header_find(&tx->message->header, RELEASE_FIELD, 0);
	if (field == NULL || hash_below(tx->message, field, hash) < 0)
		return false;
	return release_header_check(tx->settings,
	    header_field_text(tx->arena, field), tx->mailboxes[0].mailbox,
	    hash);
}

void
released_edits(const struct transaction *tx, struct edit_list *edits)
{
	const struct header *header = &tx->message->header;
	const struct header_field *field =
	    header_find(header, RELEASE_FIELD, 0);

	edits_remove_foreign(edits, header, tx->authserv_id,
	    (size_t)(field - header->fields));
}
