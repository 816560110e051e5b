/*
 * arc_seal.c - our own ARC set on a message that goes on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "policy/arc_chain.h"
#include "policy/arc_seal.h"
#include "policy/taglist.h"

#define LINE_MAX_DEFAULT 72

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

const struct body_digest *
arc_seal_want_body(struct scan *scan)
{
	return body_hash_want(body_hash_of(scan), CANON_RELAXED, DIGEST_SHA256,
	    BODY_WHOLE);
}

/* ---- writing ---- */

/* A field being written, token by token. */
struct writer {
	struct buf buf;
	size_t line_max; /* octets, without the space that begins a line */
	size_t column;
};

static void
new_line(struct writer *w)
{
	(void)buf_append_str(&w->buf, "\r\n ");
	w->column = 0;
}

/* A token, on the next line when this one is too short for it. */
static void
put_token(struct writer *w, const char *token)
{
	size_t len = strlen(token);

	if (w->column > 0 && w->column + 1 + len > w->line_max) {
		new_line(w);
	} else if (w->column > 0) {
		(void)buf_append_char(&w->buf, ' ');
		w->column++;
	}
	(void)buf_append_str(&w->buf, token);
	w->column += len;
}

/* A long value, broken where the line ends; always on lines of its own, so
 * that the rest of the field does not depend on it. */
static void
put_broken(struct writer *w, const char *name, const char *value)
{
	size_t room = w->line_max - strlen(name), n;

	new_line(w);
	(void)buf_append_str(&w->buf, name);
	for (;;) {
		n = strlen(value) < room ? strlen(value) : room;
		(void)buf_append(&w->buf, value, n);
		value += n;
		if (*value == '\0')
			break;
		new_line(w);
		room = w->line_max;
	}
	(void)buf_append_char(&w->buf, ';');
	new_line(w);
}

/* h=, with a name for each field that is there, on lines of its own. */
static void
put_names(struct writer *w, const struct header *header,
    const char *const *names)
{
	const char *separator = "";
	size_t i, n, len;

	new_line(w);
	(void)buf_append_str(&w->buf, "h=");
	w->column = 2;
	for (; *names != NULL; names++) {
		n = header_count_named(header, *names);
		len = strlen(*names);
		for (i = 0; i < n; i++) {
			(void)buf_append_str(&w->buf, separator);
			if (w->column + len + 2 > w->line_max)
				new_line(w);
			(void)buf_append_str(&w->buf, *names);
			w->column += len + 1;
			separator = ":";
		}
	}
	(void)buf_append_char(&w->buf, ';');
	new_line(w);
}

/* What all three are made for. */
struct sealing {
	struct arena *arena;
	const struct arc_seal_request *request;
	unsigned instance;
	const char *chain; /* cv= */
	struct err *err;
};

static void
put_common(struct writer *w, const struct sealing *s, const char *b)
{
	(void)buf_append_char(&w->buf, ' ');
	put_token(w,
	    arena_printf(s->arena, "a=%s;",
		signing_key_algorithm(s->request->key)));
	put_broken(w, "b=", b);
}

static void
put_instance(struct writer *w, const struct sealing *s)
{
	const struct arc_seal_request *request = s->request;

	put_token(w, arena_printf(s->arena, "i=%u;", s->instance));
	put_token(w, arena_printf(s->arena, "s=%s;", request->selector));
	put_token(w,
	    arena_printf(s->arena, "t=%lld", (long long)request->now_s));
}

static const char *
finish(struct writer *w, const struct sealing *s)
{
	const char *text = NULL;

	if (!w->buf.overflow)
		text = arena_strdup(s->arena, buf_str(&w->buf));
	buf_free(&w->buf);
	return text;
}

static void
begin(struct writer *w, const struct sealing *s)
{
	buf_init(&w->buf, s->request->header->bytes + 8192);
	w->line_max =
	    s->request->line_max > 0 ? s->request->line_max : LINE_MAX_DEFAULT;
	w->column = 0;
}

