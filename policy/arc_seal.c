/*
 * arc_seal.c - our own ARC set on a message that goes on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/arc_chain.h"
#include "policy/arc_seal.h"
#include "policy/signature_write.h"
#include "policy/taglist.h"

#define SEAL_MAX (16 * 1024)

/* RFC 6376 section 5.4.1, and the signatures that were there (RFC 8617
 * section 4.1.2).  Never Received, Return-Path, Authentication-Results. */
static const char *const default_names[] = {
	"from",
	"sender",
	"reply-to",
	"subject",
	"date",
	"message-id",
	"to",
	"cc",
	"mime-version",
	"content-type",
	"content-transfer-encoding",
	"in-reply-to",
	"references",
	"resent-date",
	"resent-from",
	"resent-to",
	"resent-cc",
	"list-id",
	"list-unsubscribe",
	"list-unsubscribe-post",
	"dkim-signature",
	NULL,
};

/* What the set is made for. */
struct sealing {
	struct arena *arena;
	const struct arc_seal_request *request;
	unsigned instance;
	const char *chain; /* cv= */
	struct err *err;
};

static const char *
make_message_signature(const struct sealing *s)
{
	const struct arc_seal_request *request = s->request;
	const struct signature_draft draft = {
		.arena = s->arena,
		.kind = SIG_ARC_MESSAGE,
		.key = request->key,
		.domain = request->domain,
		.selector = request->selector,
		.header = request->header,
		.body = request->body,
		.names =
		    request->names != NULL ? request->names : default_names,
		.instance = s->instance,
		.now_s = request->now_s,
		.line_max = request->line_max,
	};

	return signature_write(&draft, s->err);
}

static const char *
write_seal(const struct sealing *s, const char *b)
{
	const struct arc_seal_request *request = s->request;
	struct field_writer w;

	field_writer_init(&w, SEAL_MAX, request->line_max);
	field_put_signature(&w, s->arena, request->key, b);
	field_put(&w, arena_printf(s->arena, "cv=%s;", s->chain));
	field_put(&w, arena_printf(s->arena, "d=%s;", request->domain));
	field_put(&w, arena_printf(s->arena, "i=%u;", s->instance));
	field_put(&w, arena_printf(s->arena, "s=%s;", request->selector));
	field_put(&w,
	    arena_printf(s->arena, "t=%lld", (long long)request->now_s));
	return field_writer_text(&w, s->arena);
}

static const char *
make_seal(const struct sealing *s, const struct arc_chain *chain,
    const struct arc_sealed *sealed)
{
	struct header_field results, message, seal;
	uint8_t digest[DIGEST_MAX];
	struct arc_scope scope;
	struct arc_set set;
	const char *b, *unsealed = write_seal(s, "");
	size_t i;

	if (unsealed == NULL) {
		err_set(s->err, ERR_LIMIT, "no room for a seal");
		return NULL;
	}
	memset(&set, 0, sizeof(set));
	results =
	    field_make(s->arena, "ARC-Authentication-Results", sealed->results);
	message = field_make(s->arena, "ARC-Message-Signature",
	    sealed->message_signature);
	seal = field_make(s->arena, "ARC-Seal", unsealed);
	set.results = &results;
	set.message.field = &message;
	set.seal.field = &seal;
	set.seal.cut = field_empty_b(&seal);
	arc_scope_init(&scope,
	    s->request->header->bytes + results.raw.len + message.raw.len +
		seal.raw.len);
	for (i = 0; i < chain->count; i++)
		arc_scope_add(&scope, &chain->sets[i], digest);
	arc_scope_add(&scope, &set, digest);
	arc_scope_fini(&scope);
	b = signature_sign(s->arena, s->request->key, digest, s->err);
	return b != NULL ? write_seal(s, b) : NULL;
}

/* Whoever says so has closed the chain, also where other sets are beyond
 * reading. */
static bool
any_seal_says_fail(const struct header *header)
{
	size_t i, n = header_count_named(header, "arc-seal");
	const struct tag *chain;
	struct taglist list;

	for (i = 0; i < n && i < ARC_SETS_MAX; i++) {
		if (taglist_parse(header_find(header, "arc-seal", i)->value,
			&list, NULL) < 0)
			continue;
		chain = taglist_find(&list, "cv");
		if (chain != NULL &&
		    bytes_equal_nocase(chain->value, BYTES_LIT("fail")))
			return true;
	}
	return false;
}

/* Which instance, with which opinion, over which sets?  0: none. */
static int
place(struct sealing *s, struct arc_chain *chain)
{
	const struct arc_seal_request *request = s->request;
	int read = arc_chain_read(s->arena, request->header, chain, NULL);

	if (chain->closed || any_seal_says_fail(request->header) ||
	    request->arc->result == AUTH_TEMPERROR ||
	    request->arc->count >= ARC_SETS_MAX)
		return 0;
	s->instance = (unsigned)request->arc->count + 1;
	if (request->arc->result == AUTH_NONE) {
		s->chain = "none";
	} else if (request->arc->result == AUTH_PASS && read == 0) {
		s->chain = "pass";
		return 1;
	} else {
		s->chain = "fail";
	}
	/* A failing seal covers its own set only (section 5.1.2). */
	chain->count = 0;
	return 1;
}

int
arc_seal(struct arena *arena, const struct arc_seal_request *request,
    struct arc_sealed *sealed, struct err *err)
{
	struct arc_chain *chain = arena_alloc(arena, sizeof(*chain));
	struct sealing s = { .arena = arena, .request = request, .err = err };
	struct arc_sealed made;

	if (place(&s, chain) == 0)
		return 0;
	made.results =
	    arena_printf(arena, " i=%u; %s", s.instance, request->results);
	made.message_signature = make_message_signature(&s);
	if (made.message_signature == NULL)
		return -1;
	made.seal = make_seal(&s, chain, &made);
	if (made.seal == NULL)
		return -1;
	*sealed = made;
	return 1;
}
