/*
 * signature_write.c - signature fields of our own: DKIM-Signature,
 * ARC-Message-Signature, ARC-Seal.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "base/crypto.h"
#include "policy/signature_write.h"
#include "policy/taglist.h"

#define LINE_MAX_DEFAULT 72
/* Octets of a field beside the names in h=. */
#define TAGS_MAX (16 * 1024)

const struct body_digest *
signature_want_body(struct body_hash *hash)
{
	return body_hash_want(hash, CANON_RELAXED, DIGEST_SHA256, BODY_WHOLE);
}

/* ---- writing ---- */

void
field_writer_init(struct field_writer *w, size_t max, size_t line_max)
{
	buf_init(&w->buf, max);
	w->line_max = line_max > 0 ? line_max : LINE_MAX_DEFAULT;
	w->column = 0;
	/* Behind the colon of the field's name. */
	(void)buf_append_char(&w->buf, ' ');
}

static void
new_line(struct field_writer *w)
{
	(void)buf_append_str(&w->buf, "\r\n ");
	w->column = 0;
}

void
field_put(struct field_writer *w, const char *token)
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

/* b=, broken where a line ends, on lines of its own. */
static void
put_b(struct field_writer *w, const char *b)
{
	size_t room = w->line_max - strlen("b="), n;

	new_line(w);
	(void)buf_append_str(&w->buf, "b=");
	for (;;) {
		n = strlen(b) < room ? strlen(b) : room;
		(void)buf_append(&w->buf, b, n);
		b += n;
		if (*b == '\0')
			break;
		new_line(w);
		room = w->line_max;
	}
	(void)buf_append_char(&w->buf, ';');
	new_line(w);
}

void
field_put_signature(struct field_writer *w, struct arena *arena,
    const struct signing_key *key, const char *b)
{
	field_put(w, arena_printf(arena, "a=%s;", signing_key_algorithm(key)));
	put_b(w, b);
}

const char *
field_writer_text(struct field_writer *w, struct arena *arena)
{
	const char *text = NULL;

	if (!w->buf.overflow)
		text = arena_strdup(arena, buf_str(&w->buf));
	buf_free(&w->buf);
	return text;
}

static bool
is_listed(const char *name, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* h=, on lines of its own. */
static void
put_names(struct field_writer *w, const struct signature_draft *draft)
{
	const char *const *names = draft->names, *separator = "";
	size_t n, len;

	new_line(w);
	(void)buf_append_str(&w->buf, "h=");
	w->column = strlen("h=");
	for (; *names != NULL; names++) {
		n = header_count_named(draft->header, *names);
		if (is_listed(*names, draft->oversigned))
			n++;
		len = strlen(*names);
		for (; n > 0; n--) {
			(void)buf_append_str(&w->buf, separator);
			/* A colon or semicolon stands on both sides. */
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

static const char *
body_text(const struct signature_draft *draft)
{
	struct bytes digest = { (const char *)draft->body->value,
		digest_len(DIGEST_SHA256) };
	const char *text;
	struct buf buf;

	buf_init(&buf, 64);
	(void)base64_encode(digest, &buf);
	text = arena_strdup(draft->arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* But for v=, tags stand in the order of the alphabet. */
static const char *
write_with(const struct signature_draft *draft, const char *b)
{
	struct arena *arena = draft->arena;
	struct field_writer w;

	field_writer_init(&w, TAGS_MAX + draft->header->bytes, draft->line_max);
	if (draft->kind == SIG_DKIM)
		field_put(&w, "v=1;");
	field_put_signature(&w, arena, draft->key, b);
	field_put(&w, arena_printf(arena, "bh=%s;", body_text(draft)));
	field_put(&w, "c=relaxed/relaxed;");
	field_put(&w, arena_printf(arena, "d=%s;", draft->domain));
	put_names(&w, draft);
	if (draft->kind != SIG_DKIM)
		field_put(&w, arena_printf(arena, "i=%u;", draft->instance));
	field_put(&w, arena_printf(arena, "s=%s;", draft->selector));
	field_put(&w, arena_printf(arena, "t=%lld", (long long)draft->now_s));
	return field_writer_text(&w, arena);
}

/* ---- signing ---- */

struct header_field
field_make(struct arena *arena, const char *name, const char *value)
{
	const char *raw = arena_printf(arena, "%s:%s\r\n", name, value);

	return (struct header_field){
		.name = bytes_of(name),
		.value = { raw + strlen(name) + 1, strlen(value) },
		.raw = bytes_of(raw),
	};
}

struct bytes
field_empty_b(const struct header_field *field)
{
	const char *b = memmem(field->value.data, field->value.len, " b=;", 4);

	return (struct bytes){ b + 3, 0 };
}

const char *
signature_sign(struct arena *arena, const struct signing_key *key,
    const uint8_t *digest, struct err *err)
{
	const char *text = NULL;
	struct buf buf;

	buf_init(&buf, 4096);
	if (signing_key_sign(key, digest, &buf, err) == 0)
		text = arena_strdup(arena, buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* The digest is made as a verifier will make it: of the field as read. */
static int
digest_of(const struct signature_draft *draft, const char *value,
    uint8_t out[DIGEST_MAX], struct err *err)
{
	struct signature sig = { .kind = draft->kind,
		.digest = DIGEST_SHA256,
		.header_canon = CANON_RELAXED,
		.body_canon = CANON_RELAXED };
	struct header_field field = field_make(draft->arena,
	    draft->kind == SIG_DKIM ? "DKIM-Signature"
				    : "ARC-Message-Signature",
	    value);
	const struct tag *names;
	struct taglist list;

	if (taglist_parse(field.value, &list, err) < 0)
		return -1;
	names = taglist_find(&list, "h");
	sig.field = &field;
	sig.names = names != NULL ? names->value : BYTES_LIT("");
	sig.cut = field_empty_b(&field);
	signature_header_digest(draft->arena, &sig, draft->header, out);
	return 0;
}

const char *
signature_write(const struct signature_draft *draft, struct err *err)
{
	const char *value = write_with(draft, ""), *b;
	uint8_t digest[DIGEST_MAX];

	if (value == NULL) {
		err_set(err, ERR_LIMIT, "no room for a signature field");
		return NULL;
	}
	if (digest_of(draft, value, digest, err) < 0)
		return NULL;
	b = signature_sign(draft->arena, draft->key, digest, err);
	return b != NULL ? write_with(draft, b) : NULL;
}
