/*
 * fuzz_signature.c - a whole message through DKIM and ARC: tag lists, signature
 * fields, sets, canonical forms.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/message.h"
#include "policy/arc_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_field(struct arena *arena, enum signature_kind kind,
    const struct header *header, const struct header_field *field,
    struct body_hash *body)
{
	struct err err = { ERR_NONE, "" };
	uint8_t digest[DIGEST_MAX];
	struct signature sig;

	if (signature_read(arena, kind, field, &sig, &err) < 0) {
		if (err.kind == ERR_NONE)
			abort();
		return;
	}
	/* What was read without complaint is whole and within bounds. */
	if (sig.domain == NULL || sig.selector == NULL || sig.b.len == 0 ||
	    strlen(sig.domain) > DOMAIN_MAX ||
	    sig.cut.data < field->value.data ||
	    sig.cut.data + sig.cut.len > field->value.data + field->value.len)
		abort();
	(void)signature_key_name(arena, &sig);
	if (kind == SIG_ARC_SEAL)
		return;
	(void)body_hash_want(body, sig.body_canon, sig.digest, sig.length);
	signature_header_digest(arena, &sig, header, digest);
}

static void
try_kind(struct arena *arena, enum signature_kind kind, const char *name,
    const struct header *header, struct body_hash *body)
{
	const struct header_field *field;
	size_t i;

	for (i = 0; i < 20; i++) {
		field = header_find(header, name, i);
		if (field == NULL)
			break;
		try_field(arena, kind, header, field, body);
		(void)signature_domain(arena, field);
	}
}

static void
try_chain(struct arena *arena, const struct header *header)
{
	struct arc_chain *chain = arena_alloc(arena, sizeof(*chain));
	uint8_t digest[DIGEST_MAX];
	struct arc_scope scope;
	size_t i;

	if (arc_chain_read(arena, header, chain, NULL) < 0)
		return;
	arc_scope_init(&scope, header->bytes);
	for (i = 0; i < chain->count; i++)
		arc_scope_add(&scope, &chain->sets[i], digest);
	if (scope.text.overflow)
		abort();
	arc_scope_fini(&scope);
}

static int
add_piece(void *context, struct bytes piece, struct err *err)
{
	size_t half = piece.len / 3;

	(void)err;
	body_hash_add(context, (struct bytes){ piece.data, half });
	body_hash_add(context,
	    (struct bytes){ piece.data + half, piece.len - half });
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct message_limits limits = { 1 << 20, 1000, 1 << 20,
		"/tmp" };
	struct arena *arena = arena_new(0);
	struct message *message = message_new(arena, &limits);
	struct body_hash *body = body_hash_new(arena);
	const struct header *header = &message->header;

	(void)message_read(message, (struct bytes){ (const char *)data, size },
	    NULL);
	try_kind(arena, SIG_DKIM, "dkim-signature", header, body);
	try_kind(arena, SIG_ARC_MESSAGE, "arc-message-signature", header, body);
	try_kind(arena, SIG_ARC_SEAL, "arc-seal", header, body);
	try_chain(arena, header);
	(void)spool_each(message->body, add_piece, body, NULL);
	body_hash_end(body);
	body_hash_free(body);
	message_fini(message);
	arena_free(arena);
	return 0;
}