/* Tags stand in the order of the alphabet. */
static const char *
write_message_signature(const struct sealing *s, const char *b)
{
	const struct arc_seal_request *request = s->request;
	const char *const *names =
	    request->names != NULL ? request->names : default_names;
	struct bytes digest = { (const char *)request->body->value,
		digest_len(DIGEST_SHA256) };
	struct writer w;
	struct buf bh;

	begin(&w, s);
	put_common(&w, s, b);
	buf_init(&bh, 64);
	(void)base64_encode(digest, &bh);
	put_token(&w, arena_printf(s->arena, "bh=%s;", buf_str(&bh)));
	buf_free(&bh);
	put_token(&w, "c=relaxed/relaxed;");
	put_token(&w, arena_printf(s->arena, "d=%s;", request->domain));
	put_names(&w, request->header, names);
	put_instance(&w, s);
	return finish(&w, s);
}

static const char *
write_seal(const struct sealing *s, const char *b)
{
	struct writer w;

	begin(&w, s);
	put_common(&w, s, b);
	put_token(&w, arena_printf(s->arena, "cv=%s;", s->chain));
	put_token(&w, arena_printf(s->arena, "d=%s;", s->request->domain));
	put_instance(&w, s);
	return finish(&w, s);
}

/* ---- signing ---- */

static struct header_field
make_field(struct arena *arena, const char *name, const char *value)
{
	const char *raw = arena_printf(arena, "%s:%s\r\n", name, value);

	return (struct header_field){
		.name = bytes_of(name),
		.value = { raw + strlen(name) + 1, strlen(value) },
		.raw = bytes_of(raw),
	};
}

/* The empty value of b= in a field that is not signed yet. */
static struct bytes
empty_b(const struct header_field *field)
{
	const char *b = memmem(field->value.data, field->value.len, " b=;", 4);

	return (struct bytes){ b + 3, 0 };
}

/* Base64 of the signature; NULL with *err. */
static const char *
sign(const struct sealing *s, const uint8_t *digest)
{
	const char *text = NULL;
	struct buf buf;

	buf_init(&buf, 4096);
	if (signing_key_sign(s->request->key, digest, &buf, s->err) == 0)
		text = arena_strdup(s->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

static const char *
make_message_signature(const struct sealing *s)
{
	struct signature sig = { .kind = SIG_ARC_MESSAGE,
		.digest = DIGEST_SHA256,
		.header_canon = CANON_RELAXED,
		.body_canon = CANON_RELAXED };
	struct header_field field;
	uint8_t digest[DIGEST_MAX];
	struct taglist list;
	const char *b, *value = write_message_signature(s, "");

	field = make_field(s->arena, "ARC-Message-Signature", value);
	if (taglist_parse(field.value, &list, s->err) < 0)
		return NULL;
	sig.field = &field;
	sig.cut = empty_b(&field);
	sig.names = taglist_find(&list, "h")->value;
	signature_header_digest(s->arena, &sig, s->request->header, digest);
	b = sign(s, digest);
	return b != NULL ? write_message_signature(s, b) : NULL;
}

static const char *
make_seal(const struct sealing *s, const struct arc_chain *chain,
    const struct arc_sealed *sealed)
{
	struct header_field results, message, seal;
	uint8_t digest[DIGEST_MAX];
	struct arc_scope scope;
	struct arc_set set;
	const char *b;
	size_t i;

	memset(&set, 0, sizeof(set));
	results =
	    make_field(s->arena, "ARC-Authentication-Results", sealed->results);
	message = make_field(s->arena, "ARC-Message-Signature",
	    sealed->message_signature);
	seal = make_field(s->arena, "ARC-Seal", write_seal(s, ""));
	set.results = &results;
	set.message.field = &message;
	set.seal.field = &seal;
	set.seal.cut = empty_b(&seal);
	arc_scope_init(&scope,
	    s->request->header->bytes + results.raw.len + message.raw.len +
		seal.raw.len);
	for (i = 0; i < chain->count; i++)
		arc_scope_add(&scope, &chain->sets[i], digest);
	arc_scope_add(&scope, &set, digest);
	arc_scope_fini(&scope);
	b = sign(s, digest);
	return b != NULL ? write_seal(s, b) : NULL;
}

/* Which instance, with which opinion, over which sets?  0: none. */
static int
place(struct sealing *s, struct arc_chain *chain)
{
	const struct arc_seal_request *request = s->request;
	int read = arc_chain_read(s->arena, request->header, chain, NULL);

	if (chain->closed || request->arc->result == AUTH_TEMPERROR ||
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
